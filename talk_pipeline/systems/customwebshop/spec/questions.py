"""What a list is asked: a GET with a query, or a POST whose body says the same."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.addresses import item_path, list_path, with_query
from talk_pipeline.systems.customwebshop.spec.asking import UpdatedSince
from talk_pipeline.systems.customwebshop.spec.description import Entity
from talk_pipeline.systems.customwebshop.spec.paths import Json
from talk_pipeline.systems.customwebshop.spec.templates import Known, filled_values
from talk_pipeline.systems.customwebshop.spec.times import Times


@dataclass(frozen=True, slots=True)
class Question:
    """A request for a page of a list; with content it is a POST."""

    path: str
    content: bytes | None = None

    def at(self, path: str) -> Self:
        """The same asked elsewhere."""
        return replace(self, path=path)


def question(entity: Entity, path: str, query: Mapping[str, Json]) -> Question:
    """The request for a page: what is said in the query of a GET goes into the body of a POST."""
    if entity.list.body is None or path != list_path(entity):
        return Question(with_query(path, query))
    body = copy.deepcopy(dict(entity.list.body))
    for name, value in query.items():
        paths.put(body, name, value)
    return Question(path, paths.encoded(body))


def asked_for(entity: Entity, record_id: str) -> Question:
    """The request for one record."""
    return asked_of(entity, item_path(entity, record_id), entity.read.body, record_id)


def asked_of(
    entity: Entity,
    path: str,
    body: Mapping[str, Any] | None,
    record_id: str,
    *,
    record: Json = None,
    query: Mapping[str, Json] | None = None,
) -> Question:
    """The request for something of a record.

    Args:
        entity: of the record.
        path: where it is asked for.
        body: what is sent with POST, which may name the record; nothing of a GET.
        record_id: of the record.
        record: the record, as far as it is known.
        query: parameters, of which each is a place in the body where there is one.

    Raises:
        NoPlaceError: the body names a place that the record does not have.
    """
    if body is None:
        return Question(with_query(path, query or {}))
    said = filled_about(entity, body, record_id, record=record)
    for name, value in (query or {}).items():
        paths.put(said, name, value)
    return Question(path, paths.encoded(said))


def filled_about(
    entity: Entity, body: Mapping[str, Any], record_id: str, *, record: Json = None
) -> dict[str, Json]:
    """What is sent to ask for something of a record, each name in it filled in.

    Raises:
        NoPlaceError: it names a place that the record does not have.
    """
    known = Known({"id": record_id}, {"id": entity.id.own(record_id, record)}, {"record": record})
    return {name: filled_values(said, known) for name, said in body.items()}


def since_query(entity: Entity, updated_since: UpdatedSince, since: datetime) -> dict[str, Json]:
    """What lists what changed at or after a moment."""
    moments = entity.moments
    if updated_since.format:
        moments = Times(updated_since.format, moments.zone)
    return {
        updated_since.parameter: _filled(updated_since.value, moments.since(since)),
        **updated_since.query,
    }


def _filled(value: Json, moment: str | int) -> Json:
    """A value that says the moment, wherever that stands in it."""
    if isinstance(value, Mapping):
        return {key: _filled(inner, moment) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(inner, moment) for inner in value]
    if value == "{since}":
        return moment
    return value.replace("{since}", str(moment)) if isinstance(value, str) else value
