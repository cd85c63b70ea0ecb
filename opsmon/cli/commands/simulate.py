"""`opsmon simulate`: serves simulated tenants on loopback until SIGINT or SIGTERM, and says how to reach them.

It needs neither a database nor settings.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from opsmon.cli.commands.session import Session
from opsmon.output import as_json
from store.sanitizer.sanitize import visible
from tasks.graph.clouds import GLOBAL
from tasks.graph.simulator import CLIENT_ID, secret
from tasks.graph.simulator.arguments import GivenTenant, listen, parse_faults, parse_tenants
from tasks.graph.simulator.folder_report import FolderReport

SYNTHETIC: Final = "contoso=seed:7,policies:300"
_ENDS: Final = frozenset({signal.SIGINT, signal.SIGTERM})


@dataclass(frozen=True, slots=True)
class SimulatedTenantShown:
    """A simulated tenant as it is printed: how to sign in to it, and what it holds. The secret is made up."""

    slug: str
    directory_id: str
    client_id: str
    client_secret: str = field(repr=False)
    cloud: str
    policies: int
    groups: int
    #: What became of the files of its folder; None if it was made from a seed.
    folder: FolderReport | None


@dataclass(frozen=True, slots=True)
class SimulatorShown:
    """The simulator as it is printed. `url` is the address of Graph and of its sign-in."""

    url: str
    tenants: list[SimulatedTenantShown]


def simulate(session: Session, arguments: argparse.Namespace) -> int:
    """Serve the tenants until a signal comes. Returns the exit code.

    Raises InputInvalid for what is no folder, tenant or fault, and OpsmonError if the port is taken.
    """
    given, faults = parse_tenants(_texts(arguments)), parse_faults(arguments.faults)
    # Blocked, not handled: a signal waits until it is asked for, and the threads of the server never get it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        with listen([one.tenant for one in given], arguments.port, faults) as simulator:
            found = SimulatorShown(simulator.url, [_shown(one) for one in given])
            # One line of JSON, unlike other commands: who reads it cannot wait for the end of the output.
            sys.stdout.write((json.dumps(as_json(found)) if session.output.json else _text(found)) + "\n")
            sys.stdout.flush()
            signal.sigwait(_ENDS)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return 0


def _texts(arguments: argparse.Namespace) -> list[str]:
    """What is asked for, each as `--tenant` takes it."""
    texts = [f"{_slug(folder)}=folder:{folder}" for folder in arguments.folders] + arguments.tenants
    return [SYNTHETIC, *texts] if arguments.synthetic or not texts else texts


def _slug(folder: str) -> str:
    """The tenant's slug from the folder's name."""
    words = re.findall(r"[a-z0-9]+", Path(folder).resolve().name.lower())
    return "-".join(words)[:60].strip("-") or "folder"


def _shown(given: GivenTenant) -> SimulatedTenantShown:
    tenant = given.tenant
    return SimulatedTenantShown(
        slug=tenant.slug,
        directory_id=tenant.directory,
        client_id=CLIENT_ID,
        client_secret=secret(tenant.slug),
        cloud=tenant.cloud,
        policies=sum(len(objects) for kind, objects in tenant.objects.items() if kind != "groups"),
        groups=len(tenant.objects["groups"]),
        folder=given.report,
    )


def _text(found: SimulatorShown) -> str:
    blocks = [
        f"Microsoft Graph is simulated at {found.url} until ctrl+c. For opsmon.toml:",
        f'graph_url = "{found.url}"\ngraph_authority = "{found.url}"',
        *map(_credentials, found.tenants),
        "\n".join(line for tenant in found.tenants for line in _contents(tenant)),
    ]
    return "\n\n".join(blocks)


def _credentials(tenant: SimulatedTenantShown) -> str:
    lines = [f"[credentials.{tenant.slug}]"]
    lines += [f'{key} = "{getattr(tenant, key)}"' for key in ("directory_id", "client_id", "client_secret")]
    return "\n".join([*lines, f'cloud = "{tenant.cloud}"'] if tenant.cloud != GLOBAL.name else lines)


def _contents(tenant: SimulatedTenantShown) -> list[str]:
    if tenant.folder is None:
        return [f"{tenant.slug}: {tenant.policies} policies, {tenant.groups} groups"]
    return [f"{tenant.slug}: {visible(line)}" for line in tenant.folder.lines()]
