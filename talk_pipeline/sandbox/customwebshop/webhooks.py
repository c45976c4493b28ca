"""Subscriptions to events, and signed deliveries: at least once, in any order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import uuid
from collections.abc import Callable
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.errors import invalid, unknown
from talk_pipeline.sandbox.customwebshop.fields import SINGULAR, show_instant
from talk_pipeline.sandbox.outbound import call_out
from talk_pipeline.sandbox.settings import Setting, Settings
from talk_pipeline.sandbox.store import Change, Row, Store

EVENTS = tuple(f"{name}.{verb}" for name in SINGULAR.values() for verb in ("created", "updated", "deleted"))
SETTINGS = (
    Setting("webhook_pace", 1.0, "factor on the waits between attempts to deliver an event"),
    Setting("webhook_duplicates", False, "whether every event is delivered twice"),
)
_WAITS = (1, 5, 25, 125)
_TIMEOUT = 10.0


Message = tuple[bytes, dict[str, str]]


def digest(hook: Row, body: bytes) -> bytes:
    """What a delivery is signed with."""
    return hmac.new(hook["secret"].encode(), body, hashlib.sha256).digest()


class Webhooks:
    """Who wants to hear of what.

    Attributes:
        message: makes body and headers of the delivery of an event, from subscription, event and record.
    """

    def __init__(self, store: Store, clock: Clock, settings: Settings) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._table = store.table("shop/_webhooks")
        self._tasks: set[asyncio.Task[None]] = set()
        self.message: Callable[[Row, str, Row], Message] = _message
        store.listen(self._seen)

    def rows(self) -> list[Row]:
        """All subscriptions."""
        return list(self._table.in_order())

    def add(self, *, url: Any, events: Any, secret: Any, key: str | None = None) -> Row:
        """Add a subscription."""
        if not isinstance(url, str) or not url.startswith(("http://", "https://")):
            raise invalid("url", "url is the address that takes deliveries.")
        if not isinstance(events, list) or not events or not set(map(str, events)) <= set(EVENTS):
            raise invalid("events", f"events is a list of: {', '.join(EVENTS)}.")
        if not isinstance(secret, str) or not secret:
            raise invalid("secret", "secret is the text deliveries are signed with.")
        row = {
            "id": key or f"w-{uuid.uuid4().hex[:12]}",
            "url": url,
            "events": events,
            "secret": secret,
            "created_at": show_instant(self._clock.now_ms()),
        }
        self._store.put(self._table, row)
        return row

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
            if change.old is not None and change.old["deleted_at"] and change.new["deleted_at"]:
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
        body, headers = self.message(hook, event, row)
        headers = {"Content-Type": "application/json", **headers}
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


def _message(hook: Row, event: str, row: Row) -> Message:
    """A delivery as the shop's own API makes it."""
    key = f"evt_{uuid.uuid4().hex}"
    document = {
        "id": key,
        "event": event,
        "occurred_at": row["updated_at"],
        "data": {"id": row["id"], "updated_at": row["updated_at"]},
    }
    body = wire.write(document)
    signature = digest(hook, body).hex()
    return body, {
        "X-Webhook-Id": key,
        "X-Webhook-Event": event,
        "X-Webhook-Signature": f"sha256={signature}",
    }
