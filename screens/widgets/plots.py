"""Two small plots of the last hours. Imported when a screen with plots opens: the first paint does not wait for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual_plotext import PlotextPlot

Numbers = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: its name, its marker (never its colour alone tells it from others), and its numbers."""

    name: str
    marker: str
    ascii: str
    colour: str
    numbers: tuple[float | None, ...]


class HoursPlot(PlotextPlot):
    """Lines over hours. It is drawn anew when what it shows has changed, and not before."""

    DEFAULT_CSS = "HoursPlot { width: 1fr; height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 (Textual's name for it)
        super().__init__(id=id)
        # Neither background nor foreground of its own: the terminal's are what everything else is written with.
        self.theme = "clear"
        self._shown: object = None

    def show(self, title: str, hours: tuple[str, ...], lines: tuple[Line, ...], ascii_only: bool) -> None:
        """Show the lines, each with a number (None: there is none) for each of the hours, under a title."""
        shown = (title, hours, lines, ascii_only)
        if shown == self._shown:
            return
        self._shown = shown
        self.plt.clear_figure()
        self.plt.title(title)
        self.plt.frame(not ascii_only)
        for line in lines:
            self._draw(line, ascii_only)
        places = range(0, len(hours), 2)
        self.plt.xlim(0, max(1, len(hours) - 1))
        self.plt.xticks([float(place) for place in places], [hours[place] for place in places])
        most = max((number for line in lines for number in line.numbers if number is not None), default=0)
        self.plt.ylim(0, most or 1)
        self.plt.yticks(*_ticks(most))
        self.refresh()

    def _draw(self, line: Line, ascii_only: bool) -> None:
        known = [(place, number) for place, number in enumerate(line.numbers) if number is not None]
        if not known:
            return
        marker = line.ascii if ascii_only else line.marker
        colour = "default" if self.app.no_color else line.colour
        places, numbers = zip(*known, strict=True)
        self.plt.plot(list(places), list(numbers), marker=marker, color=colour, label=line.name)

    def render(self) -> Text:
        drawn = super().render()
        assert isinstance(drawn, Text)
        drawn.no_wrap = True
        return drawn


def _ticks(most: float) -> tuple[list[float], list[str]]:
    """Nought, the middle and the top, in as few characters as can be."""
    top = most or 1
    places = [0.0, top / 2, float(top)]
    return places, [_short(place) for place in places]


def _short(number: float) -> str:
    if number >= 10_000:
        return f"{number / 1000:.0f}k"
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
