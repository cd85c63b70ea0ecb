"""Help, generated from the key bindings of the screen below, so that it always matches what the keys do."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from screens.base import PolledModal
from screens.key_names import KEY_GROUPS
from screens.key_words import KeyWords, keys_of
from screens.text.roles import content_style
from screens.text.safe import fit

#: From this width of the terminal on there are two columns.
_TWO_FROM: Final = 100
_WIDEST: Final = 112
_OF_KEYS: Final = 14
_WORDS: Final = """\
Everything on the screens is read from the database, once a second: "live" means that it answers, "stale" says since when it \
does not. A run is queued, running or completed; completed, it succeeded, is partial or failed. The cursor stays on \
its run while others come and go; on the first line it follows the newest. Keys act on the run under the cursor."""
#: The filter's terms, with an example of each.
_TERMS: Final = (
    ("status:running", "queued, running, completed, preview"),
    ("outcome:failed", "succeeded, partial, failed, pending"),
    ("type:inventory.*", "the operation; * stands for anything"),
    ("tenant:contoso", "the tenant"),
    ("by:ann", "who started it; mine: you"),
    ("since:2h before:5m", "when it was started; also 2026-03-01"),
    ("code:graph.*", "the code of a failure"),
    ("retry-of:7 id:8", "attempts of a run, one run"),
    ("acked", "failed, and acknowledged by somebody"),
    ("two words", "in operation, tenant, person or failure"),
    ("-tenant:contoso", "not that"),
)


class HelpModal(PolledModal[None]):
    """The keys of one screen in groups, the filter's language, and a short explanation of the screens."""

    DEFAULT_CSS = f"""
    HelpModal {{ align: center middle; }}
    HelpModal VerticalScroll {{
        width: {_WIDEST}; max-width: 100%; height: auto; max-height: 100%; background: $panel; padding: 0 2;
        scrollbar-size-vertical: 1;
    }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark", "back", "Close", show=False)]

    def __init__(self, of: Screen[Any]) -> None:
        super().__init__()
        self._keys = keys_of(of)

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            yield Static(markup=False)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()

    def on_resize(self) -> None:
        width = min(_WIDEST, self.app.size.width) - 5
        self.query_one(Static).update(_content(self._keys, width, columns=2 if self.app.size.width >= _TWO_FROM else 1))


def _content(keys: Sequence[KeyWords], width: int, columns: int) -> Content:
    room = width // columns - (columns - 1)
    move, look, act, elsewhere = ([*_group(name, keys, room)] for name in KEY_GROUPS)
    if columns == 2:
        lines = [*_beside(move, look, room), *_beside(act, elsewhere, room), *_filter(width)]
    else:
        lines = [*move, *look, *act, *elsewhere, *_filter(room)]
    told = [Content.styled(line, content_style("quiet")) for line in textwrap.wrap(_WORDS, width)]
    return Content("\n").join([*lines, *told])


def _group(name: str, all_keys: Sequence[KeyWords], room: int) -> list[Content]:
    keys = [one for one in all_keys if one.group == name]
    if not keys:
        return []
    lines = [
        Content.assemble((fit(one.keys, _OF_KEYS), content_style("accent")), " ", fit(one.words, room - _OF_KEYS - 1))
        for one in keys
    ]
    return [Content.styled(fit(name, room), "bold"), *lines, Content(" " * room)]


def _filter(room: int) -> list[Content]:
    lines = [
        Content.assemble((fit(term, 20), content_style("accent")), " ", fit(words, room - 21)) for term, words in _TERMS
    ]
    return [Content.styled(fit("The filter's terms (all must hold)", room), "bold"), *lines, Content(" " * room)]


def _beside(left: Sequence[Content], right: Sequence[Content], room: int) -> list[Content]:
    blank = Content(" " * room)
    return [Content.assemble(a, "  ", b) for a, b in zip_longest(left, right, fillvalue=blank)]
