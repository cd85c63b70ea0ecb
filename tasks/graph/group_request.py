"""The request of a group search: one GET with a person's token, to the tenant's Graph and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import httpx

from tasks.graph.answers import Refusal, refusal
from tasks.graph.client import is_page
from tasks.graph.delegated import DelegatedToken
from tasks.graph.found_groups import FoundGroup, groups_in, query_for
from tasks.graph.transport import make_http

#: Seconds for each step of a request: somebody is looking.
_TIMEOUT: Final = 10.0
#: $search needs the first. Without the second, v1.0 refuses an `&` in it with 400 (developer.microsoft.com/graph/known-issues,
#: 18185).
_HEADERS: Final = {"ConsistencyLevel": "eventual", "Prefer": "legacySearch=false"}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a search: groups, or a refusal."""

    groups: tuple[FoundGroup, ...] = ()
    refusal: Refusal | None = None
    #: The refusal asks for a sign-in with more proof: Conditional Access.
    challenged: bool = False


class GroupRequest:
    """Asks one Graph for groups. Thread-safe. Raises nothing that comes from outside: httpx's errors hold the token."""

    def __init__(self, graph_url: str) -> None:
        self._url = f"{graph_url}/v1.0/groups"
        # Neither follows redirects nor links: the token goes to this address alone.
        self._http = make_http(graph_url, _TIMEOUT)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def find(self, text: str, token: DelegatedToken) -> Reply:
        """The groups whose names have words that begin as those of `text`, 50 at most."""
        headers = {**_HEADERS, "Authorization": f"Bearer {token.value}"}
        try:
            response = self._http.get(self._url, params=query_for(text), headers=headers)
        except httpx.HTTPError as error:
            return Reply(refusal=Refusal(0, f"no answer: {type(error).__name__}"))
        except RuntimeError:  # closed by another thread
            return Reply(refusal=Refusal(0, "the search was closed"))
        return _read(response)


def _read(response: httpx.Response) -> Reply:
    body = _json_or_none(response)
    if not response.is_success:
        asked = response.headers.get("www-authenticate", "").lower()
        challenged = response.status_code in (401, 403) and ("claims=" in asked or "insufficient_claims" in asked)
        return Reply(refusal=refusal(response.status_code, response.headers, body), challenged=challenged)
    if not isinstance(body, dict) or not is_page(body):
        return Reply(refusal=Refusal(0, "the answer was not whole"))
    return Reply(groups_in(body["value"]))


def _json_or_none(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        return None
