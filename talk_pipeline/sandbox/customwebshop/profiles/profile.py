"""What a profile is: the shop's part of a gateway, made of addresses, a door and a form of refusal.

A profile sees calls and records; it has no rules of its own on what a customer, a product or an order may be.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar
from urllib.parse import unquote

from talk_pipeline.sandbox.customwebshop.errors import ShopError, unknown
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.limits import TooMany
from talk_pipeline.sandbox.settings import Setting

Handler = Callable[..., Answer]
"""Takes the call and the keys in its path."""
Routes = Mapping[str, Mapping[str, Handler]]
"""Path pattern below the base -> method -> handler; the first pattern that fits decides."""

KEY = "{id}"
CODES: Mapping[int, str] = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "duplicate",
    412: "stale",
    429: "throttled",
}


class Profile(ABC):
    """A wire shape of the shop; what the gateway hands calls to.

    Attributes:
        base: what all addresses begin with.
        settings: the alternatives it has.
        most: records on a page at most.
        numeric_ids: whether ids are numbers.
        quiet: fields of records whose change moves no modified time.
        documents: whether it keeps shipments, invoices and refunds beside its orders.
        slashes: whether addresses end with a slash, and only so are found.
        open_paths: whole paths that need no credentials and count towards no limit.
    """

    base: ClassVar[str]
    most: ClassVar[int]
    settings: ClassVar[tuple[Setting, ...]] = ()
    numeric_ids: ClassVar[bool] = False
    quiet: ClassVar[frozenset[str]] = frozenset()
    documents: ClassVar[bool] = False
    slashes: ClassVar[bool] = False
    open_paths: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._routes = [
            (tuple((pattern if pattern in self.open_paths else self.base + pattern).split("/")), methods)
            for pattern, methods in self.routes().items()
        ]

    # -- what a profile says ----------------------------------------------------------------------------------

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """What a client needs to be let in, by the names of its settings."""

    @abstractmethod
    def routes(self) -> Routes:
        """The addresses."""

    @abstractmethod
    def knows(self, call: Call) -> bool:
        """Whether the call carries what lets it in."""

    @abstractmethod
    def refusal(self, error: ShopError) -> Answer:
        """A refusal in this profile's words."""

    # -- what the gateway asks --------------------------------------------------------------------------------

    def admits(self, call: Call) -> Answer | None:
        """None if the caller may enter, else the refusal."""
        return None if call.path in self.open_paths or self.knows(call) else self.refuse(401)

    def revoke(self, call: Call) -> None:  # noqa: B027, most keys cannot expire
        """Make the token of this call worthless; what cannot expire is refused this once."""

    def caller(self, call: Call) -> str:
        """Whose budget the call counts in: a shop's limits hold for all together."""
        return ""

    def weight(self, call: Call) -> int:
        """Each call counts as one, but for those that fetch a token."""
        return 0 if call.path in self.open_paths else 1

    def template(self, path: str) -> str:
        """The path with its keys taken out."""
        found = self._find(unquote(path))
        return "/".join(found[0]) if found else unquote(path)

    def refuse(self, status: int, *, over: TooMany | None = None) -> Answer:
        """An answer the work is not to blame for."""
        code = CODES.get(status, "server_error" if status >= 500 else "refused")
        answer = self.refusal(ShopError(status, code, f"The request was refused with status {status}."))
        headers = dict(answer.headers)
        if over is not None:
            headers["retry-after"] = str(int(over.wait) + 1)
        return Answer(answer.status, answer.body, headers)

    async def work(self, call: Call) -> Answer:
        """Do what the call asks for."""
        try:
            return self._serve(call)
        except ShopError as error:
            return self.refusal(error)

    def _serve(self, call: Call) -> Answer:
        path = unquote(call.path)
        found = self._find(path)
        if found is None:
            raise unknown("address", path)
        pattern, methods = found
        handler = methods.get(call.method)
        if handler is None:
            raise ShopError(405, "method_not_allowed", f"This address takes {', '.join(methods)}.")
        steps = zip(pattern, path.split("/"), strict=False)
        return handler(call, *(step for part, step in steps if part == KEY))

    def _find(self, path: str) -> tuple[tuple[str, ...], Mapping[str, Handler]] | None:
        steps = (path if self.slashes else path.rstrip("/")).split("/")
        for pattern, methods in self._routes:
            if len(pattern) == len(steps) and all(
                step if part == KEY else part == step for part, step in zip(pattern, steps, strict=True)
            ):
                return pattern, methods
        return None
