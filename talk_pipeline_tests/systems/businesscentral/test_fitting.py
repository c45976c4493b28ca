"""What the flows ask of Business Central that it does not have, named by file and line."""

from pathlib import Path

import pytest

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.businesscentral.fitting import check_flows
from talk_pipeline_tests.flow_files import copied_flows

GUARD = "guard: {bc: stand, open_while: [Draft], reason: not now}"
WEBSITE = "bc: website,               type: text(80)"


@pytest.mark.parametrize(
    ("flow", "was", "instead", "key", "message"),
    [
        ("customer", "bc: website,", "bc: websites,", "properties.6", "customers has no property 'websites'"),
        ("customer", "dir: <->, bc: website,", "dir: <->, bc: balanceDue,", "properties.6", "is read-only"),
        ("customer", "scope: {type:", "scope: {kind:", "businesscentral.scope.kind", "no property 'kind'"),
        ("customer", "  entity: customers\n", "  entity: people\n", "businesscentral.entity", "no 'people'"),
        ("customer", WEBSITE, WEBSITE.replace("80", "800"), "properties.6", "lets 800 characters through"),
        ("customer", WEBSITE, WEBSITE.replace("(80)", ""), "properties.6", "holds 80; write text(80)"),
        (
            "customer",
            WEBSITE,
            WEBSITE.replace("website,", "taxLiable,"),
            "properties.6",
            "is Boolean, and no text",
        ),
        ("order", "flags:\n", f"{GUARD}\nflags:\n", "guard.bc", "has no property 'stand'"),
        (
            "order",
            "sums: [totalAmountIncludingTax], without: {status:",
            "sums: [totalAmountIncludingTax], without: {stand:",
            "businesscentral.closed_by.without",
            "salesInvoices has no property 'stand'",
        ),
        (
            "order",
            "same: [externalDocumentNumber,",
            "same: [fullyShipped,",
            "businesscentral.closed_by.same",
            "salesInvoices has no property 'fullyShipped'",
        ),
        (
            "order",
            "record: orderId",
            "record: ordersId",
            "businesscentral.closed_by.record",
            "no property 'ordersId'",
        ),
        (
            "order",
            "key: externalDocumentNumber",
            "key: own",
            "businesscentral.closed_by.key",
            "no property 'own'",
        ),
        (
            "order",
            "bc: description,       type: text(100)}",
            "bc: told, type: text(100)}",
            "children.lines.properties.1",
            "no property 'told'",
        ),
    ],
)
def test_it_is_named_by_file_line_and_key(
    tmp_path: Path, flow: str, was: str, instead: str, key: str, message: str
) -> None:
    folder = copied_flows(tmp_path, **{flow: (was, instead)})
    text = (folder / f"{flow}.yaml").read_text("utf-8")
    line = 1 + text[: text.index(instead)].count("\n")
    (told,) = check_flows(load_flows(folder), folder, load_entities())
    assert told.startswith(f"{folder / flow}.yaml:{line}: {key}: "), told
    assert message in told


def test_a_sum_of_what_is_no_number_is_named(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path, order=("sums: [totalAmountIncludingTax]", "sums: [dueDate]"))
    file = folder / "order.yaml"
    text = file.read_text("utf-8")
    more = '{shop: due_date, dir: "=", bc: dueDate, type: date}'
    file.write_text(text.replace("  - {shop: total_tax, ", f"  - {more}\n  - {{shop: total_tax, "), "utf-8")
    told = [one for one in check_flows(load_flows(folder), folder, load_entities()) if "closed_by" in one]
    assert [one.partition("closed_by.sums: ")[2] for one in told] == [
        "dueDate of salesInvoices is no number: it is Date, read-only"
    ]


def test_the_packaged_flows_ask_for_what_there_is() -> None:
    assert list(check_flows(load_flows(), Path(), load_entities())) == []
