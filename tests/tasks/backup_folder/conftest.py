"""What the tests of backup folders share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder that is there and empty, as `tmp_path` is not."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder
