"""The palette: what the keys of the screen do, then tenants, views, operations, and runs by their number."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content

from screens.base import ScreenShell
from screens.key_names import KEY_GROUPS
from screens.key_words import own_bindings, words_of
from screens.text import format as fmt
from screens.text.roles import content_style
from screens.text.safe import fit, unmarked


class PaletteShell(ScreenShell, Protocol):
    """The application as the palette sees it."""

    def choose_tenant(self, slug: str | None) -> None:
        """Show what is in this tenant, or with None in all of them."""


#: Cells at both sides of a command.
_MARGINS: Final = 8
#: How many of the listed runs are offered; all others by their number.
_RUNS: Final = 20


@dataclass(frozen=True, slots=True)
class Command:
    """One line of the palette: its words, what stands at the right edge (its key), and what it does."""

    words: str
    edge: str
    run: Callable[[], Any]


class _Commands(Provider):
    """Offers commands in their order before anything is typed, and the best match first afterwards."""

    #: Puts the providers in their order, as long as nothing is typed.
    place: float = 0.0

    def commands(self, query: str) -> Iterator[Command]:
        """All commands; `query` is what was typed."""
        raise NotImplementedError

    @property
    def shell(self) -> PaletteShell:
        """The application."""
        return cast("PaletteShell", self.app)

    async def discover(self) -> Hits:
        """Every command, before anything is typed."""
        for number, one in enumerate(self.commands("")):
            yield Hit(self.place - number / 10_000, self._line(Content(one.words), one.edge), one.run, text=one.words)

    async def search(self, query: str) -> Hits:
        """The commands that match."""
        matcher = self.matcher(query)
        for one in self.commands(query):
            if score := matcher.match(one.words):
                # Of equals that comes first which would without a word.
                yield Hit(
                    score + self.place / 1000,
                    self._line(matcher.highlight(one.words), one.edge),
                    one.run,
                    text=one.words,
                )

    def _line(self, words: Content, edge: str) -> Content:
        room = max(20, self.app.size.width - _MARGINS)
        cut = words.truncate(room - len(edge) - 1, ellipsis=True, pad=True)
        return Content.assemble(cut, " ", (edge, content_style("accent")))


def _is_of_the_hand(name: str) -> bool:
    """Whether a key is not worth a command: it moves, or the saved views stand in the palette by their names."""
    return name.startswith("view_") or (name in KEY_GROUPS["Move"] and not name.startswith("tab_"))


class KeyCommands(_Commands):
    """What the keys of the screen below do."""

    place = 5.0

    def commands(self, query: str) -> Iterator[Command]:
        """A command for every key that is enabled, one for all keys of an action."""
        there: set[tuple[str, str]] = set()
        for active in own_bindings(self.screen):
            binding, name = active.binding, active.binding.id or ""
            words = binding.description if name.startswith("tab_") else words_of(active)
            if active.enabled and not _is_of_the_hand(name) and (binding.action, words) not in there:
                there.add((binding.action, words))
                run = functools.partial(self.app.call_later, self.app.run_action, binding.action, active.node)
                yield Command(words, binding.key_display or self.app.get_key_display(binding), run)
        yield Command("Choose another theme", "", self.app.action_change_theme)


class TenantCommands(_Commands):
    """The tenants that the user is a member of."""

    place = 4.0

    def commands(self, query: str) -> Iterator[Command]:
        """A command for every tenant, and for all of them."""
        snapshot = self.shell.snapshot
        for member in snapshot.memberships if snapshot else ():
            slug = member.tenant.slug
            words = f"Tenant {slug}: {unmarked(member.tenant.name)}"
            yield Command(words, "", functools.partial(self.shell.choose_tenant, slug))
        yield Command("All tenants", "", functools.partial(self.shell.choose_tenant, None))


class ViewCommands(_Commands):
    """The user's saved views."""

    place = 3.0

    def commands(self, query: str) -> Iterator[Command]:
        """A command for every view."""
        for number, view in enumerate(self.shell.saved_views.all, 1):
            words = f"View {unmarked(view.name)}: {unmarked(view.terms)}"
            run = functools.partial(self.shell.navigator.show_view, view)
            yield Command(words, f"f{number}" if number < 10 else "", run)


class OperationCommands(_Commands):
    """The operations that can be started. Their modules are imported in a thread, when the palette first opens."""

    place = 2.0
    _operations: tuple[Any, ...] = ()

    async def startup(self) -> None:
        """Find the operations."""
        registry = await asyncio.to_thread(lambda: self.shell.backend.dispatcher().registry)
        self._operations = tuple(one for one in registry.operations.values() if not one.only_from)

    def commands(self, query: str) -> Iterator[Command]:
        """A command for every operation that can be started by itself."""
        if self.shell.actions.why_no_start():
            return
        for one in self._operations:
            yield Command(f"Start {unmarked(one.label)}", "", functools.partial(self.shell.navigator.form, one))


class RunCommands(_Commands):
    """The runs of the list, and any other by its number."""

    place = 1.0

    def commands(self, query: str) -> Iterator[Command]:
        """A command for each of the first listed runs, and for the one whose number was typed."""
        snapshot = self.shell.snapshot
        runs = snapshot.runs if snapshot else ()
        wanted = query.strip().lstrip("#")
        if wanted.isascii() and wanted.isdecimal() and len(wanted) < 19 and wanted not in {str(run.id) for run in runs}:
            yield Command(f"Run {wanted}", "", functools.partial(self.shell.navigator.run, int(wanted)))
        for run in runs if wanted.isdecimal() else runs[:_RUNS]:
            words = f"Run {run.id}: {unmarked(run.title)} on {unmarked(run.tenant)}, {fmt.state_of(run).word}"
            yield Command(fit(words, 200).rstrip(), "", functools.partial(self.shell.navigator.run, run.id))


#: In the order in which they are listed.
PROVIDERS: Final = (KeyCommands, TenantCommands, ViewCommands, OperationCommands, RunCommands)
