"""How a list of Business Central is read to its end: by the link that each page gives, as long as there is one.

Where it cannot serve a page in time, smaller ones are asked for. An error behind the rows of a page says that the
page broke off after its status was sent (an in-stream error of OData): it is no page.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from talk_pipeline.systems.businesscentral.answers import error_code, fault_of
from talk_pipeline.systems.businesscentral.values import parse
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline.systems.http import TOO_LARGE, Answer, Http
from talk_pipeline.systems.http.trail import Trail

LARGEST_PAGE = 20_000  # records (page `operational-limits-online`)
SMALLEST_PAGE = 50


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)
    context: str | None = msgspec.field(name="@odata.context", default=None)
    error: None = None


class BrokenPageFault(UnavailableFault):
    """What is answered with success is no page: cut, or somebody else's, such as that of a maintenance."""


class Lists:
    """The lists of one Business Central."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._page_size = LARGEST_PAGE

    async def pages(
        self, url: str, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Sequence[msgspec.Raw]]:
        """The records of a list as received, page by page.

        Raises:
            UnavailableFault: it breaks off, is none, or comes to no end.
        """
        trail, following = Trail(self._http.name, url), url
        while following:
            page = await self._page(following, headers or {})
            yield page.value
            following = self._after(page, following, trail)

    async def first(self, url: str) -> Sequence[msgspec.Raw]:
        """The first page of a list as received."""
        return (await self._page(url, {})).value

    async def rows(self, url: str) -> list[dict[str, Any]]:
        """All records of a list that is a short one.

        Raises:
            BrokenPageFault: what answers is no page of Business Central's API.
        """
        rows: list[dict[str, Any]] = []
        trail, following = Trail(self._http.name, url), url
        while following:
            answer = self.checked(await self._http.read(following))
            try:
                page = _read(answer)
                rows += [dict(parse(bytes(raw))) for raw in page.value]
            except (msgspec.DecodeError, ValueError, TypeError) as error:
                raise _broken(following, error) from error
            following = self._after(page, following, trail)
        return rows

    def checked(self, answer: Answer) -> Answer:
        """An answer of success.

        Raises:
            SystemFault: it is none.
        """
        if answer.ok:
            return answer
        raise fault_of(answer, self._http.base_url)

    async def _page(self, url: str, headers: Mapping[str, str]) -> _Page:
        while True:
            prefer = {"Prefer": f"odata.maxpagesize={self._page_size}"}
            answer = await self._http.read(url, headers={**headers, **prefer}, answers=TOO_LARGE)
            if answer.status not in TOO_LARGE:
                break
            if self._page_size <= SMALLEST_PAGE:
                raise UnavailableFault(f"Business Central answers {answer.status} even to small pages")
            self._page_size = max(SMALLEST_PAGE, self._page_size // 4)
        try:
            return _read(self.checked(answer))
        except msgspec.DecodeError as error:
            raise _broken(url, error) from error

    def _after(self, page: _Page, url: str, trail: Trail) -> str:
        """Where the list goes on; nowhere at its end."""
        if not page.next_link:
            return ""
        following = self._http.following(url, page.next_link, context=page.context)
        trail.goes_on(following, records=len(page.value))
        return following


def _broken(url: str, error: Exception) -> BrokenPageFault:
    return BrokenPageFault(f"Business Central answers with a broken page: {error}: {url}")


def _read(answer: Answer) -> _Page:
    """A whole page.

    Raises:
        UnavailableFault: it broke off, by Business Central's own word.
        msgspec.DecodeError: it is none.
    """
    try:
        return msgspec.json.decode(answer.body, type=_Page)
    except msgspec.DecodeError as error:
        if code := error_code(answer):
            raise UnavailableFault(f"Business Central answers with a page that broke off: {code}") from error
        raise
