"""Keeps web pages that lie elsewhere from using a server on this machine through the browser of who works at it."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_HARMLESS = frozenset({"GET", "HEAD", "OPTIONS"})


def from_here_only(app: ASGIApp, *, host: str) -> ASGIApp:
    """The application, for requests to this machine by name and from its own pages or from no page at all.

    Args:
        app: the application.
        host: the address it listens on.
    """
    # without the look at the name, a page elsewhere could give this address to its own name and so be of one origin
    return TrustedHostMiddleware(
        _SameOrigin(app), allowed_hosts=[host, "127.0.0.1", "localhost"], www_redirect=False
    )


class _SameOrigin:
    """Refuses what changes anything when a browser says that a page of another origin asks for it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in _HARMLESS and _is_foreign(Headers(scope=scope)):
            refusal = PlainTextResponse(
                "A page of another origin cannot change the sandbox.", status_code=403
            )
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_foreign(headers: Headers) -> bool:
    """Browsers name the relation, older ones the origin; who names neither is no browser."""
    relation, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if relation is not None:
        return relation not in ("same-origin", "none")
    return origin is not None and origin != f"http://{headers.get('host')}"
