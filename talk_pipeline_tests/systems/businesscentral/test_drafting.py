"""What a drafted description concludes from `$metadata`: what records name, what lies below them, what moves."""

import pytest

from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.drafting import Draft, draft_of, text_of
from talk_pipeline.systems.businesscentral.metadata import Metadata, read_metadata
from talk_pipeline.systems.businesscentral.values import Kind

SPACE = "Own.Words"
TEXT = 'Type="Edm.String" MaxLength="{}"'
GUID = 'Type="Edm.Guid"'
MOMENT = 'Type="Edm.DateTimeOffset"'


def kind(name: str, key: str, properties: dict[str, str], *ways: str) -> str:
    told = "".join(f'<Property Name="{one}" {of} />' for one, of in {key: GUID, **properties}.items())
    head = f'<EntityType Name="{name}"><Key><PropertyRef Name="{key}" /></Key>'
    return f"{head}{told}{''.join(ways)}</EntityType>"


def way(name: str, of: str, by: str, key: str) -> str:
    constraint = f'<ReferentialConstraint Property="{by}" ReferencedProperty="{key}" />'
    return f'<NavigationProperty Name="{name}" Type="{of}">{constraint}</NavigationProperty>'


def many(of: str) -> str:
    return f"Collection({SPACE}.{of})"


def declared(*kinds: str, **sets: str) -> Metadata:
    listed = "".join(f'<EntitySet Name="{one}" EntityType="{SPACE}.{of}" />' for one, of in sets.items())
    document = (
        '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>'
        f'<Schema Namespace="{SPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">{"".join(kinds)}'
        f'<EntityContainer Name="NAV">{listed}</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>'
    )
    return read_metadata(document.encode(), "a/b/v1.0")


JOB = kind(
    "job",
    "jobKey",
    {"hallRef": GUID, "bayRef": GUID, "ownerRef": GUID, "madeOn": MOMENT, "lastTouchChanged": MOMENT},
    way("hall", f"{SPACE}.hall", "hallRef", "hallKey"),
    way("bay", f"{SPACE}.bay", "bayRef", "bayKey"),
    way("man", f"{SPACE}.man", "ownerRef", "manKey"),
    way("firm", f"{SPACE}.firm", "ownerRef", "firmKey"),
    way("steps", many("step"), "jobKey", "jobRef"),
    way("remarks", many("remark"), "jobKey", "jobRef"),
)
HALL = kind("hall", "hallKey", {"code": TEXT.format(10)}, way("bays", many("bay"), "hallKey", "hallRef"))
BAY = kind(
    "bay",
    "bayKey",
    {"hallRef": GUID, "words": TEXT.format(80), "mark": TEXT.format(4)},
    way("hall", f"{SPACE}.hall", "hallRef", "hallKey"),
)
MAN = kind("man", "manKey", {"number": TEXT.format(20)})
FIRM = kind("firm", "firmKey", {"number": TEXT.format(20)})
STEP = kind("step", "stepKey", {"jobRef": GUID}, way("job", f"{SPACE}.job", "jobRef", "jobKey"))
REMARK = kind("remark", "remarkKey", {"jobRef": GUID, "words": TEXT.format(80)})


@pytest.fixture
def draft() -> Draft:
    sets = {"jobs": "job", "halls": "hall", "bays": "bay", "men": "man", "firms": "firm", "jobSteps": "step"}
    return draft_of(declared(JOB, HALL, BAY, MAN, FIRM, STEP, REMARK, **sets), "jobs")


def test_what_a_record_names_is_beside_it_by_what_people_know_it_by(draft: Draft) -> None:
    """A bay is one of the hall that the job names; whose the owner is, man or firm, nothing here tells."""
    assert draft.set.beside == {
        "hall": Beside(named_by="hallRef", set="halls", key="hallKey", properties={"code": Kind("text", 10)}),
        "bay": Beside(
            named_by="bayRef",
            set="bays",
            key="bayKey",
            within={"hallRef": "hallRef"},
            properties={"mark": Kind("text", 4)},
        ),
    }
    assert "bay: {named_by: bayRef, set: bays, key: bayKey, within: {hallRef: hallRef}" in text_of(draft)


def test_what_lies_below_is_a_set_of_its_own_or_addressed_by_its_record_alone(draft: Draft) -> None:
    steps, remarks = (draft.set.children[name] for name in ("steps", "remarks"))
    assert (steps.set, steps.key, steps.nested, steps.beside) == ("jobSteps", "stepKey", False, {})
    assert (remarks.set, remarks.key, remarks.nested) == (None, "remarkKey", True)


def test_a_modified_time_of_another_name_is_told_as_a_guess(draft: Draft) -> None:
    assert draft.set.modified == "lastTouchChanged"
    assert "modified: lastTouchChanged # by its name: it must move with every change" in text_of(draft)


def test_a_moment_that_does_not_sound_so_is_none() -> None:
    thing = kind("thing", "id", {"dueOn": MOMENT})
    assert draft_of(declared(thing, things="thing"), "things").set.modified is None
