"""What an answer of Graph that is no success means: our code for it, our words, and whether the request may be sent again.

Graph's error messages are never shown or kept: Intune nests a JSON string with internal URLs and tenant ids in them. Errors give
opsmon's own words for the status, and Graph's short error code.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from store.errors import OperationFailed

_SHORT_CODE: Final = re.compile(r"[A-Za-z0-9_.]{1,60}")
#: Statuses after which the same request may do better; 0 is an answer that did not come, or not whole.
AGAIN: Final = (0, 408, 423, 429, 500, 502, 503, 504, 509)
#: Of those, the ones that say that nothing was done.
REFUSED: Final = (423, 429, 503, 509)
#: The code of a write that Graph refused because of the policy's template. See `is_template_error`.
TEMPLATE_UNKNOWN: Final = "restore.template_unknown"
#: How the service names a setting reference that the template does not have (Micke-K/IntuneManagement#209, #241;
#: KelvinTegelaar/CIPP#4241): once as words, once as a key.
_BAD_REFERENCE: Final = re.compile(r"invalid ?reference ?id", re.IGNORECASE)
#: How the service says that the app's role does not have a scope tag, or that it has to have one (Micke-K/IntuneManagement#401,
#: maurice-daly/DriverAutomationTool#864).
_ROLE: Final = re.compile(r"allowed by the current role", re.IGNORECASE)
#: Codes of a delta link that has ended, in lower case.
_EXPIRED: Final = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})
_CODES: Final = {
    401: ("graph.unauthorized", "the token was refused: check the app's credentials and consent"),
    403: ("graph.forbidden", "grant the app the permission and consent to it"),
    404: ("graph.not_found", ""),
    408: ("graph.unavailable", ""),
    429: ("graph.throttled", "it did not end in time: try later"),
    509: ("graph.throttled", "it did not end in time: try later"),
}


class Refused(OperationFailed):
    """Graph answered with an error. `status` is the HTTP status."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message)
        self.status = status


class OutcomeUnknown(OperationFailed):
    """A write whose answer was lost: Graph may have carried it out. Look before it is sent again."""


class ApprovalRequired(OperationFailed):
    """The write waits for a person's approval (Multi Admin Approval). The identical request is sent again with
    `approval_code` once it is given.
    """

    def __init__(self, approval_code: str) -> None:
        super().__init__("graph.approval_required", "the change waits for another administrator's approval")
        self.approval_code = approval_code


class SyncExpired(OperationFailed):
    """Graph no longer knows the state that a delta query goes on from: begin from the beginning."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is no success. `status` 0 is an answer that did not come, or not whole."""

    status: int
    #: Graph's short code, or our words with status 0.
    detail: str = ""
    #: Seconds that Graph asked to wait; None if it did not.
    retry_after: float | None = None
    #: The code of an approval that is waited for; empty if none is.
    approval: str = ""
    #: The request certainly did not reach Graph.
    unsent: bool = False
    #: It says that a setting refers to what the policy's template does not have.
    template: bool = False
    #: It says that the app's role does not allow the scope tags.
    role: bool = False

    @property
    def throttled(self) -> bool:
        """Whether Graph asked to send less."""
        return self.status in (429, 509)

    def may_repeat(self, repeatable: bool) -> bool:
        """Whether the same request may be sent again; `repeatable`: also when it may have been carried out."""
        return self.status in AGAIN and (repeatable or self.unsent or self.status in REFUSED)

    def failure(self, permission: str = "", repeatable: bool = True) -> OperationFailed:
        """The error to raise. `permission` is the one that the request needs, for a 403."""
        if self.approval:
            return ApprovalRequired(self.approval)
        if not repeatable and self.status in AGAIN and not self.may_repeat(False):
            return OutcomeUnknown(
                "graph.unknown", f"{self._told()}: it may have been carried out: look before repeating"
            )
        if self.template:
            return Refused(TEMPLATE_UNKNOWN, self._told(), self.status)
        if self.status == 0:
            return OperationFailed("graph.unavailable", self.detail)
        if self.status == 410 or self.detail.lower() in _EXPIRED:
            return SyncExpired("graph.sync_expired", f"{self._told()}: the delta link has ended")
        code, advice = _CODES.get(self.status, ("graph.unavailable" if self.status >= 500 else "operation.error", ""))
        if self.role:
            code, advice = (
                "graph.forbidden",
                "the role of the app does not allow these scope tags: give it one that does",
            )
        elif self.status == 403 and permission:
            advice = f"grant the app {permission} and consent to it"
        return Refused(code, self._told() + (f", {advice}" if advice else ""), self.status)

    def _told(self) -> str:
        if self.status == 0:
            return self.detail
        return f"status {self.status}" + (f" ({self.detail})" if self.detail else "")


def refusal(status: int, headers: Mapping[str, str], body: Any) -> Refusal:
    """From an answer's status, headers (any case) and JSON body."""
    given = {name.lower(): value for name, value in headers.items()}
    approval = given.get("x-msft-approval-code", "") if status == 412 else ""
    wait = retry_after(given.get("retry-after", ""))
    says = status == 400 and _ROLE.search(_message(body)) is not None
    return Refusal(status, short_code(body), wait, approval[:100], template=is_template_error(status, body), role=says)


def is_template_error(status: int, body: Any) -> bool:
    """Whether an answer refuses a policy because a setting refers to what its template, in the tenant's version, does not
    have: such as a security baseline of another version.
    """
    return status == 400 and _BAD_REFERENCE.search(_message(body)) is not None


def _message(body: Any) -> str:
    """Graph's message, which is only looked into and never told; empty if there is none."""
    try:
        message = body["error"]["message"]
    except (KeyError, TypeError):
        return ""
    return message if isinstance(message, str) else ""


def short_code(body: Any) -> str:
    """Graph's code for an error, such as `ResourceNotFound`; empty if there is none, or it is no short word."""
    try:
        code = body["error"]["code"]
    except (KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and _SHORT_CODE.fullmatch(code) else ""


def retry_after(text: object) -> float | None:
    """The header Retry-After in seconds, from a number or an HTTP date; None if it is missing or invalid."""
    given = str(text).strip()
    if re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", given):
        return float(given)
    try:
        then = email.utils.parsedate_to_datetime(given)
        if then.tzinfo is None:  # "-0000": UTC, of a place that is not told
            then = then.replace(tzinfo=dt.UTC)
        return max(0.0, (then - dt.datetime.now(dt.UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
