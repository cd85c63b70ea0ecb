"""The device code flow of the simulated sign-in, over real HTTP. Nobody sleeps: the clock is the test's, or the interval 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from tasks.graph.simulator import SimulatedTenant, Simulator, directory_id

SCOPE = "https://graph.microsoft.com/DeviceManagementRBAC.Read.All offline_access openid profile"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
TAGS = "/beta/deviceManagement/roleScopeTags"


@dataclass
class Terminal:
    """A public client that signs in."""

    simulator: Simulator
    now: float = 0.0
    code: str = ""

    def post(self, path: str, **form: str) -> httpx.Response:
        address = f"{self.simulator.url}/{directory_id('contoso')}/oauth2/v2.0/{path}"
        whole = {"client_id": "terminal"} | form
        return httpx.post(address, data={key: value for key, value in whole.items() if value})

    def start(self, **form: str) -> httpx.Response:
        answer = self.post("devicecode", **({"scope": SCOPE} | form))
        self.code = answer.json().get("device_code", "")
        return answer

    def poll(self, wait: float = 0.0, **form: str) -> httpx.Response:
        self.now += wait
        return self.post("token", **({"grant_type": GRANT, "device_code": self.code} | form))

    def told(self, wait: float = 0.0, **form: str) -> str:
        """The word of the error that a poll is answered with."""
        answer = self.poll(wait, **form)
        return "" if answer.status_code == 200 else str(answer.json()["error"])


@pytest.fixture
def tenant() -> SimulatedTenant:
    return SimulatedTenant("contoso")


@pytest.fixture
def terminal(tenant: SimulatedTenant) -> Iterator[Terminal]:
    with Simulator([tenant, SimulatedTenant("fabrikam")]) as running:
        terminal = Terminal(running)
        running.sign_in.device_codes.clock = lambda: terminal.now
        yield terminal


def test_a_code_is_given_out_as_entra_gives_it(terminal: Terminal) -> None:
    given = terminal.start().json()
    assert (given["expires_in"], given["interval"]) == (900, 5)
    assert given["user_code"] in given["message"]
    assert given["verification_uri"] in given["message"]
    assert "verification_uri_complete" not in given
    discovery = f"{terminal.simulator.url}/{directory_id('contoso')}/v2.0/.well-known/openid-configuration"
    assert httpx.get(discovery).json()["device_authorization_endpoint"].endswith("/oauth2/v2.0/devicecode")


def test_a_person_who_signs_in_gets_a_delegated_token_once(terminal: Terminal) -> None:
    terminal.start()
    assert terminal.told() == "authorization_pending"
    answer = terminal.poll(5).json()
    token = answer["access_token"]
    assert answer["scope"] == SCOPE
    assert token.startswith("simulated.global.delegated-")
    assert terminal.simulator.sign_in.delegated == {token}
    headers = {"Authorization": f"Bearer {token}"}
    assert httpx.get(f"{terminal.simulator.url}{TAGS}", headers=headers).status_code == 200
    assert terminal.told(5) == "bad_verification_code", "a code is good once"


def test_who_polls_too_fast_is_slowed_down_more_and_more(terminal: Terminal, tenant: SimulatedTenant) -> None:
    tenant.device_answers = ["authorization_pending"]
    terminal.start()
    answers = [terminal.told(wait) for wait in (0, 4.9, 9.9, 15, 14.9, 20)]
    pending, slow = "authorization_pending", "slow_down"
    assert answers == [pending, slow, slow, pending, slow, pending]


@pytest.mark.parametrize(
    ("last", "error", "text"),
    [
        ("AADSTS53003", "invalid_grant", "AADSTS53003: "),
        ("530033", "invalid_grant", "AADSTS530033: "),
        ("50000", "invalid_grant", "AADSTS50000: The sign-in was refused."),
        ("expired_token", "expired_token", "AADSTS70020"),
        ("authorization_declined", "authorization_declined", "declined"),
        ("bad_verification_code", "bad_verification_code", "AADSTS70018"),
    ],
)
def test_polls_are_answered_as_the_script_says(
    terminal: Terminal, tenant: SimulatedTenant, last: str, error: str, text: str
) -> None:
    script = ["authorization_pending", "authorization_pending", "slow_down", last]
    control = f"{terminal.simulator.url}/_simulator/contoso/device_code"
    assert httpx.put(control, json={"answers": script, "interval": 0}).status_code == 200
    assert terminal.start().json()["interval"] == 0
    assert [terminal.told() for _ in range(4)] == [*script[:3], error]
    refusal = terminal.poll()  # the last one stays
    assert (refusal.status_code, refusal.json()["error"]) == (400, error)
    assert text in refusal.json()["error_description"]
    assert terminal.simulator.tokens == {}


def test_without_a_script_nobody_signs_in_until_the_code_expires(terminal: Terminal, tenant: SimulatedTenant) -> None:
    tenant.device_answers = []
    terminal.start()
    assert terminal.told(899) == "authorization_pending"
    tenant.device_answers = ["success"]
    assert terminal.told(1) == "expired_token"


def test_a_code_is_its_apps_and_its_tenants(terminal: Terminal, tenant: SimulatedTenant) -> None:
    tenant.device_answers = ["success"]
    terminal.start()
    assert terminal.told(client_id="other") == "bad_verification_code"
    assert terminal.told(device_code="other") == "bad_verification_code"
    form = {"client_id": "terminal", "grant_type": GRANT, "device_code": terminal.code, "scope": SCOPE}
    address, nowhere = (f"{terminal.simulator.url}/{directory_id(slug)}/oauth2/v2.0" for slug in ("fabrikam", "nobody"))
    assert httpx.post(f"{address}/token", data=form).json()["error"] == "bad_verification_code"
    for path in ("token", "devicecode"):
        assert "AADSTS90002" in httpx.post(f"{nowhere}/{path}", data=form).text
    assert terminal.told() == ""


@pytest.mark.parametrize(
    ("form", "number"),
    [
        ({"scope": ""}, 900144),
        ({"client_id": ""}, 900144),
        ({"scope": "https://graph.microsoft.us/.default"}, 70011),
        ({"scope": "openid https://vault.example.org/x"}, 70011),
    ],
)
def test_a_request_for_a_code_names_an_app_and_permissions_of_this_graph(
    terminal: Terminal, form: dict[str, str], number: int
) -> None:
    answer = terminal.start(**form)
    assert answer.status_code == 400
    assert answer.json()["error_description"].startswith(f"AADSTS{number}:")


def test_a_tenant_that_refuses_every_sign_in_refuses_this_one(terminal: Terminal, tenant: SimulatedTenant) -> None:
    terminal.start()
    tenant.sign_in_refusal = 53003
    assert "AADSTS53003" in terminal.poll().text
    assert "AADSTS53003" in terminal.start().text
