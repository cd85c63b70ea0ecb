"""The form of one operation, made from its parameters. Enter starts: the run is queued, and the receipt comes as a toast."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Footer, Input, Select, Static

from screens.live import LiveScreen
from screens.text import clean, plain
from screens.widgets import bars
from screens.widgets.check import Check, Checks
from store.errors import OpsmonError
from store.records import Run
from tasks.parameters import Kind, Parameter
from tasks.registry import Operation

#: Seconds without a change before the database is asked for a twin.
PAUSE = 0.25


class FormScreen(LiveScreen):
    """One field a parameter. Whether an active twin exists is said before enter is pressed."""

    DEFAULT_CSS = """
    FormScreen VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    FormScreen .field { height: auto; }
    FormScreen .help { color: $text-muted; }
    FormScreen Input, FormScreen Select > SelectCurrent { border: none; height: 1; padding: 0 1; background: $surface; }
    FormScreen Input:focus { border: none; background: $boost; text-style: bold; }
    FormScreen Select { height: 1; }
    FormScreen Select:focus > SelectCurrent { border: none; background: $boost; text-style: bold; }
    FormScreen Select.-expanded { height: auto; }
    FormScreen Checkbox { border: none; height: auto; max-height: 12; padding: 0 1; }
    FormScreen Checkbox:focus { border: none; background: $boost; }
    FormScreen #changes { color: $text-warning; }
    FormScreen #note { height: auto; padding: 0 1; }
    FormScreen #note.wrong { text-style: bold; color: $text-error; }
    FormScreen Button { margin: 0 1; min-width: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start"),
        Binding("escape", "back", "Back"),
        Binding("tab", "app.focus_next", "Next field", show=False),
    ]

    def __init__(self, operation: Operation, retry_of: Run | None = None) -> None:
        """With `retry_of`, a run with its parameters, the form is filled with them, and what is started retries that run."""
        super().__init__()
        self._operation = operation
        self._retry_of = retry_of
        old = retry_of.parameters if retry_of else {}
        self._fields = {p.name: _field(p, old.get(p.name, _default(p))) for p in operation.parameters}
        self._asked = 0
        self._timer: Timer | None = None
        self._starting = False

    def compose(self) -> ComposeResult:
        yield bars.Line(id="header")
        with VerticalScroll(can_focus=False):
            yield Static(plain(f"{self._operation.label}: {self._operation.summary}"), markup=False)
            if self._retry_of:
                yield Static("", id="changes", markup=False)
            yield from self._compose_fields()
        yield Static("", id="note", markup=False)
        yield Button("Start", id="go", compact=True)
        yield Footer(compact=True, show_command_palette=False)

    def _compose_fields(self) -> Iterator[Widget]:
        # A retry is in the tenant of the run that it retries.
        slugs = [self._retry_of.tenant] if self._retry_of else [m.tenant.slug for m in self.monitor.may_start_in()]
        chosen = self.monitor.tenant if self.monitor.tenant in slugs else slugs[0]
        tenant = Select([(plain(slug), slug) for slug in slugs], value=chosen, allow_blank=False, id="tenant")
        yield Vertical(Static("tenant", markup=False), tenant, classes="field")
        for parameter in self._operation.parameters:
            yield Vertical(
                Static(plain(_title(parameter)), classes="help", markup=False),
                self._fields[parameter.name],
                classes="field",
            )

    def on_mount(self) -> None:
        self.show_freshness("live")
        required = [self._fields[p.name] for p in self._operation.parameters if p.required]
        (required[0] if required else self.query_one("#go")).focus()
        self._ask_soon()

    def show_freshness(self, words: str) -> None:
        what = f"retry of run {self._retry_of.id}" if self._retry_of else f"start {self._operation.type}"
        self.monitor.put_header(self, what, words)

    # -- what is filled in ------------------------------------------------------------------------------------------------

    def _values(self) -> dict[str, Any]:
        """What the form holds. Raises InputInvalid, naming the field."""
        given = {p.name: _value(p, self._fields[p.name]) for p in self._operation.parameters}
        return self._operation.check(given)

    @property
    def _tenant(self) -> str:
        return str(self.query_one("#tenant", Select).value)

    @on(Input.Changed)
    @on(Checkbox.Changed)
    @on(Select.Changed)
    def _ask_soon(self) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._ask)

    def _ask(self) -> None:
        """Check the form, and ask in the background whether a twin is active. An answer to an older form is dropped."""
        self._asked += 1
        asked, tenant, user = self._asked, self._tenant, self.monitor.backend.user
        try:
            values = self._values()
        except OpsmonError as error:
            self._note(str(error), wrong=True)
            return
        self._note("")
        self._put_changes(values)
        dispatcher = self.monitor.backend.dispatcher
        self.monitor.in_background(
            lambda: dispatcher().twin(user, tenant, self._operation.type, values),
            lambda twin: self._answered(asked, twin),
        )

    def _answered(self, asked: int, twin: Run | Exception | None) -> None:
        if asked != self._asked or not self.is_mounted:
            return
        if isinstance(twin, Exception):
            self._note(str(twin), wrong=True)
        elif twin is not None:
            self._note(
                f"Run {twin.id} by {twin.initiator_name} is {twin.status} with these parameters: enter joins it."
            )

    def _put_changes(self, values: dict[str, Any]) -> None:
        """Say what a retry changes."""
        if self._retry_of:
            changed = changes(self._before(self._retry_of), values)
            words = "  ".join(changed) if changed else "nothing yet: the same parameters as before"
            self.query_one("#changes", Static).update(plain(f"Changes: {words}"))

    def _before(self, run: Run) -> Mapping[str, Any]:
        """The run's parameters as the form knows them: those that it was not given have their defaults."""
        try:
            return {**run.parameters, **self._operation.check(run.parameters)}
        except OpsmonError:
            return run.parameters

    def _note(self, words: str, *, wrong: bool = False) -> None:
        note = self.query_one("#note", Static)
        note.set_class(wrong, "wrong")
        note.update(plain(words))

    # -- start ------------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Queue the run. Nothing here waits for it; a form that cannot be used stays, and says why."""
        try:
            values = self._values()
        except OpsmonError as error:
            self._note(str(error), wrong=True)
            return
        if self._starting:
            return
        self._starting = True
        user, tenant, type_, old = self.monitor.backend.user, self._tenant, self._operation.type, self._retry_of
        self.dismiss()
        if old:
            self.monitor.with_dispatcher(lambda dispatcher: dispatcher.retry(user, old.id, values))
        else:
            self.monitor.with_dispatcher(lambda dispatcher: dispatcher.start(user, tenant, type_, values))


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What is otherwise than before, as `name: old to new`; what the form does not know any more is dropped."""
    told = [
        f"{name}: {_told(old[name]) if name in old else 'not given'} to {_told(value)}"
        for name, value in new.items()
        if name not in old or old[name] != value
    ]
    return told + [f"{name}: dropped" for name in old if name not in new]


def _told(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _title(parameter: Parameter) -> str:
    kind = "" if parameter.kind in (Kind.TEXT, Kind.BOOLEAN, Kind.CHOICE) else f" ({parameter.kind})"
    need = " (required)" if parameter.required else ""
    return f"{parameter.name}{kind}{need}  {parameter.help}".rstrip()


def _default(parameter: Parameter) -> Any:
    return None if parameter.required else parameter.default


def _field(parameter: Parameter, default: Any) -> Widget:
    if parameter.kind is Kind.BOOLEAN:
        return Check(plain("yes"), value=bool(default))
    if parameter.kind is Kind.CHOICE:
        choices = [(plain(choice), choice) for choice in parameter.choices]
        return Select(
            choices,
            value=default if default in parameter.choices else Select.NULL,
            allow_blank=parameter.optional or parameter.required,
        )
    if parameter.kind is Kind.CHOICES:
        return Checks(parameter.choices, frozenset(default or ()))
    text = ", ".join(default) if isinstance(default, list) else "" if default is None else str(default)
    field = Input(clean(text), select_on_focus=False)
    field.cursor_blink = False
    return field


def _value(parameter: Parameter, field: Widget) -> Any:
    """What a field holds, as JSON holds it. An empty field of an optional parameter is None."""
    if isinstance(field, Checkbox):
        return field.value
    if isinstance(field, Checks):
        return field.chosen or (None if parameter.optional else [])
    if isinstance(field, Select):
        return None if field.value is Select.NULL else field.value
    assert isinstance(field, Input)
    if parameter.optional and not field.value.strip():
        return None
    return parameter.parse(field.value)
