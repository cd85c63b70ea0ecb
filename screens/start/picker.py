"""The choice of the operation to start."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.fuzzy import Matcher
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from screens.background import Keys
from screens.base import PolledModal
from screens.text import roles
from screens.text.safe import clean
from screens.widgets.line_input import LineInput
from tasks.sdk.operation import Operation
from tasks.sdk.registry import Registry


class OperationPicker(PolledModal[Operation]):
    """Typing narrows the list; enter chooses the operation. What is started elsewhere is dimmed, and cannot be chosen."""

    DEFAULT_CSS = """
    OperationPicker { align: center middle; }
    OperationPicker Vertical { width: 76; max-width: 100%; height: auto; padding: 0 1; background: $panel; }
    OperationPicker Static { text-style: bold; }
    OperationPicker LineInput { height: 1; margin: 1 0; border: none; padding: 0 1; background: $background; }
    OperationPicker LineInput:focus { border: none; background: $boost; }
    OperationPicker OptionList { height: auto; max-height: 60vh; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "cursor(1)", "Down", show=False, priority=True),
        Binding("up", "cursor(-1)", "Up", show=False, priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._operations: tuple[Operation, ...] = ()

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static("Start which operation?  (type to narrow, enter goes on, esc closes)", markup=False)
            yield LineInput(placeholder="name")
            yield OptionList(Option("Loading…", disabled=True), markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self.in_background(lambda: self.shell.backend.dispatcher().registry, self._loaded, Keys.WAIT)

    def _loaded(self, registry: Registry | Exception) -> None:
        if isinstance(registry, Exception):
            self.shell.message(str(registry), "error")
            self.dismiss()
            return
        for problem in registry.problems:
            self.shell.message(problem, "warning")
        self._operations = tuple(registry)
        self._fill("")

    def _fill(self, text: str) -> None:
        matcher = Matcher(text)
        scored = [(matcher.match(f"{o.label} {o.type}") if text else 1.0, o) for o in self._operations]
        last = self.shell.memory.last.started
        # Of equals that first which the user started last.
        recent = {type_: place for place, type_ in enumerate(last)}
        scored.sort(key=lambda pair: (-pair[0], recent.get(pair[1].type, len(last)), pair[1].type))
        found = [operation for score, operation in scored if score > 0]
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(
            Option(_line(operation), id=operation.type, disabled=bool(operation.only_from)) for operation in found
        )
        listed.highlighted = next((place for place, one in enumerate(found) if not one.only_from), None)

    def on_input_changed(self, message: Input.Changed) -> None:
        if self._operations:
            self._fill(message.value.strip())

    def on_input_submitted(self) -> None:
        self.query_one(OptionList).action_select()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        chosen = next(o for o in self._operations if o.type == message.option_id)
        self.dismiss(chosen)

    def action_cursor(self, by: int) -> None:
        listed = self.query_one(OptionList)
        listed.action_cursor_down() if by > 0 else listed.action_cursor_up()


def _line(operation: Operation) -> Content:
    why_not = f"  ({clean(operation.why_no_start)})" if operation.only_from else ""
    return Content.assemble(
        (clean(operation.label), "bold"),
        f"  {clean(operation.type)}\n  ",
        (clean(operation.summary) + why_not, roles.content_style("quiet")),
    )
