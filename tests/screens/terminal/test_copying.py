"""What is copied goes through the terminal, and who copied knows whether it went."""

from __future__ import annotations

from typing import Any

import pytest

from screens.monitor import Monitor
from screens.terminal import osc
from tests.screens.conftest import FakeBackend, a_run, running, toasts, until


@pytest.mark.anyio
async def test_a_copy_is_sent_or_refused_and_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TMUX", "STY"):
        monkeypatch.delenv(name, raising=False)
    monitor: Any = Monitor(FakeBackend((a_run(15),)).backend())
    async with running(monitor, (80, 24)) as pilot:
        await until(pilot, lambda: monitor.snapshot, "the first snapshot")
        written: list[str] = []
        monkeypatch.setattr(monitor._driver, "write", written.append)
        assert monitor.copy_to_clipboard("15")
        assert written == ["\x1b]52;c;MTU=\x07"]
        assert not monitor.copy_to_clipboard("x" * (osc.MOST_COPIED + 1))
        assert len(written) == 1
        assert monitor.clipboard == "15"
        await until(pilot, lambda: any("too long" in toast for toast in toasts(monitor)), "the refusal")
