"""Files that add to a flow: both say one flow together, and a mistake is named in the file that made it."""

from pathlib import Path

import pytest

from talk_pipeline.flows.loading import PACKAGED, FlowError, load_flow, load_flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.systems.businesscentral.entities import PACKAGED as DESCRIBED
from talk_pipeline.systems.businesscentral.entities import load_entities
from talk_pipeline.systems.businesscentral.fitting import check_flows
from talk_pipeline_tests.flow_files import copied_flows

BESIDE = sorted(PACKAGED.glob("*/*.yaml"))
MINE = """\
adds_to: order
properties:
  - {shop: reference, dir: ->, bc: shipToContact, type: text(100)}
  - {name: weight, dir: ->, bc: partialShipping, type: bool, only: create}
children:
  lines:
    properties:
      - {shop: note, dir: <->, bc: description2, type: text(50)}
constants: {weight: "true"}
"""


TIPS = """\
adds_to: order
children:
  tips:
    customwebshop: tips
    businesscentral: salesOrderLines
    scope: {lineType: Resource, lineObjectNumber: TIP}
    comes_to: {multiplied: [amount]}
    counted_in: [total_excl_tax]
    bears: [discount_amount]
    properties: [{shop: amount, dir: <->, bc: unitPrice, type: money(2)}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied_flows(tmp_path / "flows")


def test_rows_and_constants_are_the_flows_own(folder: Path) -> None:
    (folder / "mine.yaml").write_text(MINE, encoding="utf-8")
    order, plain = load_flows(folder)["order"], load_flows()["order"]
    assert set(order.root.by_name) - set(plain.root.by_name) == {"reference", "weight"}
    assert "note" in order.part("order.lines").by_name
    assert "description2" in order.fields(order.part("order.lines"), Side.BC)
    assert order.settings.constants["weight"] == "true"
    assert order.settings.constants["shipping_type"] == "Account"
    assert order.fingerprint != plain.fingerprint


def test_all_that_are_packaged_go_together(folder: Path) -> None:
    for file in BESIDE:
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    flows = load_flows(folder)
    assert set(flows) == {*load_flows(), *(file.stem for file in BESIDE if file.parent.name == "optional")}
    assert not list(check_flows(flows, folder, load_entities(DESCRIBED / "pages")))
    assert {"variants", "dimensions"} == set(flows["product"].children)


MISTAKES = [
    (
        "adds_to: order",
        "adds_to: orders",
        1,
        "adds_to: there is no flow 'orders' in this folder; there are: ",
    ),
    (
        "shop: reference",
        "shop: number",
        3,
        "properties.0.name: 'number': a property of that name is in order.yaml",
    ),
    (
        "shop: note",
        "shop: unit",
        8,
        "children.lines.properties.0.name: 'unit': a property of that name is in order.yaml",
    ),
    (
        'weight: "true"',
        'height: "true"',
        4,
        "properties.1: has no shop path and settings.constants has no 'weight'",
    ),
    (
        "constants: {",
        "constants: {shipping_type: Item, ",
        9,
        "constants.shipping_type: is in order.yaml already; keep one of the two",
    ),
    (
        "text(50)",
        "text",
        8,
        "children.lines.properties.0: note: lets 250 characters through, but description2",
    ),
    ("shipToContact", "shipTo", 3, "properties.0: salesOrders has no property 'shipTo'; allowed: "),
    ("  lines:", "  lines:\n    match: note", 6, "children.lines: is there already: rows are added to it"),
    (
        "  lines:",
        "  pieces:",
        6,
        "children.pieces: is a new collection: say customwebshop and businesscentral",
    ),
    (
        "  - {shop: reference",
        "  - {shops: reference",
        3,
        "properties.0.shops: unknown key; allowed: shop, name",
    ),
    (
        "constants:",
        "settings:",
        9,
        "settings: unknown key; allowed: adds_to, properties, children, constants",
    ),
]


@pytest.mark.parametrize(("was", "instead", "line", "says"), MISTAKES)
def test_a_mistake_is_named_by_the_file_that_made_it(
    folder: Path, was: str, instead: str, line: int, says: str
) -> None:
    assert was in MINE
    (folder / "mine.yaml").write_text(MINE.replace(was, instead), encoding="utf-8")
    try:
        told = "\n".join(check_flows(load_flows(folder), folder, load_entities()))
    except FlowError as error:
        told = str(error)
    assert f"{folder / 'mine.yaml'}:{line}: {says}" in told


def test_what_two_files_add_is_said_once(folder: Path) -> None:
    """Between two additions, too, the last file would hold."""
    names = ("mine.yaml", "yours.yaml")
    kept = "archived_in: {entity: salesOrderArchives, key: externalDocumentNumber}"
    for name in names:
        (folder / name).write_text(
            f"adds_to: order\nconstants: {{weight: '{name}'}}\n{kept}\n", encoding="utf-8"
        )
    with pytest.raises(FlowError) as told:
        load_flows(folder)
    second = folder / names[1]
    twice = "is in mine.yaml already; keep one of the two"
    assert str(told.value).splitlines() == [
        f"{second}:2: constants.weight: {twice}",
        f"{second}:3: archived_in: {twice}",
    ]


def test_a_further_charge_is_counted_where_it_says(folder: Path) -> None:
    (folder / "mine.yaml").write_text(TIPS, encoding="utf-8")
    order = load_flows(folder)["order"]
    excluding, including = (order.root.by_name[f"total_{one}_tax"].composed_of for one in ("excl", "incl"))
    assert excluding
    assert including
    assert excluding.children == ("lines", "shipping", "fees", "tips")
    assert excluding.less == {"discount_amount": ("lines", "tips")}
    assert (including.children, including.less) == (
        ("lines", "shipping", "fees"),
        {"discount_amount": ("lines",)},
    )


@pytest.mark.parametrize(
    ("was", "instead", "line", "says"),
    [
        (
            "[total_excl_tax]",
            "[total_tax]",
            8,
            "counted_in: no such sum has 'total_tax'; allowed: total_excl_tax",
        ),
        ("[discount_amount]", "[discount]", 9, "bears: no such sum has 'discount'; allowed: discount_amount"),
        (
            "    counted_in: [total_excl_tax]\n",
            "",
            8,
            "bears: no such sum has 'discount_amount'; allowed: none; say counted_in of a sum that takes it off",
        ),
        (
            "    counted_in: [total_excl_tax]\n    bears: [discount_amount]\n",
            "",
            7,
            "comes_to: no composed_of names",
        ),
    ],
)
def test_a_sum_that_is_none_is_named(folder: Path, was: str, instead: str, line: int, says: str) -> None:
    assert was in TIPS
    (folder / "mine.yaml").write_text(TIPS.replace(was, instead), encoding="utf-8")
    with pytest.raises(FlowError) as caught:
        load_flows(folder)
    assert f"{folder / 'mine.yaml'}:{line}: children.tips.{says}" in str(caught.value)


def test_one_by_itself_is_no_flow(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE, encoding="utf-8")
    with pytest.raises(FlowError, match="is an addition to order, and no flow by itself"):
        load_flow(tmp_path / "mine.yaml")
    with pytest.raises(FlowError, match="there is no flow 'order' in this folder"):
        load_flows(tmp_path)
