"""The common base of the row table and the line view: movement keys, and lines in the screen's colours."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.scroll_view import ScrollView
from textual.strip import Strip

from screens.text import roles
from screens.text.roles import Palette
from screens.text.themes import palette_of
from screens.widgets.row_diff import Cell


class LineScroll(ScrollView, can_focus=True, inherit_bindings=False):  # ← and → are the screen's
    """A widget painted line by line. Subclasses define the actions `move`, `page` and `jump`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "Down", show=False, id="down"),
        Binding("k,up", "move(-1)", "Up", show=False, id="up"),
        Binding("ctrl+d,pagedown", "page(1)", "Page down", show=False, id="page_down"),
        Binding("ctrl+u,pageup", "page(-1)", "Page up", show=False, id="page_up"),
        Binding("g,home", "jump(0)", "To the top", show=False, id="top"),
        Binding("G,end", "jump(1)", "To the end", show=False, id="bottom"),
    ]

    @property
    def palette(self) -> Palette:
        """The palette of the application's theme."""
        return palette_of(self.app)

    @property
    def under_cursor(self) -> Style:
        """What the line under the cursor has in addition: it changes no colour of what stands there."""
        return Style.parse(self.palette.cursor)

    def ink(self, cells: Iterable[Cell], highlight: Style) -> list[Segment]:
        """The cells as segments in the palette's colours."""
        of = self.palette.name
        return [Segment(cell.text, Style.parse(roles.rich_style(cell.style, of)) + highlight) for cell in cells]

    def line_of(self, segments: Iterable[Segment]) -> Strip:
        """The segments as one line, as wide as the widget."""
        return Strip(segments).adjust_cell_length(self.size.width).apply_style(self.rich_style)

    def blank_line(self) -> Strip:
        """An empty line, as wide as the widget."""
        return Strip.blank(self.size.width, self.rich_style)
