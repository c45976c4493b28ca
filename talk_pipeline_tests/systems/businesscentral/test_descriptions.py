"""Descriptions of entity sets: those that are packaged, one's own beside them, and mistakes by file and line."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from talk_pipeline.flows.loading import FlowError, load_flows
from talk_pipeline.sandbox.businesscentral.metadata import metadata_xml
from talk_pipeline.sandbox.businesscentral.schema import schema as served
from talk_pipeline.systems.businesscentral import schema
from talk_pipeline.systems.businesscentral.beside import Beside
from talk_pipeline.systems.businesscentral.description import EntitySet, Lines
from talk_pipeline.systems.businesscentral.drafting import draft_of, text_of
from talk_pipeline.systems.businesscentral.entities import PACKAGED, load_entities, load_entity
from talk_pipeline.systems.businesscentral.fitting import check_flows
from talk_pipeline.systems.businesscentral.groups import Groups, rows_of
from talk_pipeline.systems.businesscentral.metadata import Metadata, read_metadata
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline_tests.docs.documents import ROOT
from talk_pipeline_tests.flow_files import copied_flows

FILES = sorted(PACKAGED.glob("*.yaml"))
PAGES = sorted((PACKAGED / "pages").glob("*.yaml"))
MINE = """\
entity: things
api: sample/things/v1.0
key: code
modified: ~
properties:
  code: code(10)
  name: text(50)
children:
  thingLines:
    key: lineId
    properties: {lineId: guid read, lineNo: int}
"""


@pytest.mark.parametrize("file", [*FILES, *PAGES], ids=lambda file: file.stem)
def test_the_schema_allows_the_packaged_ones(file: Path) -> None:
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    jsonschema.validate(data, json.loads(schema.text()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data | {"keys": "id"}, json.loads(schema.text()))


def test_ones_own_count_beside_the_packaged_ones_and_instead_of_them(tmp_path: Path) -> None:
    (tmp_path / "things.yaml").write_text(MINE, encoding="utf-8")
    text = (PACKAGED / "customers.yaml").read_text(encoding="utf-8")
    (tmp_path / "customers.yaml").write_text(
        text.replace("replica: true", "replica: false"), encoding="utf-8"
    )
    packaged, described = load_entities(), load_entities(tmp_path)
    assert set(described) == {*packaged, "things"}
    assert (packaged["customers"].replica, described["customers"].replica) == (True, False)
    assert described["items"] == packaged["items"]
    assert described["things"].modified is None


MISTAKES = [
    ("key: code", "key: number", 3, "key: there is no property 'number'; allowed: code, name"),
    ("code: code(10)", "code: bool", 3, "key: code is no key: bool"),
    ("modified: ~", "modified: name", 4, "modified: name is no datetime"),
    ("name: text(50)", "name: words", 7, "properties.name: no type; allowed: text, code"),
    ("api: sample/things/v1.0", "api: v1.0", 2, "api: "),
    ("entity: things", "entity: thing", 1, "entity: the file is called mine.yaml"),
    ("key: code", "keyz: code", 3, "keyz: unknown key; allowed: key, keys, properties"),
    ("key: lineId", "sorted_by: lineId", 10, "children.thingLines.sorted_by: 'lineId' is no whole number"),
    ("lineId: guid read", "lineNr: guid read", 10, "children.thingLines.key: there is no property 'lineId'"),
]


@pytest.mark.parametrize(("was", "instead", "line", "says"), MISTAKES)
def test_a_mistake_is_named_by_file_line_and_key(
    tmp_path: Path, was: str, instead: str, line: int, says: str
) -> None:
    file = tmp_path / ("mine.yaml" if was.startswith("entity") else "things.yaml")
    file.write_text(MINE.replace(was, instead), encoding="utf-8")
    with pytest.raises(FlowError) as caught:
        load_entities(tmp_path)
    assert f"{file}:{line}: {says}" in str(caught.value)


def test_a_folder_that_is_not_there_is_told_with_its_setting(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="BUSINESSCENTRAL_ENTITIES_DIR"):
        load_entities(tmp_path / "none")


def test_every_key_is_told_on_the_page_about_it() -> None:
    page = (ROOT / "docs" / "connect-any-page.md").read_text(encoding="utf-8")
    for model in (EntitySet, Lines, Beside):
        assert not [name for name in model.model_fields if f"`{name}`" not in page]
        assert all(field.description for field in model.model_fields.values() if field.is_required())


# -- what a flow may do with a set --


def test_a_flow_writes_nothing_that_may_only_be_read(tmp_path: Path) -> None:
    folder = copied_flows(tmp_path / "flows")
    text = (PACKAGED / "items.yaml").read_text(encoding="utf-8")
    (tmp_path / "items.yaml").write_text(text.replace("card: 30\n", "writes: []\n"), encoding="utf-8")
    told = list(check_flows(load_flows(folder), folder, load_entities(tmp_path)))
    assert "settings.create: items cannot be created in Business Central; use never" in told[0]
    assert any("name: items cannot be changed in Business Central; use <- or =" in one for one in told)
    assert not any("stock" in one for one in told)


# -- made of what the service declares --


def declared(api: str = "v2.0") -> Metadata:
    return read_metadata(metadata_xml(served(), api), api)


@pytest.mark.parametrize("file", [*FILES, *PAGES], ids=lambda file: file.stem)
def test_the_packaged_ones_say_what_is_declared(file: Path) -> None:
    """With what is known besides: what is read-only, what is a code, and lengths that are not announced."""
    packaged = load_entity(file)
    drafted = draft_of(declared(packaged.api), packaged.name).set
    if packaged.grouped_by:
        told = {name: kind for name, kind in packaged.properties.items() if name != packaged.key}
        packaged = packaged.model_copy(update={"properties": told, "key": drafted.key})
    assert (packaged.key, packaged.modified) == (drafted.key, drafted.modified)
    assert set(packaged.writes) <= set(drafted.writes)
    for own, theirs in [
        (packaged, drafted),
        *((below, drafted.children[path]) for path, below in packaged.children.items()),
    ]:
        for path, kind in own.properties.items():
            there = theirs.properties[path]
            assert there.name == ("text" if kind.name == "code" else kind.name), path
            assert there.size in (kind.size, None), path
            assert kind.read_only or not there.read_only, path


def test_every_set_is_described_so_that_it_is_read_again_as_it_is(tmp_path: Path) -> None:
    metadata = declared()
    for name in metadata.sets:
        draft = draft_of(metadata, name, called=f"our{name}", notices=False)
        (file := tmp_path / f"our{name}.yaml").write_text(text_of(draft), encoding="utf-8")
        assert load_entity(file) == draft.set
    assert len(load_entities(tmp_path)) == len(metadata.sets) + len(FILES)


EDMX = """<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx"><edmx:DataServices>
<Schema Namespace="Microsoft.NAV" xmlns="http://docs.oasis-open.org/odata/ns/edm">
<EntityType Name="thing"><Key><PropertyRef Name="code" />{more}</Key>
<Property Name="code" Type="Edm.String" MaxLength="10" /><Property Name="part" Type="Edm.Int32" />
<Property Name="total" Type="Edm.Decimal"><Annotation Term="Org.OData.Core.V1.Computed" Bool="true" /></Property>
<Property Name="photo" Type="Edm.Stream" />
<NavigationProperty Name="season" Type="Microsoft.NAV.season" />
<NavigationProperty Name="pieces" Type="Collection(Microsoft.NAV.piece)" /></EntityType>
<EntityType Name="piece"><Key><PropertyRef Name="a" /><PropertyRef Name="b" /></Key></EntityType>
<EntityContainer Name="NAV"><EntitySet Name="things" EntityType="Microsoft.NAV.thing" /></EntityContainer>
</Schema></edmx:DataServices></edmx:Edmx>"""


def test_what_no_description_can_hold_is_left_out_by_name() -> None:
    draft = draft_of(read_metadata(EDMX.format(more="").encode(), "a/b/v1.0"), "things")
    assert {path: str(kind) for path, kind in draft.set.properties.items()} == {
        "code": "text(10)",
        "part": "int",
        "total": "decimal read",
    }
    assert draft.set.modified is None
    assert set(draft.left_out) == {"photo", "season", "pieces"}
    assert "a record of season, and nothing says which property names it" in draft.left_out["season"]
    assert "# left out: photo: Edm.Stream" in text_of(draft)


def test_records_that_several_properties_tell_apart_are_written_by_a_key_of_these() -> None:
    metadata = read_metadata(EDMX.format(more='<PropertyRef Name="part" />').encode(), "a/b/v1.0")
    draft = draft_of(metadata, "things")
    assert (draft.set.key, draft.set.keys, draft.set.notices) == ("id", ("code", "part"), False)
    assert (draft.set.writes, draft.set.grouped_by) == (("create", "update", "delete"), ())
    assert not list(draft.set.problems())
    text = text_of(draft)
    assert "key: id # made of these\nkeys: [code, part]\nmodified: ~" in text
    assert "\n  id: text\n  code: text(10)\n" in text


def never_written(document: str) -> str:
    """The same of a page that takes no writes."""
    never = "".join(
        f'<PropertyValue Property="{one}able" Bool="false" />' for one in ("Insert", "Updat", "Delet")
    )
    return document.replace(
        'Type="Microsoft.NAV.thing" />', f'Type="Microsoft.NAV.thing">{never}</EntitySet>'
    )


def test_those_that_may_not_be_written_are_rows_that_are_read_alone() -> None:
    closed = never_written(EDMX.format(more='<PropertyRef Name="part" />'))
    draft = draft_of(read_metadata(closed.encode(), "a/b/v1.0"), "things")
    assert (draft.set.key, draft.set.grouped_by, draft.set.writes) == ("id", ("code", "part"), ())
    assert not list(draft.set.problems())
    assert "key: id # made of these\ngrouped_by: [code, part]\nmodified: ~" in text_of(draft)


def test_a_choice_may_be_part_of_what_tells_records_apart() -> None:
    """It is asked for as a member in quotes; by the blank one nothing is asked for."""
    choice = (
        '<EnumType Name="kind"><Member Name="_x0020_" /><Member Name="On_x0020_Hand" /></EnumType><EntityType'
    )
    document = EDMX.format(more='<PropertyRef Name="kind" />').replace("<EntityType", choice, 1)
    kind = '<Property Name="kind" Type="Microsoft.NAV.kind" /><Property Name="total"'
    document = document.replace('<Property Name="total"', kind, 1)
    written = draft_of(read_metadata(document.encode(), "a/b/v1.0"), "things").set
    assert written.keyed("A,On Hand") == "(code=%27A%27,kind=%27On_x0020_Hand%27)"
    assert written.id_of({"code": "A", "kind": "On_x0020_Hand"}) == "A,On Hand"
    described = draft_of(read_metadata(never_written(document).encode(), "a/b/v1.0"), "things").set
    assert described.grouped_by == ("code", "kind")
    groups = Groups(described)
    rows = [{"code": "A", "kind": kind, "part": 1, "total": 2} for kind in ("_x0020_", "On_x0020_Hand")]
    groups.add(rows)
    blank, held = (record.id for record in groups.records())
    assert rows_of(described, held)["$filter"] == "code eq 'A' and kind eq 'On_x0020_Hand'"
    assert rows_of(described, blank)["$filter"] == "code eq 'A'"


def test_a_key_that_no_filter_takes_is_told() -> None:
    metadata = read_metadata(EDMX.format(more='<PropertyRef Name="total" />').encode(), "a/b/v1.0")
    with pytest.raises(ConfigurationFault, match="things has the key code, total: one property is needed"):
        draft_of(metadata, "things")


def test_what_is_no_metadata_is_told() -> None:
    with pytest.raises(
        ConfigurationFault, match="v2.0 of Business Central has no .metadata that can be read"
    ):
        read_metadata(b"<html>", "v2.0")


# -- in addresses --


@pytest.mark.parametrize(
    ("kind", "record_id", "address"),
    [("guid read", "a1", "(a1)"), ("int", "7", "(7)"), ("code(10)", "O'B/1", "(%27O%27%27B%2F1%27)")],
)
def test_a_record_is_addressed_as_its_key_is_spelled(kind: str, record_id: str, address: str) -> None:
    said = EntitySet.model_validate({"entity": "things", "modified": None, "properties": {"id": kind}})
    assert said.keyed(record_id) == address
