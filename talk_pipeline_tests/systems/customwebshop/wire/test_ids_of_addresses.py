"""The id of what was made is the last word of its address, as the shop's records say it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from talk_pipeline.engine.model import Outcome, Result, Write
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply, answering

CONNECTOR = """
name: Located
auth: {type: none}
entities:
  customers: {path: /customers SAID}
  products: {path: /products}
  orders: {path: /orders}
"""


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


def created(server: Answering, folder: Path, own: str, said: str = "") -> Outcome:
    file = folder / "located.yaml"
    file.write_text(CONNECTOR.replace(" SAID", said), encoding="utf-8")
    flows = flows_in()
    http = Http("Located", server.url, limits=Limits(1000, 1, 4, folder / "limits"), longest_seconds=0)
    shop = Customwebshop(http, flows, description=load_description(file, flows=flows))

    def answered(asked: Asked) -> Reply:
        if asked.method == "POST":
            return Reply(201, b"", {"Location": f"/customers/{quote(own)}"})
        last = asked.path.removeprefix("/customers/")
        row = {"id": asked.path if said else unquote(last), "number": "C1"}
        return Reply(200, json.dumps(row)) if unquote(last) == own else Reply(404)

    server.answer(answered)

    async def work() -> Outcome:
        async with shop:
            write = Write("customers", "create", None, None, {"number": "C1"}, "key")
            return (await shop.write("customer", [write]))[0]

    return asyncio.run(work())


@pytest.mark.parametrize("own", ["7", "A 1", "Ærø", "50%"])
def test_it_is_read_as_people_write_it(server: Answering, tmp_path: Path, own: str) -> None:
    outcome = created(server, tmp_path, own)
    assert outcome.result is Result.DONE, outcome.reason
    assert outcome.record is not None
    assert outcome.record.id == own


def test_where_the_address_itself_is_the_id_it_stays_as_it_is(server: Answering, tmp_path: Path) -> None:
    outcome = created(server, tmp_path, "A 1", ', item: "{+id}", id: {path: id, template: "{}"}')
    assert outcome.record is not None, outcome.reason
    assert outcome.record.id.endswith("/customers/A%201")
