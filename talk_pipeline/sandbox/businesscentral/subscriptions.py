"""Subscriptions to changes: made after a handshake with the receiver, gone three days later unless renewed.

They lie under no company. What is sent to the receivers is in `notices`.
"""

from __future__ import annotations

import re
import secrets
import uuid
from typing import Any
from urllib.parse import quote

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import bodies, errors, etags, reading
from talk_pipeline.sandbox.businesscentral.bodies import Body
from talk_pipeline.sandbox.businesscentral.notices import Notices
from talk_pipeline.sandbox.businesscentral.options import read_options
from talk_pipeline.sandbox.businesscentral.schema import EntitySet
from talk_pipeline.sandbox.businesscentral.service import Central
from talk_pipeline.sandbox.businesscentral.tokens import CLIENT_ID
from talk_pipeline.sandbox.businesscentral.urls import Segment, segments_of
from talk_pipeline.sandbox.businesscentral.views import View, all_properties
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.outbound import call_out
from talk_pipeline.sandbox.store import Row

LIFETIME_MS = 3 * 24 * 3600 * 1000
_MAXIMUM = 200
_HANDSHAKE_TIMEOUT = 5.0
_RESOURCE = re.compile(r"(.*?/?)companies\(([0-9a-fA-F-]{36})\)/(\w+)/?")


class Subscriptions:
    """The set ``subscriptions``."""

    def __init__(self, central: Central, notices: Notices) -> None:
        self._central = central
        self._notices = notices
        self._company = central.directory.root.company
        self._set: EntitySet = self._company.set("subscriptions")

    async def answer(self, call: Call, path: str, root: str, api: str) -> Answer:
        """Carry out one call."""
        try:
            segments = segments_of(path)
            if len(segments) != 1 or segments[0].name != "subscriptions" or not self._central.schema.of(api):
                raise errors.no_segment(path)
            self._notices.forget_expired()
            if segments[0].key is None:
                return await self._on_set(call, root, api)
            return await self._on_one(call, segments[0], root, api)
        except errors.ApiError as error:
            return error.answer()

    async def _on_set(self, call: Call, root: str, api: str) -> Answer:
        if call.method == "GET":
            options = read_options(call.query)
            source = reading.Source(self._company, self._set)
            page = reading.read_page(source, options, size=20_000)
            shape = reading.shaper(self._company, self._set, options)
            document = {
                "@odata.context": f"{root}/$metadata#subscriptions",
                "value": [shape(r) for r in page.rows],
            }
            return Answer(
                200, wire.write(document), {"Content-Type": errors.CONTENT_TYPE, "OData-Version": "4.0"}
            )
        if call.method != "POST":
            raise errors.not_allowed(call.method, "subscriptions")
        body = self._body(call, api, current=None)
        row = self._company.blank("subscriptions") | body.values
        row["subscriptionId"] = body.values.get("subscriptionId") or uuid.uuid4().hex
        row["id"] = row["subscriptionId"]
        row |= {"systemCreatedAt": self._company.now_ms(), "systemCreatedBy": CLIENT_ID, "userId": CLIENT_ID}
        if len(self._company.table("subscriptions")) >= _MAXIMUM:
            raise errors.dialog(f"There are {_MAXIMUM} subscriptions already.")
        if self._company.table("subscriptions").get(row["id"]) is not None:
            raise errors.ApiError(400, "Internal_EntityWithSameKeyExists", "The subscription exists already.")
        await self._shake_hands(row)
        return self._saved(201, row, root)

    async def _on_one(self, call: Call, segment: Segment, root: str, api: str) -> Answer:
        row = self._company.table("subscriptions").get(segment.key or "")
        if row is None:
            raise errors.ApiError(404, self._central.settings["missing_record_code"], "No such subscription.")
        if call.method == "GET":
            return self._answer(200, row, root)
        if call.method == "DELETE":
            if call.header("if-match") is not None:
                etags.check(call.header("if-match"), self._set, row)
            with self._central.store.transaction():
                self._company.remove("subscriptions", row)
            return Answer(204, headers={"OData-Version": "4.0"})
        if call.method != "PATCH":
            raise errors.not_allowed(call.method, "subscriptions")
        etags.check(call.header("if-match"), self._set, row)
        body = self._body(call, api, current=row)
        new = row | body.values
        await self._shake_hands(new)
        return self._saved(200, new, root)

    def _body(self, call: Call, api: str, *, current: Row | None) -> Body:
        document = bodies.document_of(call, self._central.settings)
        properties = None if current is None else all_properties(self._company, self._set, current)
        body = bodies.accept(document, self._set, settings=self._central.settings, current=properties)
        for name in ("notificationUrl", "resource"):
            if not (body.values.get(name) or (current or {}).get(name)):
                raise errors.required(name)
        if "resource" in body.values:
            self._check_resource(body.values["resource"], api)
        url = str(body.values.get("notificationUrl") or (current or {})["notificationUrl"])
        secure = bool(self._central.settings["webhook_https"])
        if not url.startswith("https://" if secure else ("https://", "http://")):
            raise errors.dialog("The notificationUrl must be an https address.")
        return body

    def _check_resource(self, resource: str, api: str) -> None:
        """Its path names the API under which the subscription is made."""
        match = _RESOURCE.fullmatch(resource)
        named = f"/{match.group(1)}/".rpartition("/api/")[2].strip("/") if match else ""
        entity_set = (
            self._central.schema.of(api).get(match.group(3)) if match and named in ("", api) else None
        )
        if match is None or entity_set is None or not entity_set.webhook:
            raise errors.dialog(f"There are no notifications for the resource '{resource}'.")
        if match.group(2).lower() not in self._central.directory.offices:
            raise errors.dialog("The resource names a company that does not exist.")

    async def _shake_hands(self, row: Row) -> None:
        """The receiver must give back the token it is sent, at once and as the whole body."""
        token = secrets.token_hex(16)
        url: str = row["notificationUrl"]
        mark = "&" if "?" in url else "?"
        method = self._central.settings["webhook_handshake"]
        reply = await call_out(
            method, f"{url}{mark}validationToken={quote(token)}", timeout=_HANDSHAKE_TIMEOUT
        )
        if reply.status != 200 or reply.body.decode("utf-8", "replace").strip() != token:
            raise errors.dialog("The notificationUrl did not answer the validation request with its token.")

    def _saved(self, status: int, row: Row, root: str) -> Answer:
        now = self._company.now_ms()
        row |= {
            "expirationDateTime": now + LIFETIME_MS,
            "systemModifiedAt": now,
            "systemModifiedBy": CLIENT_ID,
        }
        with self._central.store.transaction():
            row = self._company.save("subscriptions", row)
        return self._answer(status, row, root)

    def _answer(self, status: int, row: Row, root: str) -> Answer:
        view: dict[str, Any] = View(self._company, self._set)(row)
        document = {"@odata.context": f"{root}/$metadata#subscriptions/$entity", **view}
        headers = {"Content-Type": errors.CONTENT_TYPE, "OData-Version": "4.0"}
        if status == 201:
            headers["Location"] = f"{root}/subscriptions('{row['id']}')"
        return Answer(status, wire.write(document), headers)
