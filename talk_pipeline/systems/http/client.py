"""Requests to one system."""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self
from urllib.parse import urljoin

import httpx
from httpx_retries import Retry

from talk_pipeline.redaction import redacted_body
from talk_pipeline.stopping import StoppedError, bounded
from talk_pipeline.systems.errors import (
    AccessFault,
    ConfigurationFault,
    DeniedFault,
    ForeignHostFault,
    UnavailableFault,
    UnreachableFault,
)
from talk_pipeline.systems.http.again import NOT_SENT, let_in, questions, writes
from talk_pipeline.systems.http.answer import Answer, OutcomeUnknownError, Wire
from talk_pipeline.systems.http.applications import Application, lane_of, least_busy
from talk_pipeline.systems.http.clock import ServerClock
from talk_pipeline.systems.http.limits import Flight, Limits
from talk_pipeline.systems.http.located import located

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
WRITE_SECONDS = 630.0
"""A gateway gives up after ten minutes and says so; what is given up sooner here has to wait longer afterwards."""


class Http:
    """A client for one system.

    Args:
        name: of the system, for messages.
        base_url: before every path; a query in it goes along with every request.
        applications: each request is made by one of them.
        limits: what the system allows each application.
        longest_seconds: how long after it left a request may be at work there, at most.
        headers: sent with every request.
        throttled: statuses beside 429 that say: slower.
        address_setting: the variable that holds the address.
        wire: how bodies go over the line, where that is not as JSON.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        applications: Sequence[Application] = (Application(),),
        limits: Limits,
        longest_seconds: float,
        headers: Mapping[str, str] | None = None,
        throttled: Sequence[int] = (),
        address_setting: str = "",
        wire: Wire | None = None,
    ) -> None:
        self.name = name
        address, _, self.query = base_url.partition("?")
        self.base_url = address.rstrip("/")
        self._clock = ServerClock()
        self.longest_seconds = longest_seconds
        self._wire = wire
        self.content_type = httpx.Headers(headers or {}).get("Content-Type")
        self._address_setting = address_setting
        self._questions, self._writes = questions(throttled), writes(throttled)
        self._lanes = [
            lane_of(
                application,
                system=name,
                address=self.base_url,
                limits=limits,
                measure=self._clock.measure,
                headers=headers,
                retry=self._questions,
                timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            )
            for application in applications
        ]
        self.in_flight = limits.in_flight * len(self._lanes)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for lane in self._lanes:
            await self._open.enter_async_context(lane.client)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.__aexit__(kind, error, trace)

    @property
    def skew_seconds(self) -> float:
        """How far the server's clock is ahead of ours."""
        return self._clock.skew_seconds

    async def read(
        self,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        answers: Collection[object] = (),
    ) -> Answer:
        """A GET, or a POST that asks with a JSON body, repeated as long as that may help.

        Args:
            path: below the base address, or a whole address.
            headers: in addition to the client's own.
            content: the body.
            answers: what whoever asks understands, statuses among it, which others would ask again for.

        Raises:
            UnavailableFault: no answer, or none to the question, after all retries.
            AccessFault: the credentials are not accepted.
        """
        retry = self._questions
        if answers:
            retry = retry.copy_with(status_forcelist=retry.status_forcelist.difference(answers))
        try:
            if content is None:
                answer = await self._send("GET", path, headers=headers, retry=retry)
            else:
                headers = {"Content-Type": self.content_type or "application/json", **(headers or {})}
                answer = await self._send("POST", path, content=content, headers=headers, retry=retry)
        except httpx.DecodingError as error:
            what = f"answers {path} with what cannot be unpacked: {error}"
            raise UnavailableFault(f"{self.name} at {self.base_url} {what}") from error
        except (httpx.HTTPError, OutcomeUnknownError) as error:
            raise UnreachableFault(self._unreachable(error)) from error
        if answer.status in retry.status_forcelist:
            raise UnavailableFault(f"{self.name} at {self.base_url} answers {answer.status} again and again")
        if answer.redirects:
            raise ForeignHostFault(self._elsewhere(answer))
        if answer.too_deep:
            raise UnavailableFault(f"{self.name} answers {path} with data nested too deep to be read")
        if answer.ok and (wrong := answer.no_text):
            raise UnavailableFault(f"{self.name} answers {path} with {wrong}")
        return answer

    def following(self, source: str, link: str, *, context: str | None = None) -> str:
        """The whole address of a link in an answer.

        Args:
            source: path or address whose answer it is.
            link: whole or relative.
            context: what the answer says it is relative to; by default it is to the address asked.

        Raises:
            ForeignHostFault: it leads to another host.
        """
        within = self._url(source)
        try:
            return self._url(urljoin(urljoin(within, context) if context else within, link))
        except ValueError as error:
            raise ConfigurationFault(f"{self.name}: {link!r} is not an address: {error}") from error

    async def write(
        self,
        method: str,
        path: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        weight: int = 1,
        leaving: Callable[[], None] | None = None,
        own_word: Callable[[Answer], bool] | None = None,
    ) -> Answer:
        """A request that changes something, sent once unless it was certainly not carried out.

        Args:
            method: POST, PATCH, PUT or DELETE.
            path: below the base address, or a whole address.
            content: the body.
            headers: in addition to the client's own.
            weight: how many requests it counts as against the limit.
            leaving: called just before it is handed to the wire, each time that is tried.
            own_word: tells of a refusal (403) whether it is the system's word about what was asked; else it is
                taken for one about who asks.

        Raises:
            OutcomeUnknownError: it left, and no answer came, or none of the system itself.
            UnavailableFault: it never left.
            AccessFault: the credentials are not accepted.
        """
        left = False

        def leaves() -> None:
            nonlocal left
            if leaving:
                leaving()
            left = True

        patience = httpx.Timeout(
            max(READ_SECONDS, min(self.longest_seconds, WRITE_SECONDS)), connect=CONNECT_SECONDS
        )
        try:
            answer = await self._send(
                method,
                path,
                content=content,
                headers=headers,
                retry=self._writes,
                weight=weight,
                leaving=leaves,
                own_word=own_word,
                timeout=patience,
            )
        except NOT_SENT as error:
            raise UnreachableFault(self._unreachable(error)) from error
        except httpx.HTTPError as error:
            if not left:  # such as no answer from where the token comes from
                raise UnreachableFault(self._unreachable(error)) from error
            raise OutcomeUnknownError(f"no answer: {_reason(error)}") from error
        if answer.redirects:  # some servers redirect after they have done it
            raise OutcomeUnknownError(self._elsewhere(answer))
        if 300 <= answer.status < 400:  # of a cache, or a choice: no word of what became of it
            raise OutcomeUnknownError(f"answered {answer.status}, which is for questions")
        if answer.ok and answer.shows_page:  # a gateway's or a login's word, which looks like success
            raise OutcomeUnknownError(f"answered {answer.status} with a page instead of data")
        if answer.too_deep:
            raise OutcomeUnknownError(f"answered {answer.status} with data nested too deep to be read")
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        *,
        retry: Retry,
        weight: int = 1,
        leaving: Callable[[], None] | None = None,
        own_word: Callable[[Answer], bool] | None = None,
        **request: Any,
    ) -> Answer:
        url = self._url(path)
        flight = Flight()
        extensions = {"retry": retry, "weight": weight, "flight": flight, "leaving": leaving}
        lane = least_busy(self._lanes)
        if self._wire and (content := request.get("content") or b"")[:1] in (b"{", b"["):
            said = {"Content-Type": self._wire.content_type}
            request |= {
                "content": self._wire.told(content),
                "headers": {**(request["headers"] or {}), **said},
            }

        def ask() -> Coroutine[Any, Any, httpx.Response]:
            return lane.client.request(method, url, extensions=extensions, **request)

        try:
            with lane.used(weight):
                response = await bounded(let_in(ask, retry))
        except StoppedError as stop:
            if flight.away:
                raise OutcomeUnknownError(f"no answer before the run was stopped: {url}") from stop
            raise UnavailableFault(f"{self.name} was not asked: {stop}") from stop
        if response.status_code == httpx.codes.UNAUTHORIZED:
            see = self._see(*lane.settings)
            raise AccessFault(f"{self.name} at {self.base_url} refuses the credentials (401){see}")
        links = {str(name): str(link.get("url")) for name, link in response.links.items()}
        heard = self._wire.understood(response.content) if self._wire else response.content
        body = redacted_body(heard, is_error=not response.is_success)
        seconds = float(response.extensions.get("seconds", 0.0))
        answer = Answer(response.status_code, response.headers, body, links, seconds)
        if answer.status == httpx.codes.FORBIDDEN and not (own_word and own_word(answer)):
            who = f" ({', '.join(lane.settings)})" if lane.settings else ""
            refused = f"{method} {url.partition('?')[0].removeprefix(self.base_url)}"
            told = f"{self.name} at {self.base_url} denies access (403) to {refused}"
            raise DeniedFault(f"{told}: check its permissions{who}")
        return answer

    def _url(self, path: str) -> str:
        """Where a path is, with the query of the base address (a tenant); whole addresses as they are.

        Raises:
            ForeignHostFault: credentials go along with every request, and so to no other host.
        """
        url = located(self.base_url, path)
        if url != path and self.query:
            url = f"{url}{'&' if '?' in url else '?'}{self.query}"
        if self._origin(url) != self._origin(self.base_url):
            raise ForeignHostFault(self._foreign(f"an answer leads to {self._host(url)}"))
        return url

    def _origin(self, url: str) -> tuple[str, str, int | None]:
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ConfigurationFault(f"{self.name}: {url!r} is not an address: {error}") from error
        return parsed.scheme, parsed.host, parsed.port

    def _host(self, url: str) -> str:
        scheme, host, port = self._origin(url)
        return f"{scheme}://{host}{f':{port}' if port else ''}"

    def _elsewhere(self, answer: Answer) -> str:
        try:
            where = self._host(urljoin(self.base_url, answer.headers.get("Location", "")))
        except (ConfigurationFault, ValueError):
            where = "an address that is none"
        return self._foreign(f"it answers {answer.status} and redirects to {where}")

    def _foreign(self, what: str) -> str:
        reason = f"{what}; nothing was sent there, since credentials would go along"
        return f"{self.name} at {self.base_url}: {reason}{self._see(self._address_setting)}"

    def _unreachable(self, error: Exception) -> str:
        where = self._see(self._address_setting)
        return f"{self.name} at {self.base_url} cannot be reached: {_reason(error)}{where}"

    def _see(self, *settings: str) -> str:
        """Where to look, for whoever has to correct it."""
        named = ", ".join(filter(None, settings))
        return f": check {named}" if named else ""


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
