"""Whatever lies in a folder: it is loaded or refused, and every file is counted once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.graph.simulator.folders import load_folder

GOOD = b'{"@odata.type": "#microsoft.graph.windows10CompliancePolicy", "displayName": "BitLocker"}'
_KEYS = [
    "id",
    "displayName",
    "name",
    "@odata.type",
    "@odata.context",
    "value",
    "groups",
    "RAWJson",
    "JSON",
    "PartitionKey",
    "settings",
    "technologies",
    "settingInstance",
    "target",
    "assignments",
    "enabled",
    "added",
    "definition",
    "securityEnabled",
    "isBuiltIn",
    "Type",
    "Displayname",
    "updated",
    "deletedIds",
]
_TEXTS = ["#microsoft.graph.group", "Admin", "$metadata#groups", "IntuneTemplate", "{}"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(_TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=5),
    max_leaves=12,
)
_ENCODINGS = [(b"", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")]
_CONTENT = st.binary(max_size=60) | st.builds(
    lambda start, value: start[0] + json.dumps(value).encode(start[1]), st.sampled_from(_ENCODINGS), _JSON
)
_NAMES = st.sampled_from(
    [
        "a.json",
        "x/a.json",
        "x/a_Settings.json",
        "x/Assignments/a.json",
        "Administrative Templates/a.json",
        "Scope Tags/a.json",
        "Scope Tags/Assignments/a.json",
    ]
)


@settings(max_examples=150, deadline=None)
@given(files=st.dictionaries(_NAMES, _CONTENT, max_size=5))
def test_whatever_files_hold_each_is_counted_once(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        for name, content in {**files, "good.json": GOOD}.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        tenant, report = load_folder("f", folder)
    assert report.files == len(files) + 1
    failed = [path for path, _ in report.failed]
    assert len(set(failed)) == len(failed)
    assert set(failed) <= set(files)
    assert report.read + len(failed) == report.files
    assert report.kept == {kind: len(found) for kind, found in tenant.objects.items() if found}
    assert all("\n" not in line for line in report.lines())
    json.dumps(tenant.objects)
