"""The device code flow of the simulated sign-in: a code is given out, and polls are answered as the tenant's script says.

Source: MicrosoftDocs/entra-docs, v2-oauth2-device-code.md; RFC 8628 for `slow_down`.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from tasks.graph.simulator.request import Reply
from tasks.graph.simulator.tenants import SimulatedTenant

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
#: Seconds that a code is good for.
EXPIRES_IN: Final = 900
#: Seconds that every `slow_down` adds to the interval.
_SLOWER: Final = 5
_SUCCESS: Final = "success"
#: What is said with an error's word.
_WORDS: Final = {
    "authorization_pending": "AADSTS70016: OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
    "slow_down": "The client polls too often.",
    "authorization_declined": "The user declined the request.",
    "bad_verification_code": "AADSTS70018: The device code is not valid.",
    "expired_token": "AADSTS70020: The provided value for 'device_code' is not valid. This device code has expired.",
}
#: What is said with a number AADSTS….
_NUMBERS: Final = {
    "53003": "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    "530033": "Access has been blocked: device-based Conditional Access cannot be satisfied in a remote device flow.",
    "50105": "The signed in user is not assigned to a role for the application.",
    "65001": "The user or administrator has not consented to use the application.",
    "7000218": "The request body must contain 'client_assertion' or 'client_secret': the app is no public client.",
}


def _user_code() -> str:
    """Nine characters, as Entra's."""
    return secrets.token_hex(5)[:9].upper()


@dataclass
class _Code:
    """A code that was given out. Times are the clock's."""

    tenant: SimulatedTenant
    client_id: str
    scope: str
    #: Seconds between two polls, at least; 0 lets the client poll as it likes.
    interval: int
    given_at: float
    value: str = field(default_factory=secrets.token_urlsafe)
    user_code: str = field(default_factory=_user_code)
    polled_at: float | None = None
    #: Polls that the script has answered.
    answered: int = 0
    is_used: bool = False


class DeviceCodes:
    """Gives out device codes and answers the polls for their tokens. Thread-safe."""

    def __init__(self) -> None:
        #: Seconds from any start; a test may set another.
        self.clock: Callable[[], float] = time.monotonic
        self._lock = threading.Lock()
        self._codes: dict[str, _Code] = {}

    def start(self, tenant: SimulatedTenant, form: Mapping[str, str]) -> Reply:
        """The reply to a request for a code."""
        code = _Code(tenant, form["client_id"], form["scope"], tenant.device_interval, self.clock())
        with self._lock:
            self._codes[code.value] = code
        address = "https://microsoft.com/devicelogin"
        answer = {
            "device_code": code.value,
            "user_code": code.user_code,
            "verification_uri": address,
            "expires_in": EXPIRES_IN,
            "interval": code.interval,
            "message": f"To sign in, use a web browser to open the page {address} and enter the code {code.user_code}"
            " to authenticate.",
        }
        return Reply(200, answer)

    def poll(self, tenant: SimulatedTenant, form: Mapping[str, str]) -> Reply | str:
        """The refusal that a poll is answered with; the scope of the code if the user has signed in."""
        with self._lock:
            code = self._codes.get(form.get("device_code", ""))
            if code is None or code.tenant is not tenant or code.client_id != form.get("client_id"):
                return refused("bad_verification_code")
            answer = self._answer(code)
            code.is_used = code.is_used or answer == _SUCCESS
            return code.scope if answer == _SUCCESS else refused(answer)

    def _answer(self, code: _Code) -> str:
        now, before = self.clock(), code.polled_at
        code.polled_at = now
        if code.is_used:
            return "bad_verification_code"
        if now - code.given_at >= EXPIRES_IN:
            return "expired_token"
        is_early = before is not None and now - before < code.interval
        answer = "slow_down" if is_early else _scripted(code)
        if answer == "slow_down" and code.interval:
            code.interval += _SLOWER
        return answer


def _scripted(code: _Code) -> str:
    """The next answer of the tenant's script, whose last one stays. Without a script nobody ever signs in."""
    script = code.tenant.device_answers or ["authorization_pending"]
    code.answered += 1
    return script[min(code.answered, len(script)) - 1]


def refused(answer: str) -> Reply:
    """The refusal that a script calls by its word, or by its number as `53003` or `AADSTS53003`."""
    number = re.fullmatch(r"(?:AADSTS)?([0-9]+)", answer)
    if not number:
        return Reply(400, {"error": answer, "error_description": _WORDS.get(answer, "The sign-in was refused.")})
    text = f"AADSTS{number[1]}: {_NUMBERS.get(number[1], 'The sign-in was refused.')}"
    return Reply(400, {"error": "invalid_grant", "error_description": text, "error_codes": [int(number[1])]})
