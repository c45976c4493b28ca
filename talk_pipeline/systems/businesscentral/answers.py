"""What an answer to a question holds: a record with all that was asked for, or what is wrong.

How answers to writes are judged is in `writing`.
"""

import json

import msgspec

from talk_pipeline.engine.model import Record
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
    try:
        modified = moment(row.modified)
    except ValueError as error:
        where = f"{asked.set.name} {row.id}, whose {asked.set.modified} {error}"
        raise UnavailableFault(f"Business Central answers with {where}") from error
    return Record(str(row.id), row.etag, modified, deleted=False, payload=payload)


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
