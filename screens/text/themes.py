"""The themes of the screens: what Textual's own widgets (fields, lists, toasts) look like in the roles' colours."""

from __future__ import annotations

from typing import Any, Final

from textual.app import App
from textual.theme import Theme

from screens.text import roles
from screens.text.roles import Palette

DARK: Final = "opsmon-dark"
LIGHT: Final = "opsmon-light"
SIXTEEN: Final = "opsmon-16"
#: Kinds of terminals with no more than 16 colours, as Rich calls them.
_FEW_COLOURS: Final = frozenset({"standard", "windows"})


def _theme(name: str, of: Palette) -> Theme:
    colours = roles.variables(of)
    accent, quiet = colours["accent"], colours["quiet"]
    screen, field, focused = of.grounds
    return Theme(
        name=name,
        primary=accent,
        secondary=quiet,
        warning=colours["warn"],
        error=colours["failed"],
        success=colours["done"],
        accent=accent,
        foreground=colours["text"],
        background=screen,
        surface=field,
        panel=field,
        boost=focused,
        dark=of is roles.DARK,
        variables={
            **colours,
            # Beside a panel Textual takes no `boost`: the field with the focus would have no ground.
            "boost": focused,
            "text-muted": quiet,
            "text-error": colours["failed"],
            "text-warning": colours["warn"],
            "text-success": colours["done"],
            "text-accent": accent,
            "border": accent,
            "border-blurred": colours["line"],
            "block-cursor-foreground": colours["text"],
            "block-cursor-background": focused,
            "block-cursor-text-style": "bold",
            "block-cursor-blurred-foreground": colours["text"],
            "block-cursor-blurred-background": focused,
            "block-hover-background": focused,
            "input-cursor-background": colours["text"],
            "input-cursor-foreground": screen,
            "input-selection-background": f"{accent} 35%",
            "scrollbar": colours["line"],
            "scrollbar-hover": quiet,
            "scrollbar-active": accent,
            "scrollbar-background": screen,
            "scrollbar-background-hover": screen,
            "scrollbar-background-active": screen,
            "scrollbar-corner-color": screen,
            "link-color": accent,
            "button-color-foreground": screen,
        },
    )


def _sixteen() -> Theme:
    """The terminal's own colours on its own ground, whether that is dark or light."""
    colours = roles.variables(roles.SIXTEEN)
    accent, own = colours["accent"], "ansi_default"
    return Theme(
        name=SIXTEEN,
        ansi=True,
        primary=accent,
        secondary=own,
        warning=colours["warn"],
        error=colours["failed"],
        success=colours["done"],
        accent=accent,
        foreground=own,
        background=own,
        surface=own,
        panel=own,
        boost=own,
        variables={
            **colours,
            "border": accent,
            "border-blurred": own,
            "ansi-background": "ansi_black",
            "ansi-foreground": "ansi_white",
            "block-cursor-foreground": own,
            "block-cursor-background": own,
            "block-cursor-text-style": "bold underline",
            "block-cursor-blurred-text-style": "underline",
            "scrollbar": accent,
            "scrollbar-hover": accent,
            "scrollbar-active": accent,
            "scrollbar-background": own,
            "scrollbar-background-hover": own,
            "scrollbar-background-active": own,
            "input-selection-background": accent,
            "input-selection-foreground": "ansi_black",
            "link-color": accent,
        },
    )


#: Ours, by name.
THEMES: Final = {one.name: one for one in (_theme(DARK, roles.DARK), _theme(LIGHT, roles.LIGHT), _sixteen())}


def fitting(color_system: str | None) -> str:
    """The theme for a terminal with so many colours, as Rich calls it: `truecolor`, `256`, `standard`."""
    return SIXTEEN if color_system in _FEW_COLOURS else DARK


def palette_of(app: App[Any]) -> Palette:
    """The palette of the theme that the application shows."""
    theme = app.current_theme
    return roles.palette(theme.dark, theme.ansi, app.no_color)
