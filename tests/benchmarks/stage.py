"""Where measurements take place: one PostgreSQL as an operator would run it, a folder for SQLite, and databases in both."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import psutil
import psycopg

from opsmon.login import login_name
from store.db.engine import Database
from store.people.admin import Administrator
from tests.benchmarks import parent
from tests.benchmarks.scale import Scale
from tests.support import databases
from tests.support.postgres import Postgres
from tests.support.waiting import wait_for

KINDS = ("postgresql", "sqlite")

#: PostgreSQL's own defaults in the place of what makes tests quick.
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "fsync": "on",
        "full_page_writes": "on",
        "max_connections": "300",
        "shared_buffers": "128MB",
        "max_parallel_workers_per_gather": "2",
        "jit": "on",
    }
)


class Stage:
    """Made once. What is asked for is made at first use and gone at the end."""

    def __init__(self, folder: Path, server: Postgres, scale: Scale) -> None:
        self.folder = folder
        self.server = server
        self.scale = scale
        self._numbers = itertools.count(1)
        self._loaded: dict[tuple[str, int], str] = {}

    def empty(self, kind: str) -> str:
        """A database that is migrated and nobody's."""
        name = f"bench_{next(self._numbers)}"
        if kind == "sqlite":
            folder = self.folder / name
            folder.mkdir()
            url = databases.sqlite_url(folder)
        else:
            url = self.server.create(name)
        databases.migrate(url)
        return url

    def founded(self, kind: str) -> str:
        """A database whose only user and owner is the person who measures."""
        url = self.empty(kind)
        with opened(url) as db:
            Administrator(db, me()).bootstrap_owner("bench")
        return url

    def loaded(self, kind: str, runs: int) -> str:
        """A database with so many runs of the past, made once. The large and the small ones are made all at a time."""
        if (kind, runs) not in self._loaded:
            usual = {(kind, runs) for kind in KINDS for runs in (self.scale.large, self.scale.small)}
            self._load(usual - self._loaded.keys() if (kind, runs) in usual else {(kind, runs)})
        return self._loaded[kind, runs]

    def _load(self, wanted: Iterable[tuple[str, int]]) -> None:
        urls = {(kind, runs): self.empty(kind) for kind, runs in sorted(wanted)}
        with contextlib.ExitStack() as stack:
            children = [stack.enter_context(self.child("load", url, str(runs))) for (_, runs), url in urls.items()]
            for child in children:
                child.finish()
        self._loaded |= urls

    def child(self, role: str, *arguments: str) -> contextlib.AbstractContextManager[parent.Child]:
        """A process of child.py, with a log of its own."""
        return parent.child(role, arguments, self.folder / f"{role}-{next(self._numbers)}.log")

    def server_says(self, setting: str) -> str:
        with psycopg.connect(self.server.url_of("postgres")) as connection:
            row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        assert row is not None
        return str(row[0]).split()[0]

    def environment(self, url: str) -> dict[str, str]:
        """A person's surroundings: a home of its own, a terminal with true colours."""
        self._home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPSMON_", "PG", "XDG_"))}
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        return kept | terminal | {"HOME": str(self._home), "OPSMON_DATABASE_URL": url}

    def inhabitants(self) -> list[psutil.Process]:
        """The processes whose home is here: programs in terminals, and the workers that these have started."""
        return [process for process in psutil.process_iter() if _home_of(process) == str(self._home)]

    @property
    def _home(self) -> Path:
        return self.folder / "home"


def _home_of(process: psutil.Process) -> str | None:
    try:
        home: str | None = process.environ().get("HOME")
    except psutil.Error:  # somebody else's, or gone
        return None
    return home


@contextlib.contextmanager
def stage(scale: Scale) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="opsmon-bench-") as folder, Postgres(SETTINGS) as server:
        found = Stage(Path(folder), server, scale)
        try:
            yield found
        finally:
            # The worker beside the screens goes on for some moments, and writes into the folder.
            wait_for(lambda: not found.inhabitants(), "the embedded workers to end", seconds=parent.PATIENCE)


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    db = Database(url)
    try:
        yield db
    finally:
        db.close()


def me() -> str:
    return login_name()
