"""Every name gives a file that every system takes, and no two ids the same one."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.backup_folder import safe_name
from tests.tasks.backup_folder.bodies import GUID

#: Names from tenants (tenant case O5).
NAMES = [
    *("App/Device", "a\\b", "VPN: Köln", "[Test] 100 %", "🔒 Lock", "Trailing ", "trailing", "CON", "..", ".", ""),
    *("x" * 230, "Wi-Fi", " nul ", "com1.txt", "../../etc/passwd", "-rf", "ﷺ" * 100),
]
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def assert_safe(made: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,119}", made)
    assert not DEVICES.fullmatch(made)
    assert not made.startswith("-")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("id_", [GUID, "con", "T_" + GUID, "", "..", "a/b", "ß" * 300])
def test_names_of_tenants_are_safe(name: str, id_: str) -> None:
    assert_safe(safe_name(name, id_))


def test_a_name_can_be_read() -> None:
    assert safe_name("VPN: Köln (2)", GUID) == f"VPN-Koln-2_{GUID}"
    assert safe_name("🔒", "12") == "unnamed_12"


@given(name=st.text(max_size=80), id_=st.text(max_size=80))
def test_any_name_is_safe(name: str, id_: str) -> None:
    assert_safe(safe_name(name, id_))


@given(
    ids=st.lists(st.text(alphabet="aAbB_-h/ä", max_size=3), min_size=2, max_size=2, unique=True),
    names=st.lists(st.text(alphabet="aA_ ", max_size=4), min_size=2, max_size=2),
)
def test_two_ids_never_share_a_file(ids: list[str], names: list[str]) -> None:
    one, other = (safe_name(name, id_).lower() for name, id_ in zip(names, ids, strict=True))
    assert one != other


def test_an_id_that_looks_like_the_hash_of_another_has_a_file_of_its_own() -> None:
    hash_ = f"h{hashlib.sha256(b'A').hexdigest()[:16]}"
    assert safe_name("x", "A") == f"x_A_{hash_}"
    assert safe_name("x_A", hash_) != f"x_A_{hash_}"
