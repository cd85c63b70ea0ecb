"""What one argument of a command can be: texts become values, or one line that says what is wrong."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final

from store.errors import InputInvalid, NotFound
from store.intune import drift_records

MAX_ID: Final = 2**63 - 1
#: The most that a schedule may keep; store/intune/schedule_records.py, which help must not wait for, has it too.
MAX_KEEP: Final = 10_000


def run_id(text: str) -> int:
    """Parse the id of a run. Raises InputInvalid, and NotFound for a number that no run can have."""
    return _id(text, "run", "'opsmon runs' shows them", "'opsmon runs' lists yours")


def set_id(text: str) -> int:
    """Parse the id of a backup set. Raises InputInvalid, and NotFound for a number that no set can have."""
    return _id(text, "backup set", "'opsmon backups list' shows them", "'opsmon backups list' shows yours")


def schedule_id(text: str) -> int:
    """Parse the id of a schedule. Raises InputInvalid, and NotFound for a number that no schedule can have."""
    return _id(text, "schedule", "'opsmon schedules list' shows them", "'opsmon schedules list' shows yours")


def finding_id(text: str) -> int:
    """Parse the id of a finding. Raises InputInvalid, and NotFound for a number that no finding can have."""
    return _id(text, "finding", "'opsmon drift show RUN' shows them", "'opsmon drift show RUN' lists them")


def restore_id(text: str) -> int:
    """Parse the id of a restore. Raises InputInvalid, and NotFound for a number that no restore can have."""
    return _id(text, "restore", "'opsmon restore list' shows them", "'opsmon restore list' shows yours")


def restore_item_id(text: str) -> int:
    """Parse the id of an item of a restore. Raises InputInvalid, and NotFound for a number that none can have."""
    hint = "'opsmon restore show RESTORE --all' lists them"
    return _id(text, "restore's item", hint, hint)


def plan_item(text: str) -> int | str:
    """Parse the number of an item of a backup set, or else the id of a policy. Raises InputInvalid."""
    if not re.fullmatch(r"[0-9]{1,30}", text):
        return text
    hint = "'opsmon backups show SET --json' lists them"
    return _id(text, "backup set's item", hint, hint)


def day_end(text: str) -> dt.datetime:
    """Parse a day as YYYY-MM-DD; the instant at which it ends, in UTC. Raises InputInvalid."""
    try:
        return drift_records.day_end(text)
    except (ValueError, OverflowError):
        raise InputInvalid(f"'{text}' is not a day", "write YYYY-MM-DD") from None


def _id(text: str, what: str, hint: str, hint_if_none: str) -> int:
    if not re.fullmatch(r"[0-9]{1,30}", text):
        raise InputInvalid(f"'{text}' is not the number of a {what}", hint)
    if not 0 < int(text) <= MAX_ID:
        raise NotFound(f"no {what} {int(text)}", hint_if_none)
    return int(text)


def seconds(text: str) -> float:
    """Parse a number of seconds, 0 or more. Raises InputInvalid."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise InputInvalid(f"'{text}' is not a number of seconds", "give 0 or more")
    return number


def parameter(text: str) -> tuple[str, str]:
    """Parse NAME=VALUE. Raises InputInvalid."""
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise InputInvalid(f"'{text}' gives no parameter a value", "write --param NAME=VALUE")
    return name, value


def columns(text: str) -> tuple[str, ...]:
    """Parse names of columns with commas between. Raises InputInvalid."""
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise InputInvalid(f"'{text}' names no columns", "write them as in --columns id,tenant")
    return names


def limit(text: str) -> int:
    """Parse a number of rows, 1 to 1000. Raises InputInvalid."""
    return _whole(text, 1000)


def times(text: str) -> int:
    """Parse a number of times, 1 to 100. Raises InputInvalid."""
    return _whole(text, 100)


def keep(text: str) -> int:
    """Parse how many backups are kept, 1 to 10000; 0 for `all`. Raises InputInvalid."""
    if text == "all":
        return 0
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= MAX_KEEP:
        raise InputInvalid(f"'{text}' backups cannot be kept", f"give a whole number from 1 to {MAX_KEEP}, or all")
    return int(text)


def slots(text: str) -> int:
    """Parse a number of slots, 1 to 256. Raises InputInvalid."""
    return _whole(text, 256)


def port(text: str) -> int:
    """Parse a TCP port, 0 to 65535. Raises InputInvalid."""
    if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) > 65535:
        raise InputInvalid(f"'{text}' is no port", "give a whole number from 0, which takes a free one, to 65535")
    return int(text)


def _whole(text: str, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise InputInvalid(f"'{text}' cannot be used here", f"give a whole number from 1 to {most}")
    return int(text)
