"""A restore, and who is known again by it: a backup older than a `forget` brings back what was forgotten since.

Nothing is forgotten anew here: the restored state has to read both systems first. Callers hold the leases of all
flows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from talk_pipeline.engine.manual.lookup import Entity
from talk_pipeline.engine.snapshot.projection import FORGOTTEN
from talk_pipeline.engine.state import backup
from talk_pipeline.engine.state.connection import Connection, StateBrokenError
from talk_pipeline.engine.state.database import State

_FORGOTTEN = "select distinct flow, shop_id, bc_id from decision where action = 'forgotten' order by all"
_KNOWN = f"""
select 1 from snapshot where flow = $1 and payload <> '{FORGOTTEN}'
  and (side = 'customwebshop' and id = $2 or side = 'businesscentral' and id = $3)
"""


class Restored(NamedTuple):
    """What a restore did.

    Attributes:
        contents: what the backup holds.
        replaced: where the state that was there is kept, if one was there.
        known_again: what that had forgotten and the backup holds; None where it cannot be read.
    """

    contents: backup.Contents
    replaced: Path | None
    known_again: Sequence[Entity] | None


def restore(state: State, file: Path, *, systems: Mapping[str, str]) -> Restored:
    """Puts a backup in the place of a state, as `backup.restore` does, and finds who is known again.

    Raises:
        ByHandError: the file is not there, or is the state itself.
        StateBusyError: another process keeps the state.
        StateBrokenError: the file is no state of ours.
        StateMismatchError: it is of other systems, or of a later release.
    """
    contents, replaced, again = backup.restore(state, file, systems=systems, compare=_known_again)
    return Restored(contents, replaced, again if replaced else [])


def _known_again(there: Connection | None, restored: Connection) -> Sequence[Entity] | None:
    if there is None:
        return None
    try:
        forgotten = there.execute(_FORGOTTEN).fetchall()
    except (duckdb.Error, StateBrokenError):  # damaged there, or of an early release
        return None
    return [Entity(*row) for row in forgotten if restored.execute(_KNOWN, row).fetchall()]
