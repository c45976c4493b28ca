"""The one module that knows the HTTP library: connections, tokens, retries, limits, measured clocks.

Everything else sees `Http` and `Answer`, so that the library can be exchanged here. Retries are for reads, and
for writes only where the request was certainly not carried out (429, or never sent).
"""

import asyncio
import email.utils
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import httpx_auth
from filelock import FileLock, Timeout
from httpx_retries import Retry, RetryTransport
from pydantic import SecretStr
from pyrate_limiter import Limiter, Rate, SQLiteBucket

from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, UnavailableFault

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
RETRIES = 5
WINDOW_MARGIN_MS = 1000
SLOT_POLL_SECONDS = 0.01
TRANSIENT = (429, 500, 502, 503)
TOO_LARGE = (408, 413, 504)  # ask for less before asking again

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class OutcomeUnknownError(Exception):
    """A request left and no answer came: it may or may not have been carried out."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a system allows one client: requests in a sliding window, and at once.

    Attributes:
        folder: in which every process of this installation counts together.
    """

    requests: int
    window_seconds: float
    in_flight: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """How a client proves who it is: a fixed bearer token, or OAuth2 client credentials."""

    token: SecretStr | None = None
    token_url: str | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300


class Http:
    """A client for one system."""

    def __init__(self, name: str, base_url: str, *, credentials: Credentials, limits: Limits) -> None:
        self.name = name
        address, _, self._query = base_url.partition("?")
        self.base_url = address.rstrip("/")
        self.skew_seconds = 0.0
        self._gate = _Gate(limits, self._measure)
        self._client = httpx.AsyncClient(
            auth=_auth(credentials),
            transport=RetryTransport(self._gate, retry=_READS),
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def read(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A GET, repeated as long as that may help.

        Raises:
            UnavailableFault: no answer, or still refused for the moment after all retries.
            AccessFault: the credentials are not accepted.
        """
        try:
            answer = await self._send("GET", path, params=params, headers=headers, retry=_READS)
        except httpx.HTTPError as error:
            raise UnavailableFault(self._unreachable(error)) from error
        if answer.status in TRANSIENT:
            raise UnavailableFault(f"{self.name} at {self.base_url} answers {answer.status} again and again")
        return answer

    async def write(
        self,
        method: str,
        path: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        weight: int = 1,
    ) -> Answer:
        """A request that changes something, sent once unless it was certainly not carried out.

        Args:
            method: POST, PATCH, PUT or DELETE.
            path: below the base address, or a whole address.
            content: the body.
            headers: in addition to the client's own.
            weight: how many requests it counts as against the limit.

        Raises:
            OutcomeUnknownError: it left, and no answer came.
            UnavailableFault: it never left.
            AccessFault: the credentials are not accepted.
        """
        try:
            return await self._send(
                method, path, content=content, headers=headers, retry=_WRITES, weight=weight
            )
        except _NOT_SENT as error:
            raise UnavailableFault(self._unreachable(error)) from error
        except httpx.HTTPError as error:
            raise OutcomeUnknownError(f"no answer: {_reason(error)}") from error

    async def _send(self, method: str, path: str, *, retry: Retry, weight: int = 1, **request: Any) -> Answer:
        url = self._url(path)
        extensions = {"retry": retry, "weight": weight}
        for attempt in (1, 2):
            try:
                response = await self._client.request(method, url, extensions=extensions, **request)
            except httpx_auth.HttpxAuthException as error:
                raise AccessFault(
                    f"{self.name}: the token endpoint gives no token for these credentials"
                ) from error
            except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ConfigurationFault(f"{self.name}: {url!r} is not an address: {error}") from error
            if response.status_code != httpx.codes.UNAUTHORIZED:
                break
            if attempt == 2 or not isinstance(self._client.auth, _ClientCredentials):
                raise AccessFault(f"{self.name} at {self.base_url} refuses the credentials (401)")
            httpx_auth.OAuth2.token_cache.clear()
        if response.status_code == httpx.codes.FORBIDDEN:
            raise AccessFault(f"{self.name} at {self.base_url} denies access (403): check its permissions")
        return Answer(response.status_code, response.headers, response.content)

    def _url(self, path: str) -> str:
        """Below the base address, with the query it was given (such as a tenant); whole addresses as they are."""
        if path.startswith(("http://", "https://")):
            return path
        joined = f"{self.base_url}{path}"
        return f"{joined}{'&' if '?' in path else '?'}{self._query}" if self._query else joined

    def _unreachable(self, error: Exception) -> str:
        return f"{self.name} at {self.base_url} cannot be reached: {_reason(error)}"

    def _measure(self, response: httpx.Response, *, sent: float, received: float) -> None:
        """The server's clock against ours, to the precision of its Date header."""
        if date := response.headers.get("Date"):
            try:
                server = email.utils.parsedate_to_datetime(date).timestamp()
            except ValueError:
                return
            skew = server + 0.5 - (sent + received) / 2
            self.skew_seconds = skew if abs(skew) > 1.5 else 0.0


_READS = Retry(
    total=RETRIES,
    allowed_methods=["GET", "HEAD"],
    status_forcelist=TRANSIENT,
    backoff_factor=0.3,
    max_backoff_wait=60,
)
_WRITES = Retry(
    total=RETRIES,
    allowed_methods=["POST", "PATCH", "PUT", "DELETE"],
    status_forcelist=[429],
    retry_on_exceptions=_NOT_SENT,
    backoff_factor=0.5,
    max_backoff_wait=300,
)


class _Gate(httpx.AsyncBaseTransport):
    """Lets through what the limits allow, each attempt counted, and times the answers."""

    def __init__(self, limits: Limits, measure: Callable[..., None]) -> None:
        self._transport = httpx.AsyncHTTPTransport(
            verify=_trusted(),
            limits=httpx.Limits(max_connections=limits.in_flight * 2, keepalive_expiry=30),
        )
        self._measure = measure
        limits.folder.mkdir(parents=True, exist_ok=True)
        self._slots = _Slots(limits.folder, limits.in_flight)
        # the server's window starts when a request arrives, a little after we counted it
        window = limits.window_seconds * 1000 + WINDOW_MARGIN_MS
        bucket = SQLiteBucket.init_from_file(
            [Rate(limits.requests, int(window))],
            table="requests",
            db_path=str(limits.folder / "requests.sqlite"),
            use_file_lock=True,
        )
        self._limiter = Limiter(bucket)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        async with self._slots.one():
            await self._limiter.try_acquire_async("request", weight=int(request.extensions.get("weight", 1)))
            sent = time.time()
            response = await self._transport.handle_async_request(request)
            await response.aread()
            self._measure(response, sent=sent, received=time.time())
            return response

    async def aclose(self) -> None:
        self._limiter.close()
        await self._transport.aclose()


class _Slots:
    """How many requests may be under way at once, counted over every process of the installation.

    A slot is a lock on a file, which the kernel drops with its process.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self._locks = [FileLock(folder / f"slot-{at}.lock", is_singleton=False) for at in range(count)]
        self._free = asyncio.Semaphore(count)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Waits for a slot and holds it."""
        async with self._free:
            lock = self._take()
            while lock is None:
                await asyncio.sleep(SLOT_POLL_SECONDS)
                lock = self._take()
            try:
                yield
            finally:
                lock.release()

    def _take(self) -> FileLock | None:
        for lock in self._locks:
            if not lock.is_locked:
                with suppress(Timeout):
                    lock.acquire(blocking=False)
                    return lock
        return None


class _ClientCredentials(httpx_auth.OAuth2ClientCredentials):
    """Sends id and secret in the form, as Entra documents, and not as basic authentication too."""

    def _configure_client(self, client: httpx.Client) -> None:
        client.timeout = httpx.Timeout(CONNECT_SECONDS)
        client.event_hooks = {"response": [_require_service]}


def _require_service(response: httpx.Response) -> None:
    """A token endpoint that is overloaded says nothing about the credentials."""
    if response.status_code == 429 or response.status_code >= 500:
        raise UnavailableFault(f"the token endpoint {response.url} answers {response.status_code}")


class _Bearer(httpx.Auth):
    def __init__(self, token: SecretStr) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Any:
        request.headers["Authorization"] = f"Bearer {self._token.get_secret_value()}"
        yield request


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates to trust, read once: that takes longer than a request."""
    return httpx.create_ssl_context()


def _auth(credentials: Credentials) -> httpx.Auth:
    if credentials.token is not None:
        return _Bearer(credentials.token)
    if not (credentials.token_url and credentials.client_id and credentials.client_secret):
        raise ConfigurationFault("neither a token nor complete client credentials are set")
    secret = credentials.client_secret.get_secret_value()
    auth = _ClientCredentials(credentials.token_url, credentials.client_id, secret, scope=credentials.scope)
    auth.data |= {"client_id": credentials.client_id, "client_secret": secret}
    return auth


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
