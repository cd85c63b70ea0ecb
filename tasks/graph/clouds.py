"""Microsoft's clouds: where each signs apps in, where its Graph is, and what a token for it is asked for.

Source: Microsoft's page "Microsoft Graph national cloud deployments"
(https://learn.microsoft.com/graph/deployments). A token of one cloud is worth nothing in another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from store.errors import InputInvalid


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses that a tenant is reached at: its Graph, without a version, and its sign-in service."""

    graph_url: str
    authority: str


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud of Microsoft."""

    #: The name in a tenant's credentials.
    name: str
    #: URL of the sign-in service.
    authority: str
    #: URL of Graph, without a version.
    graph_url: str
    #: Other hosts of the same sign-in service.
    more_hosts: tuple[str, ...] = ()

    @property
    def scope(self) -> str:
        """Asks for every permission granted to the app. The audience is this cloud's Graph, whatever it is reached at."""
        return f"{self.graph_url}/.default"

    def addresses(self, graph_url: str = "", authority: str = "") -> Addresses:
        """This cloud's addresses; one that is given replaces its own. Raises InputInvalid for one of another cloud."""
        self._refuse_others("graph_url", graph_url, [(cloud, (cloud.graph_url,)) for cloud in CLOUDS.values()])
        self._refuse_others("graph_authority", authority, [(cloud, cloud._authorities) for cloud in CLOUDS.values()])
        return Addresses(graph_url or self.graph_url, authority or self.authority)

    def _refuse_others(self, setting: str, url: str, known: list[tuple[Cloud, tuple[str, ...]]]) -> None:
        owners = [cloud.name for cloud, addresses in known if _host(url) in map(_host, addresses)]
        if owners and self.name not in owners:
            raise InputInvalid(
                f"{setting} is an address of the cloud {' or '.join(owners)}, and the tenant's cloud is {self.name}",
                f"set the tenant's cloud, or leave {setting} empty",
            )

    @property
    def _authorities(self) -> tuple[str, ...]:
        return (self.authority, *(f"https://{host}" for host in self.more_hosts))


#: GCC is in the global cloud. GCC High and DoD share a sign-in service. The other hosts are those that msal knows.
CLOUDS: Final = {
    cloud.name: cloud
    for cloud in (
        Cloud(
            "global",
            "https://login.microsoftonline.com",
            "https://graph.microsoft.com",
            ("login.microsoft.com", "login.windows.net", "sts.windows.net", "login-us.microsoftonline.com"),
        ),
        Cloud(
            "gcc_high",
            "https://login.microsoftonline.us",
            "https://graph.microsoft.us",
            ("login.usgovcloudapi.net",),
        ),
        Cloud(
            "dod",
            "https://login.microsoftonline.us",
            "https://dod-graph.microsoft.us",
            ("login.usgovcloudapi.net",),
        ),
        Cloud(
            "china",
            "https://login.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            ("login.partner.microsoftonline.cn",),
        ),
    )
}
GLOBAL: Final = CLOUDS["global"]


def find_cloud(name: str) -> Cloud:
    """The cloud with this name. Raises InputInvalid if there is none."""
    if name not in CLOUDS:
        raise InputInvalid(f"'{name}' is no cloud", f"set cloud to one of {', '.join(CLOUDS)}")
    return CLOUDS[name]


def _host(url: str) -> str | None:
    """The host of a URL; None for what has none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".") or None
    except ValueError:
        return None
