"""A corpus of documents of all kinds: every section and row is accounted for, and the flow files are right."""

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
import yaml

from talk_pipeline.flows.loading import load_flows
from talk_pipeline_tests.cli.command_line import run
from talk_pipeline_tests.documents.corpus import Written, WrittenRow, write
from talk_pipeline_tests.world import opened_world

SEEDS = range(50)
MORE = range(50, 300)
ASKED = 8


class Imported(NamedTuple):
    """The files an import left: flow files by name, and the report."""

    folder: Path
    flows: dict[str, str]
    report: str


def imported(written: Written, tmp_path: Path) -> Imported:
    file, folder = tmp_path / f"{written.seed}.rst", tmp_path / f"flows-{written.seed}"
    file.write_bytes(written.content)
    done = run("import-doc", str(file), "--out", str(folder))
    assert done.returncode == 0, (written.seed, done.stderr)
    flows = {one.stem: one.read_text() for one in folder.glob("*.yaml")}
    return Imported(folder, flows, (folder / "import-report.md").read_text())


def in_flows(flows: dict[str, str]) -> list[tuple[int, str, str]]:
    """Line of the document, flow, and the line of the flow file that names it."""
    return [
        (int(number), name, line)
        for name, text in flows.items()
        # a row may be written over several lines
        for line in re.sub(r",\n +(?=\S)", ", ", text).splitlines()
        for lines in re.findall(r"document lines? ([\d, ]+)$", line)
        for number in lines.split(",")
    ]


def table(report: str, title: str) -> list[list[str]]:
    """The rows of a table of the report."""
    (section,) = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", report, re.S | re.M) or [""]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in rows[2:]]


def listed(report: str) -> list[int]:
    return [int(row[0]) for row in table(report, "Rows that are in no flow file")]


def plain(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def names_the_pair(row: WrittenRow, line: str) -> bool:
    """Whether a row of a flow file has the two names of a row of the document."""
    said = yaml.safe_load(line.strip().removeprefix("- "))
    left, right = row.cells[:2] if not row.reverse else row.cells[1::-1]
    there = plain(right.rpartition(".")[2])
    return plain(said["bc"]) == there and plain(left) in [plain(one) for one in said["shop"].split("|")]


@pytest.mark.parametrize("seed", [*SEEDS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)])
def test_every_row_and_section_is_found_exactly_once(seed: int, tmp_path: Path) -> None:
    written = write(seed)
    found = imported(written, tmp_path)
    taken = in_flows(found.flows)
    places = Counter([line for line, _, _ in taken] + listed(found.report))
    assert places == {row.line: 1 for row in written.rows}
    by_line = {row.line: row for row in written.rows}
    for line, name, text in taken:
        row = by_line[line]
        assert name == row.flow, text
        if not row.merge:
            assert names_the_pair(row, text), (row, text)
    sections = table(found.report, "Sections")
    assert [int(told[0]) for told in sections] == [section.line for section in written.sections]
    for section, told in zip(written.sections, sections, strict=True):
        assert told[2], "what became of it"
        assert (section.flow is not None) == told[2].startswith(f"{section.flow}.yaml"), told
        assert section.flow is None or section.flow in found.flows
    if found.flows:
        assert set(load_flows(found.folder)) == set(found.flows)
    told_in_numbers = r"(\d+) rows?: (\d+) rows? (?:is|are) in the flow files, (\d+) (?:is|are) listed"
    numbers = re.search(told_in_numbers, found.report)
    assert numbers is not None
    assert [int(number) for number in numbers.groups()] == [
        len(written.rows),
        len(taken),
        len(listed(found.report)),
    ]


def test_the_corpus_holds_all_kinds() -> None:
    """Else it proves less than it says."""
    every = [write(seed) for seed in SEEDS]
    rows = [row for one in every for row in one.rows]
    sections = [section for one in every for section in one.sections]
    assert len(sections) > 200
    assert len(rows) > 1000
    assert {row.flow for row in rows} == {"customer", "customer_person", "product", "order", None}
    assert any(row.reverse for row in rows)
    assert any(row.merge for row in rows)
    assert any(one.content.startswith(b"\xef\xbb\xbf") for one in every)
    assert any(b"\r\n" in one.content for one in every)
    assert any("" in row.cells for row in rows)
    assert sum(not one.rows for one in every) > 3, "documents with empty tables"


@pytest.mark.parametrize("seeds", [SEEDS[:ASKED], pytest.param(SEEDS[ASKED:], marks=pytest.mark.slow)])
def test_check_config_accepts_what_the_corpus_yields(
    seeds: range, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    """Against both systems, with records in them."""
    asked = 0
    with opened_world(tmp_path, empty=False, size=5, instance=instance):
        for seed in seeds:
            found = imported(write(seed), tmp_path)
            if found.flows:
                done = run("check-config", TALK_FLOWS_DIR=str(found.folder))
                assert done.returncode == 0, (seed, done.stdout, done.stderr)
                assert "both systems are as described" in done.stdout
                asked += 1
    assert asked > len(seeds) / 2
