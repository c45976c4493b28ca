"""How to talk to the shop under each profile: one client, and what tests of all profiles need of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline.systems.http.way import trusted
from talk_pipeline_tests.sandbox.clients import Control, Record, read

_WRITE = msgspec.json.Encoder(decimal_format="number")


class Wire:
    """The shop with the credentials of its profile."""

    def __init__(self, sandbox: Sandbox, speech: Speech) -> None:
        self.environment = sandbox.environment()
        self.root = self.environment["CUSTOMWEBSHOP_URL"]
        self.speech = speech
        self.control = Control(self.root)
        self.stranger = httpx.Client(
            base_url=self.root + speech.base, trust_env=False, timeout=30, verify=trusted()
        )
        self._http = httpx.Client(
            base_url=self.root + speech.base, trust_env=False, timeout=30, verify=trusted()
        )
        self.enter()

    def enter(self) -> None:
        """Fetch what lets a call in."""
        self.speech.enter(self._http, self.environment)

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> httpx.Response:
        sent = {"Content-Type": content_type} if document is not None else {}
        content = None if document is None else _WRITE.encode(document)
        return self._http.request(method, path, content=content, headers={**sent, **(headers or {})})

    def get(self, path: str) -> Any:
        response = self.call("GET", path)
        assert response.status_code == 200, response.text
        return read(response)

    def done(self, method: str, path: str, document: Any = None, **more: Any) -> Any:
        """The answer to a write that must work; None without a body."""
        response = self.call(method, path, document, **more)
        assert response.status_code < 300, (response.status_code, response.text)
        return read(response) if response.content else None

    # -- the shop's users, in the words of the reference -------------------------------------------------------

    def made(self, name: str, /, **values: Any) -> Record:
        return dict(self.control("POST", f"/records/{name}", {"values": values}))

    def customer(self, **values: Any) -> Record:
        return self.made("customers", **{"company_name": "Tågehorn Handel ApS", **values})

    def product(self, **values: Any) -> Record:
        return self.made("products", **{"sku": "CHR-1", "name": "Klapstol", "price": "100.00", **values})

    def order(self, *lines: Record, **values: Any) -> Record:
        if "customer_id" not in values:
            values["customer_id"] = self.customer()["id"]
        return self.made("orders", lines=[*lines], **values)

    def record(self, name: str, key: Any) -> Record:
        """The record as the back office sees it."""
        return dict(self.control("GET", f"/records/{name}/{key}"))

    def edited(self, name: str, key: Any, /, *, seconds_ago: float = 0, **values: Any) -> Record:
        wish = {"values": values, "modified_seconds_ago": seconds_ago}
        return dict(self.control("PATCH", f"/records/{name}/{key}", wish))

    def close(self) -> None:
        self.control.close()
        self.stranger.close()
        self._http.close()


@dataclass(frozen=True)
class Speech:
    """What is said differently under each profile.

    Attributes:
        base: what addresses begin with.
        enter: gives a client its credentials.
        lists: what the sets are called.
        walk: all ids of a set, page by page.
        show: a whole record.
        write: puts a record back that was shown, perhaps with changes.
        company: where a customer's company name stands.
    """

    base: str
    enter: Callable[[httpx.Client, Mapping[str, str]], None]
    lists: Mapping[str, str]
    walk: Callable[[Wire, str], list[Any]]
    show: Callable[[Wire, str, str], Record]
    write: Callable[[Wire, str, str, Record], httpx.Response]
    company: str


# -- woocommerce ---------------------------------------------------------------------------------------------------


def _enter_woocommerce(http: httpx.Client, environment: Mapping[str, str]) -> None:
    http.auth = (environment["CUSTOMWEBSHOP_KEY"], environment["CUSTOMWEBSHOP_SECRET"])


def _walk_woocommerce(wire: Wire, name: str) -> list[Any]:
    found: list[Any] = []
    path: str | None = f"{name}?per_page=7&orderby=id"
    while path:
        response = wire.call("GET", path)
        found += [record["id"] for record in read(response)]
        path = response.links.get("next", {}).get("url")
    return found


# -- cents ---------------------------------------------------------------------------------------------------------


def _enter_cents(http: httpx.Client, environment: Mapping[str, str]) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["CUSTOMWEBSHOP_CLIENT_ID"],
        "client_secret": environment["CUSTOMWEBSHOP_CLIENT_SECRET"],
    }
    answer = httpx.post(f"{environment['CUSTOMWEBSHOP_URL']}/oauth/token", data=form, trust_env=False)
    http.headers["Authorization"] = f"Bearer {read(answer)['access_token']}"


def _walk_cents(wire: Wire, name: str) -> list[Any]:
    found: list[Any] = []
    number, last = 0, 1
    while number < last:
        page = wire.get(f"{name}?page={number}&page_size=7")
        found += [record["id"] for record in page["items"] if record["state"] == "live"]
        number, last = number + 1, page["page"]["pages"]
    return found


# -- enveloped -----------------------------------------------------------------------------------------------------


def _enter_enveloped(http: httpx.Client, environment: Mapping[str, str]) -> None:
    login = {
        "user": environment["CUSTOMWEBSHOP_USER"],
        "password": environment["CUSTOMWEBSHOP_PASSWORD"],
    }
    answer = httpx.post(f"{environment['CUSTOMWEBSHOP_URL']}/api/session", json=login, trust_env=False)
    http.headers["X-Session"] = read(answer)["session"]["token"]


def _walk_enveloped(wire: Wire, name: str) -> list[Any]:
    found: list[Any] = []
    path: str | None = f"{name}/?limit=7"
    while path:
        response = wire.call("GET", path)
        found += [entry[name[:-1]]["id"] for entry in read(response)["result"][name]]
        following = response.links.get("next", {}).get("url")
        path = f"{wire.root}{following}" if following else None
    return found


def write_enveloped(wire: Wire, name: str, key: str, record: Record, **headers: str) -> httpx.Response:
    """Put a record back as it was shown, with the ids of others where they are written."""
    sent = _by_id(record)
    if "rows" in sent:
        sent["rows"] = [_by_id(row) for row in sent["rows"]]
    return wire.call("PUT", f"{name}/{key}/", {name[:-1]: sent}, headers=headers)


def _by_id(record: Record) -> Record:
    ids = {f"{name}_id": record[name]["id"] for name in ("customer", "product") if record.get(name)}
    return {**record, **ids}


# -- bare ----------------------------------------------------------------------------------------------------------

BARE = {"customers": "clients", "products": "articles", "orders": "purchases"}


def _enter_bare(http: httpx.Client, environment: Mapping[str, str]) -> None:
    def with_key(request: httpx.Request) -> httpx.Request:  # parameters of the client would replace a query
        request.url = request.url.copy_add_param("api_key", environment["CUSTOMWEBSHOP_API_KEY"])
        return request

    http.auth = with_key


def _walk_bare(wire: Wire, name: str) -> list[Any]:
    found: list[Any] = []
    while page := wire.get(f"{BARE[name]}?offset={len(found)}&count=7"):
        found += [record["id"] for record in page]
    return found


def _show_bare(wire: Wire, name: str, key: str) -> Record:
    record = dict(wire.get(f"{BARE[name]}/{key}"))
    return {**record, "rows": wire.get(f"purchases/{key}/rows")} if name == "orders" else record


def _write_bare(wire: Wire, name: str, key: str, record: Record) -> httpx.Response:
    path, record = f"{BARE[name]}/{key}", dict(record)
    if name == "customers":
        for part in ("contacts", "addresses"):
            wire.done("PUT", f"{path}/{part}", record.pop(part))
        return wire.call("PUT", path, record)
    for row in record.pop("rows", []):
        wire.done("PATCH", f"{path}/rows/{row['id']}", row)
    return wire.call("PATCH", path, record)


# -- liar ----------------------------------------------------------------------------------------------------------


def _enter_liar(http: httpx.Client, environment: Mapping[str, str]) -> None:
    http.headers["X-Api-Key"] = environment["CUSTOMWEBSHOP_API_KEY"]


def _walk_liar(wire: Wire, name: str) -> list[Any]:
    found: list[Any] = []
    path: str | None = f"{name}?limit=7"
    while path:
        page = wire.get(path)
        found += [record["id"] for record in page["records"]]
        path = page["next"]
    return found


_SAME = {"customers": "customers", "products": "products", "orders": "orders"}

SPEECHES: dict[str, Speech] = {
    "woocommerce": Speech(
        base="/wp-json/wc/v3/",
        enter=_enter_woocommerce,
        lists=_SAME,
        walk=_walk_woocommerce,
        show=lambda wire, name, key: dict(wire.get(f"{name}/{key}")),
        write=lambda wire, name, key, record: wire.call("PUT", f"{name}/{key}", record),
        company="billing.company",
    ),
    "cents": Speech(
        base="/rest/2/",
        enter=_enter_cents,
        lists=_SAME,
        walk=_walk_cents,
        show=lambda wire, name, key: dict(wire.get(f"{name}/{key}")),
        write=lambda wire, name, key, record: wire.call("PATCH", f"{name}/{key}", record),
        company="company",
    ),
    "enveloped": Speech(
        base="/api/",
        enter=_enter_enveloped,
        lists=_SAME,
        walk=_walk_enveloped,
        show=lambda wire, name, key: dict(wire.get(f"{name}/{key}/")[name[:-1]]),
        write=write_enveloped,
        company="company",
    ),
    "bare": Speech(
        base="/shop/",
        enter=_enter_bare,
        lists=BARE,
        walk=_walk_bare,
        show=_show_bare,
        write=_write_bare,
        company="name",
    ),
    "liar": Speech(
        base="/v2/",
        enter=_enter_liar,
        lists=_SAME,
        walk=_walk_liar,
        show=lambda wire, name, key: dict(wire.get(f"{name}/{key}")),
        write=lambda wire, name, key, record: wire.call("POST", f"{name}/{key}", record),
        company="profile.company_name",
    ),
}
