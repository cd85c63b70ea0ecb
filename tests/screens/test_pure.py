"""The pure parts of the screens: text, words, columns, differences."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from screens.runs import columns
from screens.text import format as fmt
from screens.text.column_widths import ColumnSpec, column_widths
from screens.text.safe import clean, figure, fit, wrap
from screens.widgets import header_lines
from screens.widgets.row_diff import Cell, CursorAnchor, Row, changed_lines, move, reanchor
from store.model.records import Count, Counts, Outcome, Status
from store.search.pages import Order
from store.search.tabs import TABS
from tests.screens.conftest import AT, HOSTILE, a_preview, a_run, ago, runs_of_all_states

DANGEROUS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
ANY_TEXT = st.text(st.characters(codec=None), max_size=60)


@given(ANY_TEXT)
def test_nothing_that_a_terminal_obeys_comes_through(text: str) -> None:
    assert not {unicodedata.category(char) for char in clean(text)} & DANGEROUS


def test_what_is_harmless_is_shown_as_it_is_and_the_rest_as_signs() -> None:
    assert clean("boom [/foo] Kraków 漢字") == "boom [/foo] Kraków 漢字"
    assert clean("a\x1b]52;c;x\x07b\nc\td\x00") == "a␛]52;c;x␇b c d␀"
    assert clean("\u202eabc\x9b") == "�abc�"


@given(ANY_TEXT, st.integers(0, 40))
def test_fitted_text_has_exactly_the_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width


@given(
    st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 10_000), st.integers(8, 80)
)
def test_a_bar_has_its_width_and_shows_every_share(
    success: int, failed: int, skipped: int, rest: int, width: int
) -> None:
    bar = fmt.bar(Counts(success + failed + skipped + rest, success, failed, skipped), width, ascii_only=True)
    assert len(bar) == width
    shares = {"#": success, "x": failed, "-": skipped}
    assert all((sign in bar) == bool(share) for sign, share in shares.items())


def test_durations_are_coarse() -> None:
    told = [fmt.coarse_span(s) for s in (-1, 0, 59.9, 60, 3599, 3600, 4020, 86399, 86400, 9e6)]
    assert told == ["0 s", "0 s", "59 s", "1m", "59m", "1h00", "1h07", "23h59", "1d", "104d"]
    assert fmt.age(ago(59), AT) == "now"
    assert fmt.age(ago(240), AT) == "4m"


def test_progress_is_determinate_only_while_running_with_a_known_total() -> None:
    running = a_run(1, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(40, 10, 1, 1))
    assert fmt.progress(running) == "12/40 30%"
    assert fmt.progress(a_run(1, Outcome.PENDING, Status.RUNNING, summary_counts=Counts(12, 12))) == "12"
    assert fmt.progress(a_run(1, summary_counts=Counts(40, 30, 10))) == "30/40"
    assert fmt.progress(a_run(1, Outcome.PENDING, Status.QUEUED)) == ""


def test_counts_are_exact_or_a_lower_bound() -> None:
    told = (Count(0), Count(1000), Count(1000, True), Count(7, True))
    assert [fmt.count(many) for many in told] == ["0", "1,000", "≥ 1,000", "≥ 7"]
    assert fmt.count(Count(1000, True), ascii_only=True) == ">= 1,000"


def test_every_state_has_a_word_and_a_glyph_in_both_alphabets() -> None:
    states = [fmt.state_of(run) for run in runs_of_all_states()]
    for way in ("word", "glyph", "ascii"):
        assert len({getattr(state, way) for state in states}) == len(states)
    assert all(state.ascii.isascii() for state in states)


def test_a_preview_is_no_queued_run() -> None:
    held, queued = fmt.state_of(a_preview()), fmt.state_of(runs_of_all_states()[0])
    assert (held.glyph, held.ascii, held.word, fmt.label(a_preview())) == ("…", ".", "preview", "Preview")
    assert (held.glyph, held.word, held.style) != (queued.glyph, queued.word, queued.style)
    assert fmt.state_of(a_preview(), 12.0) == held, "nothing is silent: no worker has it"
    assert fmt.state_of(a_preview(held=False)) == queued


def test_the_list_says_of_a_preview_that_it_waits_for_a_person() -> None:
    (row,) = columns.rows([a_preview()], AT, columns.layout(140), frozenset(), False)
    assert [cell.text.strip() for cell in (row.cells[1], row.cells[-1])] == ["… preview", "waits for you"]


WIDTHS = range(20, 161)
TOLD = [run for run in runs_of_all_states() if run.started_at]


@pytest.mark.parametrize("order", Order)
@pytest.mark.parametrize("tab", TABS)
def test_at_every_width_rows_fit_and_figures_are_whole_or_not_there(tab: str, order: Order) -> None:
    """The edge cuts nothing: `6h` of `6h33` is another age, and looks true."""
    long = a_run(1_234_567, label=HOSTILE, created_at=ago(6 * 3600 + 33 * 60), started_at=ago(86_390))
    for width in WIDTHS:
        shape = columns.layout(width, tab, order)
        assert cell_len(shape.header.rstrip()) <= width
        for row in columns.rows((long, *TOLD, a_run(1, label=HOSTILE)), AT, shape, frozenset({1}), False):
            assert sum(cell_len(cell.text) + 1 for cell in row.cells) - 1 <= width
            for (column, _), cell in zip(shape.columns, row.cells[2:], strict=True):
                told = column.text(row.run, AT)
                assert not column.is_figure or cell.text.strip() == told.strip()
                assert column.is_figure or cell.text.rstrip() == told or "…" in cell.text or "␛" in cell.text


def titles(width: int, tab: str = "All", order: Order = Order.CREATED) -> set[str]:
    return {column.title for column, _ in columns.layout(width - 1, tab, order).columns}


def test_what_a_tab_or_an_order_is_about_is_there() -> None:
    for tab in ("Failed", "Partial"):
        assert titles(80, tab) == {"Run", "Operation", "Tenant", "Age", "First failure"}
        assert titles(50, tab) >= {"Run", "Operation", "Age", "First failure"}
        assert titles(140, tab) == titles(140)
    assert titles(80) == titles(80, "Active") == {"Run", "Operation", "Tenant", "Progress", "Age", "Took"}
    assert "Run" in titles(20)
    for width in (40, 50, 60, 80):
        assert "Took" in titles(width, "Failed", Order.DURATION)
        assert {"Run", "Operation"} <= titles(width)
    assert "Age" in titles(40)


parts = st.lists(
    st.tuples(st.integers(1, 30), st.integers(0, 29), st.integers(0, 9), st.integers(0, 3)).map(
        lambda told: ColumnSpec(told[0], max(1, told[0] - told[1]), told[2], told[3])
    ),
    min_size=1,
    max_size=9,
)


@given(parts, st.integers(0, 160))
def test_columns_have_the_least_that_is_of_use_or_are_left_out(asked: list[ColumnSpec], width: int) -> None:
    found = column_widths(asked, width)
    shown = [room for room in found if room]
    assert sum(shown) + len(shown) - 1 <= width
    assert all(room >= part.least for part, room in zip(asked, found, strict=True) if room)
    left_out = [part.goes for part, room in zip(asked, found, strict=True) if not room]
    assert not left_out or min(left_out) >= max(
        (part.goes for part, room in zip(asked, found, strict=True) if room), default=0
    )


@given(st.integers(0, 10**12), st.integers(0, 20))
def test_a_figure_is_never_cut(number: int, width: int) -> None:
    assert figure(str(number), width).strip() in (str(number), "…", "")
    assert cell_len(figure(str(number), width)) == width


def test_on_a_narrow_terminal_no_tab_is_cut() -> None:
    many = dict.fromkeys(TABS, Count(1000, True))
    for width in WIDTHS:
        for active in TABS:
            line = header_lines.tabs(many, active, width)
            assert line.cell_length <= width
            assert active in line.plain


ROWS = st.lists(st.integers(1, 12), max_size=10, unique=True).flatmap(
    lambda keys: st.tuples(
        *(st.builds(lambda text, key=key: Row(key, (Cell(text),)), st.sampled_from("ab")) for key in keys)
    )
)


@given(ROWS, ROWS)
def test_painting_the_changed_lines_makes_the_new_picture(old: tuple[Row, ...], new: tuple[Row, ...]) -> None:
    glass: dict[int, Row | None] = dict(enumerate(old))
    changed = changed_lines(old, new)
    for line in changed:
        glass[line] = new[line] if line < len(new) else None
    assert [row for _, row in sorted(glass.items()) if row] == list(new)
    assert (changed == []) == (old == new)


@given(ROWS, st.integers(0, 9), ROWS)
def test_the_cursor_stays_on_its_row(old: tuple[Row, ...], line: int, new: tuple[Row, ...]) -> None:
    pin = move(CursorAnchor(None, 0, False), old, line, follow=False)
    after = reanchor(pin, new)
    if not new:
        assert after.key is None
    elif pin.key in {row.key for row in new}:
        assert after.key == pin.key
    if new:
        assert new[after.line].key == after.key


@given(ROWS, ROWS)
def test_on_the_first_row_it_follows_the_newest(old: tuple[Row, ...], new: tuple[Row, ...]) -> None:
    pin = reanchor(move(reanchor(CursorAnchor(), old), old, 0, follow=True), new)
    assert pin.line == 0
    assert pin.key == (new[0].key if new else None)


def test_what_is_fitted_or_wrapped_is_cleaned() -> None:
    assert fit("a\x1b[31mb", 8) == "a␛[31mb "
    assert wrap("a\x1b]0;x\x07 b\u202e", 40) == ["a␛]0;x␇ b�"]


def test_a_row_that_is_gone_leaves_the_cursor_to_its_neighbour() -> None:
    """To the next one below that is still there, or else to the next one above."""
    old = tuple(Row(key, ()) for key in (5, 4, 3, 2, 1))
    pin = CursorAnchor(3, 2, False)
    assert reanchor(pin, tuple(Row(key, ()) for key in (9, 5, 4, 1)), old) == CursorAnchor(1, 3, False)
    assert reanchor(pin, tuple(Row(key, ()) for key in (9, 5, 4)), old) == CursorAnchor(4, 2, False)
    assert reanchor(pin, tuple(Row(key, ()) for key in (9, 8, 7, 6)), old) == CursorAnchor(7, 2, False)
