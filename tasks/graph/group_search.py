"""Searching a tenant's directory while somebody types, with that person's own sign-in.

Import nothing slow here: screens import this module, and most people never sign in.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Protocol

from store.errors import InputInvalid
from store.sanitizer.sanitize import visible
from tasks.graph.delegated import PERMISSION, DelegatedApp, DelegatedToken, End, Prompt, SignInOutcome
from tasks.graph.found_groups import FoundGroup

if TYPE_CHECKING:
    from tasks.graph.answers import Refusal
    from tasks.graph.device_code import Wait
    from tasks.graph.group_request import GroupRequest, Reply

__all__ = ["End", "FoundGroup", "GroupSearch", "Prompt", "SearchAnswer", "SearchState", "SignInOutcome", "Status"]

#: Characters that are needed at least, and used at most: no group's name is longer.
_FEWEST: Final = 2
_MOST: Final = 256
#: Seconds without a request after Graph asked for less without saying for how long, and at most.
_QUIET: Final = 5.0
_QUIETEST: Final = 300.0

_SHORT: Final = f"type at least {_FEWEST} characters"
_SIGN_IN: Final = "sign in to search the directory itself"
_ENDED: Final = "your sign-in has ended: sign in again"
_CHALLENGED: Final = "your organisation asks for more than a sign-in from a terminal can show (Conditional Access)"
_FORBIDDEN: Final = f"you may not search the directory: the app needs {PERMISSION} (delegated), with consent"


class Settings(Protocol):
    """What is needed of tasks.sdk.context.GraphSettings."""

    @property
    def graph_url(self) -> str:
        """URL of Graph, without a version; empty for that of the tenant's cloud."""

    @property
    def graph_authority(self) -> str:
        """URL of the sign-in service; empty for that of the tenant's cloud."""

    @property
    def credentials(self) -> Callable[[str], Mapping[str, Any] | None]:
        """Returns the credentials for a tenant's slug. Raises InputInvalid."""


class Status(StrEnum):
    """Whether the directory can be searched."""

    #: Not now: the settings lack something, or the organisation does not allow it.
    DISABLED = "disabled"
    NEEDS_SIGN_IN = "needs_sign_in"
    READY = "ready"


@dataclass(frozen=True, slots=True)
class SearchState:
    """Whether the directory can be searched, and why not in one line; empty if it can."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SearchAnswer:
    """The groups that were found, and in one line why they are not what was asked for; empty if they are."""

    groups: tuple[FoundGroup, ...] = ()
    reason: str = ""
    #: The groups are those of an earlier search.
    is_kept: bool = False


class GroupSearch:
    """The search of one tenant's directory. Thread-safe. Whatever comes from outside becomes a reason in words."""

    def __init__(
        self,
        slug: str,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Wait | None = None,
    ) -> None:
        """Reads the tenant's credentials, which may take as long as the operator's commands do: not for the screen's
        thread. `wait` is how a sign-in waits between two polls.
        """
        self._clock = clock
        self._wait: Wait = wait or threading.Event.wait
        self._lock = threading.Lock()
        self._signing_in = threading.Lock()
        self._app: DelegatedApp | None = None
        self._state = SearchState(Status.NEEDS_SIGN_IN, _SIGN_IN)
        try:
            self._app = DelegatedApp.from_settings(
                slug, settings.credentials, settings.graph_url, settings.graph_authority
            )
        except InputInvalid as error:
            self._state = SearchState(Status.DISABLED, str(error))
        self._token: DelegatedToken | None = None
        self._request: GroupRequest | None = None
        #: The number of the newest key, and of sign-outs so far.
        self._newest = 0
        self._sign_outs = 0
        self._last: tuple[FoundGroup, ...] = ()
        self._quiet_until = 0.0

    @property
    def state(self) -> SearchState:
        """Whether the directory can be searched now."""
        with self._lock:
            return self._current()

    @property
    def can_sign_in(self) -> bool:
        """Whether the settings allow a person to sign in. A sign-in that was refused may be tried again."""
        return self._app is not None

    # -- signing in ---------------------------------------------------------------------------------------------------

    def sign_in(self, cancel: threading.Event, show: Callable[[Prompt], None]) -> SignInOutcome:
        """Sign a person in. Blocks until that has ended; another thread ends it at once by setting `cancel`.

        `show` is called with what the person is to do. The outcome holds no token. A sign-in that the organisation
        refused is not tried again unless this is called again.
        """
        if self._app is None:
            return SignInOutcome(End.OTHER, self._state.reason)
        if not self._signing_in.acquire(blocking=False):
            return SignInOutcome(End.OTHER, "a sign-in is under way already")
        try:
            with self._lock:
                before = self._sign_outs
            outcome = self._sign_in(self._app, cancel, show)
            return self._signed_in(outcome, before)
        finally:
            self._signing_in.release()

    def _sign_in(self, app: DelegatedApp, cancel: threading.Event, show: Callable[[Prompt], None]) -> SignInOutcome:
        from tasks.graph.device_code import DeviceCodeSignIn  # brings httpx

        flow = DeviceCodeSignIn(app, clock=self._clock, wait=self._wait)
        try:
            begun = flow.begin(cancel)
            if isinstance(begun, SignInOutcome):
                return begun
            show(begun)
            return flow.poll(cancel)
        finally:
            flow.close()

    def _signed_in(self, outcome: SignInOutcome, sign_outs: int) -> SignInOutcome:
        """Take the end of a sign-in over. Returns it without its token."""
        with self._lock:
            if outcome.token and sign_outs != self._sign_outs:  # signed out while it was under way
                outcome.token.forget()
                return SignInOutcome(End.STOPPED, "the sign-in was cancelled")
            if outcome.token:
                self._forget()
                self._token, self._state = outcome.token, SearchState(Status.READY)
            elif self._token is None:
                status = Status.DISABLED if outcome.end.is_final else Status.NEEDS_SIGN_IN
                self._state = SearchState(status, outcome.text)
            return SignInOutcome(outcome.end, outcome.text)

    def sign_out(self) -> None:
        """Forget the token, the groups that were found, and what a sign-in that is under way will bring; close connections."""
        with self._lock:
            self._sign_outs += 1
            self._newest += 1
            self._forget()
            if self._app is not None:
                self._state = SearchState(Status.NEEDS_SIGN_IN, _SIGN_IN)
            request, self._request = self._request, None
        if request:
            request.close()

    # -- searching ----------------------------------------------------------------------------------------------------

    def new_key(self) -> int:
        """The number of a key that was pressed just now: answers to searches for earlier ones are dropped.

        Take it on the screen's thread, where keys have an order; threads that search have none.
        """
        with self._lock:
            self._newest += 1
            return self._newest

    def search(self, text: str, key: int | None = None) -> SearchAnswer | None:
        """At most 50 groups whose names have words that begin as those of `text`; None if a newer key was pressed meanwhile.

        `key` is a number of `new_key`; without one, this search is the newest. Blocks until Graph answers.
        """
        key = self.new_key() if key is None else key
        wanted = visible(text)[:_MOST]
        with self._lock:
            if key != self._newest:
                return None
            at_once = self._without_asking(wanted)
            token, request = self._token, self._requests()
        if at_once or token is None or request is None:
            return at_once
        reply = request.find(wanted, token)
        with self._lock:
            answer = self._read(reply, token)
            if key != self._newest:
                return None
            if not answer.reason:
                self._last = answer.groups
            return answer

    def _without_asking(self, wanted: str) -> SearchAnswer | None:
        """The answer to what is not to be asked; None for what is."""
        state = self._current()
        if state.status is not Status.READY:
            return SearchAnswer((), state.reason)
        if len(wanted) < _FEWEST:
            self._last = ()
            return SearchAnswer((), _SHORT)
        return self._kept(_busy(self._quiet_until - self._clock())) if self._clock() < self._quiet_until else None

    def _requests(self) -> GroupRequest | None:
        if self._request is None and self._app is not None and self._token is not None:
            from tasks.graph.group_request import GroupRequest  # brings httpx

            self._request = GroupRequest(self._app.graph_url)
        return self._request

    def _read(self, reply: Reply, token: DelegatedToken) -> SearchAnswer:
        """The answer that a reply means, and what it means for later ones."""
        refusal = reply.refusal
        if refusal is None:
            return SearchAnswer(reply.groups)
        if reply.challenged or refusal.status == 401:
            state = (
                SearchState(Status.DISABLED, _CHALLENGED)
                if reply.challenged
                else SearchState(Status.NEEDS_SIGN_IN, _ENDED)
            )
            if token is self._token:  # an older one that is refused says nothing about the one after it
                self._forget()
                self._state = state
            return SearchAnswer((), state.reason)
        if refusal.status == 403:
            return SearchAnswer((), _FORBIDDEN)
        if refusal.throttled:
            asked = _QUIET if refusal.retry_after is None else refusal.retry_after
            self._quiet_until = self._clock() + min(asked, _QUIETEST)
            return self._kept(_busy(min(asked, _QUIETEST)))
        return self._kept(_in_words(refusal))

    def _kept(self, reason: str) -> SearchAnswer:
        return SearchAnswer(self._last, reason, is_kept=bool(self._last))

    def _current(self) -> SearchState:
        if self._token is not None and self._token.is_over(self._clock()):
            self._forget()
            self._state = SearchState(Status.NEEDS_SIGN_IN, _ENDED)
        return self._state

    def _forget(self) -> None:
        if self._token is not None:
            self._token.forget()
        self._token, self._last, self._quiet_until = None, (), 0.0


def _busy(seconds: float) -> str:
    return f"Microsoft Graph is busy: type again in {max(1, round(seconds))} s"


def _in_words(refusal: Refusal) -> str:
    """A refusal that is nobody's fault here, with short codes only."""
    if refusal.status == 0:
        return f"Microsoft Graph does not answer ({refusal.detail}): type again"
    code = f", {refusal.detail}" if refusal.detail else ""
    return f"Microsoft Graph refused the search (status {refusal.status}{code})"
