"""The form that plans a restore of a backup set, or of one object of it; and that changes what a restore takes, and its mode."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from screens.background import Keys
from screens.base import PolledScreen
from screens.restores.draft import Draft, Subject
from screens.text.safe import clean, findable, plain
from screens.widgets.checkbox import Check, Checks
from screens.widgets.line_input import LineInput
from store.errors import OpsmonError
from store.intune.backup_sets import BackupSetDetail, SetWanted
from store.intune.restore_records import Mode, Restore
from store.intune.restores import MAX_REASON
from store.people.access import Right
from store.snapshot import Request, Snapshot

#: Cells of a screen on which a field has its help beside it.
_WIDE: Final = 72
#: The fields, each with what it takes.
_HELP: Final = {
    "into": "the tenant that it writes to",
    "mode": "nothing is ever deleted",
    "reason": "optional; approvers read it",
    "only": "off: choose kinds of the set",
    "kinds": "of policy",
}
_MODES: Final[tuple[tuple[str, Mode], ...]] = (
    ("create what is missing", "create"),
    ("update what differs too", "update"),
)


class RestoreForm(PolledScreen[None]):
    """Plans a restore, or changes one. It stays open, with all that was typed, until it was saved."""

    DEFAULT_CSS = """
    RestoreForm VerticalScroll { height: auto; padding: 0 1; scrollbar-size-vertical: 1; }
    RestoreForm Vertical, RestoreForm Horizontal { height: auto; }
    RestoreForm #what { height: auto; padding: 0 0 1 0; }
    RestoreForm .title { width: 9; color: $text-muted; }
    RestoreForm .help { width: 30; padding: 0 0 0 1; color: $text-muted; }
    RestoreForm .under { display: none; height: auto; padding: 0 0 0 10; text-style: bold; color: $text-error; }
    RestoreForm .under.shown { display: block; }
    RestoreForm Input, RestoreForm Select > SelectCurrent { border: none; height: 1; padding: 0 1; background: $surface; }
    RestoreForm Input { width: 1fr; }
    RestoreForm Static#into { padding: 0 1; }
    RestoreForm Input:focus { border: none; background: $boost; text-style: bold; }
    RestoreForm Select { height: 1; width: 1fr; }
    RestoreForm Select:focus > SelectCurrent { border: none; background: $boost; text-style: bold; }
    RestoreForm Select.-expanded { height: auto; }
    RestoreForm Check { border: none; height: 1; padding: 0 1; width: auto; background: transparent; }
    RestoreForm Check:focus { border: none; background: $boost; }
    RestoreForm #kinds { layout: grid; grid-size: 2; grid-rows: 1; padding: 0 0 0 9; }
    RestoreForm #field-only Check { width: 1fr; }
    RestoreForm.whole #field-kinds, RestoreForm.whole #kinds { display: block; }
    RestoreForm #field-kinds, RestoreForm #kinds { display: none; }
    RestoreForm.narrow .help { display: none; }
    RestoreForm.narrow .under { padding: 0 0 0 2; }
    RestoreForm.narrow #kinds { grid-size: 1; padding: 0; }
    RestoreForm #note { height: auto; padding: 0 1; text-style: bold; color: $text-error; }
    RestoreForm Button { margin: 0 1; min-width: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Plan"),
        Binding("tab", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, subject: Subject) -> None:
        super().__init__()
        self._subject = subject
        #: The kinds that the set has, in their order; None while it was not read.
        self._kinds: tuple[str, ...] | None = None
        self._begun: Draft | None = None
        self._is_saving = False

    @property
    def place(self) -> str:
        old = self._subject.restore
        return (
            f"{old.tenant}, restore {old.id}" if old else f"{self._subject.source}, restore set {self._subject.set_id}"
        )

    # -- the kinds of the set ---------------------------------------------------------------------------------------------

    def contribute(self, request: Request) -> Request:
        return replace(request, backups=SetWanted(self._subject.set_id)) if self._kinds is None else request

    def on_snapshot(self, snapshot: Snapshot) -> None:
        if self._kinds is not None or snapshot.request.backups != SetWanted(self._subject.set_id):
            return
        if not isinstance(snapshot.backups, BackupSetDetail):
            self._note(f"There is no backup set {self._subject.set_id} any more, or it is not yours to see.")
            return
        self._kinds = tuple(one.kind for one in snapshot.backups.kinds if one.kept)
        label = self.shell.backend.kind_label
        old = self._subject.restore.scope.get("kinds") if self._subject.restore else None
        chosen = frozenset(self._kinds if old is None or self._subject.items else old)
        checks = Checks(self._kinds, chosen, labels={kind: label(kind) for kind in self._kinds}, id="kinds")
        self.query_one("#scroll").mount(checks)
        self._tell_whether_every(chosen >= set(self._kinds))
        # Nobody has chosen kinds before there were any.
        self._begun = replace(self._begun or self._draft, kinds=tuple(one for one in self._kinds if one in chosen))
        self.shell.update_request()

    # -- the fields -------------------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        subject, old = self._subject, self._subject.restore
        with VerticalScroll(can_focus=False, id="scroll"):
            yield Static(plain(self._about), id="what", markup=False)
            yield self._field("into", Static(plain(old.tenant), markup=False, id="into") if old else self._tenants())
            mode = Select(_MODES, value=old.mode if old else "create", allow_blank=False, id="mode")
            yield self._field("mode", mode)
            if old is None:
                yield self._field("reason", LineInput(max_length=MAX_REASON, id="reason"))
            if subject.items:
                yield self._field("only", Check(plain(subject.items_name), value=True, id="only"))
            yield self._field("kinds", Check("all", value=True, id="every"))
        yield Static("", id="note", markup=False)
        yield Button("Save" if old else "Plan", id="go", compact=True)

    @property
    def _about(self) -> str:
        subject = self._subject
        told = f"Restores from backup set {subject.set_id}, {clean(subject.set_name).strip()}, of {subject.source}."
        return f"{told} What came after the scope begins anew." if subject.restore else f"{told} It writes nothing yet."

    def _field(self, name: str, value: Widget) -> Widget:
        title = Static(name, classes="title", markup=False)
        explained = Static(_HELP[name], classes="help", markup=False)
        under = Static("", id=f"under-{name}", classes="under", markup=False)
        return Vertical(Horizontal(title, value, explained), under, id=f"field-{name}")

    def _tenants(self) -> Select[str]:
        """The tenants that the user may restore into: the set's own first, which is chosen, else none of several."""
        found = [member.tenant for member in self.shell.actions.may_start_in(Right.RESTORE)]
        found.sort(key=lambda one: one.slug != self._subject.source)
        first = found[0].slug if found and (len(found) == 1 or found[0].slug == self._subject.source) else Select.NULL
        options = [(findable(f"{one.slug} ({clean(one.name).strip()})"), one.slug) for one in found]
        return Select(options, value=first, prompt="which?", id="into")

    def on_mount(self) -> None:
        self._show_kinds()
        self._begun = self._draft
        self.paint_header()
        self.query_one("#go" if self._draft.tenant else "#into").focus()

    def on_resize(self) -> None:
        """Give the fields what room is left by the lines above and below them: two of header, two of note, button, footer."""
        self.set_class(self.size.width < _WIDE, "narrow")
        self.query_one("#scroll").styles.max_height = max(3, self.size.height - 6)
        super().on_resize()

    @property
    def _draft(self) -> Draft:
        subject, old, checks = self._subject, self._subject.restore, self.query(Checks)
        into = self.query_one("#into")
        tenant = old.tenant if old else into.value if isinstance(into, Select) else None
        return Draft(
            None if tenant is Select.NULL else cast("str | None", tenant),
            cast("Mode", self.query_one("#mode", Select).value),
            "" if old else self.query_one("#reason", Input).value,
            bool(subject.items) and self.query_one("#only", Check).value,
            tuple(checks.first().chosen) if checks else None,
        )

    @on(Checkbox.Changed, "#only")
    def _show_kinds(self) -> None:
        """Show the kinds unless single objects are restored."""
        only = self.query("#only").results(Check)
        self.set_class(not any(one.value for one in only), "whole")

    @on(Checkbox.Changed, "#every")
    def _choose_every(self, message: Checkbox.Changed) -> None:
        with self.prevent(Checkbox.Changed):
            for check in self.query("#kinds Check").results(Check):
                check.value = message.value

    @on(Checkbox.Changed, "#kinds Check")
    def _look_whether_every(self) -> None:
        self._tell_whether_every(all(check.value for check in self.query("#kinds Check").results(Check)))

    def _tell_whether_every(self, value: bool) -> None:
        with self.prevent(Checkbox.Changed):
            self.query_one("#every", Check).value = value

    @on(Input.Changed)
    @on(Select.Changed)
    @on(Checkbox.Changed)
    def _forget_problems(self) -> None:
        for under in self.query(".under"):
            under.remove_class("shown")

    def _note(self, text: str) -> None:
        self.query_one("#note", Static).update(plain(text))

    # -- saving -----------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Plan or change the restore in the background, if nothing is missing."""
        draft, subject, changes = self._draft, self._subject, self.shell.backend.restores
        if self._is_saving:
            return
        self._note("")
        if problems := draft.problems(subject):
            self._refuse(problems)
            return
        self._is_saving = True
        scope, tenant, old = draft.scope(subject, self._kinds or ()), draft.tenant or "", subject.restore

        def work() -> Restore:
            if old:
                return changes.rescope(old.id, scope, draft.mode)
            return changes.plan(subject.set_id, tenant, scope, draft.mode, draft.reason.strip())

        self.shell.background.run(work, self._saved, Keys.WAIT)

    def _refuse(self, problems: dict[str, str]) -> None:
        """Show each problem at its field, and go to the first."""
        for name, problem in problems.items():
            under = self.query_one(f"#under-{name}", Static)
            under.update(plain(problem))
            under.add_class("shown")
        first = next(iter(problems))
        self.query_one("#every" if first == "kinds" else f"#{first}").focus()

    def _saved(self, result: Restore | Exception) -> None:
        self._is_saving = False
        if isinstance(result, Exception):
            self._not_saved(result)
            return
        self.shell.poll_now()
        if self._subject.restore:
            self.shell.message(f"Restore {result.id} was changed.")
        if self.is_current:
            self.dismiss()
            if self._subject.restore is None:
                self.shell.navigator.restore(result.id)
        elif self._subject.restore is None:
            self.shell.message(f"Restore {result.id} into {result.tenant} was planned: X shows it.")

    def _not_saved(self, error: Exception) -> None:
        if self.is_attached:
            told = str(error) if isinstance(error, OpsmonError) else f"{type(error).__name__}: {error}"
            self._note(f"Not saved: {told}")
        else:
            self.shell.error(error)

    @property
    def would_lose(self) -> bool:
        return self._draft != self._begun
