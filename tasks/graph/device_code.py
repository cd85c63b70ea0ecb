"""The sign-in of a person with a device code: the person enters a code in a browser, on this machine or another.

Source: RFC 8628 (OAuth 2.0 Device Authorization Grant); MicrosoftDocs/entra-docs, v2-oauth2-device-code.md. Done without
msal, whose wait cannot be ended at once and whose cache would hold the token.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from store.sanitizer.sanitize import visible
from tasks.graph.answers import retry_after
from tasks.graph.auth import reason_of
from tasks.graph.delegated import PERMISSION, DelegatedApp, DelegatedToken, End, Prompt, SignInOutcome
from tasks.graph.transport import make_http

__all__ = ["DelegatedApp", "DeviceCodeSignIn", "End", "Prompt", "SignInOutcome", "Wait"]

#: Waits so many seconds, or until the event is set; returns whether it is.
Wait = Callable[[threading.Event, float], bool]

_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
#: Seconds between two polls unless the service names others, and what each `slow_down` adds (RFC 8628, 3.2 and 3.5).
_INTERVAL: Final = 5
_SLOWER: Final = 5
#: Seconds that the wait between two polls doubles up to while the service is in trouble, and so many troubles in a row end it.
_LONGEST: Final = 60.0
_TROUBLES: Final = 5
#: Seconds for each step of a request, and between two looks at whether it was cancelled in the meantime.
_TIMEOUT: Final = 15.0
_LOOK: Final = 0.02
#: Seconds that a code and a token are good for unless the service says.
_CODE_SECONDS: Final = 900
_TOKEN_SECONDS: Final = 3600
#: A header takes nothing else; an error about the header would tell the token.
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,20000}")

_REFUSED: Final = "your organisation does not allow this sign-in from a terminal"
#: The end and the words for Microsoft's numbers. Source: learn.microsoft.com/entra/identity-platform/reference-error-codes.
_BY_NUMBER: Final = {
    **dict.fromkeys(("53000", "53001", "53002", "53003", "530032", "530033"), (End.REFUSED, _REFUSED)),
    "65001": (
        End.NO_CONSENT,
        f"nobody has consented to {PERMISSION} (delegated): have an administrator grant it to the app",
    ),
    "7000218": (
        End.NOT_PUBLIC,
        "the app is no public client: have an administrator allow public client flows in its registration",
    ),
    "70020": (End.EXPIRED, "the code has ended: sign in again"),
    "50105": (End.OTHER, "you are not assigned to the app: ask an administrator"),
    "700016": (End.OTHER, "there is no such app in the tenant: check delegated_client_id"),
    "90002": (End.OTHER, "there is no such tenant in this cloud: check directory_id and cloud"),
}
#: The same for the words of errors without a number that is known.
_BY_WORD: Final = {
    "authorization_declined": (End.DECLINED, "the sign-in was declined"),
    "access_denied": (End.DECLINED, "the sign-in was declined"),
    "expired_token": (End.EXPIRED, "the code has ended: sign in again"),
    "bad_verification_code": (End.OTHER, "the code is not known any more: sign in again"),
}
_STOPPED: Final = SignInOutcome(End.STOPPED, "the sign-in was cancelled")


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer of the sign-in service. The body may hold a token or a code."""

    #: 0 if none came.
    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    retry_after: float | None = None

    @property
    def is_trouble(self) -> bool:
        """Whether the service may do better in a while."""
        return self.status in (0, 429) or self.status >= 500


@dataclass
class _Code:
    """The code that was given out, and how its polls go. Times are the clock's, in seconds."""

    device_code: str = field(repr=False)
    ends_at: float
    interval: float
    #: Troubles in a row, and the wait until the next poll while there are any.
    troubles: int = 0
    pause: float = 0.0


class DeviceCodeSignIn:
    """One sign-in: `begin`, then `poll`. Raises nothing that comes from outside; every end is an outcome with a text."""

    def __init__(
        self, app: DelegatedApp, *, clock: Callable[[], float] = time.monotonic, wait: Wait = threading.Event.wait
    ) -> None:
        self._app = app
        self._clock = clock
        self._wait = wait
        self._http = make_http(app.authority, _TIMEOUT)
        self._code: _Code | None = None

    def close(self) -> None:
        """Close the connections to the sign-in service."""
        self._http.close()

    def begin(self, cancel: threading.Event) -> Prompt | SignInOutcome:
        """Ask for a code. Returns what the person is to do, or how it ended at once. `cancel` ends the wait."""
        answer = self._post("devicecode", {"scope": self._app.scope}, cancel)
        if answer is None:
            return _STOPPED
        if answer.is_trouble:
            return _unavailable(answer)
        if answer.status != 200:
            return _refusal(answer)
        given = answer.body
        code, user_code = given.get("device_code"), visible(str(given.get("user_code") or ""))
        address = _address(given.get("verification_uri"))
        if not (isinstance(code, str) and code and user_code and address):
            return _nobody(answer)
        seconds = _seconds(given.get("expires_in"), 3600, _CODE_SECONDS)
        self._code = _Code(code, self._clock() + seconds, _seconds(given.get("interval"), 300, _INTERVAL))
        ends_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds)
        return Prompt(address, user_code[:40], ends_at)

    def poll(self, cancel: threading.Event) -> SignInOutcome:
        """Wait until the person has signed in or it has ended otherwise. Another thread ends it at once with `cancel`.

        Polls at the interval that the service named, and more slowly after each `slow_down`. Call it after a `begin`
        that returned a Prompt.
        """
        code = self._code
        if code is None:
            raise RuntimeError("there is no code to poll with")
        form = {"grant_type": _GRANT, "device_code": code.device_code}
        while True:
            left = code.ends_at - self._clock()
            if self._wait(cancel, max(0.0, min(max(code.interval, code.pause), left))):
                return _STOPPED
            if self._clock() >= code.ends_at:
                return SignInOutcome(*_BY_WORD["expired_token"])
            answer = self._post("token", form, cancel)
            outcome = _STOPPED if answer is None else self._heard(answer, code)
            if outcome:
                return outcome

    def _heard(self, answer: _Answer, code: _Code) -> SignInOutcome | None:
        """The end that a poll's answer means; None if polling goes on."""
        if answer.is_trouble:
            code.troubles += 1
            code.pause = max(min(code.interval * 2**code.troubles, _LONGEST), answer.retry_after or 0.0)
            return _unavailable(answer) if code.troubles >= _TROUBLES else None
        code.troubles, code.pause = 0, 0.0
        if answer.status == 200:
            return self._signed_in(answer)
        word = answer.body.get("error")
        if word == "slow_down":
            code.interval += _SLOWER
        return None if word in ("authorization_pending", "slow_down") else _refusal(answer)

    def _signed_in(self, answer: _Answer) -> SignInOutcome:
        value = answer.body.get("access_token")
        if not (isinstance(value, str) and _TOKEN.fullmatch(value)):
            return _nobody(answer)
        seconds = _seconds(answer.body.get("expires_in"), 86_400, _TOKEN_SECONDS)
        return SignInOutcome(End.SIGNED_IN, "signed in", DelegatedToken(value, self._clock() + seconds))

    def _post(self, path: str, form: Mapping[str, str], cancel: threading.Event) -> _Answer | None:
        """The answer to a form; None as soon as it was cancelled, whether or not the service answers."""
        url = f"{self._app.authority}/{quote(self._app.directory_id, safe='')}/oauth2/v2.0/{path}"
        data = {"client_id": self._app.client_id, **form}
        done = threading.Event()
        answers: list[_Answer] = []

        def send() -> None:
            try:
                response = self._http.post(url, data=data, headers={"Accept": "application/json"})
                wait = retry_after(response.headers.get("retry-after", ""))
                answers.append(_Answer(response.status_code, _body(response.content), wait))
            except Exception:  # an error holds the request; and close() in the middle of one raises all kinds
                answers.append(_Answer(0))
            finally:
                done.set()

        # A request blocks until the service answers, and nothing wakes it: it is left behind when it is cancelled.
        threading.Thread(target=send, name="device-code", daemon=True).start()
        while not done.wait(_LOOK):
            if cancel.is_set():
                return None
        return None if cancel.is_set() else answers[0]


def _body(content: bytes) -> Mapping[str, Any]:
    """A JSON object; empty for anything else."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _seconds(given: object, most: int, otherwise: int) -> float:
    """A number of seconds from outside: at least 1, at most `most`. What is no number (NaN) is 1."""
    if isinstance(given, bool) or not isinstance(given, int | float):
        return otherwise
    return float(max(1, min(given, most)))


def _address(given: object) -> str:
    """A page's address that is safe to show; empty for what is none."""
    text = visible(str(given or ""))
    try:
        parts = urlsplit(text)
        return text if parts.scheme == "https" and parts.hostname and " " not in text and len(text) <= 200 else ""
    except ValueError:
        return ""


def _refusal(answer: _Answer) -> SignInOutcome:
    """The end that a refusal means."""
    word, number = reason_of(answer.body)
    if found := _BY_NUMBER.get(number) or _BY_WORD.get(word):
        return SignInOutcome(*found)
    if "error" not in answer.body:
        return _nobody(answer)
    reason = word + (f", AADSTS{number}" if number else "")
    return SignInOutcome(End.OTHER, f"the sign-in was refused ({reason}): check directory_id and delegated_client_id")


def _unavailable(answer: _Answer) -> SignInOutcome:
    what = f"is in trouble (status {answer.status})" if answer.status else "does not answer"
    return SignInOutcome(End.OTHER, f"the sign-in service {what}: try later")


def _nobody(answer: _Answer) -> SignInOutcome:
    return SignInOutcome(End.OTHER, f"no sign-in service answered (status {answer.status}): check graph_authority")
