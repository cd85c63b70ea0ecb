"""The objects in a folder of exported JSON: every file by itself, and then what lies in files of its own is joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.graph.simulator.folder_decoding import UnreadableError, read_json
from tasks.graph.simulator.folder_kinds import kind_of, why_not
from tasks.graph.simulator.folder_parts import Policy, join, part_of, template_of_values
from tasks.graph.simulator.folder_wrappers import Found, unwrap


@dataclass
class FolderContents:
    """What the files of a folder hold: `read` each of them, then `finish`. Paths in it are within the folder."""

    folder: Path
    #: Gives the JSON of a file. Raises UnreadableError.
    load: Callable[[Path], Any] = read_json
    #: Whole after `finish`.
    policies: list[Policy] = field(default_factory=list)
    #: What is of no kind, as (path, type or reason), in the order in which it was found.
    unknown: list[tuple[str, str]] = field(default_factory=list)
    #: Path and reason of each file that gave nothing: unreadable, or a part that fits no policy.
    failed: dict[str, str] = field(default_factory=dict)
    #: Files with a part of a policy, and what they hold.
    _parts: list[tuple[Path, Any]] = field(default_factory=list)

    def read(self, path: Path) -> None:
        """Take in a file of the folder. One that cannot be read is a failure, and no error."""
        within = path.relative_to(self.folder)
        try:
            loaded = self.load(path)
            if part_of(within, loaded):
                self._parts.append((within, loaded))
            else:
                self._sort(within, list(unwrap(template_of_values(within, loaded))))
        except UnreadableError as error:
            self.failed[path_text(within)] = str(error)

    def _sort(self, within: Path, found: list[Found]) -> None:
        if not any(one.body is not None for one in found) and any(one.broken for one in found):
            raise UnreadableError(next(one.reason for one in found if one.broken))
        if not found:
            self._leave(within, "empty list")
        bodies = [one for one in found if one.body is not None]
        for one in found:
            if one.body is None:
                self._leave(within, one.reason)
        for number, one in enumerate(bodies):
            self._add(within, number, one)

    def _add(self, within: Path, number: int, found: Found) -> None:
        body = found.body or {}
        if kind := kind_of(body, within, found.hint):
            self.policies.append(Policy(kind, within, number, body))
        else:
            self._leave(within, why_not(body))

    def _leave(self, within: Path, reason: str) -> None:
        self.unknown.append((path_text(within), reason))

    def finish(self) -> None:
        """Join the parts with the policies that they belong to."""
        for path, loaded in self._parts:
            if reason := join(path, loaded, self.policies):
                self.failed[path_text(path)] = reason


def path_text(within: Path) -> str:
    """A path as text. Bytes in it that are no UTF-8 are written out, so that it can be hashed and printed."""
    return within.as_posix().encode("utf-8", "backslashreplace").decode()
