"""The form that starts one operation."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from screens.base import PolledScreen
from screens.start.fields import changes, default_of, field_for, help_of, holds, raw_of, still_taken, value_of
from screens.text.safe import findable, plain
from store.errors import InputInvalid, OpsmonError
from store.model.records import Run
from tasks.sdk.operation import Operation
from tasks.sdk.parameters import Parameter

#: Seconds without a change before the form looks up an active twin.
PAUSE = 0.25
TENANT = "tenant"


class FormScreen(PolledScreen[None]):
    """One field for each parameter. An active twin is announced before the user presses enter."""

    DEFAULT_CSS = """
    FormScreen VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    FormScreen .field { height: auto; }
    FormScreen .line { height: auto; }
    FormScreen .name { width: 20; color: $text-muted; padding: 0 1 0 0; }
    FormScreen .field:focus-within .name { color: $text; }
    FormScreen .line > Input, FormScreen .line > Select, FormScreen .line > Checkbox { width: 1fr; }
    FormScreen .under { display: none; height: auto; padding: 0 0 0 21; text-style: bold; color: $text-error; }
    FormScreen .under.wrong { display: block; }
    FormScreen #summary { height: auto; margin: 0 0 1 0; }
    FormScreen #help { height: auto; min-height: 1; margin: 1 0 0 0; color: $text-muted; }
    FormScreen Input, FormScreen Select > SelectCurrent { border: none; height: 1; padding: 0 1; background: $surface; }
    FormScreen Input:focus { border: none; background: $boost; text-style: bold; }
    FormScreen Select { height: 1; }
    FormScreen Select:focus > SelectCurrent { border: none; background: $boost; text-style: bold; }
    FormScreen Select.-expanded { height: auto; }
    FormScreen Checkbox { border: none; height: auto; max-height: 12; padding: 0 1; }
    FormScreen Checkbox:focus { border: none; background: $boost; }
    FormScreen .name.changed { text-style: bold; color: $text-warning; }
    FormScreen #changes { color: $text-warning; }
    FormScreen #note { height: auto; }
    FormScreen #note.wrong { text-style: bold; color: $text-error; }
    FormScreen Button { min-width: 12; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "start", "Start"),
        Binding("tab", "app.focus_next", "Next field", show=False),
    ]

    def __init__(
        self,
        operation: Operation,
        retry_of: Run | None = None,
        tenant: str | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> None:
        """With `retry_of`, the form is filled with that run's parameters, and enter retries the run. `tenant` is the slug of
        the tenant that is selected at first; None for the one shown in the list. `values` fill in parameters, by name.
        """
        super().__init__()
        self._operation = operation
        self._retry_of = retry_of
        self._first_tenant = tenant
        #: The parameters of the run to retry that the operation still accepts, or those that were filled in.
        self._kept = still_taken(operation, retry_of.parameters if retry_of else values or {})
        self._fields = {p.name: field_for(p, self._kept.get(p.name, default_of(p))) for p in operation.parameters}
        self._begun = {name: raw_of(field) for name, field in self._fields.items()}
        self._names = {p.name: Static(plain(_name_of(p)), classes="name", markup=False) for p in operation.parameters}
        #: What is wrong with a field stands below it; of one that nobody has touched, nothing is said before the start.
        self._under = {
            name: Static(id=f"under-{name}", classes="under", markup=False) for name in (TENANT, *self._names)
        }
        self._touched: set[str] = set()
        self._wrong: dict[str, str] = {}
        self._asked = 0
        self._timer: Timer | None = None
        self._starting = False

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(plain(f"{self._operation.label}: {self._operation.summary}"), id="summary", markup=False)
            if self._retry_of:
                yield Static("", id="changes", markup=False)
            yield from self._compose_fields()
            yield Static("", id="help", markup=False)
            yield Static("", id="note", markup=False)
            yield Button("Retry" if self._retry_of else "Start", id="go", compact=True)

    def _compose_fields(self) -> Iterator[Widget]:
        slugs, chosen = self._tenants()
        tenant = Select(
            [(findable(slug), slug) for slug in slugs],
            value=Select.NULL if chosen is None else chosen,
            allow_blank=self._retry_of is None,
            prompt="which?",
            id=TENANT,
        )
        yield self._field(Static("tenant *", classes="name", markup=False), tenant, self._under[TENANT])
        for name, field in self._fields.items():
            yield self._field(self._names[name], field, self._under[name])

    @staticmethod
    def _field(name: Static, field: Widget, under: Static) -> Vertical:
        return Vertical(Horizontal(name, field, classes="line"), under, classes="field")

    def _tenants(self) -> tuple[list[str], str | None]:
        """The tenants to choose from, and the selected one: the one that the form was opened for, that of the list, the only
        one, or None.
        """
        if self._retry_of:
            return [self._retry_of.tenant], self._retry_of.tenant
        slugs = self._may_start_in
        wanted = self._first_tenant or self.shell.tenant or (slugs[0] if len(slugs) == 1 else None)
        return slugs, wanted if wanted in slugs else None

    @property
    def _may_start_in(self) -> list[str]:
        return [member.tenant.slug for member in self.shell.actions.may_start_in(self._operation.right)]

    def on_mount(self) -> None:
        self.paint_header()
        tenant = self.query_one("#tenant", Select)
        filled = () if self._retry_of else self._kept
        required = [self._fields[p.name] for p in self._operation.parameters if p.required and p.name not in filled]
        first = [tenant, *required] if tenant.value is Select.NULL else required
        (first[0] if first else self.query_one("#go")).focus()
        self._ask_soon()

    def tenant_chosen(self) -> None:
        # A retry stays in the tenant of its run.
        if self._retry_of is None:
            self._first_tenant = None  # `t` chooses another
            _, chosen = self._tenants()
            self.query_one("#tenant", Select).value = Select.NULL if chosen is None else chosen

    @property
    def place(self) -> str:
        return f"retry of run {self._retry_of.id}" if self._retry_of else f"start {self._operation.type}"

    # -- what is filled in ------------------------------------------------------------------------------------------------

    def _checked(self) -> tuple[str, dict[str, Any]] | None:
        """The tenant and the values; None if something is wrong, which then stands below its field."""
        wrong: dict[str, str] = {}
        tenant = _tried(lambda: self._tenant, TENANT, wrong)
        values = {p.name: _tried(functools.partial(self._value, p), p.name, wrong) for p in self._operation.parameters}
        for name, under in self._under.items():
            told = wrong.get(name, "") if name in self._touched else ""
            under.set_class(bool(told), "wrong")
            under.update(plain(told))
        self._wrong = wrong
        return None if wrong else (str(tenant), self._operation.check(values))

    def _value(self, parameter: Parameter) -> Any:
        """The field's value. An unedited field keeps the original value, since text does not preserve every value exactly."""
        field = self._fields[parameter.name]
        if parameter.name in self._kept and holds(field, self._kept[parameter.name]):
            return parameter.check(self._kept[parameter.name])
        return parameter.check(value_of(parameter, field))

    @property
    def _tenant(self) -> str:
        """The selected tenant. Raises InputInvalid if none is selected."""
        value = self.query_one("#tenant", Select).value
        if value is not Select.NULL:
            return str(value)
        slugs, shown = self._may_start_in, self.shell.tenant
        if no_member := self.shell.no_member:
            raise InputInvalid(no_member, "choose another tenant")
        if shown and shown not in slugs:
            raise InputInvalid(f"you may look at {shown}, not {self._operation.act} there", "choose another tenant")
        if not slugs:
            raise InputInvalid(f"you may not {self._operation.act}", "ask an owner of a tenant")
        raise InputInvalid("the tenant is not chosen", "choose one")

    @on(Input.Changed)
    @on(Checkbox.Changed)
    @on(Select.Changed)
    def _changed(self) -> None:
        self._touched |= {name for name, field in self._fields.items() if raw_of(field) != self._begun[name]}
        self._ask_soon()

    def on_descendant_focus(self) -> None:
        focused = self.focused
        help_ = next((help_of(p) for p in self._operation.parameters if self._holds_focus(p, focused)), "")
        self.query_one("#help", Static).update(plain(help_))

    def _holds_focus(self, parameter: Parameter, focused: Widget | None) -> bool:
        return focused is not None and self._fields[parameter.name] in focused.ancestors_with_self

    def _ask_soon(self) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._ask)

    def _ask(self) -> None:
        """Validate the form, then look up an active twin in the background. Answers to an older form are dropped."""
        self._asked += 1
        number, user = self._asked, self.shell.backend.user
        checked = self._checked()
        self._note("")
        if checked is None:
            return
        tenant, values = checked
        self._put_changes(values)
        dispatcher = self.shell.backend.dispatcher
        self.in_background(
            lambda: dispatcher().twin(user, tenant, self._operation.type, values),
            lambda twin: self._answered(number, twin),
        )

    def _answered(self, number: int, twin: Run | Exception | None) -> None:
        if number != self._asked:
            return
        if isinstance(twin, Exception):
            self._note(str(twin), wrong=True)
        elif twin is not None:
            self._note(
                f"Run {twin.id} by {twin.initiator_name} is {twin.status} with these parameters: enter joins it."
            )

    def _put_changes(self, values: dict[str, Any]) -> None:
        """Show what the retry changes, above the form and at each field."""
        if self._retry_of is None:
            return
        defaults = {p.name: p.default for p in self._operation.parameters if not p.required}
        before = {**defaults, **self._retry_of.parameters, **self._kept}
        changed = changes(before, values)
        words = "  ".join(changed.values()) or "nothing yet: the same parameters as before"
        self.query_one("#changes", Static).update(plain(f"Changes: {words}"))
        for parameter in self._operation.parameters:
            name, is_changed = self._names[parameter.name], parameter.name in changed
            name.set_class(is_changed, "changed")
            name.update(plain(f"~ {parameter.name}" if is_changed else _name_of(parameter)))

    def _note(self, words: str, *, wrong: bool = False) -> None:
        note = self.query_one("#note", Static)
        note.set_class(wrong, "wrong")
        note.update(plain(words))

    @property
    def would_lose(self) -> bool:
        return bool(self._touched)

    # -- start ------------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Start the run, without waiting for the result. An invalid form stays open, and the first field that is wrong has
        the focus.
        """
        self._touched = set(self._under)
        checked = self._checked()
        if checked is None:
            first = next(name for name in self._under if name in self._wrong)
            self._go_to(self.query_one(f"#{TENANT}") if first == TENANT else self._fields[first])
            return
        if self._starting:
            return
        tenant, values = checked
        self._starting = True
        memory = self.shell.memory
        memory.note(started=memory.last.with_started(self._operation.type))
        self.dismiss()
        if self._retry_of:
            self.shell.actions.retry_with(self._retry_of, values)
        else:
            self.shell.actions.start(tenant, self._operation.type, values)

    @staticmethod
    def _go_to(field: Widget) -> None:
        """Focus the field, and select what stands in it: what is typed replaces that, also where the focus was there already."""
        field.focus()
        if isinstance(field, Input):
            field.action_select_all()


def _name_of(parameter: Parameter) -> str:
    return f"{parameter.name} *" if parameter.required else parameter.name


def _tried(read: Callable[[], Any], name: str, wrong: dict[str, str]) -> Any:
    """What `read` returns; None, with a line in `wrong`, if it is refused."""
    try:
        return read()
    except OpsmonError as error:
        wrong[name] = str(error).removeprefix(f"parameter '{name}' ")
        return None
