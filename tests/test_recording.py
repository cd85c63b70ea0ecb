"""The recording of the demo that the documents show, and the script that makes it."""

from __future__ import annotations

import importlib.util
import json
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pyte
import pytest

ROOT = Path(__file__).parent.parent
CAST = ROOT / "docs" / "pictures" / "tour.cast"


@pytest.fixture(scope="module")
def recording() -> ModuleType:
    spec = importlib.util.spec_from_file_location("recording", ROOT / "docs" / "recording.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def events() -> list[tuple[float, str]]:
    _, *lines = CAST.read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert all(len(one) == 3 and one[1] == "o" and isinstance(one[2], str) for one in found)
    return [(at, text) for at, _, text in found]


def test_its_header_is_that_of_asciinema(recording: ModuleType) -> None:
    header = json.loads(CAST.read_text(encoding="utf-8").splitlines()[0])
    assert (header["version"], header["width"], header["height"]) == (2, recording.COLUMNS, recording.LINES)
    assert header["title"] == "opsmon demo"
    assert "timestamp" not in header


def test_it_is_a_minute_without_long_pauses(recording: ModuleType) -> None:
    times = [at for at, _ in events()]
    assert times == sorted(times)
    assert times[0] == 0
    assert 40 < times[-1] <= 75
    assert max(later - at for at, later in pairwise(times)) <= recording.IDLE + 0.01
    assert CAST.stat().st_size < 1_000_000


def test_it_shows_the_list_a_run_workers_and_the_end(recording: ModuleType) -> None:
    screen = pyte.Screen(recording.COLUMNS, recording.LINES)
    stream = pyte.Stream(screen)
    seen = set()
    for _, text in events():
        stream.feed(text)
        shown = "\n".join(screen.display)
        seen |= {word for word in ("outcome:failed", "Timeline", "workers and queue", "running") if word in shown}
    assert seen == {"outcome:failed", "Timeline", "workers and queue", "running"}
    assert "\x1b[?1049l" in "".join(text for _, text in events()[-5:])  # back from the alternate screen


def test_nothing_of_this_machine_is_in_it(recording: ModuleType) -> None:
    text = CAST.read_text(encoding="utf-8")
    assert recording.LOGIN in text
    assert recording.leaks(text) == []
    assert "/home/" not in text
    assert "/Users/" not in text


def test_the_script_finds_what_is_of_this_machine(recording: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "jroe")
    monkeypatch.setattr("socket.gethostname", lambda: "box7.example.org")
    assert recording.leaks("jroe@box7 of jroes") == ["box7", "jroe"]
    assert recording.leaks("dana@demo") == []


def test_pauses_are_bounded_and_the_first_event_is_at_0(recording: ModuleType) -> None:
    assert recording.squeezed([(3.0, "a"), (3.5, "b"), (9.5, "c")]) == [(0.0, "a"), (0.5, "b"), (2.5, "c")]
    header, line = recording.as_cast([(1.23456, "é\x1b")]).splitlines()
    assert json.loads(line) == [1.235, "o", "é\x1b"]
    assert json.loads(header)["idle_time_limit"] == recording.IDLE
