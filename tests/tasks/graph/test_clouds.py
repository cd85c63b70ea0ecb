"""National clouds: which addresses and which scope belong together, and what is refused as a mix."""

from __future__ import annotations

import httpx
import pytest

from store.errors import InputInvalid, OperationFailed
from tasks.graph.auth import AppCredentials, AppToken
from tasks.graph.client import GraphClient
from tasks.graph.clouds import CLOUDS, Addresses, find_cloud
from tasks.graph.simulator import CLIENT_ID, Simulator, directory_id, secret

PATH = "/deviceManagement/configurationPolicies"


def credentials(cloud: str) -> AppCredentials:
    return AppCredentials(directory_id("contoso"), CLIENT_ID, secret("contoso"), cloud=CLOUDS[cloud])


def sign_in(simulator: Simulator, cloud: str) -> str:
    token = AppToken(credentials(cloud), simulator.url)
    try:
        return token()
    finally:
        token.close()


@pytest.mark.parametrize(
    ("name", "authority", "scope"),
    [
        ("global", "https://login.microsoftonline.com", "https://graph.microsoft.com/.default"),
        ("gcc_high", "https://login.microsoftonline.us", "https://graph.microsoft.us/.default"),
        ("dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us/.default"),
        ("china", "https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/.default"),
    ],
)
def test_a_cloud_gives_authority_graph_and_scope(name: str, authority: str, scope: str) -> None:
    cloud = find_cloud(name)
    assert cloud.addresses() == Addresses(scope.removesuffix("/.default"), authority)
    assert cloud.scope == scope


def test_a_cloud_that_there_is_not() -> None:
    with pytest.raises(InputInvalid, match=r"'mars' is no cloud: set cloud to one of global, gcc_high, dod, china\Z"):
        find_cloud("mars")


@pytest.mark.parametrize(
    ("cloud", "graph_url", "authority", "told"),
    [
        ("global", "https://graph.microsoft.us", "", "graph_url is an address of the cloud gcc_high"),
        ("gcc_high", "https://GRAPH.microsoft.com./", "", "graph_url is an address of the cloud global"),
        ("gcc_high", "https://dod-graph.microsoft.us", "", "graph_url is an address of the cloud dod"),
        ("gcc_high", "", "https://login.windows.net", "graph_authority is an address of the cloud global"),
        ("global", "", "https://login.microsoftonline.us/x", "of the cloud gcc_high or dod, and the tenant's cloud is"),
        ("dod", "", "https://login.partner.microsoftonline.cn", "graph_authority is an address of the cloud china"),
    ],
)
def test_a_mix_is_refused_in_one_line(cloud: str, graph_url: str, authority: str, told: str) -> None:
    with pytest.raises(InputInvalid, match=r"\A[^\n]+\Z") as caught:
        CLOUDS[cloud].addresses(graph_url, authority)
    assert told in str(caught.value)
    with pytest.raises(OperationFailed) as failed:
        credentials(cloud).addresses(graph_url, authority)
    assert failed.value.failure_code == "graph.unauthorized"


@pytest.mark.parametrize(
    "url", ["https://graph.microsoft.us", "http://127.0.0.1:1", "https://proxy.example.org", "http://[::1"]
)
def test_what_is_the_clouds_own_or_nobodys_replaces_its_address(url: str) -> None:
    assert CLOUDS["gcc_high"].addresses(url).graph_url == url
    assert (
        CLOUDS["dod"].addresses("", "https://login.microsoftonline.us").authority == "https://login.microsoftonline.us"
    )


def test_without_an_address_the_sign_in_is_the_clouds() -> None:
    token = AppToken(credentials("china"))
    token.close()
    assert token._authority == "https://login.chinacloudapi.cn"


def test_the_scope_is_the_clouds_whatever_address_is_asked(simulator: Simulator) -> None:
    simulator.tenant("contoso").cloud = "gcc_high"
    sign_in(simulator, "gcc_high")
    assert simulator.sign_in.scopes == ["https://graph.microsoft.us/.default"]


def test_another_clouds_audience_is_refused(simulator: Simulator) -> None:
    simulator.tenant("contoso").cloud = "gcc_high"
    with pytest.raises(OperationFailed, match=r"AADSTS900382.+another cloud: check cloud") as caught:
        sign_in(simulator, "global")
    assert caught.value.failure_code == "graph.unauthorized"
    assert simulator.tokens == {}


def test_a_token_of_another_cloud_is_refused_by_graph(simulator: Simulator) -> None:
    token = sign_in(simulator, "global")
    with httpx.Client(base_url=simulator.url, headers={"Authorization": f"Bearer {token}"}) as http:
        assert http.get(f"/beta{PATH}").status_code == 200
        simulator.tenant("contoso").cloud = "gcc_high"
        assert http.get(f"/beta{PATH}").status_code == 401
    with GraphClient(simulator.url, lambda force=False: token) as graph, pytest.raises(OperationFailed) as caught:
        graph.get(PATH)
    assert caught.value.failure_code == "graph.unauthorized"
