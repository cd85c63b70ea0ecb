"""Where measurements take place: one PostgreSQL as an operator would run it, a folder for SQLite, and databases in both."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from opsmon.login import login_name
from store.database import Database
from tests.support import databases
from tests.support.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
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

    def __init__(self, folder: Path, server: Postgres, runs: int) -> None:
        self.folder = folder
        self.server = server
        #: How many runs the large databases hold, and the small ones.
        self.sizes = (runs, runs // 100)
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

    def loaded(self, kind: str, runs: int) -> str:
        """A database with so many runs of the past, made once."""
        if (kind, runs) not in self._loaded:
            self.load()
        return self._loaded[kind, runs]

    def filled(self, kind: str, runs: int) -> str:
        """A database with so many runs of the past, by itself."""
        if (kind, runs) not in self._loaded:
            url = self.empty(kind)
            with child("load", url, str(runs)) as process:
                if process.wait():
                    raise RuntimeError("a database could not be filled")
            self._loaded[kind, runs] = url
        return self._loaded[kind, runs]

    def load(self) -> None:
        """All that hold history, of both kinds at a time."""
        wanted = {(kind, runs): self.empty(kind) for kind in KINDS for runs in self.sizes}
        with contextlib.ExitStack() as stack:
            children = [stack.enter_context(child("load", url, str(runs))) for (_, runs), url in wanted.items()]
            for process in children:
                if process.wait():
                    raise RuntimeError("a database could not be filled")
        self._loaded |= wanted

    def server_says(self, setting: str) -> str:
        with psycopg.connect(self.server.url_of("postgres")) as connection:
            row = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
        assert row is not None
        return str(row[0]).split()[0]

    def environment(self, url: str) -> dict[str, str]:
        """A person's surroundings: a home of its own, a terminal with true colours."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPSMON_", "PG", "XDG_"))}
        terminal = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        return kept | terminal | {"HOME": str(home), "OPSMON_DATABASE_URL": url}


@contextlib.contextmanager
def stage(runs: int) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="opsmon-bench-") as folder, Postgres(SETTINGS) as server:
        yield Stage(Path(folder), server, runs)


@contextlib.contextmanager
def opened(url: str) -> Iterator[Database]:
    db = Database(url)
    try:
        yield db
    finally:
        db.close()


@contextlib.contextmanager
def child(role: str, *arguments: str, log: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process of tests/benchmarks/child.py. It ends when its standard input does, or by force."""
    with contextlib.ExitStack() as stack:
        errors: Any = stack.enter_context(log.open("w")) if log else None
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.child", role, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            bufsize=1,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()


def me() -> str:
    return login_name()
