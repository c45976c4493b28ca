"""Subscriptions to events, and signed deliveries: at least once, in any order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.errors import invalid, no_field, unknown
from talk_pipeline.sandbox.customwebshop.fields import SINGULAR, show_instant
from talk_pipeline.sandbox.outbound import call_out
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import Change, Row, Store

EVENTS = tuple(f"{name}.{verb}" for name in SINGULAR.values() for verb in ("created", "updated", "deleted"))
_WAITS = (1, 5, 25, 125)
_TIMEOUT = 10.0


class Webhooks:
    """Who wants to hear of what."""

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._table = store.table("shop/_webhooks")
        self._tasks: set[asyncio.Task[None]] = set()
        store.listen(self._seen)

    def listing(self) -> dict[str, Any]:
        """All subscriptions, without their secrets."""
        return {"data": [_shown(row) for row in self._table.in_order()], "next_cursor": None}

    def create(self, document: Mapping[str, Any]) -> Row:
        """Add a subscription."""
        for name in document:
            if name not in ("url", "events", "secret"):
                raise no_field(name)
        url, events, secret = (document.get(name) for name in ("url", "events", "secret"))
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise invalid("url", "url is the address that takes deliveries.")
        if not isinstance(events, list) or not events or not set(map(str, events)) <= set(EVENTS):
            raise invalid("events", f"events is a list of: {', '.join(EVENTS)}.")
        if not isinstance(secret, str) or not secret:
            raise invalid("secret", "secret is the text deliveries are signed with.")
        row = {
            "id": f"w-{uuid.uuid4().hex[:12]}",
            "url": url,
            "events": events,
            "secret": secret,
            "created_at": show_instant(self._clock.now_ms()),
        }
        self._store.put(self._table, row)
        return _shown(row)

    def delete(self, key: str) -> None:
        """End a subscription."""
        if self._table.get(key) is None:
            raise unknown("webhook", key)
        self._store.drop(self._table, key)

    def stop(self) -> None:
        """Deliver nothing more."""
        for task in self._tasks:
            task.cancel()

    def _seen(self, changes: list[Change]) -> None:
        if not len(self._table):
            return
        for change in changes:
            system, _, name = change.table.partition("/")
            if system != "shop" or name not in SINGULAR or change.new is None:
                continue
            verb = "created" if change.old is None else "deleted" if change.new["deleted_at"] else "updated"
            event = f"{SINGULAR[name]}.{verb}"
            for hook in list(self._table.in_order()):
                if event in hook["events"]:
                    task = asyncio.get_running_loop().create_task(self._deliver(hook, event, change.new))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _deliver(self, hook: Row, event: str, row: Row) -> None:
        """Send one event until it is taken, or given up."""
        key = f"evt_{uuid.uuid4().hex}"
        document = {
            "id": key,
            "event": event,
            "occurred_at": row["updated_at"],
            "data": {"id": row["id"], "updated_at": row["updated_at"]},
        }
        body = wire.write(document)
        signature = hmac.new(hook["secret"].encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Id": key,
            "X-Webhook-Event": event,
            "X-Webhook-Signature": f"sha256={signature}",
        }
        copies = 2 if self._settings["webhook_duplicates"] else 1
        for wait in (*_WAITS, None):
            reply = await call_out("POST", hook["url"], body=body, headers=headers, timeout=_TIMEOUT)
            if 200 <= reply.status < 300:
                copies -= 1
                if not copies:
                    return
                continue
            if wait is not None:
                await asyncio.sleep(wait * float(self._settings["webhook_pace"]))


def _shown(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "secret"}
