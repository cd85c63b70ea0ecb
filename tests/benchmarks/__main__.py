"""`python -m tests.benchmarks [NAME ...]`: measure, print a table. Nothing here passes or fails; the goals are written beside.

Comparisons are ratios within one run: the machine is whatever it is, and so is what else it does.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Iterator

from tests.benchmarks import crowd, feel, glass, lists, paint, throughput
from tests.benchmarks.report import Line, load, print_head, print_line, write
from tests.benchmarks.stage import Stage, stage

MEASURES: dict[str, Callable[[Stage], Iterator[Line]]] = {
    "throughput": throughput.measure,
    "sizes": lists.sizes,
    "filters": lists.filters,
    "tenfold": lists.tenfold,
    "paint": paint.measure,
    "idle": feel.idle,
    "frozen": feel.frozen,
    "sent": glass.sent,
    "work": glass.work,
    "pages": glass.pages,
    "sessions": crowd.sessions,
    "bulk": crowd.bulk,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASURES)}; default all")
    parser.add_argument("--runs", type=int, default=1_000_000, help="in the large databases; the small ones hold 1/100")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(MEASURES)
    if unknown:
        parser.error(f"there is no measure '{min(unknown)}': known are {', '.join(MEASURES)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is put away
    with stage(arguments.runs) as found:
        print_head(found.server_says("server_version"), found.server_says("fsync"))
        for name in arguments.names or MEASURES:
            for line in MEASURES[name](found):
                print_line(line)
    write(f"\nload at the end: {load()}")


if __name__ == "__main__":
    main()
