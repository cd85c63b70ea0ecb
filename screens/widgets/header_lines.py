"""The lines above the table: header, banner, tabs and filter. Each is painted only when its text changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from textual import events
from textual.content import Content, Span
from textual.message import Message
from textual.widgets import Static

from screens.text import format as fmt
from screens.text import roles
from screens.text.roles import Palette
from screens.text.safe import clean
from screens.text.themes import palette_of
from store.model.records import Count


class Line(Static):
    """One line of text, painted only when it changes. It is never parsed as markup; its styles are roles."""

    DEFAULT_CSS = "Line { height: 1; }"

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name for it)
        super().__init__("", id=id, classes=classes, markup=False)
        self._shown: Content | None = None

    def put(self, content: Content) -> None:
        """Show this content."""
        if content != self._shown or self._shown.spans != content.spans:
            self._shown = content
            self.update(in_colours(content, palette_of(self.app)))

    @property
    def text(self) -> str:
        """The text of the line."""
        return "" if self._shown is None else self._shown.plain


def in_colours(content: Content, palette: Palette) -> Content:
    """The content with its roles as Textual's styles. A style that is none of ours stays as it is."""
    spans = [
        Span(one.start, one.end, roles.content_style(one.style, palette.name)) if isinstance(one.style, str) else one
        for one in content.spans
    ]
    return Content(content.plain, spans)


class Banner(Line):
    """The line that says what is wrong with database, queue or workers. Hidden while all is well."""

    DEFAULT_CSS = """
    Banner { display: none; color: $warn; text-style: bold reverse; }
    Banner.shown { display: block; }
    """

    def say(self, words: str, width: int) -> None:
        """Show the words across `width` cells; "" hides the banner."""
        self.set_class(bool(words), "shown")
        self.put(Content(clean(f" {words}")).truncate(width, ellipsis=True, pad=True))


class Tabs(Line):
    """The line of tabs. A click on one chooses it."""

    class Chosen(Message):
        """The tab with this name was clicked."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    def show(self, counts: Mapping[str, Count | None], active: str, width: int, ascii_only: bool) -> None:
        """Show the tabs as `tabs` draws them."""
        self._drawn = counts, active, width, ascii_only
        self.put(tabs(counts, active, width, ascii_only))

    def on_click(self, event: events.Click) -> None:
        if self.text and (name := tab_at(*self._drawn, event.x)):
            self.post_message(self.Chosen(name))


def head() -> Iterator[Line]:
    """The top of every screen: the header, and the banner below it."""
    yield Line(id="header")
    yield Banner(id="banner")


def header(place: str, user: str, database: str, freshness: str, unread: int, width: int, flashed: str = "") -> Content:
    """The header: what is shown on the left; who looks, at which database, how many notifications wait, and how fresh
    it all is on the right.

    `flashed` stands in the place of the notifications for a moment. Freshness gets its room first, because it says
    whether the rest is true; the database goes first, then the user.
    """
    is_live = freshness == "live"
    right = Content.assemble((f" {'● ' if is_live else ''}{clean(freshness)} ", "done" if is_live else "warn reverse"))
    room = max(0, width - right.cell_length)
    left = Content.assemble((" opsmon ", "bold accent"), ("▸ ", "quiet"), (clean(place), "bold"))
    inbox = [Content.styled(f"{unread if unread < 100 else '≥ 100'} unread", "warn")] if unread else []
    if flashed:
        inbox = [Content.styled(clean(flashed), "bold accent")]
    named = [Content.styled(clean(user), "quiet"), Content.styled(clean(database), "quiet")]
    for facts in ([*named, *inbox], [*named[:1], *inbox], inbox):
        told = Content.styled(" · ", "quiet").join(facts)
        if left.cell_length + told.cell_length + 3 <= room:
            break
    if left.cell_length + told.cell_length + 1 > room and not flashed:
        told = Content()  # a part of a number is worse than none
    gap = max(1, room - left.cell_length - told.cell_length - 2)
    return Content.assemble(left, " " * gap, told).truncate(room, ellipsis=True, pad=True) + right


def is_on_inbox(header_text: str, x: int) -> bool:
    """Whether column `x` of the header is on the number of notifications."""
    found = re.search(r"(≥ )?\d+ unread", header_text)
    return bool(found and found.start() <= x < found.end())


def tabs(counts: Mapping[str, Count | None], active: str, width: int, ascii_only: bool = False) -> Content:
    """The tabs with their keys and counts (None: not known yet); capped counts are marked. That which is active is
    underlined; failures are loud.

    On a narrow terminal the padding goes first, then the counts, then the names of the inactive tabs.
    """
    words = _tab_words(counts, active, width, ascii_only)
    styles = [_tab_style(name, many, name == active) for name, many in counts.items()]
    return Content(" ").join([Content.styled(word, style) for word, style in zip(words, styles, strict=True)])


def tab_at(counts: Mapping[str, Count | None], active: str, width: int, ascii_only: bool, x: int) -> str | None:
    """The tab that is drawn at column `x` of the line; None between and behind them."""
    end = 0
    for name, word in zip(counts, _tab_words(counts, active, width, ascii_only), strict=True):
        if end <= x < end + len(word):
            return name
        end += len(word) + 1
    return None


def _tab_words(counts: Mapping[str, Count | None], active: str, width: int, ascii_only: bool) -> list[str]:
    numbered = [
        (f"{number} {name}", "" if many is None else fmt.count(many, ascii_only))
        for number, (name, many) in enumerate(counts.items(), 1)
    ]
    for words in (
        [f" {name} {many}".rstrip() + " " for name, many in numbered],
        [f"{name} {many}".rstrip() for name, many in numbered],
    ):
        if sum(len(word) + 1 for word in words) <= width:
            break
    else:
        words = [name for name, _ in numbered]
    if sum(len(word) + 1 for word in words) - 1 > width:
        words = [name if name.split()[1] == active else name.split()[0] for name in words]
    return words


def _tab_style(name: str, many: Count | None, is_active: bool) -> str:
    if is_active:
        return "bold underline accent"
    return "failed" if name == "Failed" and many is not None and many.number else "quiet"


def filter_line(
    terms: str,
    matching: Count | None,
    total: Count | None,
    more: Sequence[str] = (),
    ascii_only: bool = False,
    width: int = 0,
) -> Content:
    """The active filter on the left; on the right how many runs match and how many there are (None: not known yet), and
    further facts in `more`.
    """
    left = (
        Content.assemble((" / ", "accent"), (clean(terms), "bold")) if terms else Content.styled(" / filter", "quiet")
    )
    words = list(more)
    if matching is not None and total is not None:
        words.insert(0, f"{fmt.count(matching, ascii_only)} of {fmt.count(total, ascii_only)}")
    right = Content.styled(clean(" · ".join(words)), "quiet")
    gap = max(2, width - left.cell_length - right.cell_length - 1)
    return Content.assemble(left, " " * gap, right)
