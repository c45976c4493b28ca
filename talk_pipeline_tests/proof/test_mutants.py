"""What the mutants are that the tests are judged by, and that each file they are made of has tests to get past."""

import subprocess
import sys
from pathlib import Path

import pytest

from talk_pipeline_tests.proof.judging import Verdict
from talk_pipeline_tests.proof.mutants import (
    TESTS,
    TOLD,
    all_mutants,
    known_alike,
    name_of,
)
from talk_pipeline_tests.proof.mutations import mutants

SQL = """
def due(db, flow):
    db.execute(
        f\"\"\"
        -- null or none
        select distinct c.id from change c left join link l on l.id = c.id and l.flow <> {flow}
        where c.kind = 'a = b and c' and c.at is not null and not exists (select 1 from gone g where g.id = c.id)
        order by c.id
        \"\"\"
    )
"""
PYTHON = """
def due(rows: list[int] | None, *, least: int = 2) -> bool:
    \"\"\"None or less than 5.\"\"\"
    for row in rows or ():
        if not row or row >= least and row != 7:
            continue
        tell(row)
    return True
"""


def changes(tmp_path: Path, text: str) -> set[str]:
    file = tmp_path / "due.py"
    file.write_text(text)
    return {one.change.partition("  ->  ")[2] or one.change for one in mutants(file)}


def test_conditions_of_sql_are_turned_and_dropped(tmp_path: Path) -> None:
    found = changes(tmp_path, SQL)
    lines = {" ".join(line.split()) for line in found}
    select = "from change c left join link l on l.id = c.id and l.flow <> {flow}"
    where = "c.at is not null and not exists (select 1 from gone g where g.id = c.id)"
    assert lines >= {
        f"select c.id {select}",
        f"select distinct c.id {select.replace('left join', 'join')}",
        f"select distinct c.id {select.replace('l.id = c.id and ', '')}",
        f"select distinct c.id {select.replace('{flow}', '{flow}').replace('<>', '=')}",
        f"select distinct c.id {select.replace(' and l.flow <> {flow}', '')}",
        f"where {where}",
        f"where c.kind <> 'a = b and c' and {where}",
        f"where c.kind = 'a = b and c' or {where}",
        f"where c.kind = 'a = b and c' and {where.replace('is not null', 'is null')}",
        f"where c.kind = 'a = b and c' and {where.replace('not exists', 'exists')}",
        "where c.kind = 'a = b and c' and c.at is not null",
        "order by c.id desc",
    }
    assert not [line for line in lines if "'a = b and c'" not in line and "c.kind" in line], (
        "texts are not SQL"
    )
    assert not [line for line in lines if line.startswith("--")], "nor are remarks"


def test_what_python_decides_is_turned(tmp_path: Path) -> None:
    assert changes(tmp_path, PYTHON) == {
        "def due(rows: list[int] | None, *, least: int = 3) -> bool:",
        "for row in rows and ():",
        "if (not (not row or row >= least and row != 7)):",
        "if row or row >= least and row != 7:",
        "if not row and row >= least and row != 7:",
        "if not row or row > least and row != 7:",
        "if not row or row >= least or row != 7:",
        "if not row or row >= least and row == 7:",
        "if not row or row >= least and row != 8:",
        "break",
        "left out: tell(row)",
        "return False",
    }


def test_every_file_has_tests_and_they_exist() -> None:
    files = {name_of(one.file) for one in all_mutants()}
    assert files == set(TOLD["tests"])
    for test in {test for tests in TOLD["tests"].values() for test in tests}:
        file, _, name = test.partition("::")
        assert (TESTS / file).exists(), test
        assert f"def {name}(" in (TESTS / file).read_text() if name else True, test


def test_what_is_known_to_be_alike_is_still_there() -> None:
    there = {(name_of(one.file), one.change) for one in all_mutants()}
    for one in known_alike():
        assert (one.file, one.change) in there, one
        assert one.reason


JUDGED = """
from talk_pipeline_tests.proof.judging import Case, NotJudgedError, judge
from talk_pipeline_tests.proof.mutants import ENGINE, Mutant, mutants
file, tests = ENGINE / "plan" / "ended_before.py", ["talk_pipeline_tests/engine/plan/test_ended_before.py"]
mistake = next(one for one in mutants(file) if "left out" in one.change)
no_sql = Mutant(file, mistake.start, mistake.end, "db.execute('selekt')")
no_python = Mutant(file, 0, 0, "(")
cases = [Case(one, tests) for one in (Mutant(file, 0, 0, ""), mistake, no_sql, no_python)]
judge(cases, lambda _, verdict, by: print(verdict, by.partition("::")[2] or "-"), at_once=AT_ONCE)
"""


def judged(at_once: int) -> list[str]:
    """By a process without threads: each mutant is judged by a fork of it."""
    command = [sys.executable, "-c", JUDGED.replace("AT_ONCE", str(at_once))]
    done = subprocess.run(command, cwd=TESTS.parent, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_mistake_is_noticed_and_none_is_not_and_what_is_no_sql_proves_nothing(at_once: int) -> None:
    verdicts = judged(at_once)
    assert sorted(line.split()[0] for line in verdicts) == sorted(
        [Verdict.SURVIVED, Verdict.NOTICED, Verdict.INVALID, Verdict.NOTICED]
    )
    assert any(line.startswith(f"{Verdict.NOTICED} test_") for line in verdicts), "by which test"


ENDLESS = """
from talk_pipeline_tests.proof import judging
from talk_pipeline_tests.proof.mutants import ENGINE, Mutant, Score
judging.LONGEST_SECONDS = 1
file, tests = ENGINE / "plan" / "ended_before.py", ["talk_pipeline_tests/engine/plan/test_ended_before.py"]
judging.judge([judging.Case(Mutant(file, 0, 0, "while True: pass\\n"), tests)], Score().add)
"""


def test_what_comes_to_no_end_is_ended_by_what_it_takes_of_the_processor_and_told_as_such() -> None:
    """Not by the clock: where others work as well, that says nothing of the tests."""
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS], cwd=TESTS.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(Verdict.NOTICED)
    assert done.stdout.endswith("[nothing came to an end]\n")


IN_PLACE = """
from talk_pipeline.engine.plan import circuit_breaker, lone_children, removed_lines
from talk_pipeline.engine.plan.circuit_breaker import Volume
from talk_pipeline.engine.plan.removed_lines import dispute_removals
from talk_pipeline_tests.proof.judging import put_in_place
from talk_pipeline_tests.proof.mutants import ENGINE, Mutant
def change(name, old, new):
    file = ENGINE / "plan" / name
    start = file.read_text().index(old)
    put_in_place(Mutant(file, start, start + len(old), new))
change("removed_lines.py", "OPEN = ", "OPEN = 'another' or ")
print(lone_children.OPEN)
change("removed_lines.py", "company: Company\\n) -> Disputed", "company: Company=7\\n) -> Disputed")
print(dispute_removals.__kwdefaults__["company"])
change("circuit_breaker.py", "class Volume:", "class Volume:\\n    added = 7\\n")
print(Volume.added)
assert Volume is circuit_breaker.Volume
"""


def test_whoever_took_something_of_the_file_has_it_changed() -> None:
    """What is a constant, a function, a class; by another process, since it stays so."""
    done = subprocess.run(
        [sys.executable, "-c", IN_PLACE], cwd=TESTS.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["another", "7", "7"]
