"""The sign-in of a person with a device code, over real HTTP; time passes in its waits only."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from store.errors import InputInvalid
from tasks.graph.delegated import DelegatedApp, DelegatedToken, End, Prompt, SignInOutcome
from tasks.graph.device_code import DeviceCodeSignIn
from tasks.graph.simulator import DELEGATED_CLIENT_ID, Fault, SimulatedTenant, Simulator
from tasks.graph.simulator.device_code import DeviceCodes
from tasks.graph.simulator.request import Reply
from tasks.graph.simulator.signin import SignIn
from tests.support.waiting import HANG
from tests.tasks.graph.person import KEYS, SLUG, Ticking, app_at

PENDING = "authorization_pending"
REFUSED = "your organisation does not allow this sign-in from a terminal"


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant(SLUG)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def simulator(tenant: SimulatedTenant, clock: Ticking) -> Iterator[Simulator]:
    with Simulator([tenant]) as running:
        running.sign_in.device_codes.clock = clock
        yield running


@pytest.fixture
def flow(simulator: Simulator, clock: Ticking) -> Iterator[DeviceCodeSignIn]:
    made = DeviceCodeSignIn(app_at(simulator), clock=clock, wait=clock.wait)
    yield made
    made.close()


def begun(flow: DeviceCodeSignIn) -> Prompt:
    prompt = flow.begin(threading.Event())
    assert isinstance(prompt, Prompt)
    return prompt


def ended(flow: DeviceCodeSignIn) -> SignInOutcome:
    begun(flow)
    return flow.poll(threading.Event())


def repr_of(value: object) -> str:
    return repr(value)[:20]


def polls(simulator: Simulator) -> int:
    return sum(path.endswith("/token") for _, path, _ in simulator.requests)


def put_in_place(monkeypatch: pytest.MonkeyPatch, **given: Any) -> None:
    """Change what the simulator gives with a code."""
    right = DeviceCodes.start

    def start(self: DeviceCodes, tenant: SimulatedTenant, form: Any) -> Reply:
        return Reply(200, {**right(self, tenant, form).body, **given})

    monkeypatch.setattr(DeviceCodes, "start", start)


# ---- how it begins and ends


def test_the_person_is_told_where_to_go_and_what_to_enter(flow: DeviceCodeSignIn, simulator: Simulator) -> None:
    prompt = begun(flow)
    code = next(iter(simulator.sign_in.device_codes._codes.values()))
    assert prompt.text == f"open https://microsoft.com/devicelogin in a browser and enter the code {code.user_code}"
    left = prompt.expires_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=14) < left <= dt.timedelta(minutes=15)
    assert simulator.sign_in.scopes == ["https://graph.microsoft.com/GroupMember.Read.All"]
    assert code.client_id == DELEGATED_CLIENT_ID


def test_who_signs_in_has_a_token_until_it_ends(
    flow: DeviceCodeSignIn, simulator: Simulator, tenant: SimulatedTenant, clock: Ticking
) -> None:
    tenant.token_seconds = 60
    outcome = ended(flow)
    assert (outcome.end, outcome.text) == (End.SIGNED_IN, "signed in")
    assert outcome.token
    assert {outcome.token.value} == simulator.sign_in.delegated
    assert clock.waits == [5, 5]
    assert not outcome.token.is_over(clock.now + 59)
    assert outcome.token.is_over(clock.now + 60)
    outcome.token.forget()
    assert outcome.token.is_over(clock.now)
    assert outcome.token.value == ""


@pytest.mark.parametrize(
    ("last", "end", "text"),
    [
        ("AADSTS53003", End.REFUSED, REFUSED),
        ("530033", End.REFUSED, REFUSED),
        ("53000", End.REFUSED, REFUSED),
        ("expired_token", End.EXPIRED, "the code has ended: sign in again"),
        ("authorization_declined", End.DECLINED, "the sign-in was declined"),
        ("access_denied", End.DECLINED, "the sign-in was declined"),
        ("65001", End.NO_CONSENT, "nobody has consented to GroupMember.Read.All (delegated)"),
        ("7000218", End.NOT_PUBLIC, "the app is no public client"),
        ("50105", End.OTHER, "you are not assigned to the app"),
        ("bad_verification_code", End.OTHER, "the code is not known any more"),
        ("50000", End.OTHER, "the sign-in was refused (invalid_grant, AADSTS50000)"),
    ],
)
@pytest.mark.parametrize("before", [[PENDING, PENDING, "slow_down"], [], ["slow_down", "slow_down"]])
def test_o34_a_refusal_is_told_in_our_words_and_not_tried_again(
    flow: DeviceCodeSignIn,
    simulator: Simulator,
    tenant: SimulatedTenant,
    before: list[str],
    last: str,
    end: End,
    text: str,
) -> None:
    tenant.device_answers = [*before, last]
    outcome = ended(flow)
    assert (outcome.end, outcome.token) == (end, None)
    assert outcome.text.startswith(text)
    assert polls(simulator) == len(before) + 1


@pytest.mark.parametrize(("number", "end"), [(53003, End.REFUSED), (7000218, End.NOT_PUBLIC), (65001, End.NO_CONSENT)])
def test_a_refusal_before_there_is_a_code_is_told_the_same_way(
    flow: DeviceCodeSignIn, tenant: SimulatedTenant, number: int, end: End
) -> None:
    tenant.sign_in_refusal = number
    outcome = flow.begin(threading.Event())
    assert isinstance(outcome, SignInOutcome)
    assert outcome.end is end
    with pytest.raises(RuntimeError):
        flow.poll(threading.Event())


# ---- how it polls


def test_o34_the_interval_is_obeyed_and_every_slow_down_adds_to_it(
    flow: DeviceCodeSignIn, simulator: Simulator, tenant: SimulatedTenant, clock: Ticking
) -> None:
    tenant.device_answers = [PENDING, PENDING, "slow_down", PENDING, "slow_down", "success"]
    assert ended(flow).end is End.SIGNED_IN
    assert clock.waits == [5, 5, 5, 10, 10, 15]
    assert polls(simulator) == 6, "the simulator itself would have slowed down who polls early"


@pytest.mark.parametrize(
    ("interval", "first"),
    [(7, 7), (None, 5), ("soon", 5), (0, 1), (-3, 1), (True, 5), (10**400, 300), (float("nan"), 1)],
    ids=repr_of,
)
def test_an_interval_that_cannot_be_is_another(
    flow: DeviceCodeSignIn,
    monkeypatch: pytest.MonkeyPatch,
    tenant: SimulatedTenant,
    clock: Ticking,
    interval: Any,
    first: int,
) -> None:
    tenant.device_interval = 0
    put_in_place(monkeypatch, interval=interval)
    ended(flow)
    assert clock.waits[0] == first


def test_a_code_that_nobody_uses_ends_by_our_clock_too(
    flow: DeviceCodeSignIn,
    simulator: Simulator,
    tenant: SimulatedTenant,
    clock: Ticking,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tenant.device_answers = [PENDING]
    put_in_place(monkeypatch, expires_in=12)  # people report codes that end early
    assert ended(flow).end is End.EXPIRED
    assert clock.waits == [5, 5, 2]
    assert polls(simulator) == 2


def test_trouble_of_the_service_is_waited_out(flow: DeviceCodeSignIn, simulator: Simulator, clock: Ticking) -> None:
    for fault in (
        Fault("/token", status=503),
        Fault("/token", break_off=True),
        Fault("/token", status=429, retry_after="90"),
    ):
        simulator.faults.add(fault)
    assert ended(flow).end is End.SIGNED_IN
    assert clock.waits[:4] == [5, 10, 20, 90]


@pytest.mark.parametrize(
    "fault", [Fault("/token", status=503, count=None), Fault("/token", break_off=True, count=None)]
)
def test_a_service_that_stays_in_trouble_ends_it(flow: DeviceCodeSignIn, simulator: Simulator, fault: Fault) -> None:
    simulator.faults.add(fault)
    outcome = ended(flow)
    assert outcome.end is End.OTHER
    assert outcome.text.startswith("the sign-in service ")
    assert polls(simulator) <= 5


@pytest.mark.parametrize("where", ["/devicecode", "/token"])
@pytest.mark.parametrize("status", [200, 302, 404])
def test_who_is_no_sign_in_service_is_told(
    flow: DeviceCodeSignIn, simulator: Simulator, where: str, status: int
) -> None:
    simulator.faults.add(Fault(where, status=status, count=None))
    begun_or_ended = flow.begin(threading.Event())
    outcome = flow.poll(threading.Event()) if isinstance(begun_or_ended, Prompt) else begun_or_ended
    assert outcome.end is End.OTHER
    assert "Operation ID" not in outcome.text


def test_a_service_that_is_not_there_is_told() -> None:
    app = DelegatedApp.from_settings(SLUG, lambda slug: KEYS, "", "http://127.0.0.1:9")
    flow = DeviceCodeSignIn(app)
    assert flow.begin(threading.Event()) == SignInOutcome(End.OTHER, "the sign-in service does not answer: try later")
    flow.close()


def test_trouble_that_has_ended_is_not_counted(flow: DeviceCodeSignIn, simulator: Simulator, clock: Ticking) -> None:
    for after in (0, 1):
        simulator.faults.add(Fault("/token", status=503, after=after, count=4))
    assert ended(flow).end is End.SIGNED_IN
    # The first poll that is answered is pending; the four after it are struck again.
    assert clock.waits == [5, 10, 20, 40, 60, 5, 10, 20, 40, 60]


# ---- cancelling


def test_another_thread_ends_the_wait_at_once(simulator: Simulator, tenant: SimulatedTenant) -> None:
    tenant.device_answers, tenant.device_interval = [PENDING], 300
    flow, cancel = DeviceCodeSignIn(app_at(simulator)), threading.Event()  # with the real wait
    begun(flow)
    outcomes: list[SignInOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(flow.poll(cancel)))
    thread.start()
    cancel.set()
    thread.join(HANG)
    assert [outcome.end for outcome in outcomes] == [End.STOPPED]
    assert polls(simulator) == 0
    flow.close()


@pytest.mark.parametrize("where", ["/devicecode", "/token"])
def test_a_request_that_hangs_does_not_hold_a_cancel_up(
    flow: DeviceCodeSignIn, simulator: Simulator, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    hanging, go_on, cancel = threading.Event(), threading.Event(), threading.Event()
    right = SignIn.respond

    def respond(self: SignIn, path: str, *rest: Any) -> Reply | None:
        if path.endswith(where):
            hanging.set()
            go_on.wait(HANG)
        return right(self, path, *rest)

    monkeypatch.setattr(SignIn, "respond", respond)
    outcomes: list[object] = []

    def sign_in() -> None:
        found = flow.begin(cancel)
        outcomes.append(flow.poll(cancel) if isinstance(found, Prompt) else found)

    thread = threading.Thread(target=sign_in)
    thread.start()
    assert hanging.wait(HANG)
    cancel.set()
    thread.join(HANG)
    told = list(outcomes)
    go_on.set()
    assert told == [SignInOutcome(End.STOPPED, "the sign-in was cancelled")]


def test_a_cancel_between_two_polls_asks_no_more(flow: DeviceCodeSignIn, simulator: Simulator, clock: Ticking) -> None:
    begun(flow)
    cancel = threading.Event()
    clock.during = lambda number: cancel.set() if number == 2 else None
    assert flow.poll(cancel).end is End.STOPPED
    assert polls(simulator) == 1


# ---- what is shown


def test_the_token_and_the_code_show_nowhere(
    flow: DeviceCodeSignIn, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore", "msal"):
            caplog.set_level(logging.DEBUG, name)
        outcome = ended(flow)
    assert outcome.token
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    device_code = next(iter(simulator.sign_in.device_codes._codes))
    texts = caplog.text + repr((outcome, outcome.token, flow, flow._code)) + str(outcome.token) + f"{outcome}"
    for secret in (outcome.token.value, device_code):
        assert secret not in texts
    with pytest.raises(TypeError, match="not written anywhere"):
        pickle.dumps(outcome.token)
    assert not hasattr(DelegatedToken("x", 0), "__dict__")


@pytest.mark.parametrize("value", ["secret\ntoken", "secret token", "", None, 7, "sécret", "secret\x1b[2J"])
def test_a_token_that_no_header_takes_is_none(
    flow: DeviceCodeSignIn, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    monkeypatch.setattr(SignIn, "_issue", lambda self, tenant, mark="": {"access_token": value})
    outcome = ended(flow)
    assert (outcome.end, outcome.token) == (End.OTHER, None)
    assert "cret" not in outcome.text


def test_hostile_text_reaches_no_terminal(flow: DeviceCodeSignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    put_in_place(
        monkeypatch,
        user_code="AB\x1b]0;owned\x07CD\r\n\u202eEF\x9b2J",
        verification_uri="https://exam\x1b[31mple.org/d\x07",
        message="\x1b[2Jcall 555",
    )
    prompt = begun(flow)
    assert (prompt.address, prompt.user_code) == ("https://example.org/d", "ABCD EF")
    assert prompt.text.isprintable()


@pytest.mark.parametrize(
    "wrong",
    [
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "http://example.org"},
        {"verification_uri": "https://[::1"},
        {"verification_uri": None},
        {"user_code": "\x1b[2J"},
        {"device_code": ""},
        {"device_code": 7},
    ],
)
def test_an_answer_that_cannot_be_used_ends_it(
    flow: DeviceCodeSignIn, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    put_in_place(monkeypatch, **wrong)
    outcome = flow.begin(threading.Event())
    assert isinstance(outcome, SignInOutcome)
    assert outcome.text == "no sign-in service answered (status 200): check graph_authority"


# ---- settings


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"delegated_client_id": None}, "no app is set up that people of tenant 'contoso' sign in through"),
        ({"delegated_client_id": "hunter2~secret"}, "delegated_client_id of tenant 'contoso' is no application id"),
        ({"directory_id": None}, "the credentials of tenant 'contoso' lack directory_id"),
        ({"cloud": "moon"}, "'moon' is no cloud"),
    ],
)
def test_settings_that_lack_something_are_told(simulator: Simulator, keys: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputInvalid) as caught:
        app_at(simulator, **keys)
    assert caught.value.message == reason
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("graph_url", "authority"),
    [
        ("http://graph.example.org", ""),
        ("", "http://login.example.org"),
        ("ftp://127.0.0.1", ""),
        ("nowhere", ""),
        ("https://[::1", ""),
        ("https://graph.microsoft.us", ""),
    ],
)
def test_no_token_goes_to_an_address_that_is_not_safe(graph_url: str, authority: str) -> None:
    with pytest.raises(InputInvalid):
        DelegatedApp.from_settings(SLUG, lambda slug: KEYS, graph_url, authority)


def test_the_clouds_own_addresses_are_the_default() -> None:
    app = DelegatedApp.from_settings(SLUG, lambda slug: {**KEYS, "cloud": "dod"})
    assert (app.graph_url, app.authority) == ("https://dod-graph.microsoft.us", "https://login.microsoftonline.us")
    assert app.scope == "https://dod-graph.microsoft.us/GroupMember.Read.All"
