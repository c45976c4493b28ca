"""What Business Central says, as far as the tests let it say something."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from talk_pipeline.engine.model import Operation, Outcome, Write
from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.businesscentral.rows import Asked
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Reply

BASE = "/v2.0/api/v2.0"
COMPANY_ID = "c0000000-0000-0000-0000-000000000001"
COMPANY = f"{BASE}/companies({COMPANY_ID})"
MODIFIED = "2026-03-01T10:00:00.123Z"

T = TypeVar("T")
Row = dict[str, Any]


class Opens(Protocol):
    """Makes a connector of the server."""

    def __call__(
        self,
        *,
        company_id: str | None = COMPANY_ID,
        name: str | None = None,
        query: str = "",
        flows: Flows | None = None,
    ) -> Businesscentral: ...


def using(bc: Businesscentral, work: Callable[[Businesscentral], Awaitable[T]]) -> T:
    """What comes of some work with a connector that is opened for it and closed after."""

    async def worked() -> T:
        async with bc:
            return await work(bc)

    return asyncio.run(worked())


def asked_for(flow: str) -> Asked:
    """What is asked for of a flow's records."""
    declared = flows_in()[flow]
    return Asked(declared, load_entities()[declared.businesscentral.entity])


def row(flow: str, key: str, **values: Any) -> Row:
    """A record with all that the flow reads of it, blank but for what is told."""
    asked = asked_for(flow)
    children: dict[str, Any] = {path: [] for path in asked.expanded}
    blank = dict.fromkeys(asked.selected, "")
    return {
        "@odata.etag": f'W/"{key}"',
        **blank,
        **children,
        "id": key,
        "lastModifiedDateTime": MODIFIED,
        **values,
    }


def line(key: str, **values: Any) -> Row:
    """An order line with all that is read of it."""
    (names,) = asked_for("order").expanded.values()
    return {"@odata.etag": f'W/"{key}"', **dict.fromkeys(names, ""), "id": key, "sequence": 10000, **values}


def page(*rows: Row, **more: Any) -> Reply:
    return Reply(200, {"value": [*rows], **more})


def error(status: int, code: str, message: str = "It says why.  CorrelationId:  1.") -> Reply:
    return Reply(status, {"error": {"code": code, "message": message}})


def change(key: str | None, operation: Operation = "update", **told: Any) -> Write:
    """A write of a customer."""
    given: dict[str, Any] = {
        "entity": "customers",
        "version": None if operation == "create" else 'W/"seen"',
        "values": {} if operation == "delete" else {"displayName": "New"},
        "idempotency_key": f"key of {key}",
    }
    return Write(operation=operation, id=key, **(given | told))


def values_of(body: Mapping[str, Any]) -> Row:
    """A body without what the protocol adds."""
    return {name: value for name, value in body.items() if not name.startswith("@")}


def written(opens: Opens, *writes: Write, flow: str = "customer", **told: Any) -> Sequence[Outcome]:
    """What comes of writes in one call."""
    return using(opens(), lambda opened: opened.write(flow, writes, **told))
