"""`python -m tests.benchmarks [--tiny] [NAME ...]`: measure, print a table. Nothing passes or fails; the goals are written beside.

Comparisons are ratios within one run: the machine is whatever it is, and so is what else it does.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator

from tests.benchmarks import backups, crowd, feel, glass, lists, paint, tenant, throughput
from tests.benchmarks.report import Line, load, print_head, print_line, write
from tests.benchmarks.scale import FULL, TINY
from tests.benchmarks.stage import Stage, stage

MEASURES: dict[str, Callable[[Stage], Iterator[Line]]] = {
    "throughput": throughput.measure,
    "sizes": lists.sizes,
    "filters": lists.filters,
    "tenfold": lists.tenfold,
    "paint": paint.measure,
    "idle": feel.idle,
    "refused": feel.refused,
    "frozen": feel.frozen,
    "sent": glass.sent,
    "work": glass.work,
    "pages": glass.pages,
    "sessions": crowd.sessions,
    "bulk": crowd.bulk,
    "syncs": tenant.syncs,
    "groups": tenant.groups,
    "backups": backups.backups,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; default all")
    parser.add_argument("--runs", type=int, help="in the large databases, default a million; the small ones hold 1/100")
    parser.add_argument(
        "--tiny", action="store_true", help="as little as shows that all still works: the values mean nothing"
    )
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MEASURES)
    if unknown:
        parser.exit(2, f"there is no measure '{min(unknown)}': known are {', '.join(MEASURES)}\n")
    scale = TINY if arguments.tiny else FULL
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is put away
    with stage(scale.holding(arguments.runs) if arguments.runs else scale) as found:
        print_head(found.server_says("server_version"), found.server_says("fsync"))
        for name in arguments.names or MEASURES:
            for line in MEASURES[name](found):
                print_line(line)
    write(f"\nload at the end: {load()}")


if __name__ == "__main__":
    main()
