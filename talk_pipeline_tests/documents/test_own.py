"""The document that the flows' own checklist is without results: one of the family, there and back."""

import re
from pathlib import Path

import pytest

from talk_pipeline_tests.cli.command_line import Done, run
from talk_pipeline_tests.docs.documents import ROOT
from talk_pipeline_tests.flow_files import edited_flows

FILE = ROOT / "docs" / "dataflow.rst"
WOOCOMMERCE = ROOT / "talk_pipeline/systems/customwebshop/woocommerce.yaml"


def written(**environment: str) -> str:
    """What the flows' document says, whenever it was made."""
    done = run("checklist", "--format", "rst", "--without-results", **environment)
    assert done.returncode == 0, done.stderr
    return re.sub(r"^Generated: .*$", "", done.stdout, count=1, flags=re.MULTILINE)


def compared(text: str, **environment: str) -> Done:
    Path("it.rst").write_text(text, encoding="utf-8")
    return run("check-doc", "it.rst", **environment)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in (
        ("CUSTOMWEBSHOP_URL", "http://shop.example"),
        ("CUSTOMWEBSHOP_TOKEN", "no-token-at-all"),
        ("BUSINESSCENTRAL_URL", "http://bc.example/api/v2.0"),
        ("BUSINESSCENTRAL_TOKEN", "no-token-at-all"),
        ("BUSINESSCENTRAL_COMPANY", "none"),
    ):
        monkeypatch.setenv(name, value)


def test_imported_it_gives_the_flows_it_was_made_of() -> None:
    done = run("import-doc", str(FILE), "--out", "out")
    assert done.returncode == 0, done.stderr
    assert "0 listed with the reason\n0 to decide" in done.stdout
    assert written(TALK_FLOWS_DIR="out") == written()


def test_all_of_it_is_covered_and_nothing_is_extra() -> None:
    done = run("check-doc", str(FILE))
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("covered, 0 missing, 0 of another type, 0 of another rule, 0 extra\n")
    covered = {int(line) for line in re.findall(r"^ ok   line (\d+): .* / ", done.stdout, re.MULTILINE)}
    lines = FILE.read_text(encoding="utf-8").splitlines()
    rows = {number for number, line in enumerate(lines, 1) if line.startswith("   * - ")}
    heads = {number for number in rows if lines[number - 1].endswith((" Property", " Done"))}
    steps = {number for number in rows if "☐" in lines[number - 1]}
    assert covered == rows - heads - steps


def test_of_a_shop_that_calls_things_otherwise_too() -> None:
    """Its document tells what the flow calls them."""
    there = {
        "CUSTOMWEBSHOP_CONNECTOR": str(WOOCOMMERCE),
        "CUSTOMWEBSHOP_KEY": "k",
        "CUSTOMWEBSHOP_SECRET": "s",
    }
    done = compared(written(**there), **there)
    assert done.returncode == 0, done.stdout
    assert "0 extra" in done.stdout


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("both ways", "to Businesscentral", "company_name, or contact_name / displayName"),
        ("the later edit wins", "Customwebshop wins", "not understood: Where both sides edited"),
        ("true is blank, false is All", "true is All", "not understood: active and blocked: true is All"),
        ("(always Company)", "(always Person)", "(always Person) / type"),
        ("String(100)", "Decimal", "company_name, or contact_name / displayName"),
    ],
)
def test_what_it_says_otherwise_is_told(before: str, after: str, line: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert before in text
    done = compared(text.replace(before, after, 1))
    assert done.returncode == 1, done.stdout
    told, *others = [one for one in done.stdout.splitlines()[:-1] if not one.startswith((" ok ", "extra"))]
    assert line in told
    assert others == []


def test_what_an_import_does_not_follow_is_asked() -> None:
    text = FILE.read_text(encoding="utf-8").replace("both ways", "to Businesscentral", 1)
    Path("it.rst").write_text(text, encoding="utf-8")
    assert "1 to decide" in run("import-doc", "it.rst", "--out", "out").stdout
    report = Path("out/import-report.md").read_text(encoding="utf-8")
    assert "displayName: it travels both ways in the flow; the document says to Businesscentral" in report


def test_an_edited_flow_is_seen_in_the_words_of_its_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(tmp_path, monkeypatch, customer=("conflict: last_writer", "conflict: manual"))
    done = compared(FILE.read_text(encoding="utf-8"))
    assert done.returncode == 1
    assert "not understood: Where both sides edited" in done.stdout


def test_one_with_the_verdicts_of_a_run_is_refused_with_the_way_out() -> None:
    text = FILE.read_text(encoding="utf-8")
    done = compared(text.replace("     - Direction\n", "     - Direction\n     - Verdict\n", 1))
    assert done.returncode == 2
    assert "it.rst:" in done.stderr
    assert "--without-results" in done.stderr
