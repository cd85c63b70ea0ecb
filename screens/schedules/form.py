"""The form of a schedule of backups, with the next times of its cron as one types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from screens.background import Keys
from screens.base import PolledScreen
from screens.schedules import words
from screens.schedules.draft import Draft, Preview, preview
from screens.text.safe import clean, plain
from screens.widgets.checkbox import Check, Checks
from screens.widgets.line_input import LineInput
from store.errors import OpsmonError
from store.intune.cron import MAX_CRON, MAX_ZONE
from store.intune.schedule_records import MAX_NAME, Schedule
from store.intune.schedules import NameTaken

#: Cells of a screen on which a field has its help beside it.
_WIDE: Final = 72
#: The fields, each with what it takes.
_HELP: Final = {
    "name": "unique in the tenant",
    "cron": "minute hour day month weekday",
    "zone": "such as Europe/Berlin",
    "keep": "complete backups kept; empty: all",
    "enabled": "off: it never fires",
    "kinds": "of policy; none chosen: all",
}


class ScheduleForm(PolledScreen[None]):
    """Adds a schedule, or changes one. It stays open, with all that was typed, until it was saved."""

    DEFAULT_CSS = """
    ScheduleForm VerticalScroll { height: auto; padding: 0 1; scrollbar-size-vertical: 1; }
    ScheduleForm Vertical, ScheduleForm Horizontal { height: auto; }
    ScheduleForm .title { width: 9; color: $text-muted; }
    ScheduleForm .help { width: 35; padding: 0 0 0 1; color: $text-muted; }
    ScheduleForm .under { display: none; height: auto; padding: 0 0 0 10; color: $text-muted; }
    ScheduleForm .under.shown { display: block; }
    ScheduleForm .under.wrong { text-style: bold; color: $text-error; }
    ScheduleForm Input { width: 1fr; border: none; height: 1; padding: 0 1; background: $surface; }
    ScheduleForm Input:focus { border: none; background: $boost; text-style: bold; }
    ScheduleForm Check { border: none; height: 1; padding: 0 1; width: auto; background: transparent; }
    ScheduleForm Check:focus { border: none; background: $boost; }
    ScheduleForm #kinds { layout: grid; grid-size: 2; grid-rows: 1; padding: 0 0 0 9; }
    ScheduleForm #field-enabled Check { width: 1fr; }
    ScheduleForm #field-kinds .help { width: 1fr; }
    ScheduleForm.narrow .help { display: none; }
    ScheduleForm.narrow #field-kinds .help { display: block; }
    ScheduleForm.narrow .under { padding: 0 0 0 2; }
    ScheduleForm.narrow #kinds { grid-size: 1; padding: 0; }
    ScheduleForm #note { height: auto; padding: 0 1; text-style: bold; color: $text-error; }
    ScheduleForm Button { margin: 0 1; min-width: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Save"),
        Binding("tab", "app.focus_next", "Next field", show=False),
    ]

    def __init__(
        self, tenant: str, kinds: tuple[str, ...], schedule: Schedule | None = None, zone: str = "UTC"
    ) -> None:
        """`kinds` are those that there are. `schedule` is the one to change; without it, one is added, in `zone` at first."""
        super().__init__()
        self._tenant, self._old = tenant, schedule
        self._begun = Draft.of(schedule.settings) if schedule else Draft(zone=zone)
        chosen = self._begun.kinds or ()
        self._kinds = (*kinds, *(kind for kind in chosen if kind not in kinds))
        self._is_saving = False
        #: The cron and the zone whose next times were asked for last, and whether they are being computed.
        self._asked: tuple[str, str] | None = None
        self._is_computing = False

    @property
    def place(self) -> str:
        return f"{self._tenant}, schedule {self._old.settings.name}" if self._old else f"{self._tenant}, new schedule"

    # -- the fields -------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        begun = self._begun
        with VerticalScroll(can_focus=False):
            yield self._field("name", LineInput(clean(begun.name), max_length=MAX_NAME, id="name"))
            yield self._field("cron", LineInput(clean(begun.cron), max_length=MAX_CRON, id="cron"))
            yield self._field("zone", LineInput(clean(begun.zone), max_length=MAX_ZONE, id="zone"))
            yield self._field("keep", LineInput(begun.keep, max_length=10, id="keep"))
            yield self._field("enabled", Check("yes", value=begun.enabled, id="enabled"))
            yield from self._compose_kinds()
        yield Static("", id="note", markup=False)
        yield Button("Save", id="go", compact=True)

    def _field(self, name: str, *value: Widget) -> Widget:
        title, explained = (
            Static(name, classes="title", markup=False),
            Static(_HELP[name], classes="help", markup=False),
        )
        under = Static("", id=f"under-{name}", classes="under", markup=False)
        return Vertical(Horizontal(title, *value, explained), under, id=f"field-{name}")

    def _compose_kinds(self) -> Iterator[Widget]:
        label = self.shell.backend.kind_label
        chosen = frozenset(self._begun.kinds or ())
        yield self._field("kinds")
        yield Checks(self._kinds, chosen, labels={kind: label(kind) for kind in self._kinds}, id="kinds")

    def on_mount(self) -> None:
        self.paint_header()
        self.query_one("#go" if self._old else "#name").focus()
        self._preview_soon()

    def on_resize(self) -> None:
        """Give the fields what room is left by the lines above and below them: two of header, two of note, button, footer."""
        self.set_class(self.size.width < _WIDE, "narrow")
        self.query_one(VerticalScroll).styles.max_height = max(3, self.size.height - 6)
        super().on_resize()

    def _text(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    @property
    def _draft(self) -> Draft:
        chosen = self.query_one("#kinds", Checks).chosen
        kept = self._begun.kinds
        kinds = kept if kept and set(kept) == set(chosen) else tuple(chosen) or None
        begun, keep = self._begun, self._text("keep")
        # An unedited field keeps its value: what is shown of it may have been cleaned.
        name, cron, zone = (
            old if (shown := self._text(field)) == clean(old) else shown
            for field, old in (("name", begun.name), ("cron", begun.cron), ("zone", begun.zone))
        )
        return Draft(name, cron, zone, keep, self.query_one("#enabled", Check).value, kinds)

    def _tell(self, name: str, text: str, *, wrong: bool = False) -> None:
        """Show a text under the field; "" hides it."""
        under = self.query_one(f"#under-{name}", Static)
        under.set_class(bool(text), "shown")
        under.set_class(wrong, "wrong")
        under.update(text if text.isascii() else "\n".join(clean(line) for line in text.split("\n")))

    def _note(self, text: str) -> None:
        self.query_one("#note", Static).update(plain(text))

    # -- the next times ---------------------------------------------------------------------------------------------------

    @on(Input.Changed)
    def _changed(self, message: Input.Changed) -> None:
        name = message.input.id or ""
        if name in ("cron", "zone"):
            self._preview_soon()
        else:
            self._tell(name, "")

    def _preview_soon(self) -> None:
        """Compute the next times in the background, for one content of the fields at a time: what was typed meanwhile comes
        next.
        """
        wanted, snapshot = (self._text("cron"), self._text("zone")), self.shell.snapshot
        if self._is_computing or wanted == self._asked or snapshot is None:
            return
        self._asked, self._is_computing = wanted, True
        self.in_background(lambda: preview(*wanted, snapshot.at), self._previewed)

    def _previewed(self, found: Preview | Exception) -> None:
        self._is_computing = False
        snapshot = self.shell.snapshot
        if isinstance(found, Exception) or snapshot is None:
            return
        if (self._text("cron"), self._text("zone")) != self._asked:
            self._preview_soon()
            return
        times = "\n".join(words.upcoming(found.times, self._text("zone").strip(), snapshot.at))
        self._tell("cron", found.problems.get("cron", times))
        self._tell("zone", found.problems.get("zone", ""))

    # -- saving -----------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Check and save in the background."""
        if self._is_saving:
            return
        self._is_saving = True
        self._note("")
        draft, old, tenant, book = self._draft, self._old, self._tenant, self.shell.backend.schedules

        def work() -> Schedule | dict[str, str]:
            if problems := draft.problems():
                return problems
            return book.edit(old.id, draft.changes_of(old.settings)) if old else book.add(tenant, draft.settings())

        self.shell.background.run(work, self._saved, Keys.WAIT)

    def _saved(self, result: Schedule | dict[str, str] | Exception) -> None:
        self._is_saving = False
        if isinstance(result, Schedule):
            done = "changed" if self._old else "added"
            self.shell.message(f"The schedule {result.settings.name} of {result.tenant} was {done}.")
            self.shell.poll_now()
            if self.is_current:
                self.dismiss()
        elif not self.is_attached:
            if isinstance(result, Exception):
                self.shell.error(result)
        else:
            self._refused(result)

    def _refused(self, why: dict[str, str] | Exception) -> None:
        """Show why nothing was saved, at the field if it is one's fault, and go to the first such field."""
        if isinstance(why, NameTaken):
            why = {"name": str(why)}
        if isinstance(why, Exception):
            told = str(why) if isinstance(why, OpsmonError) else f"{type(why).__name__}: {why}"
            self._note(f"Not saved: {told}")
            return
        for name, problem in why.items():
            self._tell(name, problem, wrong=True)
        first = next(iter(why))
        self.query_one(f"#{first}").focus()
        self.query_one(f"#field-{first}").scroll_visible(animate=False)

    @property
    def would_lose(self) -> bool:
        return self._draft != self._begun
