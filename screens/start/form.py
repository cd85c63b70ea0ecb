"""The form that starts one operation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, Select, Static

from screens.base import PolledScreen
from screens.start.fields import changes, default_of, field_for, holds, still_taken, title_of, value_of
from screens.text.safe import plain
from store.errors import InputInvalid, OpsmonError
from store.model.records import Run
from tasks.sdk.operation import Operation
from tasks.sdk.parameters import Parameter

#: Seconds without a change before the form looks up an active twin.
PAUSE = 0.25


class FormScreen(PolledScreen[None]):
    """One field for each parameter. An active twin is announced before the user presses enter."""

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
    FormScreen .help.changed { text-style: bold; color: $text-warning; }
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
        self._titles = {p.name: Static(plain(title_of(p)), classes="help", markup=False) for p in operation.parameters}
        self._asked = 0
        self._timer: Timer | None = None
        self._starting = False

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(plain(f"{self._operation.label}: {self._operation.summary}"), markup=False)
            if self._retry_of:
                yield Static("", id="changes", markup=False)
            yield from self._compose_fields()
        yield Static("", id="note", markup=False)
        yield Button("Retry" if self._retry_of else "Start", id="go", compact=True)

    def _compose_fields(self) -> Iterator[Widget]:
        slugs, chosen = self._tenants()
        tenant = Select(
            [(plain(slug), slug) for slug in slugs],
            value=Select.NULL if chosen is None else chosen,
            allow_blank=self._retry_of is None,
            prompt="which?",
            id="tenant",
        )
        yield Vertical(Static("tenant", markup=False), tenant, classes="field")
        for parameter in self._operation.parameters:
            yield Vertical(self._titles[parameter.name], self._fields[parameter.name], classes="field")

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

    def _values(self) -> dict[str, Any]:
        """The form's values. Raises InputInvalid, which names the field."""
        return self._operation.check({p.name: self._value(p) for p in self._operation.parameters})

    def _value(self, parameter: Parameter) -> Any:
        """The field's value. An unedited field keeps the original value, since text does not preserve every value exactly."""
        field = self._fields[parameter.name]
        if parameter.name in self._kept and holds(field, self._kept[parameter.name]):
            return self._kept[parameter.name]
        return value_of(parameter, field)

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
    def _ask_soon(self) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE, self._ask)

    def _ask(self) -> None:
        """Validate the form, then look up an active twin in the background. Answers to an older form are dropped."""
        self._asked += 1
        number, user = self._asked, self.shell.backend.user
        try:
            tenant, values = self._tenant, self._values()
        except OpsmonError as error:
            self._note(str(error), wrong=True)
            return
        self._note("")
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
            title, is_changed = self._titles[parameter.name], parameter.name in changed
            title.set_class(is_changed, "changed")
            title.update(plain(f"* {title_of(parameter)}" if is_changed else title_of(parameter)))

    def _note(self, words: str, *, wrong: bool = False) -> None:
        note = self.query_one("#note", Static)
        note.set_class(wrong, "wrong")
        note.update(plain(words))

    # -- start ------------------------------------------------------------------------------------------------------------

    @on(Input.Submitted)
    @on(Button.Pressed)
    def action_start(self) -> None:
        """Start the run, without waiting for the result. An invalid form stays open and shows why."""
        try:
            tenant, values = self._tenant, self._values()
        except OpsmonError as error:
            self._note(str(error), wrong=True)
            return
        if self._starting:
            return
        self._starting = True
        self.dismiss()
        if self._retry_of:
            self.shell.actions.retry_with(self._retry_of, values)
        else:
            self.shell.actions.start(tenant, self._operation.type, values)
