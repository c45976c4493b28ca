"""JSON of a shop, read: with the digits that it wrote, and whatever else Python takes for JSON."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.customwebshop.wire.records import Reader, parse
from talk_pipeline_tests.flow_files import flows_in

DEEP = "[" * 200 + "]" * 200


@pytest.mark.parametrize(
    "text",
    [
        "[1, -0, -0.0, 0.10, 1E5, 1e400, -1.5e-3, 1.0E+2]",
        "[1234567890123456789.12, 18446744073709551616, -9223372036854775809, 123456789012345678901234567890]",
        '[true, false, null, "", {}, []]',
        '{"a": 1, "a": 2, "\\u0061b": "\\ud83d\\ude00\\/\\u0000"}',
        '["\\ud800", "\\udc00x"]',
        "[Infinity, -Infinity]",
        " \n[ 1 ]\t",
        DEEP,
    ],
)
@pytest.mark.parametrize("received", [str, str.encode], ids=["text", "bytes"])
def test_it_is_what_python_reads(text: str, received: type[str]) -> None:
    found = parse(received(text))
    assert repr(found) == repr(json.loads(text, parse_float=Decimal))


def test_a_mark_of_the_order_of_bytes_is_passed_over() -> None:
    assert parse(b"\xef\xbb\xbf[0.10]") == [Decimal("0.10")]


@pytest.mark.parametrize("text", ["", "1 2", "[1,]", "01", '"\\x"', "<html>", "{'a': 1}"])
def test_what_is_no_json_is_refused_in_the_same_words(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as plain:
        json.loads(text)
    with pytest.raises(json.JSONDecodeError) as error:
        parse(text)
    assert str(error.value) == str(plain.value)


SHOP = """
name: Listed
auth: {type: none}
entities:
  customers: {path: /customers, fields: {phone: "phones[0].number", email: "mails[kind=work].at"}}
  products: {path: /products}
  orders: {path: /orders}
"""


def test_a_value_is_found_behind_lists_and_names(tmp_path: Path) -> None:
    (file := tmp_path / "shop.yaml").write_text(SHOP)
    flow = flows_in()["customer"]
    entity = load_description(file, flows=flows_in()).collections["customers"]
    contents = Reader(flow, entity, entity.moments).contents(
        '{"phones": [{"number": "7"}], "mails": [{"kind": "work", "at": "a@x.example"}],'
        ' "website": "", "address": {"city": "Vejle", "line1": 1.50}, "number": 7}'
    )
    found = {name: contents.values[name] for name in ("phone", "email", "number", "website")}
    assert found == {"phone": "7", "email": "a@x.example", "number": "7", "website": None}
    assert [contents.values[f"address.{name}"] for name in ("city", "line1")] == ["Vejle", "1.50"]
