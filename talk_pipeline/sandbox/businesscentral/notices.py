"""Notices of changes: gathered for a while, sent without any data, tried again, given up.

A notice says which record changed and how. When more changed than fits one message, a single notice says
from when on to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from talk_pipeline.sandbox import wire
from talk_pipeline.sandbox.businesscentral import values
from talk_pipeline.sandbox.businesscentral.etags import VERSION
from talk_pipeline.sandbox.businesscentral.service import Central
from talk_pipeline.sandbox.outbound import call_out
from talk_pipeline.sandbox.store import Change, Row

_MOST = 1_000
_MARGIN_MS = 50
_WAITS = (60, 60, 60, 600, 6_000, 60_000)
_TIMEOUT = 30.0
_ALSO = {
    "salesOrderLines": ("salesOrders", "documentId"),
    "salesCreditMemoLines": ("salesCreditMemos", "documentId"),
}
"""Sets whose changes are told as changes of another's record."""


@dataclass(slots=True)
class _Gathered:
    """What changed in one set of one company since the last notice."""

    first: int
    changes: dict[str, tuple[str, int]] = field(default_factory=dict)

    def add(self, key: str, kind: str, moment: int) -> None:
        before = self.changes.get(key, ("", 0))[0]
        if before == "created" and kind == "updated":
            kind = "created"
        if before == "deleted" and kind == "updated":
            return
        self.changes[key] = (kind, moment)


class Notices:
    """Watches the store and tells subscribers."""

    def __init__(self, central: Central) -> None:
        self._central = central
        self._gathered: dict[tuple[str, str], _Gathered] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        central.store.listen(self._seen)

    def forget_expired(self) -> None:
        """Drop subscriptions nobody renewed."""
        company = self._central.directory.root.company
        now = company.now_ms()
        expired = [r for r in company.table("subscriptions").rows.values() if r["expirationDateTime"] <= now]
        if expired:
            with self._central.store.transaction():
                for row in expired:
                    company.remove("subscriptions", row)

    def stop(self) -> None:
        """Send nothing more."""
        for task in self._tasks:
            task.cancel()
        self._gathered.clear()

    def _seen(self, changes: list[Change]) -> None:
        """Gather what was committed; the first change starts the clock."""
        if not len(self._central.directory.root.company.table("subscriptions")):
            return
        for change in changes:
            row = change.new or change.old or {}
            system, company, set_name = (change.table.split("/") + ["", ""])[:3]
            if system != "bc" or set_name.startswith("_") or company == "_root":
                continue
            if change.old and change.new and change.old[VERSION] == change.new[VERSION]:
                continue  # moved by itself, which nobody is told
            kind = "created" if change.old is None else "deleted" if change.new is None else "updated"
            if set_name in _ALSO:
                target, holder = _ALSO[set_name]
                self._gather(company, target, row[holder], "updated")
            elif self._central.schema.sets[set_name].webhook:
                self._gather(company, set_name, row["id"], kind)

    def _gather(self, company: str, set_name: str, key: str, kind: str) -> None:
        now = self._central.clock.now_ms()
        place = (company, set_name)
        if place not in self._gathered:
            self._gathered[place] = _Gathered(first=now)
            self._start(self._send_later(place))
        self._gathered[place].add(key, kind, now)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send_later(self, place: tuple[str, str]) -> None:
        await asyncio.sleep(float(self._central.settings["webhook_delay"]))
        gathered = self._gathered.pop(place, None)
        self.forget_expired()
        if gathered is None:
            return
        by_url: dict[str, list[tuple[Row, list[dict[str, Any]]]]] = {}
        for subscription in list(self._central.directory.root.company.table("subscriptions").rows.values()):
            if f"companies({place[0]})/{place[1]}".lower() in subscription["resource"].lower():
                items = _items(subscription, gathered)
                by_url.setdefault(subscription["notificationUrl"], []).append((subscription, items))
        for url, entries in by_url.items():
            self._start(self._deliver(url, entries))

    async def _deliver(self, url: str, entries: list[tuple[Row, list[dict[str, Any]]]]) -> None:
        """Send one message, trying again while the receiver is out of order."""
        message = wire.write({"value": [item for _, items in entries for item in items]})
        headers = {"Content-Type": "application/json"}
        attempts = max(1, int(self._central.settings["webhook_attempts"]))
        for attempt in range(attempts):
            reply = await call_out("POST", url, body=message, headers=headers, timeout=_TIMEOUT)
            if 200 <= reply.status < 300:
                return
            if reply.status not in (0, 408, 429) and reply.status < 500:
                break  # a receiver that refuses is not asked again
            if attempt + 1 < attempts:
                pace = float(self._central.settings["webhook_pace"])
                await asyncio.sleep(_WAITS[min(attempt, len(_WAITS) - 1)] * pace)
        self._drop([subscription["id"] for subscription, _ in entries])

    def _drop(self, keys: list[str]) -> None:
        company = self._central.directory.root.company
        with self._central.store.transaction():
            for key in keys:
                row = company.table("subscriptions").get(key)
                if row is not None:
                    company.remove("subscriptions", row)


def _items(subscription: Row, gathered: _Gathered) -> list[dict[str, Any]]:
    common: Mapping[str, Any] = {
        "subscriptionId": subscription["subscriptionId"],
        "clientState": subscription["clientState"],
        "expirationDateTime": values.show_moment(subscription["expirationDateTime"]),
    }
    resource = subscription["resource"].rstrip("/")
    if len(gathered.changes) > _MOST:
        since = values.show_moment(gathered.first - _MARGIN_MS)
        latest = max(moment for _, moment in gathered.changes.values())
        return [
            {
                **common,
                "resource": f"{resource}?$filter=lastModifiedDateTime gt {since}",
                "changeType": "collection",
                "lastModifiedDateTime": values.show_moment(latest),
            }
        ]
    return [
        {
            **common,
            "resource": f"{resource}({key})",
            "changeType": kind,
            "lastModifiedDateTime": values.show_moment(moment),
        }
        for key, (kind, moment) in gathered.changes.items()
    ]
