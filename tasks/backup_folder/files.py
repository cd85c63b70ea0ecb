"""Finds and reads the files of a folder that somebody hands over: nothing outside of it, and nothing without an end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from store.intune.inventory import storable
from tasks.graph.simulator.folder_decoding import UnreadableError, read_json

#: Bytes of one file that are read. Real objects stay below 10 MB: icons of apps and scripts are the largest in them.
LARGEST: Final = 50_000_000


def walk(folder: Path) -> Iterator[tuple[Path, str]]:
    """The *.json files in any depth, in a fixed order, each with an empty text; and what cannot be walked, with the reason.

    Links to folders are not followed: they may lead out, or in a circle.
    """
    errors: list[OSError] = []
    for at, folders, files in os.walk(folder, onerror=errors.append):
        folders.sort()
        for name in folders:
            if (path := Path(at, name)).is_symlink():
                yield path, "a link to a folder, which is not followed"
        yield from ((Path(at, name), "") for name in sorted(files) if name.lower().endswith(".json"))
    for error in errors:
        yield Path(os.fsdecode(error.filename)), f"cannot be opened ({error.strerror})"


def load(folder: Path, path: Path) -> Any:
    """The JSON of a file, without what the store cannot keep. Raises UnreadableError, in a few words."""
    try:
        real = path.resolve()
        inside = real.is_relative_to(folder.resolve())
        size = real.stat().st_size if inside else 0
    except (OSError, RuntimeError):  # Python 3.11 and 3.12 raise RuntimeError for links in a circle
        raise UnreadableError("not a file") from None
    if not inside:
        raise UnreadableError("a link that leads out of the folder")
    if size > LARGEST:
        raise UnreadableError(f"larger than {LARGEST // 1_000_000} MB")
    return storable(read_json(real))
