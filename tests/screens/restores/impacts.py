"""Items of a previewed restore, with the impact that they have together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from store.intune.restore_records import RestoreItem
from tests.screens.conftest import ago
from tests.screens.restores.stage import READY


def an_item(id_: int, action: str, plan: Mapping[str, Any] | None = None, **changed: Any) -> RestoreItem:
    made = RestoreItem(
        id_,
        id_,
        "scripts",
        f"p{id_}",
        f"Policy {id_}",
        id_,
        action,
        None,
        plan or {},
        {},
        {},
        None,
        None,
        None,
        None,
        None,
    )
    return replace(made, **changed)


def assigned(*states: str, **more: Any) -> dict[str, Any]:
    return {"assignments": [{"state": state, "words": "x"} for state in states], **more}


ITEMS = (
    *(an_item(number, "create", assigned("kept", "kept")) for number in range(1, 31)),
    *(an_item(number, "update", assigned("kept", "skipped", "failed")) for number in range(31, 34)),
    *(an_item(number, "same", assigned("kept", everybody=True)) for number in range(34, 37)),
    an_item(37, "exists"),
    an_item(38, "blocked", choice={"skip": True}),
)
WANTING = (
    *ITEMS,
    an_item(39, "create", assigned("kept", needs=["everybody"], everybody=True)),
    an_item(40, "create", {"needs": ["downgrade"]}),
)
RESTORE = replace(READY.restore, tenant_name="Contoso Ltd", previewed_at=ago(4 * 60), ticks=())
