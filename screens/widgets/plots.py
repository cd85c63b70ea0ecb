"""Bar plots over the last hours. Imported when a screen with plots opens, so that the first paint does not wait for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual.color import Color
from textual_plotext import PlotextPlot

from screens.text.themes import palette_of


@dataclass(frozen=True, slots=True)
class Bars:
    """One series of bars called `name`, with one of `numbers` for each hour (None: no value).

    Series differ in their `sign` (`ascii` without Unicode), and not only in the colour of their `role`.
    """

    name: str
    sign: str
    ascii: str
    role: str
    numbers: tuple[float | None, ...]


class HoursPlot(PlotextPlot):
    """Bars over hours; earlier series in the list may be drawn over by later ones. Redrawn only when the data changes."""

    DEFAULT_CSS = "HoursPlot { width: 1fr; height: 1fr; }"

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 (Textual's name for it)
        super().__init__(id=id)
        # No colours of its own for background and foreground: everything else uses the terminal's.
        self.theme = "clear"
        self._shown: object = None

    def show(self, title: str, hours: Sequence[str], bars: Sequence[Bars], ascii_only: bool) -> None:
        """Plot the bars, one number for each hour (None: no value). The title names the signs."""
        shown = (title, tuple(hours), tuple(bars), ascii_only)
        if shown == self._shown:
            return
        self._shown = shown
        self.plt.clear_figure()
        self.plt.frame(False)  # its lines are not ASCII, and the room is needed
        signs = [(one, one.ascii if ascii_only else one.sign) for one in bars]
        self.plt.title(f"{title}: " + ", ".join(f"{sign} {one.name}" for one, sign in signs))
        for one, sign in signs:
            self._draw(one, sign)
        self.plt.xlim(-0.5, len(hours) - 0.5)
        self.plt.xticks([float(place) for place in range(0, len(hours), 2)], list(hours[::2]))
        most = max((number for one in bars for number in one.numbers if number is not None), default=0)
        self.plt.ylim(0, most or 1)
        self.plt.yticks(*_ticks(most))
        self.refresh()

    def _draw(self, bars: Bars, sign: str) -> None:
        places = [float(place) for place, number in enumerate(bars.numbers) if number]
        numbers = [float(number) for number in bars.numbers if number]
        if numbers:
            colour = _of_plotext(palette_of(self.app).inks[bars.role].colour)
            self.plt.bar(places, numbers, width=0.6, marker=sign, color=colour)

    def render(self) -> Text:
        """The plot as text that is never wrapped."""
        drawn = super().render()
        assert isinstance(drawn, Text)
        drawn.no_wrap = True
        return drawn


def _of_plotext(colour: str) -> str | tuple[int, int, int]:
    """The colour as plotext takes it: a name, or red, green and blue."""
    return Color.parse(colour).rgb if colour.startswith("#") else colour or "default"


def _ticks(most: float) -> tuple[list[float], list[str]]:
    """Zero, the middle and the maximum, with the shortest labels."""
    top = most or 1
    places = [0.0, top / 2, float(top)]
    return places, [_short(place) for place in places]


def _short(number: float) -> str:
    if number >= 10_000:
        return f"{number / 1000:.0f}k"
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"
