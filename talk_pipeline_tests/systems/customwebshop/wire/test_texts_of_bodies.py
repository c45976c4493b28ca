"""Names within the texts of a body: what is filled in, what stays, and what is told of one that names nothing."""

import json
from pathlib import Path

import pytest
import yaml

from talk_pipeline.flows.loading import FlowError
from talk_pipeline.systems.customwebshop.spec.addresses import call_path
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.questions import asked_for
from talk_pipeline.systems.customwebshop.spec.templates import Known, NoPlaceError
from talk_pipeline.systems.customwebshop.wire.bodies import Composer
from talk_pipeline.systems.customwebshop.wire.naming import Names
from talk_pipeline.systems.customwebshop.wire.records import Reader
from talk_pipeline_tests.systems.customwebshop.wire.test_bodies import composer


def known(made: Composer, record: Json) -> Known:
    """What a write of the record 5 may name."""
    return Names(made._reader.entity, "a-write", record_id="5", record=record).known


QUERY = "mutation($id: ID!) {close(id: $id) {id sku {id}}}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{id}", 5),
        ("gid://shop/Order/{id}", "gid://shop/Order/5"),
        ("/api/{record:kind}/{+id}/done", "/api/web & phone/5/done"),
        ("{id} {id}", "5 5"),
        (QUERY, QUERY),
        ('{"id": {id}}', '{"id": {id}}'),
        ("{}", "{}"),
    ],
)
def test_a_name_in_a_text_is_filled_in_unless_the_text_has_other_braces(
    tmp_path: Path, said: str, told: Json
) -> None:
    current: Json = {"id": 5, "kind": "web & phone"}
    call = Call(along=("kind",), body={"deep": [{"x": said}]}, constants={"y": said}, envelope="in")
    made = composer(tmp_path)
    told_there = json.loads(
        made.body(call, names=[], values={}, children={}, current=current, known=known(made, current))
    )
    assert (told_there["deep"][0]["x"], told_there["in"]["y"]) == (told, told)


def test_within_a_text_stands_what_is_special_in_an_id(tmp_path: Path) -> None:
    made = composer(tmp_path, '    id: {path: id, template: "gid://shop/Customer/{}"}\n')
    current: Json = {"id": "gid://shop/Customer/5"}
    call = Call(body={"whole": "{id}", "other": "gid://shop/Account/{id}"})
    said = made.body(call, names=[], values={}, children={}, current=current, known=known(made, current))
    told = json.loads(said)
    assert told == {"whole": "gid://shop/Customer/5", "other": "gid://shop/Account/5"}


def test_a_question_about_one_record_says_so_too(tmp_path: Path) -> None:
    body = '    read: {body: {path: "/customers/{id}", id: "{id}"}}\n    id: {path: id, template: "c:{}"}\n'
    entity = composer(tmp_path, body)._reader.entity
    assert json.loads(asked_for(entity, "5").content or b"") == {"path": "/customers/5", "id": "c:5"}


def test_parameters_of_a_call_are_filled_in_and_written_as_such(tmp_path: Path) -> None:
    reader: Reader = composer(tmp_path)._reader
    call = Call(query={"of": "/api/c/{id}?x", "kind": "{record:kind}", "filter": '{"id": {id}}'})
    path = call_path(reader.entity, call, {"id": "5"}, default="{item}", record={"kind": "a&b"})
    assert path == "/customers/5?of=%2Fapi%2Fc%2F5%3Fx&kind=a%26b&filter=%7B%22id%22%3A+5%7D"
    with pytest.raises(NoPlaceError, match="the record has nothing at kind"):
        call_path(reader.entity, call, {"id": "5"}, default="{item}", record={})


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            'update: {body: {x: ["/c/{ids}"]}}',
            "update.0.body: '/c/{ids}' may name {id}, {record:place}, {version}, {key} only",
        ),
        (
            'update: {constants: {x: "a {begun:id}"}}',
            "update.0.constants: 'a {begun:id}' may name {id}, {record:place}, {version}, {key} only",
        ),
        ('update: {query: {x: "{lines}"}}', "update.0.query.x: '{lines}' may name {path}"),
        (
            'create: {body: {x: "/c/{id}"}}',
            "create.0.body: the first call makes the record: there is no {id}",
        ),
        (
            'children: {lines: {url: /l, delete: {constants: {x: "{line}/{item}"}}}}',
            "children.lines.delete.0.constants: '{line}/{item}' may name {line}, {id}, {record:place}, {version}",
        ),
        (
            'children: {lines: {url: /l, before: {body: {x: "{id}/{begun:id}"}}}}',
            "children.lines.before.0.body: '{id}/{begun:id}' may name {id}, {version}, {key} only",
        ),
    ],
)
def test_a_name_that_stands_for_nothing_is_told(tmp_path: Path, said: str, problem: str) -> None:
    (key, value), *_ = yaml.safe_load(said).items()
    with pytest.raises(FlowError) as told:
        composer(tmp_path, f"    {key}: {json.dumps(value)}\n", "order")
    assert f"entities.orders.{problem}" in str(told.value).replace("\n", " ")
