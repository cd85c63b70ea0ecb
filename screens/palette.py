"""Commands of the command palette: one for each key, from the same bindings, and saved views, tenants and themes by
name.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from textual.app import App, SystemCommand
from textual.screen import Screen

from screens.text.safe import unmarked
from store.people.access import Membership
from store.search.saved_views import SavedView


def commands_of_keys(app: App[None], screen: Screen[object]) -> Iterator[SystemCommand]:
    """A command for every key that is enabled on the screen now."""
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.description and not binding.system:
            words = f"{binding.description} ({app.get_key_display(binding)})"
            run = functools.partial(app.call_later, app.run_action, binding.action, active.node)
            yield SystemCommand(words, binding.action, run)


def commands_of_views(views: tuple[SavedView, ...], show: Callable[[SavedView], None]) -> Iterator[SystemCommand]:
    """A command for every saved view."""
    for view in views:
        yield SystemCommand(f"View: {unmarked(view.name)}", unmarked(view.terms), functools.partial(show, view))


def commands_of_tenants(members: tuple[Membership, ...], choose: Callable[[str], None]) -> Iterator[SystemCommand]:
    """A command for every tenant that the user is a member of."""
    for member in members:
        words = f"Tenant: {member.tenant.slug}"
        yield SystemCommand(words, unmarked(member.tenant.name), functools.partial(choose, member.tenant.slug))
