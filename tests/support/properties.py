"""How property tests are run: without a clock, since machines may be busy, without a memory, and with the same examples each time.

`make proof` runs what is long by nature whole; `make test` a part of it.
"""

from __future__ import annotations

import os
from typing import Final, TypeVar

from hypothesis import HealthCheck, settings

T = TypeVar("T")

#: Examples of a property test in `make proof`, for each one in `make test`.
TIMES: Final = 20

#: Set in the environment by `--proof`, and with that in every process of the run.
WHOLE: Final = "TESTS_WHOLE"


def prepare(whole: bool) -> None:
    """Called once, before tests are imported: the profile that property tests have without asking for it."""
    if whole:
        os.environ[WHOLE] = "1"
    settings.register_profile("opsmon", _profile(60))
    settings.load_profile("opsmon")


def is_whole() -> bool:
    return WHOLE in os.environ


def examples(count: int) -> settings:
    """So many examples in `make test`, and TIMES as many in `make proof`."""
    return _profile(count)


def size(small: T, whole: T) -> T:
    """How much is done: the one in `make test`, the other in `make proof`."""
    return whole if is_whole() else small


def _profile(count: int) -> settings:
    return settings(
        max_examples=count * TIMES if is_whole() else count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
