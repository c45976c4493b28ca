"""The token endpoint and the tokens it gave out.

Its failures have the identity platform's own shape, not the API's envelope.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Callable
from urllib.parse import parse_qs, unquote

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.exchange import Answer, Call

TENANT = "7d3c5a52-4f0e-4b8e-9a57-2f6f3f1b8c01"
APPLICATIONS = tuple(  # such a secret opens nothing but a sandbox
    (f"c1a7e0d4-6b1f-4f0c-8f6e-1f2f4d9b7a{number}", f"sandbox-client-secret{suffix}")
    for number, suffix in enumerate(["", *(f"-{further}" for further in range(2, 11))], start=10)
)
"""Id and secret of each application that is registered."""
CLIENT_ID = APPLICATIONS[0][0]
TOKEN_PATH = f"/{TENANT}/oauth2/v2.0/token"
_SCOPE = "https://api.businesscentral.dynamics.com/.default"


def registrations(count: int) -> dict[str, str]:
    """The variables by which a client is told of the first applications."""
    named: dict[str, str] = {}
    for number, (client, secret) in enumerate(APPLICATIONS[:count], start=1):
        suffix = "" if number == 1 else f"_{number}"
        named[f"BUSINESSCENTRAL_CLIENT_ID{suffix}"] = client
        named[f"BUSINESSCENTRAL_CLIENT_SECRET{suffix}"] = secret
    return named


class Tokens:
    """Tokens by their text, each with the moment it expires."""

    def __init__(self, clock: Clock, lifetime: Callable[[], float]) -> None:
        self._clock = clock
        self._lifetime = lifetime
        self._expiry: dict[str, int] = {}
        self._clients: dict[str, str] = {}

    def valid(self, call: Call) -> bool:
        """Whether the call carries a token that has not expired."""
        return self._expiry.get(_bearer(call), 0) > self._clock.now_ms()

    def client(self, call: Call) -> str:
        """The application that the call's token was given to."""
        return self._clients.get(_bearer(call), "")

    def revoke(self, call: Call) -> None:
        """Let the token of this call expire now."""
        self._expiry.pop(_bearer(call), None)

    def expire_all(self) -> None:
        """Let every token expire now."""
        self._expiry.clear()

    def issue(self, call: Call) -> Answer:
        """Answer a request for a token."""
        if call.method != "POST":
            return _failure(405, "invalid_request", "The token endpoint takes POST.")
        form = {name: found[0] for name, found in parse_qs(call.body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _failure(400, "unsupported_grant_type", "grant_type must be client_credentials.")
        client, secret = _credentials(call) or (form.get("client_id"), form.get("client_secret"))
        known = dict(APPLICATIONS)
        if client not in known:
            return _failure(400, "unauthorized_client", "The application was not found in the directory.")
        if secret != known[client]:
            return _failure(401, "invalid_client", "The client secret is not valid.")
        if form.get("scope") != _SCOPE:
            return _failure(400, "invalid_scope", f"scope must be {_SCOPE}.")
        seconds = int(self._lifetime())
        token = f"sandbox.{secrets.token_urlsafe(32)}"
        self._clients[token] = client
        self._expiry[token] = self._clock.now_ms() + int(self._lifetime() * 1000)
        document = {
            "token_type": "Bearer",
            "expires_in": seconds,
            "ext_expires_in": seconds,
            "access_token": token,
        }
        return Answer(
            200, wire.write(document), {"Content-Type": "application/json", "Cache-Control": "no-store"}
        )


def _bearer(call: Call) -> str:
    scheme, _, token = (call.header("authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _credentials(call: Call) -> tuple[str, str] | None:
    """Client id and secret from a Basic header, which the identity platform takes as well."""
    scheme, _, encoded = (call.header("authorization") or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote(client), unquote(secret)


def _failure(status: int, code: str, text: str) -> Answer:
    document = {"error": code, "error_description": text}
    return Answer(status, wire.write(document), {"Content-Type": "application/json"})
