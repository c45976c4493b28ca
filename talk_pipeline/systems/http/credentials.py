"""How a client proves who it is. Secrets stay wrapped until the request leaves."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal, TypeVar

import httpx
from httpx_retries import RetryTransport
from pydantic import SecretStr

from talk_pipeline.redaction import learn, learn_token
from talk_pipeline.systems.errors import (
    AccessFault,
    ConfigurationFault,
    ForeignHostFault,
    UnavailableFault,
    UnreachableFault,
)
from talk_pipeline.systems.http.again import NO_ANSWER, let_in, questions
from talk_pipeline.systems.http.kept_tokens import KeptTokens
from talk_pipeline.systems.http.login import TOKEN_SECONDS, Login, Session
from talk_pipeline.systems.http.sendable import fits_header, sendable, taken
from talk_pipeline.systems.http.way import way_to

EARLY_SECONDS = 30  # before its end a token is replaced
UNTOLD_SECONDS = 300
LONGEST_SECONDS = 86_400

T = TypeVar("T")


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
    """OAuth2: a token from the token endpoint, renewed before it ends and once on 401.

    Attributes:
        client_secret: none where the client is a public one.
        in_form: id and secret go in the form, else as basic authentication.
        settings: where to look when there is no token, that of the address first.
        kept: of a client that somebody let in for as long as its refresh tokens follow on each other.
    """

    token_url: str
    client_id: str
    client_secret: SecretStr | None
    scope: str | None = None
    in_form: bool = True
    settings: tuple[str, ...] = ()
    kept: KeptTokens | None = None


Credentials = Bearer | Basic | ApiKey | ClientCredentials | Login


def whose(credentials: Credentials | None, *, at: str) -> str:
    """A name for whom a system knows by these credentials, from which they cannot be read."""
    match credentials:
        case ClientCredentials():
            known = credentials.client_id
        case Bearer(secret) | Basic(secret) | ApiKey(_, secret):
            known = secret.get_secret_value()
        case Login():
            known = json.dumps({name: value.get_secret_value() for name, value in credentials.body.items()})
        case None:
            known = ""
    return hashlib.sha256(f"{at.lower()} {known}".encode()).hexdigest()[:32]


def authentication(credentials: Credentials) -> httpx.Auth:
    """The credentials as the HTTP library takes them; from now on they are in no text.

    Raises:
        UnusableSecretError: one cannot be sent.
    """
    match credentials:
        case Bearer(token):
            return _InHeader("Authorization", f"Bearer {sendable(token)}")
        case Basic(user, password):
            name, word = taken(user), taken(password)
            learn(base64.b64encode(f"{name}:{word}".encode()).decode())
            return httpx.BasicAuth(name, word)
        case ApiKey(name, value, "header"):
            return _InHeader(name, sendable(value))
        case ApiKey(name, value):
            return _InQuery(name, taken(value))
        case Login():
            for value in credentials.body.values():
                taken(value)
            return Session(credentials)
        case ClientCredentials():
            return _ClientCredentials(credentials)


class _InHeader(httpx.Auth):
    """A fixed secret in a header."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers[self._name] = self._value
        yield request


class _InQuery(httpx.Auth):
    """A fixed secret in the query."""

    def __init__(self, name: str, value: str) -> None:
        self._name, self._value = name, value

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.url = request.url.copy_merge_params({self._name: self._value})
        yield request


@dataclass(frozen=True, slots=True)
class _Token:
    """A token, and when it is to be replaced."""

    text: str
    until: float


_TOKENS: dict[tuple[object, ...], _Token] = {}
"""By endpoint, client, secret, scope and what is kept: the pieces of a run each open connections of their own."""


class _ClientCredentials(httpx.Auth):
    """Fetches a token before the first request, before it ends, and once more where it is refused.

    Id and secret go one way, in the form as Entra documents or as basic authentication, never both.
    """

    def __init__(self, credentials: ClientCredentials) -> None:
        self._credentials = credentials
        self._secret = taken(credentials.client_secret) if credentials.client_secret else ""
        if not credentials.in_form:
            learn(base64.b64encode(f"{credentials.client_id}:{self._secret}".encode()).decode())
        given = credentials
        self._place = (given.token_url, given.client_id, self._secret, given.scope, given.kept)
        self._alone = asyncio.Lock()

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        raise NotImplementedError("tokens are for the asynchronous client")

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        refused: str | None = None
        for _ in range(2):
            token = await self._token(refused)
            request.headers["Authorization"] = f"Bearer {token}"
            response = yield request
            if response.status_code != httpx.codes.UNAUTHORIZED:
                return
            refused = token
        if (kept := _TOKENS.get(self._place)) and kept.text == refused:
            del _TOKENS[self._place]  # whoever asks next begins with another

    async def _token(self, refused: str | None) -> str:
        given = self._credentials
        async with self._alone:
            token = _TOKENS.get(self._place)
            if token is None or token.text == refused or token.until <= monotonic():
                text, seconds = (
                    await _uncut(self._kept(given.kept, refused)) if given.kept else await self._new_token()
                )
                token = _TOKENS[self._place] = _Token(text, monotonic() + seconds - EARLY_SECONDS)
            return token.text

    async def _kept(self, kept: KeptTokens, refused: str | None) -> tuple[str, int]:
        """What another process of this installation was given, or a new one for the refresh token."""
        async with kept.alone():
            known = kept.read()
            if known.access_token and known.access_token != refused and known.seconds > EARLY_SECONDS:
                return known.access_token, known.seconds
            kept.make_room()
            return await self._new_token(kept, known.refresh_token)

    async def _new_token(self, kept: KeptTokens | None = None, refresh: str = "") -> tuple[str, int]:
        """Asks the token endpoint, and judges its answer; one that is kept is on disk before it is used."""
        given = self._credentials
        form = {"grant_type": "refresh_token" if kept else "client_credentials"}
        form |= ({"refresh_token": refresh} if kept else {}) | ({"scope": given.scope} if given.scope else {})
        if given.in_form:
            secret = {"client_secret": self._secret} if self._secret else {}
            form |= {"client_id": given.client_id, **secret}
        basic = None if given.in_form else httpx.BasicAuth(given.client_id, self._secret)
        try:
            retry = questions()
            way = RetryTransport(way_to(given.token_url), retry=retry)
            async with httpx.AsyncClient(timeout=TOKEN_SECONDS, auth=basic, transport=way) as client:
                response = await let_in(lambda: client.post(given.token_url, data=form), retry)
        except httpx.DecodingError as error:
            raise UnavailableFault(self._message(f"answers with what cannot be unpacked: {error}")) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise UnreachableFault(self._message(f"cannot be reached: {reason}")) from error
        answer = self._understood(response)
        token, seconds = str(answer["access_token"]), _seconds(answer.get("expires_in"))
        if kept:
            kept.put(str(answer.get("refresh_token") or refresh), token, seconds)
        return token, seconds

    def _understood(self, response: httpx.Response) -> Mapping[str, Any]:
        status = response.status_code
        if status in NO_ANSWER or status >= 500:
            raise UnavailableFault(self._message(f"answers {status}"))
        if response.has_redirect_location:
            host = httpx.URL(self._credentials.token_url).join(response.headers["Location"]).host
            what = f"answers {status} and redirects to {host}; nothing was sent there"
            raise ForeignHostFault(self._message(what))
        try:
            document = json.loads(response.content)
        except (ValueError, RecursionError):
            kind = response.headers.get("Content-Type", "no type")
            raise ConfigurationFault(
                self._message(f"answers {status} with what is no JSON ({kind})")
            ) from None
        answer = document if isinstance(document, dict) else {}
        kept = self._credentials.kept
        if kept and answer.get("error") == "invalid_grant":
            raise AccessFault(
                self._message(f"does not take the refresh token any more ({status}, invalid_grant)")
                + f"; let the shop give a new one and put it into {kept.setting}"
            )
        if answer.get("error") or not response.is_success:
            raise AccessFault(
                self._message(f"gives no token for these credentials ({status}{_code(answer)})")
            )
        token = answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise ConfigurationFault(self._message(f"answers {status} without an access_token"))
        learn_token(token, of=f"{self._credentials.token_url} {self._credentials.client_id}")
        if not fits_header(token):
            raise ConfigurationFault(self._message("gives a token that cannot stand in a header"))
        return answer

    def _message(self, what: str) -> str:
        where = ", ".join(self._credentials.settings)
        return f"the token endpoint {self._credentials.token_url} {what}{f': check {where}' if where else ''}"


async def _uncut(work: Coroutine[Any, Any, T]) -> T:
    """The result of what is done to its end, also where whoever waits for it is told to stop meanwhile.

    It has a loop of its own, since all that goes on in ours is cancelled when that ends; its end is waited for.
    """
    return await asyncio.to_thread(asyncio.run, work)


def _code(answer: Mapping[str, Any]) -> str:
    """The endpoint's own word for what is wrong, and the numbers Entra adds to it."""
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else error
    numbers = answer.get("error_codes")
    codes = [code, *(numbers if isinstance(numbers, list) else ())]
    return "".join(f", {one}" for one in codes if isinstance(one, str | int) and one)


def _seconds(value: object) -> int:
    """How long a token lasts; where that is not said it is fetched anew soon."""
    try:
        return max(0, min(int(float(str(value))), LONGEST_SECONDS))
    except (ValueError, OverflowError):
        return UNTOLD_SECONDS
