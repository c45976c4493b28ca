"""What an answer to a question holds: a record with all that was asked for, or what is wrong.

How answers to writes are judged is in `writing`.
"""

import json
from datetime import datetime

import msgspec

from talk_pipeline.engine.model import Record
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.rows import Asked
from talk_pipeline.systems.businesscentral.values import moment
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline.systems.http import Answer


def record_in(raw: msgspec.Raw | bytes, asked: Asked) -> Record:
    """A record as received.

    Raises:
        UnavailableFault: it lacks something that was asked for.
    """
    payload = bytes(raw).decode()
    try:
        row = asked.row(raw)
    except msgspec.DecodeError as error:
        raise UnavailableFault(
            f"Business Central answers with {asked.set.name} that lack what was asked for: {error}: {payload[:200]}"
        ) from error
    known_by = asked.id_of(row)
    modified = modified_at(asked.set, row.modified, of=f" {known_by}")
    return Record(known_by, row.etag, modified, deleted=False, payload=payload)


def modified_at(described: EntitySet, said: object, *, of: str = "") -> datetime | None:
    """When a record was changed, by its own word; None for a blank.

    Raises:
        UnavailableFault: that is no moment that a record can be of.
    """
    try:
        return moment(said)
    except ValueError as error:
        where = f"{described.name}{of}, whose {described.modified} {error}"
        raise UnavailableFault(f"Business Central answers with {where}") from error


def error_code(answer: Answer) -> str | None:
    """The code of an error; None where somebody else answered."""
    try:
        return str(json.loads(answer.body)["error"]["code"] or "") or None
    except (ValueError, KeyError, TypeError):
        return None


def fault_of(answer: Answer, url: str) -> SystemFault:
    """What an answer without success means."""
    code = error_code(answer) or "no Business Central error"
    if answer.status == 404:
        return ConfigurationFault(
            f"{url} answers 404 ({code}): check BUSINESSCENTRAL_URL (up to and including /api/v2.0) and the company"
        )
    if answer.status in (401, 403):
        return AccessFault(f"{url} answers {answer.status} ({code})")
    return UnavailableFault(f"{url} answers {answer.status} ({code})")
