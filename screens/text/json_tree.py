"""JSON as the lines of a foldable tree. Pure functions of the value, the unfolded paths and the width."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from rich.cells import cell_len, chop_cells, set_cell_size

from screens.text.safe import clean

#: Path of a value from the root: keys of objects, indexes of lists.
Path = tuple[str | int, ...]

#: Maximum number of children shown; the others are only counted, since nobody reads a million ids.
MOST_CHILDREN: Final = 200
#: Maximum lines for one text.
MOST_LINES: Final = 100
#: Unfolded initially: values down to this depth, with at most this many children.
OPEN_DEPTH: Final = 2
OPEN_CHILDREN: Final = 12
#: A text of at most this many cells is always shown in full.
SHORT: Final = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A line, cleaned and fitted to the width: `guides` and sign, `key`, `value`.

    `path` is the value's; only `foldable` lines can be folded or unfolded, and `is_open` says which they are.
    """

    path: Path
    guides: str
    key: str
    value: str
    foldable: bool = False
    is_open: bool = False

    @property
    def text(self) -> str:
        """The line's text without styles."""
        return self.guides + self.key + self.value


@dataclass(frozen=True, slots=True)
class _Style:
    width: int
    guide: str
    closed: str
    open: str
    leaf: str
    more: str


def lines(root: Mapping[str, Any], opened: frozenset[Path], width: int, ascii_only: bool) -> list[Line]:
    """The tree as lines, with the paths in `opened` unfolded."""
    signs = ("| ", "+ ", "- ", "  ", "...") if ascii_only else ("│ ", "▸ ", "▾ ", "  ", "…")
    style = _Style(max(20, width), *signs)
    return [line for key, value in _children(root) for line in _node((key,), value, opened, style)]


def opened_at_first(root: Mapping[str, Any]) -> frozenset[Path]:
    """The paths unfolded initially: small values near the root."""
    return frozenset(
        path for path, value in foldable(root) if len(path) <= OPEN_DEPTH and 0 < len(_children(value)) <= OPEN_CHILDREN
    )


def foldable(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that can be unfolded, with its path: objects, lists, and texts that may not fit into a line."""
    for key, child in _children(value)[:MOST_CHILDREN]:
        if _children(child) or cell_len(scalar(child)) > SHORT:
            yield (*path, key), child
            yield from foldable(child, (*path, key))


def _children(value: Any) -> list[tuple[str | int, Any]]:
    if isinstance(value, Mapping):
        return sorted(((str(key), child) for key, child in value.items()), key=lambda pair: pair[0])
    return list(enumerate(value)) if isinstance(value, list | tuple) else []


def _node(path: Path, value: Any, opened: frozenset[Path], style: _Style) -> Iterator[Line]:
    key = path[-1]
    head = Line(path, _guides(len(path) - 1, style), f"{_key(key, style)}: ", "")
    children = _children(value)
    if not children:
        yield from _leaf(head, scalar(value), path in opened, style)
        return
    is_open = path in opened
    sign = style.open if is_open else style.closed
    yield _cut(
        replace(head, guides=head.guides + sign, value=_summary(value, is_open), foldable=True, is_open=is_open), style
    )
    if not is_open:
        return
    for child_key, child in children[:MOST_CHILDREN]:
        yield from _node((*path, child_key), child, opened, style)
    if len(children) > MOST_CHILDREN:
        guides = _guides(len(path), style) + style.leaf
        yield _cut(Line(path, guides, "", f"and {len(children) - MOST_CHILDREN:,} more"), style)


def _guides(depth: int, style: _Style) -> str:
    """Indentation guides; limited in depth, so that deeply nested values still have room."""
    return style.guide * min(depth, style.width // 6)


def _summary(value: Any, is_open: bool) -> str:
    """The number of children and, while folded, the first of them."""
    children = _children(value)
    of = "field" if isinstance(value, Mapping) else "item"
    size = f"{len(children):,} {of}" + ("s" if len(children) > 1 else "")
    some = [child if of == "item" else key for key, child in children[:20] if of == "field" or not _children(child)]
    return f"{size}: {', '.join(map(scalar, some))}" if some and not is_open else size


def _leaf(head: Line, text: str, is_open: bool, style: _Style) -> Iterator[Line]:
    """A value on one line, cut if it is too long; when unfolded, the whole value below its key."""
    room = style.width - cell_len(head.guides + style.leaf + head.key)
    if cell_len(text) <= max(room, SHORT):
        yield _cut(replace(head, guides=head.guides + style.leaf, value=text), style)
        return
    if not is_open:
        yield _cut(replace(head, guides=head.guides + style.closed, value=text, foldable=True), style)
        return
    size = f"{len(text):,} characters"
    yield _cut(replace(head, guides=head.guides + style.open, value=size, foldable=True, is_open=True), style)
    guides = head.guides + style.guide + style.leaf
    parts = chop_cells(text, max(10, style.width - cell_len(guides)))
    for part in parts[:MOST_LINES]:
        yield _cut(Line(head.path, guides, "", part), style)
    if len(parts) > MOST_LINES:
        yield _cut(Line(head.path, guides, "", f"and {len(parts) - MOST_LINES:,} more lines"), style)


def _cut(line: Line, style: _Style) -> Line:
    """The line, cut to the width."""
    room = max(0, style.width - cell_len(line.guides + line.key))
    if cell_len(line.value) <= room:
        return line
    return replace(line, value=(set_cell_size(line.value, max(0, room - len(style.more))) + style.more)[:room])


def _key(key: str | int, style: _Style) -> str:
    """A key, cleaned, and cut to a third of the width."""
    words, room = clean(str(key)), max(8, style.width // 3)
    return words if cell_len(words) <= room else set_cell_size(words, room - len(style.more)).rstrip() + style.more


def scalar(value: Any) -> str:
    """The value as JSON, but text without quotes, unless it would read as a number, a boolean or null."""
    if isinstance(value, str) and value and value not in ("null", "true", "false") and not _is_number(value):
        return clean(value)
    return clean(json.dumps(value, ensure_ascii=False))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
