"""Sets of an API beside v2.0: what is asked and written where, by the words of its own description."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.engine.model import Result, Write
from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.businesscentral.client import Businesscentral
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.businesscentral.probing import declared
from talk_pipeline.systems.http import Http, Limits
from talk_pipeline_tests.systems.answering import Answering, Reply
from talk_pipeline_tests.systems.businesscentral.speech import COMPANY_ID, page, using

API = "sample/things/v1.0"
ROOT = f"/env/api/{API}"
THINGS = f"{ROOT}/companies({COMPANY_ID})/things"
DESCRIBED = f"""
entity: gadgets
set: things
api: {API}
key: code
modified: changedAt
properties: {{code: code(20), label: text(50), changedAt: datetime read}}
children:
  pieces:
    set: thingPieces
    key: pieceId
    sorted_by: place
    properties: {{pieceId: guid read, place: int, text: text(50)}}
"""
FLOW = """
flow: gadget
title: Gadgets
customwebshop: {asset: gadget, entity: products}
businesscentral: {asset: gadgets, entity: gadgets}
match: [sku]
create_key: sku
properties:
  - {shop: sku,  dir: ->,  bc: code,  type: code(20), only: create}
  - {shop: name, dir: <->, bc: label, type: text(50)}
children:
  parts:
    customwebshop: parts
    businesscentral: pieces
    properties:
      - {shop: text, dir: <->, bc: text, type: text(50)}
"""
PIECES = [{"@odata.etag": 'W/"p"', "pieceId": f"p{at}", "place": at, "text": f"Piece {at}"} for at in (2, 1)]
ROW = {
    "@odata.etag": 'W/"1"',
    "code": "A/1",
    "label": "One",
    "changedAt": "2026-03-01T10:00:00Z",
    "pieces": PIECES,
}


@pytest.fixture
def bc(server: Answering, tmp_path: Path) -> Callable[[], Businesscentral]:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "gadget.yaml").write_text(FLOW, encoding="utf-8")
    (tmp_path / "gadgets.yaml").write_text(DESCRIBED, encoding="utf-8")
    flows, entities = load_flows(tmp_path / "flows"), load_entities(tmp_path)

    def opened() -> Businesscentral:
        http = Http(
            "Business Central",
            f"{server.url}/env/api/v2.0?tenant=t1",
            limits=Limits(1000, 1, 5, tmp_path / "limits"),
            longest_seconds=0,
        )
        return Businesscentral(http, flows, entities, company_id=COMPANY_ID, company_name=None)

    return opened


def change(code: str) -> Write:
    return Write("gadgets", "update", code, 'W/"1"', {"label": "Two"}, f"key of {code}")


def test_records_are_read_beside_the_settings_address(
    server: Answering, bc: Callable[[], Businesscentral]
) -> None:
    server.on(THINGS, page(ROW))

    async def scanned(opened: Businesscentral) -> list[str]:
        return [one.id async for found in opened.scan("gadget", since=None) for one in found]

    assert using(bc(), scanned) == ["A/1"]
    assert server.asked[0].query == {
        "$select": "code,changedAt,label",
        "$expand": "pieces($select=pieceId,place,text)",
        "tenant": "t1",
    }
    assert using(bc(), lambda opened: opened.latest("gadget")) is not None
    assert server.asked[1].query["$orderby"] == "changedAt desc"
    assert using(bc(), lambda opened: opened.find("gadget", "code", values=["a/1"])) == {"a/1": ["A/1"]}
    assert server.asked[2].query["$select"] == "code"


def test_a_write_goes_to_the_same_api(server: Answering, bc: Callable[[], Businesscentral]) -> None:
    server.answer(lambda asked: Reply(200, ROW))
    (outcome,) = using(bc(), lambda opened: opened.write("gadget", [change("A/1")]))
    assert outcome.result is Result.DONE
    assert outcome.record is not None
    assert outcome.record.id == "A/1"
    assert (server.asked[0].method, server.asked[0].path) == ("PATCH", f"{THINGS}(%27A%2F1%27)")


LINES: dict[str, tuple[Write, str, str]] = {
    "new": (
        Write("gadgets", "create", None, None, {"text": "New"}, "1", child="pieces", parent_id="A/1"),
        "POST",
        f"{THINGS}(%27A%2F1%27)/pieces",
    ),
    "changed": (
        Write("gadgets", "update", "p1", 'W/"p"', {"text": "Other"}, "2", child="pieces", parent_id="A/1"),
        "PATCH",
        f"{ROOT}/companies({COMPANY_ID})/thingPieces(p1)",
    ),
    "removed": (
        Write("gadgets", "delete", "p1", 'W/"p"', {}, "3", child="pieces", parent_id="A/1"),
        "DELETE",
        f"{ROOT}/companies({COMPANY_ID})/thingPieces(p1)",
    ),
}


@pytest.mark.parametrize(("write", "method", "path"), LINES.values(), ids=LINES)
def test_lines_are_written_where_they_are(
    server: Answering, bc: Callable[[], Businesscentral], write: Write, method: str, path: str
) -> None:
    server.answer(lambda asked: Reply(204) if asked.method == "DELETE" else Reply(200, PIECES[1]))
    (outcome,) = using(bc(), lambda opened: opened.write("gadget", [write]))
    assert outcome.result is Result.DONE
    assert (server.asked[0].method, server.asked[0].path) == (method, path)
    assert outcome.child is None or outcome.child.id == "p1"


def test_lines_are_known_by_their_own_key_and_place(bc: Callable[[], Businesscentral]) -> None:
    lines = bc().decode("gadget", json.dumps(ROW)).children["pieces"]
    assert [(one.id, one.values["text"]) for one in lines] == [("p1", "Piece 1"), ("p2", "Piece 2")]


def test_so_does_a_batch(server: Answering, bc: Callable[[], Businesscentral]) -> None:
    server.on(
        f"{ROOT}/$batch",
        Reply(200, {"responses": [{"id": at, "status": 200, "body": ROW} for at in ("0", "1")]}),
    )
    outcomes = using(bc(), lambda opened: opened.write("gadget", [change("A/1"), change("A/2")]))
    assert [one.result for one in outcomes] == [Result.DONE] * 2
    urls = [one["url"].partition("?")[0] for one in server.asked[0].json()["requests"]]
    assert urls[0] == f"companies({COMPANY_ID})/things(%27A%2F1%27)"


def test_and_subscriptions(server: Answering, bc: Callable[[], Businesscentral]) -> None:
    server.answer(lambda asked: page() if asked.method == "GET" else Reply(201, {}))
    secret = SecretStr("a long random text")
    assert using(bc(), lambda opened: opened.subscribe("https://receiver.example", secret)) == 1
    assert [one.path for one in server.asked] == [f"{ROOT}/subscriptions"] * 2
    resource = f"/api/{API}/companies({COMPANY_ID})/things"
    assert server.asked[1].json()["resource"] == resource
    for told, flows in ((f"{resource}('A%2F1')", {"gadget"}), (resource.replace(API, "v2.0"), set())):
        body = json.dumps({"value": [{"clientState": secret.get_secret_value(), "resource": told}]})
        assert bc().understand({}, body.encode(), secret=secret) == flows


DECLARED = """<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="thing"><Key><PropertyRef Name="code" /></Key>
<Property Name="code" Type="Edm.String" MaxLength="20" />
<Property Name="changedAt" Type="Edm.DateTimeOffset" /></EntityType>
<EntityContainer Name="NAV"><EntitySet Name="{set}" EntityType="Microsoft.NAV.thing">
<Annotation Term="Org.OData.Capabilities.V1.InsertRestrictions"><Record>
<PropertyValue Property="Insertable" Bool="false" /></Record></Annotation></EntitySet></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""
RESOURCES = f"/env/api/microsoft/runtime/beta/companies({COMPANY_ID})/webhookSupportedResources"


def compared(
    server: Answering, bc: Callable[[], Businesscentral], described: EntitySet, metadata: Reply, told: Reply
) -> list[tuple[str, str]]:
    """How the set stands to what is declared."""
    server.on(f"{ROOT}/$metadata", metadata)
    server.on(RESOURCES, told)

    async def asked(opened: Businesscentral) -> list[tuple[str, str]]:
        return [(one.level, one.message) async for one in declared(opened, [described])]

    return using(bc(), asked)


def test_a_description_is_compared_with_what_is_declared(
    server: Answering, bc: Callable[[], Businesscentral], tmp_path: Path
) -> None:
    opened = bc()
    gadgets = load_entities(tmp_path)["gadgets"]
    found = compared(server, lambda: opened, gadgets, Reply(200, DECLARED.format(set="things")), page())
    assert found == [
        ("ok", "gadgets: may be read, created, changed, deleted; Business Central tells of changes"),
        ("warning", "gadgets: $metadata has no property label"),
        ("warning", "gadgets.pieces: $metadata has no such collection below it; there are: none"),
        ("warning", "gadgets: may not be created, says $metadata, though `writes` has it"),
        (
            "warning",
            "gadgets: Business Central tells of no change of it; say notices: false, the sensors look",
        ),
    ]


@pytest.mark.parametrize(
    ("metadata", "level", "says"),
    [
        (
            Reply(200, DECLARED.format(set="thingies")),
            "problem",
            "no entity set 'things'; called alike: thingies",
        ),
        (Reply(404), "warning", f"{API}: what it declares is not known: Business Central has no API {API}"),
        (Reply(200, "<html>"), "warning", "has no $metadata that can be read"),
    ],
    ids=["another set", "no API", "no metadata"],
)
def test_a_set_that_is_not_declared_is_told(
    server: Answering,
    bc: Callable[[], Businesscentral],
    tmp_path: Path,
    metadata: Reply,
    level: str,
    says: str,
) -> None:
    opened = bc()
    (found,) = compared(server, lambda: opened, load_entities(tmp_path)["gadgets"], metadata, Reply(404))
    assert found[0] == level
    assert says in found[1]
