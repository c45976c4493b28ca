"""A shop that wraps everything up: envelopes, sessions, links, whole objects, local times.

What to know of it: every address ends with a slash; an update is a PUT of the whole object, and what it leaves out
becomes blank; what the shop sets itself may be left out, but not changed. Times are local (Europe/Copenhagen) and
say no zone, so that one hour a year comes twice. ``Last-Modified`` and ``If-Unmodified-Since`` see no change within
the same second, ``changedAfter`` leaves the second it names out. Deleted records are in a list of their own.
Fields there are not are refused, parameters ignored.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from typing import Any
from urllib.parse import urlencode

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.clock import from_datetime
from talk_pipeline.sandbox.customwebshop.errors import ShopError, malformed
from talk_pipeline.sandbox.customwebshop.fields import SINGULAR
from talk_pipeline.sandbox.customwebshop.profiles import doors, slices
from talk_pipeline.sandbox.customwebshop.profiles import enveloped_shapes as shapes
from talk_pipeline.sandbox.customwebshop.profiles.bodies import document_of, json_answer, query_of
from talk_pipeline.sandbox.customwebshop.profiles.forms import local_time, moment_of, read_local_time
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile, Routes
from talk_pipeline.sandbox.customwebshop.profiles.records import Records
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.customwebshop.webhooks import EVENTS, SETTINGS, Message, digest
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.store import Row

USER = "sandbox"  # opens nothing but a sandbox
PASSWORD = "sandbox-password"
_LOGINS = frozenset({"/api/session", "/api/session/"})
_HALF_HOUR = 1800
_USUAL = 50
_OPS = {"created": "created", "updated": "changed", "deleted": "deleted"}


class Enveloped(Profile):
    """The profile."""

    base = "/api"
    most = 100
    settings = SETTINGS
    slashes = True
    open_paths = _LOGINS

    def __init__(self, shop: Shop) -> None:
        customers = shop.entities["customers"].table
        made = {
            "customers": shapes.CUSTOMERS,
            "products": shapes.PRODUCTS,
            "orders": shapes.orders(lambda key: customers.rows[key]["number"]),
        }
        self._records = {name: Records(shop, name, shape) for name, shape in made.items()}
        self._sessions = doors.Passes(shop.clock, _HALF_HOUR)
        super().__init__(shop)
        shop.webhooks.message = _message

    def environment(self) -> dict[str, str]:
        """User and password."""
        return {"CUSTOMWEBSHOP_USER": USER, "CUSTOMWEBSHOP_PASSWORD": PASSWORD}

    def knows(self, call: Call) -> bool:
        """By a session that has not ended."""
        return self._sessions.valid(call.header("x-session"))

    def revoke(self, call: Call) -> None:
        """End the session."""
        self._sessions.revoke(call.header("x-session"))

    def refusal(self, error: ShopError) -> Answer:
        """``{"errors": [{"id", "detail", "source"}]}``."""
        entry = {"id": error.code, "detail": error.message, "source": error.field}
        return json_answer(error.status, {"errors": [entry]})

    def routes(self) -> Routes:
        """Sessions, customers, products, orders, deletions and webhooks."""
        routes: dict[str, Any] = {path: {"POST": self._login} for path in sorted(_LOGINS)}
        for name, records in self._records.items():
            routes[f"/{name}/"] = {"GET": partial(self._list, records), "POST": partial(self._add, records)}
            routes[f"/{name}/{{id}}/"] = {
                "GET": partial(self._show, records),
                "PUT": partial(self._put, records),
                "DELETE": partial(self._delete, records),
            }
        routes["/deletions/"] = {"GET": self._deletions}
        routes["/hooks/"] = {"GET": self._hooks, "POST": self._subscribe}
        routes["/hooks/{id}/"] = {"DELETE": self._unsubscribe}
        return routes

    def _login(self, call: Call) -> Answer:
        document = document_of(call)
        if (document.get("user"), document.get("password")) != (USER, PASSWORD):
            raise ShopError(401, "unauthorized", "User and password do not match.")
        return json_answer(200, {"session": {"token": self._sessions.issue()}})

    # -- reading ----------------------------------------------------------------------------------------------

    def _list(self, records: Records, call: Call) -> Answer:
        query = query_of(call)
        most = self.shop.page_size(self.most)
        size = slices.number(query, "limit", min(_USUAL, most), least=1, most=most)
        rows = sorted(records.rows(), key=slices.by_id)
        if "changedAfter" in query:
            after = _moment(query, "changedAfter")
            rows = [row for row in rows if _second(row) > after]
        if "cursor" in query:
            rows = [row for row in rows if slices.by_id(row) > slices.by_id({"id": query["cursor"]})]
        page = rows[:size]
        documents = [_wrapped(records, row) for row in page]
        headers = {}
        if len(rows) > size:
            following = urlencode({**query, "cursor": page[-1]["id"]})
            headers["link"] = f'<{self.base}/{records.name}/?{following}>; rel="next"'
        return json_answer(200, {"result": {records.name: documents}}, headers=headers)

    def _show(self, records: Records, _call: Call, key: str) -> Answer:
        return _answer(200, records, records.get(key))

    def _deletions(self, call: Call) -> Answer:
        query = query_of(call)
        records = self._records.get(query.get("entity", ""))
        if records is None:
            raise malformed(f"entity is one of {', '.join(self._records)}.", field="entity")
        after = _moment(query, "after") if query.get("after") else 0
        rows = [row for row in records.entities.table.in_order() if row["deleted_at"] is not None]
        found = [
            {"id": row["id"], "at": local_time(moment_of(row["deleted_at"]))}
            for row in rows
            if moment_of(row["deleted_at"]) // 1000 > after
        ]
        return json_answer(200, {"result": {"deletions": found}})

    # -- writing ----------------------------------------------------------------------------------------------

    def _add(self, records: Records, call: Call) -> Answer:
        row, writes = records.add(records.shape.read(_unwrapped(records, call), None))
        answer = _answer(201, records, row)
        headers = {**answer.headers, "location": f"{self.base}/{records.name}/{row['id']}/"}
        return Answer(201, answer.body, headers, writes)

    def _put(self, records: Records, call: Call, key: str) -> Answer:
        row = records.get(key)
        _check_unmodified(call, row)
        document = _unwrapped(records, call)
        row, writes = records.change(row, records.shape.read(document, row, whole=True))
        answer = _answer(200, records, row)
        return Answer(200, answer.body, answer.headers, writes)

    def _delete(self, records: Records, call: Call, key: str) -> Answer:
        row = records.get(key)
        _check_unmodified(call, row)
        return Answer(204, writes=records.remove(row))

    # -- webhooks ---------------------------------------------------------------------------------------------

    def _hooks(self, _call: Call) -> Answer:
        return json_answer(200, {"result": {"hooks": [_hook(row) for row in self.shop.webhooks.rows()]}})

    def _subscribe(self, call: Call) -> Answer:
        document = document_of(call)
        with self.shop.store.transaction():
            row = self.shop.webhooks.add(
                url=document.get("target"), events=list(EVENTS), secret=document.get("secret")
            )
        return json_answer(201, _hook(row))

    def _unsubscribe(self, _call: Call, key: str) -> Answer:
        with self.shop.store.transaction():
            self.shop.webhooks.delete(key)
        return Answer(204)


def _hook(row: Row) -> Row:
    return {"hook": {"id": row["id"], "target": row["url"]}}


def _message(hook: Row, event: str, row: Row) -> Message:
    resource, _, verb = event.partition(".")
    kind = next(name for name, singular in SINGULAR.items() if singular == resource)
    body = wire.write({"type": kind, "op": _OPS[verb], "object": {"id": row["id"]}})
    return body, {"X-Hub-Signature-256": base64.b64encode(digest(hook, body)).decode()}


def _second(row: Row) -> int:
    return moment_of(row["updated_at"]) // 1000


def _moment(query: Mapping[str, str], name: str) -> int:
    """The second a parameter names in local time."""
    try:
        return read_local_time(query[name]) // 1000
    except ValueError as error:
        raise malformed(f"{name} is a time like 2026-03-02 11:11:12.", field=name) from error


def _wrapped(records: Records, row: Row) -> Row:
    return {SINGULAR[records.name]: records.shape.show(row)}


def _unwrapped(records: Records, call: Call) -> Mapping[str, Any]:
    inner = document_of(call).get(SINGULAR[records.name])
    if not isinstance(inner, Mapping):
        raise malformed(f"The body holds no {SINGULAR[records.name]}.")
    return inner


def _answer(status: int, records: Records, row: Row) -> Answer:
    modified = {"last-modified": formatdate(_second(row), usegmt=True)}
    return json_answer(status, _wrapped(records, row), headers=modified)


def _check_unmodified(call: Call, row: Row) -> None:
    given = call.header("if-unmodified-since")
    if given is None:
        return
    try:
        moment = from_datetime(parsedate_to_datetime(given)) // 1000
    except (ValueError, TypeError) as error:
        raise malformed("If-Unmodified-Since holds no date.") from error
    if _second(row) > moment:
        raise ShopError(412, "stale", "The record has changed; read it again.")
