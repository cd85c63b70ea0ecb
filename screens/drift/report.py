"""One drift report: findings policy by policy; enter shows both sides of one, `a` accepts it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from screens.base import LinesScreen
from screens.drift import report_lines
from screens.widgets.line_view import LineView
from store.intune.drift_page import DriftDetail, ListedFinding, ReportWanted
from store.people.access import Right
from store.snapshot import Request, Snapshot


class DriftReportScreen(LinesScreen[None]):
    """Findings come in pages, as their run found them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "accept", "Accept", id="accept"),
        Binding("v", "view_run", "View run", id="view_run"),
        Binding("z", "fold", "Unfold or fold all", show=False, id="fold"),
        Binding("left_square_bracket", "page(-1)", "Findings before", key_display="[", show=False, id="version_before"),
        Binding("right_square_bracket", "page(1)", "More findings", key_display="]", show=False, id="version_after"),
    ]

    def __init__(self, run_id: int) -> None:
        super().__init__()
        self._run_id = run_id
        #: Behind which finding each page begins, up to this one, and how many findings are before it.
        self._places: tuple[tuple[int, int], ...] = ((0, 0),)
        self._opened: frozenset[object] = frozenset()
        self._detail: DriftDetail | None = None

    @property
    def place(self) -> str:
        of = f"{self._detail.report.tenant}, " if self._detail else ""
        return f"{of}drift of run {self._run_id}"

    @property
    def _wanted(self) -> ReportWanted:
        return ReportWanted(self._run_id, self._places[-1][0])

    def contribute(self, request: Request) -> Request:
        return replace(request, drift=self._wanted)

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.drift != self._wanted:
            return
        found = self._detail = snapshot.drift if isinstance(snapshot.drift, DriftDetail) else None
        if found is None:
            self.say(f"Run {self._run_id} has no drift report, or it is not yours to see.")
        else:
            width = max(30, self.size.width - 4)
            label, times = self.shell.backend.kind_label, self.shell.times
            view = report_lines.View(snapshot.at, width, self._opened, label, self._places[-1][1], times)
            self.page.show(report_lines.lines(found, view))
        self.paint_header()
        self.refresh_keys()

    # -- keys -------------------------------------------------------------------------------------------------------------

    def disabled_reason(self, action: str) -> str | None:
        if action not in ("accept", "view_run"):
            return None
        detail = self._detail
        if detail is None:
            return "The report has not been read yet."
        if action == "accept":
            members = self.shell.snapshot.memberships if self.shell.snapshot else ()
            if not any(one.tenant.slug == detail.report.tenant and one.may(Right.RESTORE) for one in members):
                return f"Only managers and owners of {detail.report.tenant} accept drift."
        return None

    @property
    def _chosen(self) -> ListedFinding | None:
        """The finding under the cursor."""
        findings = self._detail.findings if self._detail else ()
        return next((one for one in findings if one.id == self.page.cursor), None)

    def action_accept(self) -> None:
        """Ask for the reason, and accept the finding under the cursor."""
        if finding := self._chosen:
            self.shell.navigator.accept_drift(finding)
        else:
            self.shell.message("Choose a finding first: tab goes from one to the next.", "warning")

    def action_view_run(self) -> None:
        self.shell.navigator.run(self._run_id)

    def action_page(self, by: int) -> None:
        """Show the next findings (1), or those before (-1)."""
        detail = self._detail
        if by > 0 and detail and detail.has_more:
            self._go((*self._places, (detail.findings[-1].id, self._places[-1][1] + len(detail.findings))))
        elif by < 0 and len(self._places) > 1:
            self._go(self._places[:-1])

    def _go(self, places: tuple[tuple[int, int], ...]) -> None:
        self._places, self._detail = places, None
        self.page.action_jump(0)
        self.shell.update_request()

    def action_fold(self) -> None:
        """Show both sides of all findings; if all are shown, of none."""
        if self._detail:
            everything = frozenset[object](one.id for one in self._detail.findings) | {report_lines.KINDS}
            self._opened = frozenset() if everything <= self._opened else everything
            self.show_again()

    def on_line_view_activated(self, message: LineView.Activated) -> None:
        self._opened = self._opened ^ {message.target}
        self.show_again()
