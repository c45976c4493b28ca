"""A shop that speaks GraphQL is described: questions and changes are bodies, refusals come with status 200."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.cli.configuration import check_configuration
from talk_pipeline_tests.flow_files import edited_flows
from talk_pipeline_tests.systems.customwebshop.shops.door import Connected, connect, opened
from talk_pipeline_tests.systems.customwebshop.shops.graph_shop import CONNECTOR, GraphShop
from talk_pipeline_tests.world import World


class Graph(Connected):
    """The shop behind GraphQL."""

    shop: GraphShop


@pytest.fixture
def graph(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Graph]:
    file = tmp_path / "graph.yaml"
    file.write_text(CONNECTOR)
    shop = GraphShop()
    with opened(shop) as address:
        connect(monkeypatch, url=address, connector=file)
        monkeypatch.setenv("GRAPH_ID", "client")
        monkeypatch.setenv("GRAPH_REFRESH_TOKEN", "refresh-0")
        yield Graph(shop, world)


def test_records_travel_there_and_back(graph: Graph, capsys: pytest.CaptureFixture[str]) -> None:
    graph.there_and_back()
    said = ["customerUpdate", "lineAdd", "lineRemove", "lineUpdate", "productUpdate"]
    assert sorted(graph.shop.writes) == said
    status = check_configuration()
    told = capsys.readouterr().out
    assert status == 0, told
    assert "'variables.since' is heeded" in told
    assert "paging: customers: a second page is another one" in told


def test_the_audit_reads_it_with_a_token_of_its_own(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph.fill()
    graph.run()
    (entering,) = (line for line in CONNECTOR.splitlines() if line.startswith("auth:"))
    file = tmp_path / "with_a_token.yaml"
    file.write_text(CONNECTOR.replace(entering, "auth: {type: bearer, token: GRAPH_TOKEN}"))
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(file))
    monkeypatch.setenv("GRAPH_TOKEN", graph.shop.token)
    graph.audited()


def test_lines_are_changed_in_an_edit_that_is_begun_and_committed(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = [
        'before: {body: {query: "mutation($id: ID!) {made: editBegin(order: $id) {edit {id}}}", '
        'variables: {id: "{id}"}}}',
        'after: {body: {query: "mutation($id: ID!) {made: editCommit(edit: $id) {userErrors {message}}}", '
        'variables: {id: "{begun:data.made.edit.id}"}}}',
    ]
    head, lines = CONNECTOR.split("        url: /graphql\n")
    lines = lines.replace('variables: {id: "{id}"', 'variables: {id: "{begun:data.made.edit.id}"')
    said = "".join(f"        {one}\n" for one in ["url: /graphql", *around])
    (tmp_path / "edited.yaml").write_text(head + said + lines)
    monkeypatch.setenv("CUSTOMWEBSHOP_CONNECTOR", str(tmp_path / "edited.yaml"))
    graph.shop.in_drafts = True
    graph.there_and_back()
    assert not graph.shop.edits
    said_there = [one for one in graph.shop.writes if one not in ("customerUpdate", "productUpdate")]
    assert (said_there[0], said_there[-1], len(said_there)) == ("editBegin", "editCommit", 5)


def rename(graph: Graph) -> None:
    graph.world.bc.patch("items", graph.there("product", graph.product), {"displayName": "Renamed"})


def test_what_is_refused_is_told_and_what_is_refused_for_now_is_tried_again(graph: Graph) -> None:
    graph.fill()
    graph.run()
    graph.shop.fails = "THROTTLED"
    rename(graph)
    run = graph.world.step("product")
    assert not run.finding("product", "no_quarantined_records").rows
    graph.shop.fails, graph.shop.refuses = None, "that is no title"
    (row,) = graph.world.step("product").finding("product", "no_quarantined_records").rows
    assert "input" in row["reason"]
    assert "that is no title" in row["reason"]


def test_a_question_that_fails_shows_no_empty_list_and_a_record_that_is_null_is_gone(graph: Graph) -> None:
    graph.fill()
    graph.run()
    graph.shop.fails, graph.shop.fails_changes = "INTERNAL", False
    (told, *_) = graph.world.pass_over("product", full=True)
    assert "INTERNAL: it is INTERNAL" in told
    graph.shop.fails = None
    graph.quiet()
    del graph.shop.tables["products"][graph.product]
    rename(graph)
    run = graph.world.step("product")
    assert run.success, run.problems
    assert "productUpdate" not in graph.shop.writes


def test_a_record_made_there_has_the_id_that_the_answer_tells(
    graph: Graph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("create: always", "create: both"))
    customer = {"number": "NEW", "displayName": "New company", "email": "n@company.example"}
    graph.world.bc.post("customers", customer | {"currencyCode": "DKK"})
    graph.run()
    ((key, made),) = graph.shop.tables["customers"].items()
    assert made["company"] == "New company"
    assert graph.there("customer", key)
    graph.quiet()
