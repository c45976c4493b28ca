"""What a shop says is wrong reaches a person whole: places filled, and the status once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import SystemFault
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Reply, answering

CONNECTOR = """
name: Frank
auth: {type: none}
error: {code: code, message: message}
entities:
  customers: {path: /customers}
  products: {path: /products}
  orders: {path: /orders}
"""
FIELD = "The %fieldName value of %value is no %1."
TOLD: dict[str, tuple[Any, str]] = {
    "named": (
        {"message": FIELD, "parameters": {"fieldName": "pageSize", "value": 0}},
        "400: The pageSize value of 0 is no %1.",
    ),
    "counted": ({"message": "%1 of %2 {2}", "parameters": ["a", "b"]}, "400: a of b b"),
    "in braces": ({"message": "{{ limit }} {limit}", "parameters": {"limit": 3}}, "400: 3 3"),
    "without values": ({"message": FIELD}, f"400: {FIELD}"),
    "with a code": ({"code": "bad", "message": "no"}, "400: bad: no"),
    "with the status as code": ({"code": 400, "message": "no"}, "400: no"),
    "in no shape": ("no", "400: no"),
}


@pytest.mark.parametrize(("body", "told"), TOLD.values(), ids=TOLD)
def test_an_answer_without_success_is_told_once(tmp_path: Path, body: Any, told: str) -> None:
    file = tmp_path / "frank.yaml"
    file.write_text(CONNECTOR)
    flows = flows_in()

    async def asked(url: str) -> None:
        http = Http("Frank", url, limits=Limits(1000, 1, 4, tmp_path / "limits"), longest_seconds=0)
        async with Customwebshop(http, flows, description=load_description(file, flows=flows)) as shop:
            await shop.get("customer", "1")

    with answering() as server:
        server.answer(lambda _: Reply(400, body))
        with pytest.raises(SystemFault) as raised:
            asyncio.run(asked(server.url))
    assert str(raised.value) == f"Frank answers {told}"
