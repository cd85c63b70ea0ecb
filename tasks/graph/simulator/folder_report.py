"""What became of the files of a folder that a simulated tenant was loaded from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tasks.graph.resources import BY_NAME

#: Characters of a reason that are shown: reasons quote files, which may hold anything.
_LONGEST: Final = 100


@dataclass(frozen=True, slots=True)
class FolderReport:
    """Counts of files and objects."""

    #: All *.json files; those that failed, too.
    files: int
    #: Objects in the tenant, by kind.
    kept: Mapping[str, int]
    #: Objects found again, by kind: of the same id (left out), or without an id and equal to another one (kept).
    doubled: Mapping[str, int]
    #: Objects that are of no kind, by type or reason.
    unknown: Mapping[str, int]
    #: Path within the folder and reason of each file that gave nothing: unreadable, or a part that fits no policy.
    failed: tuple[tuple[str, str], ...]

    @property
    def read(self) -> int:
        """Files that did not fail."""
        return self.files - len(self.failed)

    def lines(self) -> list[str]:
        """The report for people, one fact a line."""
        said = [
            f"read: {self.read} of {_count(self.files, 'file')}",
            f"kept: {_counts({_label(kind): count for kind, count in self.kept.items()})}",
        ]
        if self.doubled:
            said.append(f"found twice: {_counts({_label(kind): count for kind, count in self.doubled.items()})}")
        if self.unknown:
            said.append(f"not known: {_counts(self.unknown)}")
        return [*said, *(f"failed: {plain(path)}: {plain(reason)}" for path, reason in self.failed)]

    def why_empty(self) -> str:
        """Why nothing was kept, and what to give instead."""
        seen = f"{_count(self.files, 'file')} there"
        if self.failed:
            path, reason = self.failed[0]
            seen += f", {len(self.failed)} failed, first {plain(path)} ({plain(reason)})"
        return f"give a folder of exported JSON ({seen})"


def _label(kind: str) -> str:
    return BY_NAME[kind].label if kind in BY_NAME else kind


def _counts(counts: Mapping[str, int]) -> str:
    return f"{sum(counts.values())} ({', '.join(f'{count} {plain(what)}' for what, count in counts.items())})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def plain(text: str, longest: int = _LONGEST) -> str:
    """What a file says, on one line: without letters that cannot be printed, and of so many letters at most."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
