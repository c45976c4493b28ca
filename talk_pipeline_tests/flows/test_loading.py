"""Every mistake in a flow file is named by file, line and key, with what is allowed."""

from decimal import Decimal
from pathlib import Path

import pytest

from talk_pipeline.flows.loading import PACKAGED, FlowError, load_flow, load_flows, read_yaml
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.values import Context
from talk_pipeline.systems.customwebshop.spec.description import REFERENCE
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline_tests.flow_files import copied_flows, replaced


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return copied_flows(tmp_path)


def test_every_packaged_file_is_loaded_in_running_order() -> None:
    flows = load_flows()
    assert set(flows) == {file.stem for file in PACKAGED.glob("*.yaml")}
    assert list(flows).index("order") > list(flows).index("customer")
    assert flows.with_references(("order",)) == tuple(flows)


GUARD = "{bc: status, open_while: [Draft], reason: not now, withholds: [buyer]}"
MISTAKES = [
    ("customer.yaml", "dir: <->, bc: email,", "dir: both, bc: email,", "properties.4.dir", "'<->'"),
    ("customer.yaml", "type: email(80)", "type: mail(80)", "properties.4", "no type 'mail'; allowed: text"),
    ("customer.yaml", "type: email(80)", "type: email(long)", "properties.4", "is a number"),
    ("customer.yaml", "type: email(80)", "type: email(²)", "properties.4", "is a number"),
    ("customer.yaml", "type: email(80)", "type: email(0)", "properties.4", "has room for nothing"),
    ("customer.yaml", "create_key: number", "create_key: nummer", "create_key", "allowed: number, type"),
    ("customer.yaml", "match: [number,", "match: [nr,", "match", "nothing is called 'nr'"),
    ("customer.yaml", "bc: email, ", "bcc: email, ", "properties.4.bcc", "unknown key; allowed: shop, name"),
    ("customer.yaml", "conflict: last_writer", "conflict: newest", "settings.conflict", "'last_writer'"),
    ("customer.yaml", "overlap_minutes: 5", "overlap_minutes: soon", "settings.overlap_minutes", "'soon'"),
    ("customer.yaml", "share: 0.5", "share: 50", "settings.breaker.share", "less than or equal to 1"),
    ("customer.yaml", "share: 0.5", "share: 50.5", "settings.breaker.share", "(found 50.5)"),
    ("customer.yaml", "title: Customers", "", "title", "is required"),
    ("customer.yaml", "constants: {type: Company}", "constants: {}", "properties.1", "no shop path"),
    ("customer.yaml", "country: address.country}", "country: land}", "country", "nothing is called 'land'"),
    (
        "order.yaml",
        "usable_while: {active: true}, required",
        "of: number, required",
        "of",
        "what is meant otherwise",
    ),
    (
        "order.yaml",
        "usable_while: {active: true}, required",
        "otherwise: product, of: nr, required",
        "of",
        "nothing is called 'nr'",
    ),
    ("order.yaml", "sums: [totalAmountInc", "sums: [totalInc", "closed_by.sums", "no property of dir = is"),
    ("customer.yaml", "shop: website,", "shop: email,", "name", "a second property is called 'email'"),
    (
        "customer.yaml",
        "type: text(80)}",
        "type: text(80), only: create, blank_keeps: true}",
        "properties.6",
        "without only",
    ),
    (
        "customer.yaml",
        "type: email(80)}",
        "type: email(80), blank: none}",
        "properties.4",
        "a blank means, 'none'",
    ),
    (
        "product.yaml",
        "create: always",
        "create: always\n  create_scope_businesscentral: {category: [A]}",
        "settings",
        "needs create: both",
    ),
    (
        "product.yaml",
        "create: always",
        "create: both\n  create_scope_businesscentral: {active: [maybe]}",
        "settings.create_scope_businesscentral.active",
        "'maybe' is neither true nor false",
    ),
    (
        "order.yaml",
        "create_scope: {status:",
        "create_scope: {state:",
        "settings.create_scope.state",
        "allowed: number",
    ),
    ("customer.yaml", "flow: customer", "flow: client", "flow", "they must agree"),
    ("customer.yaml", "type: text(20), only: create}", "type: text(20)}", "properties", "is a constant"),
    ("order.yaml", "flags:\n", f"guard: {GUARD}\nflags:\n", "guard.withholds", "'buyer'"),
    ("order.yaml", "currency(10)}", "currency(10), recreates: [rows]}", "recreates", "allowed: lines"),
    ("order.yaml", "match: product_id", "match: sku", "children.lines.match", "allowed: product_id"),
    (
        "product.yaml",
        "displayName,           type: text(100)",
        'displayName,           type: "text(100, html)"',
        "properties.2",
        "a text with HTML entities, is told in its description",
    ),
    ("order.yaml", "reference(product)", "reference()", "children.lines.properties.0", "is not a type"),
    ("order.yaml", "reference(product)", "reference(item)", "order.yaml", "refers to flow 'item'"),
    ("product.yaml", "asset: product,", "asset: customer,", "", "share asset 'customer'"),
]


AS_WRITTEN = [
    "0420",
    "00123",
    "12:30",
    "1_000",
    "1.10",
    "1e3",
    "0x1F",
    "+5",
    "7",
    "-3",
    "2.5",
    "NO",
    "on",
    "2026-02-30",
]


@pytest.mark.parametrize("word", AS_WRITTEN)
def test_a_word_is_what_is_written(folder: Path, word: str) -> None:
    old, new = ("constants: {type: Company}", f"constants: {{type: {word}}}")
    file = folder / "customer.yaml"
    file.write_text(replaced(file.read_text(), (old, new)))
    assert load_flows(folder)["customer"].settings.constants["type"] == word


def test_keys_are_what_is_written_and_each_is_there_once(folder: Path) -> None:
    keys = ("07", "7", "1.0", "1.00", "0420", "true")
    file = folder / "mine.yaml"
    file.write_text(f"adds_to: customer\nconstants: {{{', '.join(f'{key}: x' for key in keys)}}}\n")
    data, _ = read_yaml(file)
    assert list(data["constants"]) == list(keys)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("2.50", Decimal("2.5")),
        ("true", True),
        ("null", None),
        ('"5"', "5"),
        ("05", "05"),
    ],
)
def test_what_json_takes_for_a_number_is_one(tmp_path: Path, said: str, value: object) -> None:
    file = tmp_path / "body.yaml"
    file.write_text(f"body: {{said: {said}}}\n")
    data, _ = read_yaml(file)
    assert data == {"body": {"said": value}}
    assert type(data["body"]["said"]) is type(value)


@pytest.mark.parametrize(
    "tagged", ["!!timestamp 2026-02-30", "!!int soon", "!!int ''", "!!float x", "!!bool perhaps"]
)
def test_what_says_of_itself_to_be_what_it_is_not_is_a_mistake_in_its_line(
    tmp_path: Path, tagged: str
) -> None:
    file = tmp_path / "customer.yaml"
    file.write_text(f"flow: customer\ntitle: {tagged}\n")
    with pytest.raises(FlowError, match=f"{file}:2: not YAML: .* is no {tagged[2:].split()[0]}"):
        load_flow(file)


@pytest.mark.parametrize(("file", "old", "new", "key", "message"), MISTAKES)
def test_a_mistake_is_located(folder: Path, file: str, old: str, new: str, *, key: str, message: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))
    with pytest.raises(FlowError) as caught:
        load_flows(folder)
    assert key in str(caught.value)
    assert message in str(caught.value)


def test_the_line_is_the_line_of_the_key(folder: Path) -> None:
    file = folder / "product.yaml"
    lines = file.read_text().splitlines()
    at = next(number for number, line in enumerate(lines) if "shop: gtin" in line)
    lines[at] = lines[at].replace("gtin(14)", "barcode")
    file.write_text("\n".join(lines))
    with pytest.raises(FlowError, match=rf"product\.yaml:{at + 1}: properties\.3"):
        load_flow(file)


def test_broken_yaml_names_the_line(folder: Path) -> None:
    (folder / "product.yaml").write_text("flow: product\nmatch: [sku\nproperties: }")
    with pytest.raises(FlowError, match=r"product\.yaml:3: not YAML"):
        load_flows(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"flow: \xff\xfe", "is no text in UTF-8"),
        (b"flow: product\ntitle: \x07", "product.yaml:2: holds U+0007, which YAML does not allow"),
        (b"", "product.yaml:1: the file: keys belong here, such as flow, title"),
        (
            b"flow: product\ntitle: A\ntitle: B",
            "product.yaml:3: title: is there already, in line 2; keep one",
        ),
        (b"flow: product\nsettings: all", "settings: keys belong here, such as create"),
    ],
)
def test_what_is_no_flow_file_is_told_in_a_line(folder: Path, content: bytes, message: str) -> None:
    (folder / "product.yaml").write_bytes(content)
    with pytest.raises(FlowError) as caught:
        load_flow(folder / "product.yaml")
    assert message in str(caught.value)
    assert all(str(folder) in line for line in str(caught.value).splitlines())


def test_all_mistakes_of_all_files_are_told_at_once(folder: Path) -> None:
    for name in ("customer", "product"):
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text().replace("initial: fill", "initial: guess"))
    with pytest.raises(FlowError) as caught:
        load_flows(folder)
    assert "customer.yaml:" in str(caught.value)
    assert "product.yaml:" in str(caught.value)


@pytest.mark.parametrize("ending", [".yml", ".YAML"])
def test_a_flow_file_that_would_not_be_read_is_a_mistake(folder: Path, ending: str) -> None:
    (folder / "product.yaml").rename(folder / f"product{ending}")
    with pytest.raises(FlowError, match=rf"product\{ending}: would not be read: .* called \.yaml; rename it"):
        load_flows(folder)


def test_a_folder_without_flows_says_so(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="holds no flow file"):
        load_flows(tmp_path)
    with pytest.raises(FlowError, match="no such folder"):
        load_flows(tmp_path / "none")


def test_references_that_go_round_are_refused(folder: Path) -> None:
    file = folder / "product.yaml"
    row = "  - {shop: last_order, dir: ->, bc: displayName2, type: reference(order)}\n"
    file.write_text(file.read_text().replace("properties:\n", f"properties:\n{row}"))
    with pytest.raises(FlowError, match="refers to itself"):
        load_flows(folder)


PERSON = PACKAGED / "optional" / "customer_person.yaml"
SHARED = [
    ("{company_name: {filled: false}}", {"customer_person.company_name": "filled"}),
    ("{company_name: [Us, Them]}", {"customer_person.company_name": "none of Us, Them"}),
    ("{company_name: {none_of: [Us]}}", {"customer_person.company_name": "Us"}),
]


@pytest.mark.parametrize(("scope", "left"), SHARED)
def test_a_flow_without_a_scope_takes_what_another_leaves(
    folder: Path, scope: str, left: dict[str, str]
) -> None:
    text = PERSON.read_text(encoding="utf-8").replace("{company_name: {filled: false}}", scope)
    (folder / PERSON.name).write_text(text, encoding="utf-8")
    customer = load_flows(folder)["customer"]
    assert {name: str(condition) for name, condition in customer.settings.scope.items()} == left
    assert customer.root.by_name[next(iter(left))].dir == "-"
    assert not load_flows()["customer"].settings.scope


CONTESTED = [
    (
        "  scope: {company_name: {filled: false}}\n",
        "",
        "takes the same records as customer: one of the two needs",
    ),
    (
        "{company_name: {filled: false}}",
        "{number: [1], email: [2]}",
        "what customer_person leaves is no single",
    ),
    (
        "{company_name: {filled: false}}",
        "{number: {at_least: 5}}",
        "what customer_person leaves is no single",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), CONTESTED)
def test_flows_that_may_take_the_same_record_are_refused(
    folder: Path, old: str, new: str, message: str
) -> None:
    text = PERSON.read_text(encoding="utf-8")
    assert old in text
    (folder / PERSON.name).write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(FlowError, match=message):
        load_flows(folder)


def test_a_shop_must_tell_what_flows_share_their_records_by(folder: Path) -> None:
    (folder / PERSON.name).write_bytes(PERSON.read_bytes())
    shop = folder / "shop.txt"
    fields = "fields: {company_name: ~, active"
    shop.write_text(
        REFERENCE.read_text(encoding="utf-8").replace("fields: {active", fields, 1), encoding="utf-8"
    )
    with pytest.raises(FlowError, match="company_name: must be there: flow customer tells its records by it"):
        load_description(shop, flows=load_flows(folder))


def test_words_may_be_written_in_either_unicode_form(folder: Path) -> None:
    file = folder / "product.yaml"
    file.write_text(file.read_text().replace("pcs: PCS", "stu\u0308ck: STU\u0308CK"), encoding="utf-8")
    unit = load_flow(file).root.by_name["unit"]
    assert unit.convert(Side.BC, value="stück", context=Context()) == "STÜCK"
    assert unit.convert(Side.SHOP, value="STU\u0308CK", context=Context()) == "stück"
