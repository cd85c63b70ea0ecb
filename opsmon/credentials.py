"""Credentials of tenants' apps: from the environment, else from [credentials.SLUG] in `opsmon.toml`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from store.errors import InputInvalid
from tasks.graph.clouds import GLOBAL, find_cloud

#: What is no secret. `delegated_client_id` is a public client, for people.
_PLAIN: Final = ("directory_id", "client_id", "delegated_client_id", "cloud")
#: What an app can sign in with. A tenant has exactly one of them.
_WAYS: Final = (
    "client_secret",
    "client_secret_file",
    "client_secret_command",
    "client_certificate_file",
    "client_assertion_file",
    "client_assertion_command",
)
_PASSWORDS: Final = ("client_certificate_password_file", "client_certificate_password_command")
#: Keys of a tenant's credentials: under [credentials.SLUG], or as OPSMON_CREDENTIALS_<SLUG>_<KEY> (dashes become underscores).
CREDENTIAL_KEYS: Final = (*_PLAIN, *_WAYS, *_PASSWORDS)
_PREFIX: Final = "OPSMON_CREDENTIALS_"


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a setting or credential, and its source: the variable, the file, or "default"."""

    value: Any
    source: str


BySlug = Mapping[str, Mapping[str, Value]]


def credentials_in_file(given: Any, path: Path | None) -> dict[str, dict[str, Value]]:
    """The table [credentials] of opsmon.toml, by slug and key. Raises InputInvalid for a key that is not known."""
    if not isinstance(given, dict) or not all(isinstance(table, dict) for table in given.values()):
        raise InputInvalid(f"'credentials' in {path} is not a table", "write [credentials.SLUG]")
    for slug, table in given.items():
        for key, value in table.items():
            if key not in CREDENTIAL_KEYS or not isinstance(value, str):
                raise InputInvalid(
                    f"[credentials.{slug}] in {path} sets '{key}'", f"known texts: {', '.join(CREDENTIAL_KEYS)}"
                )
    return {slug: {key: Value(value, str(path)) for key, value in table.items()} for slug, table in given.items()}


def variable_of_credential(slug: str, key: str) -> str:
    """The environment variable for a key of a tenant's credentials."""
    return f"{_PREFIX}{slug.upper().replace('-', '_')}_{key.upper()}"


def all_credentials(from_file: BySlug, environment: Mapping[str, str]) -> dict[str, dict[str, Value]]:
    """The credentials of every tenant that has any, by slug and key: those of the file, replaced by those of the environment."""
    found = {slug: dict(values) for slug, values in from_file.items()}
    for variable, value in sorted(environment.items()):
        # The longest key first, so that a shorter one never matches the end of a longer one.
        for key in sorted(CREDENTIAL_KEYS, key=len, reverse=True):
            if value and variable.startswith(_PREFIX) and variable.endswith(f"_{key.upper()}"):
                middle = variable[len(_PREFIX) : -len(key) - 1].lower()
                slug = next((s for s in found if s.replace("-", "_") == middle), middle.replace("_", "-"))
                found.setdefault(slug, {})[key] = Value(value, variable)
                break
    return found


def refuse_mixed_clouds(every: BySlug, graph_url: str, graph_authority: str) -> None:
    """Raise InputInvalid if a tenant's cloud is unknown, or the addresses are those of another cloud."""
    for slug, values in every.items():
        name = values["cloud"].value if "cloud" in values else GLOBAL.name
        try:
            find_cloud(name).addresses(graph_url, graph_authority)
        except InputInvalid as error:
            raise InputInvalid(f"tenant '{slug}': {error.message}", error.hint) from None


def read_credentials(slug: str, from_file: Mapping[str, Value]) -> dict[str, Any] | None:
    """What the app of a tenant signs in with, secrets included; None if nothing is set up. Raises InputInvalid.

    It has `directory_id`, `client_id`, `cloud` and `delegated_client_id` where they are set, and either `client_secret`, or
    `client_certificate_file` (a path) and perhaps `client_certificate_password`, or `client_assertion`: a function that reads
    the assertion anew at each call, and raises InputInvalid if it cannot.
    """
    values = {**from_file, **_from_environment(slug)}
    if not values:
        return None
    given: dict[str, str] = {key: value.value for key, value in values.items()}
    way = _way(slug, given)
    plain: dict[str, Any] = {key: given[key] for key in _PLAIN if key in given}
    if way == "client_secret":
        return {**plain, "client_secret": given["client_secret"]}
    if way.startswith("client_secret"):
        return {**plain, "client_secret": _reader(slug, given, way, "secret")()}
    if way.startswith("client_assertion"):
        return {**plain, "client_assertion": _reader(slug, given, way, "assertion")}
    path = str(Path(given["client_certificate_file"]).expanduser())
    return {**plain, "client_certificate_file": path, **_password(slug, given)}


def _from_environment(slug: str) -> dict[str, Value]:
    names = {key: variable_of_credential(slug, key) for key in CREDENTIAL_KEYS}
    return {key: Value(os.environ[name], name) for key, name in names.items() if os.environ.get(name)}


def _way(slug: str, given: Mapping[str, str]) -> str:
    """The key of what the app signs in with. Raises InputInvalid unless the credentials are complete and clear."""
    where = f"[credentials.{slug}]"
    for key in ("directory_id", "client_id"):
        if key not in given:
            raise InputInvalid(f"the credentials of tenant '{slug}' lack {key}", f"set it under {where}")
    ways = [key for key in _WAYS if key in given]
    if not ways:
        raise InputInvalid(
            f"the credentials of tenant '{slug}' lack one of {', '.join(_WAYS)}", f"set it under {where}"
        )
    passwords = [key for key in _PASSWORDS if key in given]
    for several in (ways, passwords):
        if len(several) > 1:
            raise InputInvalid(f"the credentials of tenant '{slug}' name {' and '.join(several)}", "keep one of them")
    if passwords and ways != ["client_certificate_file"]:
        raise InputInvalid(
            f"the credentials of tenant '{slug}' name {passwords[0]} without client_certificate_file",
            f"set it under {where}, or remove the password",
        )
    return ways[0]


def _password(slug: str, given: Mapping[str, str]) -> dict[str, str]:
    key = next((key for key in _PASSWORDS if key in given), None)
    if key is None:
        return {}
    return {"client_certificate_password": _reader(slug, given, key, "certificate's password")()}


def _reader(slug: str, given: Mapping[str, str], key: str, what: str) -> Callable[[], str]:
    """A function that reads what `key` names: a file, or what a command prints. A closure, so that no `repr` shows it."""

    def read() -> str:
        try:
            found = (
                Path(given[key]).expanduser().read_text(encoding="utf-8")
                if key.endswith("_file")
                else _run_command(given[key])
            )
        except (OSError, UnicodeDecodeError, subprocess.SubprocessError) as error:
            raise InputInvalid(
                f"the {what} of tenant '{slug}' cannot be read ({type(error).__name__})", "see its file or command"
            ) from None
        # A password may begin or end with a space.
        found = found.rstrip("\r\n") if key in _PASSWORDS else found.strip()
        if not found:
            raise InputInvalid(f"the {what} of tenant '{slug}' is empty", "see its file or command")
        return found

    return read


def _run_command(command: str) -> str:
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=30, check=True)  # noqa: S602 (the operator's own)
    return done.stdout
