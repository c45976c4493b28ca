"""What `check-config` says of a description that is not as Business Central declares its set."""

from pathlib import Path

import pytest

from talk_pipeline.systems.businesscentral.comparing import compared
from talk_pipeline.systems.businesscentral.entities import load_entity
from talk_pipeline.systems.businesscentral.metadata import Metadata
from talk_pipeline_tests.systems.businesscentral.test_drafting import BAY, HALL, JOB, REMARK, STEP, declared

JOBS = """\
entity: jobs
api: a/b/v1.0
key: jobKey
modified: lastTouchChanged
beside:
  hall: {named_by: hallRef, set: halls, key: hallKey, properties: {code: code(10)}}
  bay: {named_by: bayRef, set: bays, key: bayKey, within: {hallRef: hallRef}, properties: {mark: text(4)}}
properties:
  jobKey: guid read
  hallRef: guid
  bayRef: guid
  lastTouchChanged: datetime read
children:
  steps:
    set: jobSteps
    key: stepKey
    properties: {stepKey: guid read}
  remarks:
    key: remarkKey
    nested: true
    properties: {remarkKey: guid read, words: text(50)}
"""
SETS = {"jobs": "job", "halls": "hall", "bays": "bay", "jobSteps": "step"}


@pytest.fixture
def metadata() -> Metadata:
    return declared(JOB, HALL, BAY, STEP, REMARK, **SETS)


DIFFERENT = [
    ("hallRef: guid\n", "hallRef: text(20)\n", "jobs: hallRef is guid, says $metadata, and not text"),
    ("bayRef: guid\n", "bayRef: guid\n  madeBy: text(9)\n", "jobs: $metadata has no property madeBy"),
    (
        "words: text(50)",
        "words: text(90)",
        "jobs.remarks: words holds 80 characters, says $metadata: write text(80)",
    ),
    (
        "words: text(50)",
        "words: code",
        "jobs.remarks: words holds 80 characters, says $metadata: write code(80)",
    ),
    ("words: text(50)", "words: decimal", "jobs.remarks: words is text(80), says $metadata, and not decimal"),
    (
        "  remarks:",
        "  notes:",
        "jobs.notes: $metadata has no such collection below it; there are: steps, remarks",
    ),
    ("set: jobSteps", "set: steps", "jobs.steps: $metadata has no entity set steps, in which they are"),
    (
        "    nested: true\n",
        "",
        "jobs.remarks: $metadata has no entity set remarks, in which they are addressed",
    ),
    ("set: halls", "set: hall", "jobs: $metadata has no entity set hall, where hall is looked up"),
    ("  hall: {", "  place: {", "jobs: $metadata has no way place to what place shows; there are: hall, bay"),
    ("code: code(10)", "name: code(10)", "jobs: of hall, $metadata has no property name"),
    ("code: code(10)", "code: code(20)", "jobs: of hall, code holds 10 characters, says $metadata"),
    ("key: hallKey, ", "", "jobs: of hall, $metadata has no property id"),
    ("within: {hallRef", "within: {placeRef", "jobs: of bay, $metadata has no property placeRef"),
    ("key: jobKey", "key: hallRef", "jobs: its key is jobKey, says $metadata, and not hallRef"),
]


def told(text: str, folder: Path, metadata: Metadata) -> list[tuple[str, str]]:
    (file := folder / "jobs.yaml").write_text(text, encoding="utf-8")
    return [(one.level, one.message) for one in compared(load_entity(file), metadata)]


def test_one_that_is_as_declared_is_told_nothing(tmp_path: Path, metadata: Metadata) -> None:
    """A text may be described as a code, and shorter than it is."""
    assert told(JOBS, tmp_path, metadata) == []


@pytest.mark.parametrize(("was", "instead", "says"), DIFFERENT)
def test_what_is_otherwise_is_named(
    tmp_path: Path, metadata: Metadata, was: str, instead: str, says: str
) -> None:
    assert was in JOBS
    ((level, message),) = told(JOBS.replace(was, instead, 1), tmp_path, metadata)
    assert level == "warning"
    assert says in message


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (
            '<PropertyRef Name="jobKey" /><PropertyRef Name="hallRef" />',
            "has the key jobKey, hallRef: one property",
        ),
        (
            "",
            "has the key none: one property is needed, such as the record's SystemId; whoever wrote the page",
        ),
    ],
)
def test_records_that_no_single_property_tells_apart_are_refused(tmp_path: Path, key: str, says: str) -> None:
    job = JOB.replace('<PropertyRef Name="jobKey" />', key)
    found = told(JOBS, tmp_path, declared(job, HALL, BAY, STEP, REMARK, **SETS))
    assert [level for level, _ in found] == ["problem"]
    assert found[0][1].startswith(f"jobs {says}")
