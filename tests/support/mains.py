"""What processes of tests do, other than `opsmon ARGV`: functions for `Forked(main=...)`, which return an exit code."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from opsmon import settings
from opsmon.cli import main as cli
from opsmon.embedded.database import prepare as prepare_database
from opsmon.embedded.worker import EmbeddedWorker
from opsmon.services import Services
from store.people import access
from tests.support.operations import mark


def prepare(_: Sequence[str]) -> int:
    """Prepare the embedded database, as the screens do before they open it."""
    services = Services(settings.load())
    prepare_database(services)
    services.close()
    return 0


def keep_worker(_: Sequence[str]) -> int:
    """Keep an embedded worker as the screens do, and then hang."""
    EmbeddedWorker(Services(settings.load())).start()
    threading.Event().wait()
    return 0


def wait_and_tell(argv: Sequence[str]) -> int:
    """`opsmon ARGV`, which leaves a line in the file `looks` for each look at a run."""
    look = access.visible_run

    def visible_run(*arguments: Any, **more: Any) -> Any:
        mark("looks")
        return look(*arguments, **more)

    access.visible_run = visible_run
    return cli.main(argv)
