"""A session that is begun by a call of its own."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from talk_pipeline.redaction import learn_token
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, ForeignHostFault, UnavailableFault
from talk_pipeline.systems.http.again import NO_ANSWER
from talk_pipeline.systems.http.sendable import fits_header, taken

TOKEN_SECONDS = 10.0
"""How long whoever gives out tokens may take."""

_TIMEOUT = httpx.Timeout(TOKEN_SECONDS).as_dict()


@dataclass(frozen=True, slots=True)
class Login:
    """A session token fetched by a call of its own, and anew when the system answers 401.

    Attributes:
        url: where to log in, by POST.
        body: what to send there, values wrapped.
        find: reads the token from the answer; None where there is none.
        header: the header that carries it.
        value: what the header says, with `{token}` in it.
    """

    url: str
    body: Mapping[str, SecretStr]
    find: Callable[[Any], str | None]
    header: str = "Authorization"
    value: str = "Bearer {token}"


class Session(httpx.Auth):
    """Logs in before the first request, and once more when a session ended."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._token: str | None = None
        self._alone = asyncio.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Never: the synchronous client is not used."""
        raise NotImplementedError("sessions are for the asynchronous client")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The request, after a login where there is no session or it has ended."""
        refused: str | None = None
        for _ in range(2):
            async with self._alone:
                if self._token is None or self._token == refused:
                    response = yield self._request()
                    await response.aread()
                    self._token = self._understood(response)
                token = self._token
            request.headers[self._login.header] = self._login.value.format(token=token)
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            refused = token
        if self._token == refused:
            self._token = None  # whoever asks next begins with another

    def _request(self) -> httpx.Request:
        body = {name: taken(value) for name, value in self._login.body.items()}
        return httpx.Request("POST", self._login.url, json=body, extensions={"timeout": _TIMEOUT})

    def _understood(self, response: httpx.Response) -> str:
        if response.has_redirect_location:
            raise ForeignHostFault(f"the login {self._login.url} redirects; nothing was sent there")
        if response.status_code in NO_ANSWER or response.status_code >= 500:
            raise UnavailableFault(f"the login {self._login.url} answers {response.status_code}")
        if not response.is_success:
            raise AccessFault(f"the login {self._login.url} refuses the credentials ({response.status_code})")
        try:
            token = self._login.find(json.loads(response.content))
        except (ValueError, RecursionError):
            token = None
        if not token:
            raise AccessFault(f"the login {self._login.url} answers without a token where the connector says")
        learn_token(token, of=" ".join((self._login.url, *map(taken, self._login.body.values()))))
        if not fits_header(token):
            raise ConfigurationFault(
                f"the login {self._login.url} gives a token that cannot stand in a header"
            )
        return token
