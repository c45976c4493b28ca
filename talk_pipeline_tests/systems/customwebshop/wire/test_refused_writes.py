"""What a shop's answer without success means for a write: its description tells a refusal of its own."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talk_pipeline.engine.model import Outcome, Result, Write
from talk_pipeline.systems.customwebshop.wire.answers import NOT_BEGUN
from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline.systems.errors import AccessFault
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.flow_files import flows_in
from talk_pipeline_tests.systems.answering import Answering, Reply, answering

CONNECTOR = """
name: Frank
auth: {type: none}
version: {at: etag, condition: If-Match}
{error}
entities:
  customers: {path: /customers}
  products: {path: /products}
  orders: {path: /orders}
"""
CODED = "error: {code: code}"
PAGE = "<html>Not here</html>"


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


def deleted(server: Answering, tmp_path: Path, reply: Reply, *, error: str = CODED) -> Outcome:
    """What comes of a deletion that is answered so."""
    server.answer(lambda _: reply)
    file = tmp_path / "frank.yaml"
    file.write_text(CONNECTOR.replace("{error}", error))
    flows = flows_in()
    http = Http("Frank", server.url, limits=Limits(1000, 1, 4, tmp_path / "limits"), longest_seconds=0)
    shop = Customwebshop(http, flows, description=load_description(file, flows=flows))

    async def write() -> Outcome:
        async with shop:
            return (await shop.write("customer", [Write("customers", "delete", "1", "v1", {}, "key")]))[0]

    return asyncio.run(write())


ANSWERS: dict[str, tuple[Reply, str, Result]] = {
    "gone, in its own words": (Reply(404, {"code": "none_such"}), CODED, Result.DONE),
    "gone, in no words": (Reply(410), CODED, Result.DONE),
    "a page of a shop without codes": (Reply(404, PAGE), "", Result.DONE),
    "a page of somebody else": (Reply(404, PAGE), CODED, Result.UNKNOWN),
    "a refusal": (Reply(405, {"code": "no"}), CODED, Result.REFUSED),
    "no word about the record": (Reply(403, {"code": "no"}), CODED, Result.FAILED),
    "a word about the record": (
        Reply(403, {"code": "no"}),
        "error: {code: code, refused: [no]}",
        Result.REFUSED,
    ),
    "gone, whatever the status": (
        Reply(403, {"code": "no"}),
        "error: {code: code, missing: [no]}",
        Result.DONE,
    ),
    "a lock of the shop's own": (Reply(423, {"code": "locked"}), CODED, Result.REFUSED),
    "a refusal by somebody else": (Reply(405, PAGE), CODED, Result.UNKNOWN),
}


@pytest.mark.parametrize(("reply", "error", "result"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_means(
    server: Answering, tmp_path: Path, reply: Reply, error: str, result: Result
) -> None:
    assert deleted(server, tmp_path, reply, error=error).result is result


SHOWN = "error: {code: code, shown_by: error}"
BY_WORD = 'error: {code: code, shown_by: error, unless: ["false"]}'
OF_SUCCESS: dict[str, tuple[object, str, Result]] = {
    "true of what is an error": ({"error": True}, BY_WORD, Result.REFUSED),
    "false of what is one": ({"error": False}, BY_WORD, Result.DONE),
    "true of what went well": ({"error": True}, SHOWN, Result.DONE),
    "false of what went well": ({"error": False}, SHOWN, Result.REFUSED),
    "words": ({"error": "no"}, SHOWN, Result.REFUSED),
    "other words than those of success": ({"error": "no"}, BY_WORD, Result.REFUSED),
    "nothing": ({"error": None}, BY_WORD, Result.DONE),
}


@pytest.mark.parametrize(("body", "error", "result"), OF_SUCCESS.values(), ids=OF_SUCCESS)
def test_what_an_answer_of_success_shows(
    server: Answering, tmp_path: Path, body: object, error: str, result: Result
) -> None:
    assert deleted(server, tmp_path, Reply(200, body), error=error).result is result


@pytest.mark.parametrize(
    ("reply", "error"),
    [(Reply(403), CODED), (Reply(403, PAGE), CODED), (Reply(403, {"code": "no"}), "")],
    ids=["no word", "a page", "a shop without codes"],
)
def test_who_is_not_let_in_has_to_change_the_credentials(
    server: Answering, tmp_path: Path, reply: Reply, error: str
) -> None:
    with pytest.raises(AccessFault, match="denies access"):
        deleted(server, tmp_path, reply, error=error)


@pytest.mark.parametrize("status", NOT_BEGUN)
@pytest.mark.parametrize("body", ["", PAGE, {"code": "no"}])
def test_what_was_not_begun_is_no_refusal(server: Answering, tmp_path: Path, status: int, body: Any) -> None:
    assert deleted(server, tmp_path, Reply(status, body)).result is Result.FAILED
