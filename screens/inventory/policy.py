"""The screen of one policy: how it stands, to whom it is assigned, its versions, the body of one of them or what changed."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType

from screens.base import LinesScreen
from screens.inventory import policy_lines
from screens.inventory.difference import Difference, difference
from screens.inventory.syncing import SyncsPolicies
from screens.text.json_tree import Path
from screens.widgets import policy_sections
from screens.widgets.line_view import Line, LineView
from store.intune.browsed import PolicyDetail, PolicyWanted
from store.snapshot import Request, Snapshot

_NEED_THE_POLICY: Final = ("sync", "difference", "version(1)", "version(-1)", "fold")


class PolicyScreen(SyncsPolicies, LinesScreen[None]):
    """Shows the newest version, or the one that was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "difference", "What changed", id="difference"),
        Binding("left_square_bracket", "version(1)", "Version before", key_display="[", id="version_before"),
        Binding(
            "right_square_bracket", "version(-1)", "Version after", key_display="]", show=False, id="version_after"
        ),
        Binding("z", "fold", "Unfold or fold all", show=False, id="fold"),
        Binding("s", "sync", "Sync policies", id="start"),
    ]

    def __init__(self, policy_id: int) -> None:
        super().__init__()
        self._wanted = PolicyWanted(policy_id)
        self._policy: PolicyDetail | None = None
        self._opened: frozenset[Path] | None = None
        #: The last body as lines, and the last difference, with what they were made of: both may be long.
        self._body: tuple[object, list[Line]] = (None, [])
        self._difference: tuple[object, Difference | None] = (None, None)

    @property
    def place(self) -> str:
        of = f"{self._policy.tenant.slug}, " if self._policy else ""
        return f"{of}policy {self._wanted.policy_id}"

    def contribute(self, request: Request) -> Request:
        return replace(request, inventory=self._wanted)

    # -- what is shown ----------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.inventory != self._wanted:
            return
        found = self._policy = snapshot.inventory if isinstance(snapshot.inventory, PolicyDetail) else None
        if found is None:
            self.say(f"There is no policy {self._wanted.policy_id} any more, or it is not yours to see.")
        else:
            self.tenant = found.tenant.slug
            self.page.show(self._lines(found, snapshot))
        self.paint_header()
        self.refresh_keys()

    def _lines(self, policy: PolicyDetail, snapshot: Snapshot) -> list[Line]:
        if self._opened is None:
            self._opened = policy_sections.opened_at_first(policy_lines.body_of(policy))
        shell, width = self.shell, max(20, self.size.width - 4)
        kind = shell.backend.kind_label(policy.kind)
        view = policy_lines.View(
            snapshot.at, width, self._opened, shell.ascii_only, kind, self.how_to_sync, shell.times
        )
        if self._wanted.compared and policy.before:
            return self._changes(policy, view)
        return policy_lines.head(policy, view) + self._tree(policy, view)

    def _tree(self, policy: PolicyDetail, view: policy_lines.View) -> list[Line]:
        of = policy.shown.content_hash if policy.shown else policy.last_seen_at
        made_of = (of, view.opened, view.width, view.ascii_only)
        if self._body[0] != made_of:
            self._body = (made_of, policy_lines.body(policy, view))
        return self._body[1]

    def _changes(self, policy: PolicyDetail, view: policy_lines.View) -> list[Line]:
        shown, before = policy.shown, policy.before
        if shown is None or before is None:
            return []
        made_of = (before.state.id, shown.state.id)
        if self._difference[0] != made_of:
            self._difference = (made_of, None)
            self.in_background(lambda: difference(before, shown), lambda found: self._compared(made_of, found))
        return policy_lines.changes(policy, self._difference[1], view)

    def _compared(self, made_of: object, found: Difference | Exception) -> None:
        if isinstance(found, Exception):
            self.shell.error(found)
        elif self._difference[0] == made_of:
            self._difference = (made_of, found)
            self.show_again()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return super().check_action(f"version({parameters[0]})" if action == "version" else action, parameters)

    def disabled_reason(self, action: str) -> str | None:
        policy = self._policy
        if action not in _NEED_THE_POLICY:
            return None
        if policy is None:
            return "The policy has not been read yet."
        if action == "difference" and not self._wanted.compared:
            return None if policy.before else _why_no_difference(policy)
        if action == "version(1)":
            return None if policy.before else "There is no version before this one."
        if action == "version(-1)":
            return None if self._after() else "There is no version after this one."
        return super().disabled_reason(action)

    def action_difference(self) -> None:
        """Show what changed since the version before; if that is shown, show the body again."""
        self._want(replace(self._wanted, compared=not self._wanted.compared))

    def action_version(self, by: int) -> None:
        """Show the version before (1) or after (-1) the one that is shown."""
        if self._policy and self._policy.before and by > 0:
            self._show_version(self._policy.before.state.id)
        elif by < 0 and (after := self._after()):
            self._show_version(after)

    def _after(self) -> int | None:
        """The id of the version after the one that is shown; None if there is none."""
        ids = [version.id for version in self._policy.versions] if self._policy else []
        shown = self._policy.shown.state.id if self._policy and self._policy.shown else 0
        return min((id_ for id_ in ids if id_ > shown), default=None)

    def _show_version(self, id_: int) -> None:
        newest = self._policy.versions[0].id if self._policy and self._policy.versions else None
        # The newest is shown as such: when another one comes, that is shown.
        chosen = None if id_ == newest else id_
        is_compared = self._wanted.compared and not self._is_oldest(id_)
        self._want(PolicyWanted(self._wanted.policy_id, chosen, is_compared))

    def _is_oldest(self, id_: int) -> bool:
        policy = self._policy
        return policy is not None and not policy.has_more_versions and id_ == policy.versions[-1].id

    def _want(self, wanted: PolicyWanted) -> None:
        if wanted != self._wanted:
            self._wanted = wanted
            self.shell.update_request()

    def action_fold(self) -> None:
        """Unfold everything; if everything is unfolded, fold everything."""
        if self._policy:
            body = policy_lines.body_of(self._policy)
            everything = policy_sections.foldable(body) | {policy_lines.VERSIONS}
            self._opened = frozenset() if everything <= (self._opened or frozenset()) else everything
            self.show_again()

    def on_line_view_activated(self, message: LineView.Activated) -> None:
        if isinstance(message.target, int):
            self._show_version(message.target)
        else:
            self._opened = (self._opened or frozenset()) ^ {message.target}
            self.show_again()


def _why_no_difference(policy: PolicyDetail) -> str:
    return "This is the oldest version: there is none before it." if policy.shown else "No version was read yet."
