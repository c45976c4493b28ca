"""How a client proves who it is. Secrets stay wrapped until the request leaves."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import httpx
import httpx_auth
from pydantic import SecretStr

from talk_pipeline.systems.errors import AccessFault, UnavailableFault

TOKEN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Bearer:
    """A fixed token."""

    token: SecretStr


@dataclass(frozen=True, slots=True)
class Basic:
    """User and password with every request."""

    user: SecretStr
    password: SecretStr


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A fixed key in a header or in the query."""

    name: str
    value: SecretStr
    place: Literal["header", "query"]


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """OAuth2 client credentials: a token from the token endpoint, renewed before it ends and once on 401.

    Attributes:
        in_form: id and secret go in the form, else as basic authentication.
    """

    token_url: str
    client_id: str
    client_secret: SecretStr
    scope: str | None = None
    in_form: bool = True


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


Credentials = Bearer | Basic | ApiKey | ClientCredentials | Login


def authentication(credentials: Credentials) -> httpx.Auth:
    """The credentials as the HTTP library takes them."""
    match credentials:
        case Bearer(token):
            return httpx_auth.HeaderApiKey(f"Bearer {token.get_secret_value()}", "Authorization")
        case Basic(user, password):
            return httpx.BasicAuth(user.get_secret_value(), password.get_secret_value())
        case ApiKey(name, value, "header"):
            return httpx_auth.HeaderApiKey(value.get_secret_value(), name)
        case ApiKey(name, value):
            return httpx_auth.QueryApiKey(value.get_secret_value(), name)
        case Login():
            return _Session(credentials)
        case ClientCredentials():
            return _ClientCredentials.of(credentials)


def renew(auth: httpx.Auth | None) -> bool:
    """Forgets a token that was refused; whether another one may be had."""
    if not isinstance(auth, _ClientCredentials):
        return False
    httpx_auth.OAuth2.token_cache.clear()
    return True


class _ClientCredentials(httpx_auth.OAuth2ClientCredentials):
    """Sends id and secret one way, in the form as Entra documents or as basic authentication, never both."""

    _in_form = True

    @classmethod
    def of(cls, credentials: ClientCredentials) -> "_ClientCredentials":
        secret = credentials.client_secret.get_secret_value()
        auth = cls(credentials.token_url, credentials.client_id, secret, scope=credentials.scope)
        auth._in_form = credentials.in_form
        if credentials.in_form:
            auth.data |= {"client_id": credentials.client_id, "client_secret": secret}
        return auth

    def _configure_client(self, client: httpx.Client) -> None:
        client.timeout = httpx.Timeout(TOKEN_SECONDS)
        client.event_hooks = {"response": [_require_service]}
        if not self._in_form:
            client.auth = httpx.BasicAuth(self.client_id, self.client_secret)


def _require_service(response: httpx.Response) -> None:
    """A token endpoint that is overloaded says nothing about the credentials."""
    if response.status_code == 429 or response.status_code >= 500:
        raise UnavailableFault(f"the token endpoint {response.url} answers {response.status_code}")


class _Session(httpx.Auth):
    """Logs in before the first request, and once more when a session ended."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self._token: str | None = None
        self._alone = asyncio.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise NotImplementedError("sessions are for the asynchronous client")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
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

    def _request(self) -> httpx.Request:
        body = {name: value.get_secret_value() for name, value in self._login.body.items()}
        return httpx.Request("POST", self._login.url, json=body, extensions={"timeout": _TIMEOUT})

    def _understood(self, response: httpx.Response) -> str:
        if response.status_code == 429 or response.status_code >= 500:
            raise UnavailableFault(f"the login {self._login.url} answers {response.status_code}")
        if not response.is_success:
            raise AccessFault(f"the login {self._login.url} refuses the credentials ({response.status_code})")
        try:
            token = self._login.find(json.loads(response.content))
        except ValueError:
            token = None
        if not token:
            raise AccessFault(f"the login {self._login.url} answers without a token where the connector says")
        return token


_TIMEOUT = httpx.Timeout(TOKEN_SECONDS).as_dict()
