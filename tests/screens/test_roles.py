"""The colours by role: every one can be read on its ground, and every style that a screen gives is one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from rich.style import Style
from textual.color import Color

from screens.monitor import Monitor
from screens.text import roles, themes
from screens.text.roles import Palette
from tests.screens.conftest import FakeBackend, a_run, running

#: WCAG 2.1, success criterion 1.4.3: for text of any size.
AA = 4.5
SCREENS = Path(__file__).parents[2] / "screens"
#: What Rich and Textual would take for a colour.
COLOURS = ("red", "green", "yellow", "blue", "cyan", "magenta", "white", "black")


def luminance(colour: str) -> float:
    """The relative luminance, as WCAG defines it."""
    parts = [part / 255 for part in Color.parse(colour).rgb]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast_of(colour: str, ground: str) -> float:
    darker, lighter = sorted((luminance(colour), luminance(ground)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("palette", [roles.DARK, roles.LIGHT], ids=lambda one: one.name)
def test_every_role_can_be_read_on_every_ground(palette: Palette) -> None:
    for role, ink in palette.inks.items():
        for ground in palette.grounds:
            contrast = contrast_of(ink.colour, ground)
            assert contrast >= AA, f"{role} on {ground}: {contrast:.2f}"


def test_all_palettes_have_the_same_roles() -> None:
    for palette in (roles.LIGHT, roles.SIXTEEN, roles.NONE):
        assert tuple(palette.inks) == roles.ROLES


@pytest.mark.parametrize("palette", [roles.DARK, roles.LIGHT], ids=lambda one: one.name)
def test_the_line_under_the_cursor_changes_no_colour(palette: Palette) -> None:
    for role in roles.ROLES:
        style = Style.parse(roles.rich_style(role, palette.name))
        assert (style + Style.parse(palette.cursor)).color == style.color
    assert Style.parse(palette.cursor).bgcolor == Style.parse(f"on {palette.grounds[-1]}").bgcolor


def test_failed_and_partial_differ_without_a_colour_too() -> None:
    assert roles.rich_style("failed", "none") == "bold"
    assert roles.rich_style("quiet underline", "none") == "dim underline"
    assert all(Style.parse(roles.rich_style(role, "none")).color is None for role in roles.ROLES)


def test_a_style_of_contents_looks_colours_up_in_the_theme() -> None:
    assert roles.content_style("failed underline") == "bold $failed underline"
    assert roles.content_style("quiet", "16") == "dim $quiet"


@pytest.mark.parametrize("of", [roles.rich_style, roles.content_style])
def test_a_word_that_is_no_role_is_refused(of: object) -> None:
    with pytest.raises(ValueError, match="there is no role 'red'"):
        of("bold red", "dark")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("colours", "theme"),
    [("truecolor", themes.DARK), ("256", themes.DARK), ("standard", themes.SIXTEEN), (None, themes.DARK)],
)
def test_a_terminal_of_16_colours_gets_its_own(colours: str | None, theme: str) -> None:
    assert themes.fitting(colours) == theme


def test_no_theme_of_ours_has_a_colour_that_is_none_of_the_roles() -> None:
    for theme, palette in ((themes.THEMES[themes.DARK], roles.DARK), (themes.THEMES[themes.LIGHT], roles.LIGHT)):
        known = {*(ink.colour for ink in palette.inks.values()), *palette.grounds}
        used = {value.split()[0] for value in theme.variables.values() if value.startswith("#")}
        assert used <= known


@pytest.mark.parametrize(("name", "of"), [(themes.DARK, roles.DARK), (themes.LIGHT, roles.LIGHT)])
def test_the_field_with_the_focus_has_a_ground_of_its_own(name: str, of: roles.Palette) -> None:
    """Textual takes the theme's `boost` only where the theme has no panel."""
    theme = themes.THEMES[name]
    made = {**theme.to_color_system().generate(), **theme.variables}
    assert made["boost"] == of.grounds[2]
    assert made["surface"].lower() == of.grounds[1]


def test_colours_are_named_in_one_file_alone() -> None:
    found = []
    for file in SCREENS.rglob("*.py"):
        if file.name == "roles.py" or "terminal" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words = node.value.split()
                if len(words) <= 3 and any(word in COLOURS or word.startswith("#0") for word in words):
                    found.append(f"{file.name}: {node.value!r}")
    assert found == []


@pytest.mark.anyio
async def test_the_screens_begin_in_our_colours() -> None:
    monitor = Monitor(FakeBackend((a_run(3),)).backend())
    async with running(monitor, (80, 24)):
        assert monitor.current_theme.name == themes.DARK
        assert monitor.theme_variables["primary"].lower() == roles.DARK.inks["accent"].colour
        assert monitor.screen.styles.background == Color.parse(roles.DARK.grounds[0])
