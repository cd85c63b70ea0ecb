"""Settings: from the environment, else from `opsmon.toml`, else defaults; each with its source."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

from opsmon.credentials import Value, all_credentials, credentials_in_file, read_credentials, refuse_mixed_clouds
from store.errors import InputInvalid
from store.workers.intervals import beat_interval, silent_after

MASK: Final = "********"


@dataclass(frozen=True, slots=True)
class Setting:
    """The description of one setting."""

    #: The name in opsmon.toml.
    key: str
    #: Its type is the setting's type: text, number or whole number.
    default: str | float | int
    #: What it means, for people.
    help: str
    #: The smallest number allowed; not for texts.
    minimum: float = 0.0
    #: The texts allowed; empty for any.
    choices: tuple[str, ...] = ()
    #: What an empty text stands for, for people; empty if it stands for itself.
    unset: str = ""

    @property
    def variable(self) -> str:
        """The environment variable: OPSMON_ and the key in capitals."""
        return f"OPSMON_{self.key.upper()}"


def _setting(
    default: str | float, help_: str, minimum: float = 0.0, choices: tuple[str, ...] = (), unset: str = ""
) -> Any:
    return field(default=default, metadata={"help": help_, "minimum": minimum, "choices": choices, "unset": unset})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The effective settings, read once at start and passed in. Fields made by `_setting` are keys of opsmon.toml;
    floats are seconds, or
    hours where the name says so.
    """

    database_url: str = _setting("", "SQLAlchemy URL; default an SQLite file in the user's data folder")
    graph_url: str = _setting("", "Microsoft Graph", unset="of the tenant's cloud")
    graph_authority: str = _setting("", "who gives out tokens for it", unset="of the tenant's cloud")
    graph_reads: int = _setting(900, "requests that a run sends to Graph in 20 s at most, to read", 1)
    graph_writes: int = _setting(90, "the same for changes: Intune refuses more than 100 of an app", 1)
    graph_wait_seconds: float = _setting(300.0, "that a request waits for a throttled Graph, in all")
    poll_seconds: float = _setting(1.0, "between two looks of the screens at the database", 0.1)
    worker_slots: int = _setting(4, "runs that one worker carries out at a time", 1)
    beat_seconds: float = _setting(5.0, "between two beats of a worker", 0.05)
    lost_after_seconds: float = _setting(30.0, "without a beat until a worker's runs are given up", 0.5)
    rescue_seconds: float = _setting(5.0, "between two rounds of the rescuer", 0.05)
    never_queued_after_seconds: float = _setting(
        10.0, "until a run whose message was never queued is queued by the rescuer", 0.5
    )
    message_lost_after_seconds: float = _setting(
        60.0, "until a run whose message is not in the queue is queued again", 0.5
    )
    restore_preview_hours: float = _setting(
        24.0, "for which the preview of a restore can be executed; older ones are given up", 0.01
    )
    database_seconds: float = _setting(8.0, "that a transaction may take until the database counts as away", 0.5)
    dispatch_seconds: float = _setting(3.0, "that the queue may take to accept a message", 0.1)
    grace_seconds: float = _setting(30.0, "that SIGTERM lets the runs in hand go on")
    theme: str = _setting(
        "",
        "of the screens, as their palette names it: opsmon-dark, opsmon-light, or opsmon-16 for the terminal's own 16 colours",
    )
    ascii: Literal["auto", "yes", "no"] = _setting("auto", "no glyphs beyond ASCII", choices=("auto", "yes", "no"))
    ask: Literal["yes", "no"] = _setting(
        "yes", "whether a key that retries, pauses or clears asks first", choices=("yes", "no")
    )
    times: Literal["age", "utc", "local"] = _setting(
        "age",
        "of the screens, for those who never chose: ages, or clock times in UTC or in the terminal's zone",
        choices=("age", "utc", "local"),
    )
    mouse: Literal["yes", "no"] = _setting("yes", "whether the screens take the mouse", choices=("yes", "no"))
    terminal_notifications: Literal["off", "bell", "osc9", "osc777", "osc99"] = _setting(
        "off",
        "how the terminal is asked to tell that a run of yours has ended",
        choices=("off", "bell", "osc9", "osc777", "osc99"),
    )
    log_level: str = _setting("INFO", "of a worker: DEBUG, INFO, WARNING or ERROR")
    #: The source of each setting: the variable, the file, or "default".
    sources: Mapping[str, str] = field(default_factory=dict, repr=False)
    #: Credentials from opsmon.toml, by the tenant's slug and key.
    credential_values: Mapping[str, Mapping[str, Value]] = field(default_factory=dict, repr=False)
    #: Keys of the screens by the name of their action, from [keys].
    keys: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_embedded(self) -> bool:
        """Whether the database is the login's own SQLite file, which opsmon may create and migrate by itself."""
        return self.database_url.startswith("sqlite")

    @property
    def beat_interval(self) -> float:
        """Seconds between two beats of a worker with these settings."""
        return beat_interval(self.beat_seconds, self.lost_after_seconds)

    @property
    def silent_after(self) -> float:
        """Seconds without a beat after which a worker has missed two beats and counts as silent."""
        return silent_after(self.beat_seconds, self.lost_after_seconds)

    @property
    def restore_preview_seconds(self) -> float:
        """Seconds for which a preview can be executed."""
        return self.restore_preview_hours * 3600

    def credentials(self, slug: str) -> dict[str, Any] | None:
        """What a tenant's app signs in with, as `read_credentials` returns it; None if nothing is set up.

        Secrets are read from their files or commands on each call, and not stored. Raises InputInvalid.
        """
        return read_credentials(slug, self.credential_values.get(slug, {}))


def _default(of: Field[Any]) -> str | float:
    assert isinstance(of.default, str | float | int)
    return of.default


SETTINGS: Final = tuple(Setting(one.name, _default(one), **one.metadata) for one in fields(Settings) if one.metadata)
_BY_KEY: Final = {setting.key: setting for setting in SETTINGS}


def load(environment: Mapping[str, str] | None = None, config: Path | None = None) -> Settings:
    """Read the environment and the configuration file. Raises InputInvalid for anything unreadable or unknown."""
    environment = os.environ if environment is None else environment
    path = config or _config_path(environment)
    from_file = _read_file(path) if path else {}
    credentials = credentials_in_file(from_file.pop("credentials", {}), path)
    keys = _keys(from_file.pop("keys", {}), path)
    _refuse_unknown(from_file, path)
    values = {setting.key: _value(setting, environment, from_file, path) for setting in SETTINGS}
    if not values["database_url"].value:
        values["database_url"] = Value(f"sqlite:///{_data_folder() / 'opsmon.db'}", "default")
    every = all_credentials(credentials, environment)
    refuse_mixed_clouds(every, values["graph_url"].value, values["graph_authority"].value)
    return Settings(
        **{key: value.value for key, value in values.items()},
        sources={key: value.source for key, value in values.items()},
        credential_values=credentials,
        keys=keys,
    )


def _value(setting: Setting, environment: Mapping[str, str], from_file: Mapping[str, Any], path: Path | None) -> Value:
    if environment.get(setting.variable):
        return Value(_typed(setting, environment[setting.variable], setting.variable), setting.variable)
    if setting.key in from_file:
        return Value(_typed(setting, from_file[setting.key], f"{setting.key} in {path}"), str(path))
    return Value(setting.default, "default")


def _typed(setting: Setting, given: Any, where: str) -> Any:
    kind = type(setting.default)
    if isinstance(given, bool) or not isinstance(given, str if kind is str else str | int | float):
        raise InputInvalid(f"{where} cannot be {given!r}", f"give a {'text' if kind is str else 'number'}")
    if kind is str:
        if setting.choices and given not in setting.choices:
            raise InputInvalid(f"{where} cannot be {given!r}", f"give one of {', '.join(setting.choices)}")
        return given
    try:
        # Convert from text: int(2.5) would truncate to 2.
        number: float = (int if kind is int else float)(str(given))
    except ValueError:
        raise InputInvalid(f"{where} cannot be {given!r}", f"give a {'whole ' if kind is int else ''}number") from None
    if not setting.minimum <= number < float("inf"):
        raise InputInvalid(f"{where} cannot be {given!r}", f"give at least {setting.minimum:g}")
    return number


def _config_path(environment: Mapping[str, str]) -> Path | None:
    named = environment.get("OPSMON_CONFIG")
    if named:
        return Path(named).expanduser()
    return next((path for path in (Path("opsmon.toml"), _config_folder() / "opsmon.toml") if path.is_file()), None)


def _read_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputInvalid(f"cannot read {path} ({error.strerror})", "fix it, or set OPSMON_CONFIG") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{path} is not TOML: {error}", "fix it") from None


def _refuse_unknown(from_file: Mapping[str, Any], path: Path | None) -> None:
    for key in from_file:
        if key not in _BY_KEY:
            near = difflib.get_close_matches(key, _BY_KEY, 1)
            hint = f"did you mean '{near[0]}'?" if near else "'opsmon config' shows the known ones"
            raise InputInvalid(f"{path} sets '{key}', which is no setting", hint)


def _keys(given: Any, path: Path | None) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(key, str) and key for key in given.values()):
        raise InputInvalid(f"'keys' in {path} is not a table of texts", 'write [keys] and retry = "ctrl+r"')
    return dict(given)


def _data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("opsmon", appauthor=False))


def _config_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_config_dir("opsmon", appauthor=False))
