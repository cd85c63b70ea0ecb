"""Plug-ins as they are installed: a module, and a package's information that names it."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Final

from opsmon.cli import main as cli
from tasks.sdk import operation, registry
from tests.support.waiting import HANG

#: What each of them ends with, unless it is ended before.
_OPERATION: Final = """
from opsmon import operation

@operation("{name}.run", label="Run {name}")
def run(run) -> None:
    print("said by {name}")
    run.success()
"""


def plug_in(folder: Path, name: str, source: str = "", entry: str | None = None) -> Path:
    """Install the plug-in `name` in `folder`, which belongs on the path: `source`, and then the operation `NAME.run`.

    `entry` stands in place of the line that names its module.
    """
    information = folder / f"opsmon_{name}-1.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: opsmon-{name}\nVersion: 1\n")
    line = f"{name} = opsmon_plug_in_{name}" if entry is None else entry
    (information / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{line}\n")
    (folder / f"opsmon_plug_in_{name}.py").write_text(source + "\n" + _OPERATION.format(name=name))
    return folder


def main() -> None:
    """`opsmon`, whose patience ends at once with the plug-in "late", and never with another."""
    load = registry.operations_aside

    def operations_aside(entry: EntryPoint, seconds: float) -> tuple[operation.Operation, ...]:
        return load(entry, seconds / 1000 if entry.name == "late" else HANG)

    registry.operations_aside = operations_aside
    sys.exit(cli.main())


if __name__ == "__main__":
    main()
