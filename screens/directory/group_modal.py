"""One group of the cached directory, with all that is known of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content

from screens.base import PolledModal
from screens.directory import words
from screens.text import format as fmt
from screens.text.safe import wrap
from screens.text.times import TimeStyle
from screens.widgets import header_lines
from screens.widgets.line_view import Line, LineView
from screens.widgets.row_diff import Cell
from store.intune.group_search import DirectoryGroup
from store.snapshot import Snapshot

#: Width of the column of names, in cells.
_NAMES: Final = 13
_MEMBERS: Final = "Not read: only groups are cached, not who is in them."


class GroupModal(PolledModal[None]):
    """The group as it was when it was opened, or as a later poll of the list below found it."""

    DEFAULT_CSS = """
    GroupModal { align: center middle; }
    GroupModal Vertical { width: 76; max-width: 100%; height: auto; background: $panel; padding: 0 1; }
    GroupModal LineView { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy id", id="copy")]

    def __init__(self, group: DirectoryGroup) -> None:
        super().__init__()
        self._group = group

    def compose(self) -> ComposeResult:
        with Vertical():
            yield header_lines.Line(id="words")
            yield LineView()

    def on_mount(self) -> None:
        self.query_one("#words", header_lines.Line).put(Content.styled("y: copy the id   esc: close", "bold"))
        self.query_one(LineView).focus()

    def on_resize(self) -> None:
        self.show_again()

    def on_snapshot(self, snapshot: Snapshot) -> None:
        groups = snapshot.directory.groups if snapshot.directory else ()
        self._group = next((group for group in groups if group.id == self._group.id), self._group)
        width = max(20, min(76, self.size.width) - 3)
        view = self.query_one(LineView)
        lines = list(_lines(self._group, width, snapshot.at, self.shell.times))
        view.styles.height = min(len(lines), max(3, self.size.height * 9 // 10 - 1))
        view.show(lines)

    def action_copy(self) -> None:
        if self.shell.copy_to_clipboard(self._group.group_id):
            self.shell.message("The id was sent to the terminal.")


def _lines(group: DirectoryGroup, width: int, now: dt.datetime, times: TimeStyle) -> Iterator[Line]:
    yield Line("blank", ())
    yield from _text("title", "", words.name(group), width, "bold")
    for name, text in _fields(group, now, times):
        yield from _text(name, f"{name:<{_NAMES}}", text, width)


def _fields(group: DirectoryGroup, now: dt.datetime, times: TimeStyle) -> Iterator[tuple[str, str]]:
    yield "Id", group.group_id
    yield "Description", group.description or "none"
    yield "Types", words.types(group)
    yield "For", words.purpose(group)
    if group.membership_rule:
        yield "Rule", group.membership_rule
    yield "Members", _MEMBERS
    # By the clock, the instant in full says it all.
    age = "" if times.is_absolute else f", {fmt.ago(group.changed_at, now)}"
    yield "Changed", f"{times.instant(group.changed_at)}{age}"
    if group.first_seen_at:
        yield "First seen", times.instant(group.first_seen_at)


def _text(key: str, before: str, text: str, width: int, style: str = "") -> Iterator[Line]:
    for number, part in enumerate(wrap(text, width - len(before))):
        begun = Cell(before if not number else " " * len(before), "quiet")
        yield Line((key, number), (begun, Cell(part, style)))
