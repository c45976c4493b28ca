"""Who may enter: fixed credentials, and tokens that are given out and expire."""

from __future__ import annotations

import base64
import binascii
import secrets

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.exchange import Call


def basic(call: Call) -> tuple[str, str] | None:
    """Name and secret of HTTP basic authentication, if the call has them."""
    scheme, _, encoded = (call.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return name, secret


def bearer(call: Call) -> str:
    """The bearer token of the call."""
    scheme, _, token = (call.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Passes:
    """Tokens given out, each with the moment it expires.

    Args:
        clock: the time the shop believes it is.
        seconds: how long a token lives.
    """

    def __init__(self, clock: Clock, seconds: int) -> None:
        self._clock = clock
        self._seconds = seconds
        self._ends: dict[str, int] = {}

    def issue(self) -> str:
        """A new token."""
        token = secrets.token_urlsafe(24)
        self._ends[token] = self._clock.now_ms() + self._seconds * 1000
        return token

    def valid(self, token: str | None) -> bool:
        """Whether it was given out and has not expired."""
        return self._ends.get(token or "", 0) > self._clock.now_ms()

    def revoke(self, token: str | None) -> None:
        """Let it expire now."""
        self._ends.pop(token or "", None)
