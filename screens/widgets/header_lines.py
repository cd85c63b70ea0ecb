"""The lines above the table: header, banner, tabs and filter. Each is painted only when its text changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from textual.content import Content
from textual.widgets import Static

from screens.text import format as fmt
from screens.text.safe import clean
from store.model.records import Count


class Line(Static):
    """One line of text, painted only when it changes. It is never parsed as markup."""

    DEFAULT_CSS = "Line { height: 1; }"

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 (Textual's name for it)
        super().__init__("", id=id, classes=classes, markup=False)
        self._shown: Content | None = None

    def put(self, content: Content) -> None:
        """Show this content."""
        if content != self._shown or self._shown.spans != content.spans:
            self._shown = content
            self.update(content)

    @property
    def text(self) -> str:
        """The text of the line."""
        return "" if self._shown is None else self._shown.plain


class Banner(Line):
    """The line that says what is wrong with database, queue or workers. Hidden while all is well."""

    DEFAULT_CSS = """
    Banner { display: none; text-style: bold reverse; }
    Banner.shown { display: block; }
    """

    def say(self, words: str, width: int) -> None:
        """Show the words across `width` cells; "" hides the banner."""
        self.set_class(bool(words), "shown")
        self.put(Content(clean(f" {words}")).truncate(width, ellipsis=True, pad=True))


def head() -> Iterator[Line]:
    """The top of every screen: the header, and the banner below it."""
    yield Line(id="header")
    yield Banner(id="banner")


def header(tenant: str, user: str, database: str, freshness: str, unread: int, width: int) -> Content:
    """The header: tenant, user and database on the left, freshness on the right.

    Freshness gets its room first, because it says whether the rest is true.
    """
    inbox = f"  {unread if unread < 100 else '≥ 100'} new" if unread else ""
    style = "bold" if freshness == "live" else "bold reverse"
    right = Content.assemble((f" {clean(freshness)} ", style))
    left = clean(f" opsmon  {tenant}  {user}  {database}{inbox}")
    room = max(0, width - right.cell_length - 1)
    return Content.assemble(Content(left).truncate(room, ellipsis=True, pad=True), " ", right)


def tabs(counts: Mapping[str, Count | None], active: str, width: int, ascii_only: bool = False) -> Content:
    """The tabs with their keys and counts (None: not known yet); capped counts are marked.

    On a narrow terminal the padding goes first, then the counts, then the names of the inactive tabs.
    """
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
    styles = ["bold reverse" if name == active else "" for name in counts]
    return Content(" ").join([Content.styled(word, style) for word, style in zip(words, styles, strict=True)])


def filter_line(
    terms: str, matching: Count | None, total: Count | None, more: Sequence[str] = (), ascii_only: bool = False
) -> Content:
    """The active filter, how many runs match and how many there are (None: not known yet), and further facts in `more`."""
    words = [f"filter: {terms or 'none'}"]
    if matching is not None and total is not None:
        words.append(f"{fmt.count(matching, ascii_only)} of {fmt.count(total, ascii_only)}")
    return Content(clean(" " + "   ".join([*words, *more])))
