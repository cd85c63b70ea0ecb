"""A backup set as a folder of files, for people to keep, compare and carry elsewhere.

`write` makes one JSON file an object, `<kind>/<safe name>.json`, and `backup.json`, which says whose set it is. That one is
written last: a folder without it was not finished. `read` reads such a folder, and the exports of other tools as well.
"""

from __future__ import annotations

from tasks.backup_folder.manifest import Manifest
from tasks.backup_folder.reading import BackupFolder, Unreadable, read
from tasks.backup_folder.safe_names import safe_name
from tasks.backup_folder.writing import Written, write

__all__ = ["BackupFolder", "Manifest", "Unreadable", "Written", "read", "safe_name", "write"]
