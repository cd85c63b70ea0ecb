"""The search of a tenant's groups with a person's sign-in, over real HTTP."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.errors import InputInvalid
from tasks.graph.found_groups import query_for
from tasks.graph.group_search import End, GroupSearch, Prompt, SearchAnswer, SearchState, Status
from tasks.graph.simulator import Fault, SimulatedTenant, Simulator
from tasks.graph.simulator.query import Query
from tasks.graph.simulator.server import _Handler
from tasks.sdk.context import GraphSettings
from tests.support.properties import examples
from tests.support.waiting import HANG
from tests.tasks.graph.person import SLUG, Ticking, settings_at

GROUPS = "/v1.0/groups"
NAMES = (
    "Pilot Berlin",
    "Pilot Zürich",
    "All devices",
    'The "inner" circle',
    "Back\\slash",
    "Research & Development",
    "\x1b[31mRed\x07 team",
    "Anything goes ",
)


@pytest.fixture
def tenant() -> SimulatedTenant:
    made = SimulatedTenant(SLUG)
    for name in NAMES:
        made.put("groups", {"displayName": name, "description": None, "groupTypes": [], "onPremisesSyncEnabled": None})
    return made


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def simulator(tenant: SimulatedTenant, clock: Ticking) -> Iterator[Simulator]:
    with Simulator([tenant], page_size=20) as running:
        running.sign_in.device_codes.clock = clock
        yield running


@pytest.fixture
def search(simulator: Simulator, clock: Ticking) -> Iterator[GroupSearch]:
    """Nobody is signed in yet."""
    made = GroupSearch(SLUG, settings_at(simulator.url), clock=clock, wait=clock.wait)
    yield made
    made.sign_out()


@pytest.fixture
def ready(search: GroupSearch) -> GroupSearch:
    assert sign_in(search) is End.SIGNED_IN
    return search


def sign_in(search: GroupSearch) -> End:
    return search.sign_in(threading.Event(), lambda prompt: None).end


def found(search: GroupSearch, text: str) -> SearchAnswer:
    answer = search.search(text)
    assert answer is not None
    return answer


def names(search: GroupSearch, text: str) -> list[str]:
    """The names that a search finds without a reason against it."""
    answer = found(search, text)
    assert answer.reason == ""
    return [group.name for group in answer.groups]


def asked(simulator: Simulator) -> list[str]:
    """The requests for groups, as they were sent."""
    return [path for _, path, _ in simulator.requests if path.startswith(GROUPS)]


# ---- signing in


def test_nobody_searches_without_a_sign_in(search: GroupSearch, simulator: Simulator) -> None:
    reason = "sign in to search the directory itself"
    assert search.state == SearchState(Status.NEEDS_SIGN_IN, reason)
    assert found(search, "pilot") == SearchAnswer((), reason)
    assert simulator.requests == []


def test_a_person_signs_in_and_searches(search: GroupSearch) -> None:
    shown: list[Prompt] = []
    outcome = search.sign_in(threading.Event(), shown.append)
    assert (outcome.end, outcome.token, len(shown)) == (End.SIGNED_IN, None, 1)
    assert search.state == SearchState(Status.READY)
    assert sorted(names(search, "pilot")) == ["Pilot Berlin", "Pilot Zürich"]


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        (["authorization_pending", "authorization_pending", "slow_down", "AADSTS53003"], Status.DISABLED),
        (["slow_down", "530033"], Status.DISABLED),
        (["65001"], Status.DISABLED),
        (["7000218"], Status.DISABLED),
        (["authorization_pending", "expired_token"], Status.NEEDS_SIGN_IN),
        (["slow_down", "slow_down", "authorization_declined"], Status.NEEDS_SIGN_IN),
    ],
)
def test_o34_a_refused_sign_in_is_told_and_the_person_may_try_again(
    search: GroupSearch, simulator: Simulator, tenant: SimulatedTenant, answers: list[str], status: Status
) -> None:
    tenant.device_answers = answers
    outcome = search.sign_in(threading.Event(), lambda prompt: None)
    assert search.state == SearchState(status, outcome.text)
    sent = len(simulator.requests)
    assert found(search, "pilot") == SearchAnswer((), outcome.text)
    assert len(simulator.requests) == sent, "nothing is tried again by itself"
    tenant.device_answers = ["success"]
    assert sign_in(search) is End.SIGNED_IN
    assert search.state.status is Status.READY


def test_a_sign_in_that_fails_takes_no_older_one_away(ready: GroupSearch, tenant: SimulatedTenant) -> None:
    tenant.device_answers = ["authorization_declined"]
    assert sign_in(ready) is End.DECLINED
    assert ready.state == SearchState(Status.READY)


def test_a_sign_in_is_cancelled_by_another_thread(search: GroupSearch, clock: Ticking) -> None:
    cancel = threading.Event()
    clock.during = lambda number: cancel.set()
    outcome = search.sign_in(cancel, lambda prompt: None)
    assert (outcome.end, search.state.status) == (End.STOPPED, Status.NEEDS_SIGN_IN)


def test_there_is_one_sign_in_at_a_time(search: GroupSearch) -> None:
    inner: list[str] = []
    search.sign_in(
        threading.Event(), lambda prompt: inner.append(search.sign_in(threading.Event(), lambda prompt: None).text)
    )
    assert inner == ["a sign-in is under way already"]
    assert search.state.status is Status.READY


def test_who_signs_out_during_a_sign_in_is_not_signed_in(search: GroupSearch, clock: Ticking) -> None:
    clock.during = lambda number: search.sign_out()
    assert sign_in(search) is End.STOPPED
    assert search.state.status is Status.NEEDS_SIGN_IN


def test_who_signs_out_has_to_sign_in_again(ready: GroupSearch) -> None:
    token = ready._token
    assert token
    ready.sign_out()
    assert token.value == ""
    assert ready.state.status is Status.NEEDS_SIGN_IN
    assert sign_in(ready) is End.SIGNED_IN
    assert names(ready, "all") == ["All devices"]


@pytest.mark.parametrize("keys", [{"delegated_client_id": None}, {"delegated_client_id": "hunter2~secret"}])
def test_settings_that_lack_something_disable_the_search(simulator: Simulator, keys: Mapping[str, Any]) -> None:
    search = GroupSearch(SLUG, settings_at(simulator.url, **keys))
    state = search.state
    assert state.status is Status.DISABLED
    assert "delegated_client_id" in state.reason
    assert "hunter2" not in state.reason
    assert sign_in(search) is End.OTHER
    search.sign_out()
    assert (search.state, found(search, "pilot")) == (state, SearchAnswer((), state.reason))
    assert simulator.requests == []


def test_credentials_that_cannot_be_read_disable_the_search() -> None:
    def ask(slug: str) -> None:
        raise InputInvalid("its file cannot be read", "see it")

    search = GroupSearch(SLUG, GraphSettings("", "", ask))
    assert search.state == SearchState(Status.DISABLED, "its file cannot be read: see it")


# ---- what is asked and found


def test_a_group_comes_with_its_types(ready: GroupSearch, tenant: SimulatedTenant) -> None:
    types = [([], None), (["Unified", "DynamicMembership"], None), ([], True), (None, False)]
    for group_types, synced in types:
        tenant.put(
            "groups",
            {"displayName": "Kind", "description": "d", "groupTypes": group_types, "onPremisesSyncEnabled": synced},
        )
    groups = found(ready, "kind").groups
    assert [group.types for group in groups] == [("assigned",), ("microsoft365", "dynamic"), ("synced",), ("assigned",)]
    assert {(group.name, group.description) for group in groups} == {("Kind", "d")}
    there = {group["id"] for group in tenant.listed("groups")}
    assert {group.group_id for group in groups} < there


def test_fifty_groups_are_the_most(ready: GroupSearch, tenant: SimulatedTenant, simulator: Simulator) -> None:
    for number in range(60):
        tenant.put("groups", {"displayName": f"Many {number}"})
    assert len(names(ready, "many")) == 50
    assert len(asked(simulator)) == 1


@pytest.mark.parametrize("text", ["", "a", " a ", "\x1b[2J", "\u202e\u202d", "\n"])
def test_fewer_than_two_characters_search_nothing(ready: GroupSearch, simulator: Simulator, text: str) -> None:
    assert found(ready, text) == SearchAnswer((), "type at least 2 characters")
    assert asked(simulator) == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('"inner"', 'The "inner" circle'),
        ('the "in', 'The "inner" circle'),
        ("back\\sl", "Back\\slash"),
        ("research & dev", "Research & Development"),
        ("zürich", "Pilot Zürich"),
        ("pilot\nberlin\ud800", "Pilot Berlin"),
    ],
)
def test_what_is_typed_is_a_name_whatever_it_looks_like(ready: GroupSearch, text: str, name: str) -> None:
    assert names(ready, text) == [name]


def test_nothing_that_is_typed_adds_to_the_question(ready: GroupSearch, simulator: Simulator) -> None:
    assert names(ready, '"&$filter=id ne \'x\'&$top=999" OR "displayName:pilot') == []
    query = parse_qs(urlsplit(asked(simulator)[0]).query)
    assert set(query) == {"$search", "$select", "$top"}
    assert query["$top"] == ["50"]


@examples(150)
@given(st.text(min_size=2, max_size=40), st.text(alphabet='"\\& ab', min_size=2))
def test_a_clause_ends_where_it_should(one: str, other: str) -> None:
    items = [{"displayName": "nothing like it"}]
    for text in (one, other):
        clause = query_for(text)["$search"]
        assert clause.startswith('"displayName:')
        assert clause.endswith('"')
        inside = clause.removeprefix('"displayName:').removesuffix('"')
        assert '"' not in inside.replace("\\\\", "").replace('\\"', "")
        if "\n" not in text:
            Query(search=clause).selected(items)  # the simulator takes it as one clause


def test_names_are_as_they_are_in_the_directory(ready: GroupSearch) -> None:
    assert names(ready, "team") == ["\x1b[31mRed\x07 team"], "the screen cleans what it shows, as with cached groups"
    assert names(ready, "anything") == ["Anything goes "]


# ---- newest key wins


class Gate:
    """Holds the request for groups with a word in its query until it is opened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, word: str) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        right = _Handler.do_GET

        def do_get(handler: _Handler) -> None:
            if word in handler.path:
                self.reached.set()
                self.opened.wait(HANG)
            right(handler)

        monkeypatch.setattr(_Handler, "do_GET", do_get)


def behind(gate: Gate, search: GroupSearch, text: str) -> tuple[threading.Thread, list[SearchAnswer | None]]:
    """A search that hangs at the gate, and where its answer will be."""
    answers: list[SearchAnswer | None] = []
    thread = threading.Thread(target=lambda: answers.append(search.search(text)))
    thread.start()
    assert gate.reached.wait(HANG)
    return thread, answers


def test_an_older_answer_that_arrives_later_is_dropped(
    ready: GroupSearch, monkeypatch: pytest.MonkeyPatch, simulator: Simulator
) -> None:
    gate = Gate(monkeypatch, "devices")
    thread, answers = behind(gate, ready, "devices")
    assert len(names(ready, "pilot")) == 2
    gate.opened.set()
    thread.join(HANG)
    assert answers == [None]
    simulator.faults.add(Fault(GROUPS, status=429))
    kept = found(ready, "pilot b")
    assert [group.name for group in kept.groups] == ["Pilot Berlin", "Pilot Zürich"], "nor is it kept"


@pytest.mark.parametrize("then", ["a key", "too short", "sign out"])
def test_whatever_comes_after_makes_an_answer_older(
    ready: GroupSearch, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    gate = Gate(monkeypatch, "devices")
    thread, answers = behind(gate, ready, "devices")
    {"a key": ready.new_key, "too short": lambda: ready.search("d"), "sign out": ready.sign_out}[then]()
    gate.opened.set()
    thread.join(HANG)
    assert answers == [None]


def test_keys_have_the_order_in_which_they_were_pressed(ready: GroupSearch, simulator: Simulator) -> None:
    first, second = ready.new_key(), ready.new_key()
    assert ready.search("devices", second)
    assert ready.search("pilot", first) is None
    assert len(asked(simulator)) == 1, "what nobody waits for is not asked"


# ---- refusals


def test_a_token_that_graph_refuses_is_forgotten(ready: GroupSearch, simulator: Simulator) -> None:
    token = ready._token
    assert token
    simulator.sign_in.end_tokens(SLUG)
    reason = "your sign-in has ended: sign in again"
    assert found(ready, "pilot") == SearchAnswer((), reason)
    assert ready.state == SearchState(Status.NEEDS_SIGN_IN, reason)
    assert token.value == ""
    assert found(ready, "pilot").reason == reason
    assert len(asked(simulator)) == 1
    assert sign_in(ready) is End.SIGNED_IN
    assert len(names(ready, "pilot")) == 2


def test_a_token_ends_when_it_was_said_to(search: GroupSearch, tenant: SimulatedTenant, clock: Ticking) -> None:
    tenant.token_seconds = 60
    assert sign_in(search) is End.SIGNED_IN
    clock.now += 59
    assert search.state.status is Status.READY
    clock.now += 1
    assert search.state == SearchState(Status.NEEDS_SIGN_IN, "your sign-in has ended: sign in again")
    assert search._token is None


def test_the_refusal_of_an_older_token_is_not_held_against_a_newer_one(
    ready: GroupSearch, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(monkeypatch, "devices")
    thread, answers = behind(gate, ready, "devices")
    simulator.sign_in.end_tokens(SLUG)
    assert sign_in(ready) is End.SIGNED_IN
    gate.opened.set()
    thread.join(HANG)
    assert answers == [SearchAnswer((), "your sign-in has ended: sign in again")]
    assert ready.state.status is Status.READY


@pytest.mark.parametrize("status", [401, 403])
def test_conditional_access_that_asks_for_more_disables_the_search(
    ready: GroupSearch, simulator: Simulator, status: int
) -> None:
    simulator.faults.add(Fault(GROUPS, status=status, code="insufficient_claims"))
    answer = found(ready, "pilot")
    assert "Conditional Access" in answer.reason
    assert ready.state == SearchState(Status.DISABLED, answer.reason)
    assert ready._token is None


def test_who_may_not_is_told_which_permission_is_missing(ready: GroupSearch, tenant: SimulatedTenant) -> None:
    tenant.granted = frozenset({"DeviceManagementRBAC.Read.All"})
    answer = found(ready, "pilot")
    assert answer.groups == ()
    assert "GroupMember.Read.All (delegated)" in answer.reason


@pytest.mark.parametrize(("told", "seconds"), [("7", 7), (None, 5), ("99999", 300)])
def test_a_busy_graph_is_left_alone_and_the_last_groups_stay(
    ready: GroupSearch, simulator: Simulator, clock: Ticking, told: str | None, seconds: int
) -> None:
    before = found(ready, "pilot").groups
    simulator.faults.add(Fault(GROUPS, status=429, retry_after=told))
    busy = SearchAnswer(before, f"Microsoft Graph is busy: type again in {seconds} s", is_kept=True)
    assert found(ready, "all") == busy
    assert ready.state.status is Status.READY
    clock.now += seconds - 1
    assert found(ready, "all") == SearchAnswer(before, "Microsoft Graph is busy: type again in 1 s", is_kept=True)
    assert len(asked(simulator)) == 2
    clock.now += 1
    assert names(ready, "all") == ["All devices"]


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault(GROUPS, status=503), "status 503"),
        (Fault(GROUPS, status=400, code="Request_UnsupportedQuery"), "(status 400, Request_UnsupportedQuery)"),
        (Fault(GROUPS, status=302), "status 302"),
        (Fault(GROUPS, status=200), "the answer was not whole"),
        (Fault(GROUPS, break_off=True), "no answer: RemoteProtocolError"),
    ],
)
def test_other_trouble_is_told_in_short(ready: GroupSearch, simulator: Simulator, fault: Fault, reason: str) -> None:
    simulator.faults.add(fault)
    answer = found(ready, "pilot")
    assert reason in answer.reason
    assert "Operation ID" not in answer.reason
    assert len(names(ready, "pilot")) == 2, "and the next key asks again"


def test_a_graph_that_is_gone_is_told(ready: GroupSearch, simulator: Simulator) -> None:
    simulator.__exit__(None, None, None)
    assert "Microsoft Graph does not answer (no answer: " in found(ready, "pilot").reason


def test_a_refusal_between_leaves_the_last_groups(ready: GroupSearch, simulator: Simulator) -> None:
    before = found(ready, "pilot").groups
    for status in (403, 429):
        simulator.faults.add(Fault(GROUPS, status=status))
    assert found(ready, "all").groups == ()
    assert found(ready, "all").groups == before


def test_who_signs_in_next_sees_nothing_of_the_one_before(ready: GroupSearch, simulator: Simulator) -> None:
    assert names(ready, "pilot")
    simulator.faults.add(Fault(GROUPS, status=429, count=2))
    assert found(ready, "all").is_kept
    ready.sign_out()
    assert sign_in(ready) is End.SIGNED_IN
    answer = found(ready, "all")
    assert (answer.groups, answer.is_kept, len(asked(simulator))) == ((), False, 3)


# ---- where the token goes


def test_a_redirect_is_not_followed(ready: GroupSearch, simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    with Simulator([SimulatedTenant("fabrikam")]) as other:
        right = _Handler.send_header

        def send_header(handler: _Handler, name: str, value: str) -> None:
            right(handler, name, value)
            if name == "Content-Length":
                right(handler, "Location", f"{other.url}/v1.0/groups")

        monkeypatch.setattr(_Handler, "send_header", send_header)
        simulator.faults.add(Fault(GROUPS, status=307))
        assert "status 307" in found(ready, "pilot").reason
        assert other.requests == []


def test_the_token_shows_nowhere(search: GroupSearch, simulator: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for name in ("httpx", "httpcore"):
            caplog.set_level(logging.DEBUG, name)
        assert sign_in(search) is End.SIGNED_IN
        token = search._token
        assert token
        value = token.value
        simulator.faults.add(Fault(GROUPS, break_off=True))
        answers = [found(search, "pilot"), found(search, "pilot")]
    assert any(record.name.startswith("httpcore") for record in caplog.records)
    assert all(record.exc_info is None for record in caplog.records)
    assert value in simulator.sign_in.delegated
    assert value not in caplog.text + repr((answers, search, search.state, vars(search)))


def test_importing_the_search_brings_nothing_slow() -> None:
    code = (
        "import sys, tasks.graph.group_search;"
        " print(*({'httpx', 'msal', 'cryptography', 'sqlalchemy', 'ssl'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
