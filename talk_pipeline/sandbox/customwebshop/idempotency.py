"""Creates that are sent twice: within a day, the same key gives the first answer again."""

from __future__ import annotations

import hashlib

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.errors import JSON, ShopError
from talk_pipeline.sandbox.exchange import Answer, Call
from talk_pipeline.sandbox.store import Store

_DAY_MS = 24 * 3600 * 1000


class Idempotency:
    """First answers by key; kept in the state, so that a restart forgets none.

    Args:
        store: where they are kept.
        clock: the time the shop believes it is.
        header: the header that holds the key.
    """

    def __init__(self, store: Store, clock: Clock, *, header: str = "Idempotency-Key") -> None:
        self._header = header
        self._store = store
        self._clock = clock
        self._table = store.table("shop/_idempotency", order=lambda row: (row["at"], row["id"]))

    def earlier(self, call: Call, resource: str) -> Answer | None:
        """The answer this key got before, if it is known."""
        key = call.header(self._header.lower())
        row = self._table.get(f"{resource}:{key}") if key else None
        if row is None or row["at"] + _DAY_MS <= self._clock.now_ms():
            return None
        if row["digest"] != _digest(call):
            raise ShopError(
                422, "idempotency_key_reused", f"This {self._header} came with another body before."
            )
        headers = {**JSON, **row["headers"], "idempotent-replayed": "true"}
        return Answer(row["status"], row["body"].encode(), headers)

    def remember(self, call: Call, resource: str, answer: Answer) -> None:
        """Keep an answer, inside the transaction of its create."""
        key = call.header(self._header.lower())
        if not key:
            return
        now = self._clock.now_ms()
        for row in list(self._table.in_order()):
            if row["at"] + _DAY_MS > now:
                break
            self._store.drop(self._table, row["id"])
        headers = {name: answer.headers[name] for name in ("etag", "location") if name in answer.headers}
        self._store.put(
            self._table,
            {
                "id": f"{resource}:{key}",
                "at": now,
                "digest": _digest(call),
                "status": answer.status,
                "headers": headers,
                "body": answer.body.decode(),
            },
        )


def _digest(call: Call) -> str:
    return hashlib.sha256(call.body).hexdigest()
