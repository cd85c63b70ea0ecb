"""A request to the simulated Graph and its reply, with or without HTTP around them: an item of a batch is a request too."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

#: `/policies('id')` is another spelling of `/policies/id`.
_KEY: Final = re.compile(r"([A-Za-z]+)\('([^']*)'\)")
_CODES: Final = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Forbidden",
    404: "ResourceNotFound",
    405: "No method match route template",
    409: "Conflict",
    412: "BadRequest",
    413: "RequestEntityTooLarge",
    429: "TooManyRequests",
    500: "InternalServerError",
    501: "NotImplemented",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: a status, a body as JSON (None: no content), and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """A request below the version: `path` is as it was sent and begins with a slash; header names are in lower case."""

    method: str
    version: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    #: The server's address, for links.
    base: str = ""

    @property
    def parts(self) -> list[str]:
        """The segments of the path, decoded, with `('id')` as a segment of its own. Case is as it was sent."""
        parts: list[str] = []
        for part in map(unquote, self.path.strip("/").split("/")):
            key = _KEY.fullmatch(part)
            parts += [key[1], key[2]] if key else [part]
        return parts


class GraphError(Exception):
    """A refusal, raised anywhere below the server; it becomes an error in Graph's shape."""

    def __init__(
        self, status: int, code: str = "", message: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, code)
        self.status = status
        self.code = code or _CODES.get(status, "ServiceUnavailable")
        self.message = message
        self.headers = headers or {}

    def reply(self, path: str, client_request_id: str = "") -> Reply:
        """The error as Graph answers it: Intune nests a JSON string with internal details in the message."""
        request_id = str(uuid.uuid4())
        text = self.message or "An error has occurred"
        if "/device" in path.lower():
            text = _intune(text, request_id)
        inner = {
            "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": request_id,
            "client-request-id": client_request_id or request_id,
        }
        body = {"error": {"code": self.code, "message": text, "innerError": inner}}
        return Reply(self.status, body, {**self.headers, "request-id": request_id})


def _intune(text: str, request_id: str) -> str:
    url = "https://fef.internal.manage.microsoft.com/DeviceConfiguration_2410/StatelessDeviceConfigurationFEService"
    message = f"{text} - Operation ID (for customer support): {request_id} - Activity ID: {request_id} - Url: {url}"
    inner = {
        "_version": 3,
        "Message": message,
        "CustomApiErrorPhrase": "",
        "RetryAfter": None,
        "ErrorSourceService": "",
        "HttpHeaders": "{}",
    }
    return json.dumps(inner)
