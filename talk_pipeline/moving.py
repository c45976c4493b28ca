"""A system at another address than the state knows it by: proven to be the same one, then known by it.

The same address may lead to another system too, and another address to a copy; that is told by the records, which
bear the ids and keys that are held of them, or do not. Nothing is written to either system.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from talk_pipeline.engine.model import ByHandError, Contents
from talk_pipeline.engine.report.progress import forget_progress
from talk_pipeline.engine.snapshot import held
from talk_pipeline.engine.state.connection import transaction
from talk_pipeline.engine.state.meta import know_system, known_systems, read_in_full
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.installation import Connections, undisturbed
from talk_pipeline.run.missing import asked_for
from talk_pipeline.settings import Settings
from talk_pipeline.systems.protocol import System
from talk_pipeline.wording import counted

COMPARED = 20
"""Linked records that are looked at, the newest of each flow."""
MOST_DIFFER = 0.1
"""What share of them may have been deleted or renamed while nothing ran."""
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Moved:
    """A system that is known by another address from now on, and how many of its records proved it the same."""

    system: str
    before: str
    now: str
    compared: int

    def __str__(self) -> str:
        """For a person."""
        proof = (
            f"{counted(self.compared, 'record')} of it looked at"
            if self.compared
            else "nothing of it was linked"
        )
        return f"{self.system} is {self.now} from now on, and was {self.before}: {proof}"


def move(settings: Settings) -> list[Moved]:
    """Binds the state to the systems that the settings name, where these are the ones it knows.

    Raises:
        ByHandError: no run ever worked with the state, it knows them by these addresses, or one is another system.
        SystemFault: a system cannot be reached.
        LeaseHeldError: a run has one of the flows.
    """
    return asyncio.run(_move(settings, Connections(settings)))


async def _move(settings: Settings, connections: Connections) -> list[Moved]:
    state = connections.state
    names = await connections.names()
    with undisturbed(settings, state, by="a move") as flows:
        with state.once() as db:
            known = known_systems(db)
        if not known:
            raise ByHandError(
                "no run ever worked with this state: it belongs to whatever the first one finds"
            )
        moved = []
        async with connections.shop() as shop, connections.businesscentral() as bc:
            await bc.identify()
            for side, system in ((Side.SHOP, shop), (Side.BC, bc)):
                before, now = known[side.system], names[side.system]
                if before != now:
                    compared = await _prove(connections, system, side, address=now)
                    moved.append(Moved(side.system, before, now, compared))
        if not moved:
            raise ByHandError(f"nothing has moved: the state knows {' and '.join(names.values())} already")
        with state.once() as db, transaction(db):
            for one in moved:
                know_system(db, one.system, one.now)
            read_in_full(db)
        forget_progress(settings.talk_data_dir, flows)
    return moved


async def _prove(connections: Connections, system: System, side: Side, *, address: str) -> int:
    """Looks whether the records that are held are there, under their ids and with their keys; returns how many."""
    compared, differing = 0, []
    for flow in connections.flows.values():
        with connections.state.once() as db:
            known = held.newest_linked(db, flow, side, most=COMPARED)
        shown = await asked_for(system, flow, list(known))
        compared += len(known)
        for record_id, payload in known.items():
            record = shown[record_id]
            was = _signs(flow, side, system.decode(flow.name, payload))
            is_now = _signs(flow, side, system.decode(flow.name, record.payload)) if record else None
            if is_now != was:
                said = "is not there" if is_now is None else f"is {_said(is_now)} there, and was {_said(was)}"
                differing.append(f"{flow.name} {record_id} {said}")
    if len(differing) > MOST_DIFFER * compared:
        told = "; ".join(differing[:EXAMPLES])
        raise ByHandError(
            f"{side.system} at {address} is not the one that the state knows: of {counted(compared, 'record')}"
            f" {len(differing)} differ, such as {told}. Nothing was changed."
            " For another system use another TALK_DATA_DIR"
        )
    return compared


def _signs(flow: Flow, side: Side, contents: Contents) -> Mapping[str, str | None]:
    """By what a record is told from another one under its id: its key, and when it was made."""
    key = flow.root.by_name[flow.create_key]
    signs = {path: contents.values.get(path) for path in key.paths(side)}
    return signs | ({"made at": contents.made_at.isoformat()} if contents.made_at else {})


def _said(signs: Mapping[str, str | None]) -> str:
    return ", ".join(f"{name} {value}" for name, value in signs.items())
