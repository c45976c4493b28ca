"""A document against the flows in use: covered, missing, of another type or rule, extra."""

from pathlib import Path

import pytest

from talk_pipeline_tests.cli.command_line import Done, run
from talk_pipeline_tests.documents.texts import CUSTOMER, LINES, ORDER, PRODUCT, document, section
from talk_pipeline_tests.flow_files import edited_flows


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def compared(text: str) -> tuple[Done, list[str]]:
    Path("it.rst").write_text(text)
    done = run("check-doc", "it.rst")
    assert done.returncode in (0, 1), done.stderr
    return done, done.stdout.splitlines()


def test_all_is_covered() -> None:
    rows = [
        ("email", "Email", "string"),
        ("contact_name", "displayName", '"string"'),
        ("number", "number", "N/A"),
    ]
    merge = [("email", "email")]
    lines = section(LINES, [("quantity", "quantity", "float")])
    done, said = compared(
        document(section(CUSTOMER, rows, merge=merge), section(ORDER), section(PRODUCT), lines)
    )
    assert done.returncode == 0, done.stdout
    # the packaged tables have 15 and 7 rows; of a table without rows nothing is extra, and a constant never is
    assert said[-1] == "9 covered, 0 missing, 0 of another type, 0 of another rule, 17 extra"
    assert "extra customer: website and website" in said


def test_a_table_of_unknown_names_is_a_table() -> None:
    done, said = compared(document(section(CUSTOMER, [("vat", "displayName", "string")])))
    assert done.returncode == 1
    assert "extra customer: website and website" in said
    assert said[-1].endswith("14 extra")


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            [("name", "email", "string")],
            " MISS line 14: name / email / string: the shop's description knows no such property",
        ),
        (
            [("email", "mail", "string")],
            " MISS line 14: email / mail / string: Business Central has no such property",
        ),
        (
            [("email", "email", "float")],
            " TYPE line 14: email / email / float: customer, email: text in Business Central",
        ),
        (
            [("email", "email", "what")],
            " TYPE line 14: email / email / what: customer, email: no type that is known",
        ),
        (
            [("", "email", "string")],
            " MISS line 14: (blank) / email / string: it does not name a property on each side",
        ),
    ],
)
def test_what_is_not_covered_is_one(rows: list[tuple[str, ...]], line: str) -> None:
    done, said = compared(document(section(CUSTOMER, rows)))
    assert done.returncode == 1
    assert any(one.startswith(line) for one in said), done.stdout


def test_merge_conditions_and_rules_of_creating() -> None:
    say = "Before any synchronization can take place, a link between a {a} and a {b} must be established."
    done, said = compared(
        document(section(CUSTOMER, [("phone", "phoneNumber", "")], say=say, merge=[("phone", "phoneNumber")]))
    )
    assert done.returncode == 1
    assert any("customer, phone: records are not matched by it" in one for one in said)
    assert " DIFF line 4: flow customer: create: always; the document says never" in said


def test_the_flows_in_use_are_those_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    website = "  - {shop: website,                     dir: <->, bc: website,               type: text(80)}\n"
    edited_flows(tmp_path, monkeypatch, customer=(website, ""))
    done, _ = compared(document(section(CUSTOMER, [("website", "website", "string")])))
    assert done.returncode == 1


def test_what_an_import_took_is_covered_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("email", "email", "string"), ("phone", "phoneNumber", "string")]
    Path("it.rst").write_text(document(section(CUSTOMER, rows)))
    assert run("import-doc", "it.rst", "--out", "out").returncode == 0
    monkeypatch.setenv("TALK_FLOWS_DIR", "out")
    done = run("check-doc", "it.rst")
    assert done.returncode == 0, done.stdout
    assert "3 covered" in done.stdout


def test_records_without_a_flow_are_missing() -> None:
    done, said = compared(document(section(("Contact", "Contacts person"), [("email", "email", "string")])))
    assert done.returncode == 1
    assert sum(one.startswith(" MISS") for one in said) == 2
