"""Draws docs/runs.svg, the picture in the README, from the demo as it is: `.venv/bin/python docs/picture.py`."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from opsmon.app import make_backend
from opsmon.demo.demo import stage
from screens.monitor import Monitor

PICTURE = Path(__file__).with_name("runs.svg")
KEYS = ("j", "j")


async def draw() -> str:
    with stage() as (services, user):
        monitor = Monitor(make_backend(services, user))
        async with monitor.run_test(size=(118, 30), notifications=True) as pilot:
            await pilot.pause(2)
            for key in KEYS:
                await pilot.press(key)
                await pilot.pause(1)
            await pilot.pause(1)
            return monitor.export_screenshot(title="opsmon demo")


if __name__ == "__main__":
    # Textual's pictures fetch a font from elsewhere; the reader's own monospace will do.
    drawn = re.sub(r"@font-face \{.*?\}", "", asyncio.run(draw()), flags=re.DOTALL).replace("Fira Code", "monospace")
    PICTURE.write_text(drawn, encoding="utf-8")
