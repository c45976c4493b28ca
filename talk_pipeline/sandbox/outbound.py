"""Calls the servers make themselves: notices to whoever asked for them.

Standard library only, in a thread of its own for each call, so that a slow receiver holds up nobody.
"""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver said; status 0 if it could not be reached or did not answer in time."""

    status: int
    body: bytes = b""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A receiver that points elsewhere has not taken the notice."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        """Never follow."""


async def call_out(
    method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, timeout: float
) -> Reply:
    """Send one request and wait for its reply."""
    return await asyncio.to_thread(_send, method, url, body, dict(headers or {}), timeout)


def _send(method: str, url: str, body: bytes, headers: dict[str, str], timeout: float) -> Reply:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
    data = body if method != "GET" else None
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with opener.open(request, timeout=timeout) as response:
            return Reply(response.status, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read())
    except (OSError, ValueError):
        return Reply(0)
