"""Lists of a shop: looked for to their end, with all that was deleted, and what lies beside none of theirs."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply, answering

T = TypeVar("T")
SINCE = datetime(2026, 3, 1, tzinfo=UTC)
CONNECTOR = """
name: Listing
auth: {type: none}
records: data
paging: {style: page, pages: pages}
modified: changed
updated_since: {parameter: since}
entities:
  customers:
    path: /customers
    {said}
  products: {path: /products}
  orders: {path: /orders}
"""
SEARCHED = 'search: {number: "q={value}"}'
SUMMARIZED = "summaries: true\n    deleted: {at: gone}"
COMPOUND = """included: {at: included}
    parts: {home: {refers: home}}
    fields: {address.city: "@home.city"}
    deleted: {listed: {path: /removed, records: data, id: key}}"""


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture
def shop(
    server: Answering, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[Callable[[Customwebshop], Awaitable[T]]], T]:
    """What comes of some work with a shop that is described so."""
    file, flows = tmp_path / "listing.yaml", flows_in()
    file.write_text(CONNECTOR.replace("{said}", request.param), encoding="utf-8")
    description = load_description(file, flows=flows)

    def using(work: Callable[[Customwebshop], Awaitable[T]]) -> T:
        async def worked() -> T:
            limits = Limits(1000, 1, 4, tmp_path / "limits")
            http = Http("It", server.url, limits=limits, longest_seconds=0)
            async with Customwebshop(http, flows, description=description) as opened:
                return await work(opened)

        return asyncio.run(worked())

    return using


def listed(*rows: object, **more: object) -> Reply:
    return Reply(200, {"data": [*rows], **more})


async def changes(shop: Customwebshop) -> list[Record]:
    return [record async for page in shop.scan("customer", since=SINCE) for record in page]


@pytest.mark.parametrize("shop", [SEARCHED], indirect=True)
def test_what_a_search_finds_on_a_later_page_is_found(
    server: Answering, shop: Callable[..., dict[str, list[str]]]
) -> None:
    """It finds more than what is meant: where the one that is is not seen, it is made once more."""

    def answered(asked: Asked) -> Reply:
        page = int(asked.query.get("page", 1))
        found = [{"id": str(n), "number": f"100{n}"} for n in range(page * 2, page * 2 + 2)]
        return listed(*(found if page < 3 else [{"id": "9", "number": "100"}]), pages=3)

    server.answer(answered)
    assert shop(lambda opened: opened.find("customer", "number", values=["100"])) == {"100": ["9"]}
    assert [one.query["q"] for one in server.asked] == ["100"] * 3


@pytest.mark.parametrize("shop", [SUMMARIZED], indirect=True)
def test_what_a_summary_says_is_deleted_changed(server: Answering, shop: Callable[..., list[Record]]) -> None:
    gone, there = {"id": "1", "gone": "2026-03-02"}, {"id": "2", "number": "C2", "changed": "2026-03-02"}
    server.on("/customers", listed(gone, {"id": "2"}, {"id": "3"}, pages=1))
    server.on("/customers/2", Reply(200, there))
    found = {record.id: record.deleted for record in shop(changes)}
    assert found == {"1": True, "2": False}, "and what went between the list and its reading is not there"
    assert not server.asked_at("/customers/1")


@pytest.mark.parametrize("shop", [SUMMARIZED], indirect=True)
def test_a_summary_without_an_id_is_no_record_that_is_left_out(
    server: Answering, shop: Callable[..., list[Record]]
) -> None:
    server.on("/customers", listed({"number": "C1"}, pages=1))
    with pytest.raises(UnavailableFault, match="/customers: a record has no 'id'"):
        shop(changes)


@pytest.mark.parametrize("shop", [COMPOUND], indirect=True)
def test_a_list_of_deletions_refers_to_nothing_beside_it(
    server: Answering, shop: Callable[..., list[Record]]
) -> None:
    one = {"id": "1", "number": "C1", "home": {"id": "7"}}
    server.on("/customers", listed(one, included=[{"id": "7", "city": "Aarhus"}], pages=1))
    server.on("/removed", listed({"key": "2"}, pages=1))
    there, gone = shop(changes)
    assert json.loads(there.payload)["@home"]["city"] == "Aarhus"
    assert (gone.id, gone.deleted) == ("2", True)
    server.on("/removed", listed({"id": "2"}, pages=1))
    with pytest.raises(UnavailableFault, match="/removed: a deletion has no 'key'"):
        shop(changes)
