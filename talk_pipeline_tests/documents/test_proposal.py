"""What follows from a document: flow files that say what it says, and reasons for all else."""

from pathlib import Path

import pytest

from talk_pipeline.documents.rows import TYPES
from talk_pipeline.flows.loading import PACKAGED, load_flow, load_flows
from talk_pipeline.flows.types import parse_type
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.systems.businesscentral.entities import PACKAGED as ENTITIES
from talk_pipeline.systems.businesscentral.values import CALLED
from talk_pipeline_tests.cli.command_line import Done, run
from talk_pipeline_tests.documents.texts import CUSTOMER, LINES, ORDER, PRODUCT, document, section


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def imported(text: str, *options: str) -> tuple[dict[str, Flow], str]:
    Path("it.rst").write_text(text)
    done = run("import-doc", "it.rst", "--out", "out", *options)
    assert done.returncode == 0, done.stderr
    report = Path("out/import-report.md").read_text()
    flows = dict(load_flows(Path("out"))) if list(Path("out").glob("*.yaml")) else {}
    return flows, report


def paths(flow: Flow) -> list[str]:
    return [prop.name for prop in flow.properties]


def test_empty_tables_propose_the_packaged_ones() -> None:
    flows, report = imported(document(section(CUSTOMER), section(ORDER), section(PRODUCT)))
    assert flows == dict(load_flows())
    assert report.count("the packaged table is proposed") == 6
    for name in flows:
        written = Path(f"out/{name}.yaml").read_text().splitlines()[2:]
        assert written == (PACKAGED / f"{name}.yaml").read_text().splitlines()[1:], "comments and all"


def test_a_table_is_what_the_flow_keeps_in_step_with_what_it_cannot_do_without() -> None:
    rows = [
        ("Email", "Mail", "string"),
        ("phone", "Phone Number", "string"),
        ("address.city", "city", "N/A"),
    ]
    flows, report = imported(document(section(CUSTOMER, rows)))
    flow = flows["customer"]
    # number finds creates again, type is a constant, the name is required; the rest is not named
    assert paths(flow) == ["number", "type", "company_name", "phone", "address.city"]
    assert flow.match == ("number",)
    assert flow.root.by_name["address.city"].send_with == ()
    assert flow.root.by_name["phone"].country is None
    assert not flow.settings.blocked_by
    assert flow.label == "company_name"
    assert "| Email / Mail / string | Business Central has no such property |" in report
    assert "the flow keeps email in step with email; customers has email: is that it?" in report
    assert "* left out, no row names them: the record: organization_number, email, website" in report
    assert "* kept though no row names it: number: a create of unknown outcome is found again by it" in report


def test_names_are_the_same_but_for_case_and_signs_and_nothing_else() -> None:
    rows = [
        ("EMAIL", "eMail", ""),
        ("mail", "email", ""),
        ("company", "displayName", ""),
        ("loyalty", "website", ""),
    ]
    flows, report = imported(document(section(CUSTOMER, rows)))
    assert "email" in paths(flows["customer"])
    assert "website" not in paths(flows["customer"])
    assert (
        "the flow keeps email in step with email; where the shop calls it so, its description says `email: mail`"
        in report
    )
    assert "`company_name: company` under fields" in report
    assert "`website: loyalty` under fields" in report


REFERENCE = PACKAGED.parent / "systems" / "customwebshop" / "reference.yaml"


def test_the_name_that_counts_is_the_one_in_the_shops_description() -> None:
    text = REFERENCE.read_text()
    named = text.replace(
        "fields: {active: {type: bool}}", "fields: {active: {type: bool}, phone: tel.main}", 1
    )
    assert named != text
    Path("shop.yaml").write_text(named)
    rows = [("Tel. main", "phoneNumber", "string"), ("phone", "phoneNumber", "string")]
    Path("it.rst").write_text(document(section(CUSTOMER, rows)))
    done = run("import-doc", "it.rst", "--out", "out", CUSTOMWEBSHOP_CONNECTOR="shop.yaml")
    assert "2 rows: 1 in flow files, 1 listed" in done.stdout, done.stderr
    (row,) = [line for line in Path("out/customer.yaml").read_text().splitlines() if "phoneNumber" in line]
    assert row.endswith("# document line 14")
    assert "| 17 |" in Path("out/import-report.md").read_text()


def test_what_the_flow_pairs_otherwise_is_for_a_person() -> None:
    _, report = imported(
        document(section(CUSTOMER, [("phone", "website", "string"), ("phone", "creditLimit", "")]))
    )
    assert "in the flow phone goes with phoneNumber, and website with website" in report
    assert "a row for it is `{shop: phone, dir: <->, bc: website, type: text(80)}`" in report
    assert "a row for it is `{shop: phone, dir: <->, bc: creditLimit, type: decimal(5)}`" in report


def test_a_row_is_proposed_for_a_property_of_any_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TYPES.keys() == CALLED.keys()
    for made in TYPES.values():
        assert parse_type(made(None))
    own = (ENTITIES / "customers.yaml").read_text(encoding="utf-8")
    (tmp_path / "customers.yaml").write_text(
        own.replace("properties:\n", "properties:\n  patience: duration\n", 1), encoding="utf-8"
    )
    monkeypatch.setenv("BUSINESSCENTRAL_ENTITIES_DIR", str(tmp_path))
    rows = [("phone", "patience", "duration"), ("phone", "lastModifiedDateTime", "datetime")]
    _, report = imported(document(section(CUSTOMER, rows)))
    assert "a row for it is `{shop: phone, dir: <->, bc: patience, type: text(30)}`" in report
    assert "a row for it is `{shop: phone, dir: <-, bc: lastModifiedDateTime, type: moment}`" in report


def test_merge_conditions_are_the_match() -> None:
    merge = [
        ("email", "email"),
        ("Organization number", "taxRegistrationNumber"),
        ("name, email", "displayName, email"),
    ]
    flows, report = imported(document(section(CUSTOMER, [("phone", "phoneNumber", "")], merge=merge)))
    flow = flows["customer"]
    assert flow.match == ("email", "organization_number")
    assert {"email", "organization_number"} <= set(paths(flow))
    assert "never by several at once" in report
    assert "* kept though no row names it: email: the document's merge conditions name it" in report


@pytest.mark.parametrize(
    ("say", "create"),
    [
        ("", "always"),
        (
            "Before any synchronization can take place, a link between a {a} and a {b} must be established.",
            "never",
        ),
        (
            "A new {b} will be created from a {a} if it is connected to a Customwebshop Order that is synchronized"
            " into Businesscentral.",
            "when_referenced",
        ),
    ],
)
def test_who_is_created(say: str, create: str) -> None:
    flows, report = imported(document(section(CUSTOMER, say=say)))
    assert flows["customer"].settings.create == create
    assert "## To decide" not in report


def test_orders_that_nothing_refers_to_are_asked_about() -> None:
    say = "A new {b} will be created from a {a} if it is connected to a Thing that is synchronized into it."
    flows, report = imported(document(section(ORDER, say=say)))
    assert flows["order"].settings.create == "when_referenced"
    assert "order: no flow refers to it" in report


def test_an_order_brings_what_it_refers_to_and_its_lines() -> None:
    flows, report = imported(document(section(ORDER, [("currency", "Currency Code", "string")])))
    assert list(flows) == ["customer", "product", "order"]
    assert "* `customer.yaml` as packaged: order refers to it" in report
    assert len(flows["order"].children["lines"].properties) == 7
    assert flows["order"].children["lines"].send_with == ()
    # the scope of creating, the reference, the key; prices of lines need to know whether they include tax
    assert paths(flows["order"]) == ["number", "customer_id", "currency", "prices_include_tax", "status"]


OF_A_LINE = ["product_id", "description", "unit", "quantity", "unit_price", "discount_percent"]


def test_lines_have_a_section_of_their_own_or_dotted_names() -> None:
    flows, report = imported(document(section(LINES, [("quantity", "quantity", '"float"')])))
    lines = flows["order"].children["lines"]
    # what goes along with the product is no order without it; line_total is compared and no more
    assert [prop.name for prop in lines.properties] == OF_A_LINE
    assert len(flows["order"].properties) == len(load_flows()["order"].properties)
    assert "there is a section for its lines and none for itself" in report
    flows, _ = imported(
        document(section(ORDER, [("lines.quantity", "salesOrderLines.quantity", "")])), "--overwrite"
    )
    assert "# document line" in Path("out/order.yaml").read_text()
    assert [prop.name for prop in flows["order"].children["lines"].properties] == OF_A_LINE
    flows, _ = imported(
        document(section(LINES, [("quantity", "salesOrderLines.quantity", "")])), "--overwrite"
    )
    assert "# document line" in Path("out/order.yaml").read_text()


def test_private_persons_come_from_the_optional_flow() -> None:
    flows, _ = imported(document(section(("Customer", "Customers person"), [("email", "email", "")])))
    assert list(flows) == ["customer_person"]
    assert "company_name" in paths(flows["customer_person"]), "its scope"


def test_one_kind_of_records_leads_and_others_are_asked_about() -> None:
    person = section(("Deal", "Customers company"), [("email", "email", "string")])
    flows, report = imported(document(person, section(CUSTOMER, [("phone", "phoneNumber", "")])))
    assert "phone" in paths(flows["customer"])
    assert "email" not in paths(flows["customer"])
    assert "other records of the shop lead to the same flow" in report
    assert "Deal leads to Customers company too" in report


def test_another_noun_and_an_unsaid_type_are_asked_about() -> None:
    text = document(section(("Account", "Customers"), shop="Customcrm"), shop="Customcrm")
    flows, report = imported(text)
    assert list(flows) == ["customer"]
    assert "Account is read as the shop's customers: is it that?" in report
    assert "Customers does not say which: read as those of type Company" in report


def test_wrong_types_and_one_way_rows_are_told() -> None:
    rows = [
        ("price", "unitPrice", '"string"'),
        ("stock", "inventory", "float"),
        ("name", "displayName", "quux"),
    ]
    flows, report = imported(document(section(PRODUCT, rows)))
    assert {"price", "stock", "name", "price_includes_tax"} <= set(paths(flows["product"]))
    assert "unitPrice: string is decimal there" in report
    assert "displayName: quux is no type that is known" in report
    assert "inventory: float" not in report
    assert "stock: to the shop" in report


def test_records_that_no_flow_has_are_listed_and_nothing_is_written() -> None:
    flows, report = imported(
        document(section(("Contact", "Contacts person"), [("email", "email", "string")]))
    )
    assert not flows
    assert "no flow synchronizes Contacts person; there are flows for" in report
    assert "| email / email / string | no flow synchronizes these records |" in report


def overwriting(*options: str) -> Done:
    return run("import-doc", "it.rst", "--out", "out", *options)


def test_a_folder_with_flow_files_is_not_overwritten_unless_told() -> None:
    imported(document(section(CUSTOMER)))
    Path("out/customer.yaml").write_text("mine")
    Path("out/other.yaml").write_text("mine")
    again = overwriting()
    assert again.returncode == 2
    assert (
        "out: holds customer.yaml, other.yaml, import-report.md already: name another folder, or say --overwrite"
        in again.stderr
    )
    assert Path("out/customer.yaml").read_text() == "mine"
    told = overwriting("--overwrite")
    assert told.returncode == 0, told.stderr
    assert "left alone, though check-config reads them too: other.yaml" in told.stdout
    assert Path("out/other.yaml").read_text() == "mine"
    assert load_flow(Path("out/customer.yaml")).name == "customer"
    assert sorted(file.name for file in Path("out").iterdir()) == [
        "customer.yaml",
        "import-report.md",
        "other.yaml",
    ]


def test_mistakes_are_one_line_with_a_way_out() -> None:
    Path("it.rst").write_text("My Diary\n========\n")
    Path("file").write_text("")
    for file, message in (
        ("it.rst", "the title is 'My Diary'"),
        (".", "Is a directory"),
        ("no.rst", "No such file"),
    ):
        for arguments in (("import-doc", file, "--out", "out"), ("check-doc", file)):
            done = run(*arguments)
            assert (done.returncode, done.stdout) == (2, "")
            assert message in done.stderr
            assert len(done.stderr.splitlines()) == 1
    Path("it.rst").write_text(document(section(CUSTOMER)))
    done = run("import-doc", "it.rst", "--out", "file")
    assert done.returncode == 2
    assert "file: is no folder" in done.stderr
    assert not Path("out").exists()


def test_a_shop_that_has_no_orders_gets_no_flow_for_them() -> None:
    text, _, _ = REFERENCE.read_text().partition("  orders:\n    path")
    webhooks, entities = text.index("webhooks:"), text.index("entities:")
    Path("shop.yaml").write_text(text[:webhooks] + text[entities:])
    Path("it.rst").write_text(document(section(CUSTOMER), section(ORDER)))
    done = run("import-doc", "it.rst", "--out", "out", CUSTOMWEBSHOP_CONNECTOR="shop.yaml")
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in Path("out").iterdir()) == ["customer.yaml", "import-report.md"]
