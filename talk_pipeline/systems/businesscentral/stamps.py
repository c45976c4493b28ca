"""What was modified last, by ids and times alone: the cheap questions of a sensor."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from talk_pipeline.flows.moments import rfc3339
from talk_pipeline.systems.businesscentral.answers import modified_at
from talk_pipeline.systems.businesscentral.description import EntitySet
from talk_pipeline.systems.businesscentral.lists import Lists
from talk_pipeline.systems.businesscentral.queries import encoded
from talk_pipeline.systems.errors import UnavailableFault
from talk_pipeline.systems.protocol import MOST_STAMPS, Stamps


async def newest(lists: Lists, place: str, described: EntitySet, *, since: datetime | None = None) -> Stamps:
    """When the record modified last was modified, or with `since` those at or after it; {} where none says so.

    Raises:
        UnavailableFault: a record does not say so.
    """
    modified = described.modified
    if modified is None:
        return {}
    query = {
        **described.selecting(described.known),
        "$orderby": f"{modified} desc",
        "$top": str(MOST_STAMPS if since else 1),
    }
    if since is not None:
        query["$filter"] = f"{modified} ge {rfc3339(since)}"
    return dict(_stamps(described, modified, await lists.rows(f"{place}?{encoded(query)}")))


def _stamps(
    described: EntitySet, modified: str, rows: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, datetime]]:
    for row in rows:
        if modified not in row:
            raise UnavailableFault(f"Business Central answers without {modified}: {row}")
        if at := modified_at(described, row[modified]):
            yield described.id_of(row), at
