"""The last step before a restore is executed: its impact in words, what it wants to be agreed to, and the tenant's name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Checkbox, Input, Static

from screens.background import Keys
from screens.base import PolledScreen
from screens.restores import impact as told
from screens.restores import words
from screens.restores.impact import Given, Impact
from screens.text.safe import clean, plain
from screens.widgets.checkbox import Check
from screens.widgets.line_input import LineInput
from store.errors import InputInvalid, OpsmonError
from store.intune.restore_page import RestoreDetail, RestoreWanted
from store.intune.restore_records import TICKS, Restore, RestoreState
from store.people.access import Right
from store.runs.restoring import WRITTEN, Confirmation
from store.snapshot import Request, Snapshot

if TYPE_CHECKING:
    from store.runs.restore_review import Review
    from tasks.dispatch import Started

#: Characters of a tenant's name that are typed at most.
_MAX_NAME: Final = 1_000


class ExecuteScreen(PolledScreen[None]):
    """Executes a restore once all is ticked and typed and nothing is in the way. It stays open until it was executed.

    What a person has reviewed is what they execute: if the restore changes meanwhile, they review it again.
    """

    DEFAULT_CSS = """
    ExecuteScreen VerticalScroll { height: auto; padding: 0 1; scrollbar-size-vertical: 1; }
    ExecuteScreen Vertical { height: auto; }
    ExecuteScreen #impact { height: auto; padding: 0 0 1 0; }
    ExecuteScreen .tick { display: none; }
    ExecuteScreen .tick.shown { display: block; }
    ExecuteScreen .means { height: auto; padding: 0 0 0 5; color: $text-warning; }
    ExecuteScreen #named { height: auto; }
    ExecuteScreen Input { border: none; height: 1; padding: 0 1; background: $surface; }
    ExecuteScreen Input:focus { border: none; background: $boost; text-style: bold; }
    ExecuteScreen Check { border: none; height: 1; padding: 0; width: auto; background: transparent; }
    ExecuteScreen Check:focus { border: none; background: $boost; }
    ExecuteScreen #note { height: auto; max-height: 2; padding: 0 1; text-style: bold; color: $text-error; }
    ExecuteScreen #why { height: auto; max-height: 2; padding: 0 1; color: $text-warning; }
    ExecuteScreen Button { margin: 0 1; min-width: 30; }
    ExecuteScreen Button.dimmed { text-style: dim; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Execute"),
        Binding("tab", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, restore_id: int) -> None:
        super().__init__()
        self._wanted = RestoreWanted(restore_id)
        self._restore: Restore | None = None
        #: The restore as it was when its impact was read, and that impact.
        self._reviewed: tuple[Restore, Impact] | None = None
        self._is_reading = False
        self._is_executing = False

    @property
    def place(self) -> str:
        into = f"{self._restore.tenant}, " if self._restore else ""
        return f"{into}execute restore {self._wanted.restore_id}"

    def contribute(self, request: Request) -> Request:
        return replace(request, restores=self._wanted)

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(can_focus=False, id="scroll"):
            yield Static("Waiting for the database.", id="impact", markup=False)
            yield Check("dry run: everything but the writes", value=True, id="dry")
            for tick in TICKS:
                means = Static("", classes="means", id=f"means-{tick}", markup=False)
                yield Vertical(Check(f"agree to {words.tick(tick)}", id=f"tick-{tick}"), means, classes="tick")
            yield Check("I reviewed the impact", id="reviewed")
            yield Static("Type the name of the tenant:", id="named", markup=False)
            yield LineInput(max_length=_MAX_NAME, id="name")
        yield Static("", id="note", markup=False)
        yield Static("", id="why", markup=False)
        yield Button("Execute", id="go", compact=True)

    def on_mount(self) -> None:
        self.paint_header()
        self.query_one("#reviewed").focus()

    def on_resize(self) -> None:
        """Give what is above the button the room that is left: header 2, note 2, why 2, button, footer."""
        self.query_one("#scroll").styles.max_height = max(3, self.size.height - 8)
        super().on_resize()

    # -- the impact -------------------------------------------------------------------------------------------------------

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.request.restores != self._wanted:
            return
        found = snapshot.restores if isinstance(snapshot.restores, RestoreDetail) else None
        self._restore = found.found.restore if found else None
        if self._restore and not self._is_of(self._restore):
            self._read()
        self._show()
        self.paint_header()

    def _is_of(self, restore: Restore) -> bool:
        """Whether the impact that was read is that of the restore as it is now."""
        known = self._reviewed[0] if self._reviewed else None
        return known is not None and (known.updated_at, known.status) == (restore.updated_at, restore.status)

    def _read(self) -> None:
        """Read the impact in the background: it goes by every object."""
        if not self._is_reading:
            self._is_reading = True
            review, id_ = self.shell.backend.restores.review, self._wanted.restore_id
            self.in_background(lambda: _impact(review(id_)), self._have_read)

    def _have_read(self, found: tuple[Restore, Impact] | Exception) -> None:
        self._is_reading = False
        if isinstance(found, Exception):
            self._note(_told(found))
            return
        if self._reviewed and told.is_another(self._reviewed, found):
            self.query_one("#reviewed", Check).value = False
        self._reviewed = self._restore, _ = found
        self._show()

    def _show(self) -> None:
        snapshot = self.shell.snapshot
        if self._restore is None:
            self._put("#impact", f"There is no restore {self._wanted.restore_id} any more, or it is not yours to see.")
        elif self._reviewed and snapshot:
            restore, found = self._reviewed
            self.query_one("#impact", Static).update(
                Content("\n").join(
                    Content.styled(clean(text), style)
                    for text, style in told.lines(restore, found, snapshot.at, self.shell.ascii_only, self.shell.times)
                )
            )
            self._put("#named", f"Type the name of the tenant: {clean(restore.tenant_name).strip()}")
            self._show_ticks(restore, found)
        self._look()

    def _show_ticks(self, restore: Restore, found: Impact) -> None:
        for tick in TICKS:
            number = found.wanted.get(tick, 0)
            check = self.query_one(f"#tick-{tick}", Check)
            if check.parent:
                check.parent.set_class(bool(number), "shown")
            again = " Another preview shows it." if tick in WRITTEN else ""
            self._put(f"#means-{tick}", told.meaning(tick, number, clean(restore.tenant_name).strip()) + again)

    def _put(self, where: str, text: str) -> None:
        self.query_one(where, Static).update(plain(text))

    def _note(self, text: str) -> None:
        self._put("#note", text)

    # -- what is given ----------------------------------------------------------------------------------------------------

    @property
    def _given(self) -> Given:
        wanted = self._reviewed[1].wanted if self._reviewed else {}
        ticks = frozenset(one for one in wanted if one in TICKS and self._is_on(f"#tick-{one}"))
        return Given(ticks, self._is_on("#reviewed"), self.query_one("#name", Input).value, self._is_on("#dry"))

    def _is_on(self, where: str) -> bool:
        return self.query_one(where, Check).value

    @property
    def _steps_back(self) -> list[str]:
        """Ticks that are given and that another preview goes by."""
        return sorted(self._given.ticks & WRITTEN)

    @on(Checkbox.Changed)
    @on(Input.Changed)
    def _look(self) -> None:
        """Say what the button does, and why it cannot yet."""
        button = self.query_one("#go", Button)
        why = self._why_not()
        button.set_class(why is not None, "dimmed")
        label = "Execute as a dry run" if self._given.dry_run else "Execute: write for real"
        button.label = "Agree, to preview it again" if self._steps_back else label
        self._put("#why", why or "")

    def _why_not(self) -> str | None:
        """Why the button does nothing now; None if it does what it says."""
        snapshot = self.shell.snapshot
        if self._restore is None or self._reviewed is None or snapshot is None:
            return "The restore has not been read yet, or is gone."
        restore, found = self._restore, self._reviewed[1]
        if restore.tenant not in {member.tenant.slug for member in self.shell.actions.may_start_in(Right.RESTORE)}:
            return f"You may look at {restore.tenant}, not restore into it: that wants the role {Right.RESTORE.role}."
        if not self._is_of(restore):
            return "The restore has changed: its impact is being read."
        reason = told.in_the_way(restore, found, snapshot.at, self.shell.backend.preview_seconds)
        if reason or self._steps_back:
            return reason
        return told.missing(restore, found, self._given)

    # -- executing --------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Execute it, or agree to what another preview goes by; if something is missing, say what."""
        if self._is_executing or self._reviewed is None:
            return
        if why := self._why_not():
            self.shell.message(why, "warning")
            return
        self._note("")
        self._is_executing = True
        given, (shown, _), changes = self._given, self._reviewed, self.shell.backend.restores
        ticks = sorted({*shown.ticks, *given.ticks})

        def agree() -> Restore:
            now = changes.review(shown.id).restore
            if (now.previewed_at, now.status, now.ticks) != (shown.previewed_at, shown.status, shown.ticks):
                raise InputInvalid(f"restore {shown.id} has changed meanwhile", "review it again")
            return changes.tick(shown.id, ticks) if ticks != sorted(shown.ticks) else now

        self.in_background(agree, lambda result: self._agreed(result, given, shown), Keys.WAIT)

    def _agreed(self, result: Restore | Exception, given: Given, shown: Restore) -> None:
        if isinstance(result, Exception):
            self._refused(result)
        elif result.status is not RestoreState.PREVIEWED:
            agreed = words.ticks_named(given.ticks)
            self.shell.message(f"You agreed to {agreed}: that changes what is written, so p previews it again.")
            self.shell.poll_now()
            self.dismiss()
        else:
            confirmed = Confirmation(result.tenant_name, given.reviewed, given.dry_run, shown.previewed_at)
            self.shell.actions.execute_restore(result.id, confirmed, self._executed)

    def _executed(self, result: Started | Exception) -> None:
        if isinstance(result, Exception):
            self._refused(result)
        elif self.is_current:
            self.dismiss()

    def _refused(self, error: Exception) -> None:
        self._is_executing = False
        if self.is_attached:
            self._note(f"Not executed: {_told(error)}")
        else:
            self.shell.error(error)

    @property
    def would_lose(self) -> bool:
        given = self._given
        return bool(given.ticks or given.reviewed or given.tenant_name or not given.dry_run)


def _impact(review: Review) -> tuple[Restore, Impact]:
    return review.restore, told.impact_of(review.restore, review.items)


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, OpsmonError) else f"{type(error).__name__}: {error}"
