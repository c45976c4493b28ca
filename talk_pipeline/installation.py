"""One installation: from its settings to a session with both systems, and to a decision by hand under its leases.

A session is opened only on the systems the state belongs to. A decision asks neither system; what it does to the
state is in `engine.manual`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from talk_pipeline.clients import applications_of, central, customwebshop
from talk_pipeline.declarations import checked_files, entities_of, flows_of
from talk_pipeline.engine.manual import forgetting, remembering
from talk_pipeline.engine.manual.decisions import Decision, Hand, concerned
from talk_pipeline.engine.manual.forgetting import Forgotten
from talk_pipeline.engine.manual.lookup import find, named_flow
from talk_pipeline.engine.model import ByHandError
from talk_pipeline.engine.report.progress import decide, forget_progress, undecide
from talk_pipeline.engine.snapshot.columns import Company
from talk_pipeline.engine.state import backup, retention
from talk_pipeline.engine.state.backup import Contents
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.copies import compact, owe
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.traces import Words
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.remains import Unread, take_out
from talk_pipeline.run.session import Options, Session
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline.states import known_state, refuse_former_name, state_of
from talk_pipeline.systems.protocol import Identity, System

if TYPE_CHECKING:  # what speaks HTTP is loaded by whoever opens a system: Dagster only looks at what there is
    from talk_pipeline.systems.businesscentral.client import Businesscentral
    from talk_pipeline.systems.customwebshop.stores.shop import StoredShop
    from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
    from talk_pipeline.systems.http import Application

    Client = Businesscentral | Customwebshop | StoredShop


class Connections:
    """Opens sessions for one installation; what was found out about it is kept for the next session."""

    def __init__(self, settings: Settings) -> None:
        self.flows, self.description = checked_files(settings)
        self.entities = entities_of(settings)
        settings.require_systems(self.description.variables, address=self.description.has_address)
        self.settings = settings
        self._company: Company | None = None
        self._company_id: str | None = None

    @asynccontextmanager
    async def session(
        self, run_id: str, *, options: Options | None = None, flows_in_run: tuple[str, ...] = ()
    ) -> AsyncIterator[Session]:
        """Both systems opened, for one piece of a run.

        Raises:
            SystemFault: a system cannot be reached or is not what the settings say.
            StateMismatchError: the state belongs to other systems.
        """
        async with self.shop() as shop, self.businesscentral() as bc:
            systems: dict[Side, System] = {Side.SHOP: shop, Side.BC: bc}
            try:
                if self._company is None:
                    self._company = await self._identify(shop, bc)
                else:
                    bc.choose(self._company_id)
                yield Session(
                    self.state,
                    self.flows,
                    self._company,
                    systems,
                    run_id,
                    options or Options(),
                    flows_in_run,
                )
            finally:
                self.state.release()

    @asynccontextmanager
    async def alone(self, side: Side) -> AsyncIterator[System]:
        """One system, asked without the state: by whoever only looks, or listens.

        Raises:
            SystemFault: it cannot be reached or is not what the settings say.
        """
        async with self.system(side) as system:
            if side is Side.BC:
                await system.identify()
            yield system

    def system(self, side: Side) -> "Client":
        """A system, not opened yet."""
        return self.shop() if side is Side.SHOP else self.businesscentral()

    async def names(self) -> dict[str, str]:
        """Both systems as the state knows them, asked of themselves."""
        async with self.shop() as shop, self.businesscentral() as bc:
            return _names(await shop.identify(), await bc.identify())

    @property
    def company(self) -> Company:
        """What the meaning of values depends on; known once a session was open."""
        assert self._company is not None, "no session was opened yet"
        return self._company

    def shop(self) -> "Customwebshop | StoredShop":
        """The web shop."""
        return customwebshop(self.settings, self.flows, self.description)

    @cached_property
    def state(self) -> State:
        """Its state; sensors, which ask the systems of many companies, need none."""
        longest = max(self.settings.businesscentral_longest_seconds, self.description.limits.longest_seconds)
        return state_of(self.settings, longest_seconds=longest)

    @cached_property
    def applications(self) -> "list[Application]":
        """What may enter Business Central."""
        return applications_of(self.settings)

    def businesscentral(self, applications: "Sequence[Application]" = ()) -> "Businesscentral":
        """Business Central, asked by some of the applications or by all."""
        return central(
            self.settings, self.flows, self.entities, applications=applications or self.applications
        )

    async def _identify(self, shop: System, bc: "Businesscentral") -> Company:
        company = await bc.identify()
        currency = self.settings.businesscentral_currency or await bc.local_currency()
        if currency is None:
            raise SettingsError(
                "Business Central does not tell its local currency: set BUSINESSCENTRAL_CURRENCY"
            )
        names = _names(await shop.identify(), company)
        self.state.identify(names, begins=partial(refuse_former_name, self.settings, names))
        self._company_id = company.key
        return Company(currency.upper(), ZoneInfo(self.settings.businesscentral_time_zone))


def _names(shop: Identity, bc: Identity) -> dict[str, str]:
    return {Side.SHOP.system: shop.name, Side.BC.system: bc.name}


@contextmanager
def undisturbed(settings: Settings, state: State, *, by: str) -> Iterator[Flows]:
    """While no run works on any flow.

    Raises:
        LeaseHeldError: a run has one of the flows.
    """
    flows = flows_of(settings)
    with state.leased(tuple(flows), by=by):
        state.clear_spilled()
        yield flows


def back_up(settings: Settings, file: Path, *, overwrite: bool) -> Contents:
    """Writes all that the state holds into a file, and proves it.

    Raises:
        ByHandError: nothing ran yet, or the file is there already.
    """
    state = known_state(settings)
    with undisturbed(settings, state, by="a backup"):
        return backup.back_up(state, file, overwrite=overwrite)


def restore(settings: Settings, file: Path) -> remembering.Restored:
    """Puts a backup in the place of the state; what was there is kept aside. Sensors have a run made of each flow.

    Raises:
        ByHandError: the file is not there, or is the state itself.
        StateMismatchError: it is not of the systems that the settings name.
    """
    connections = Connections(settings)
    systems = asyncio.run(connections.names())
    with undisturbed(settings, connections.state, by="a restore") as flows:
        done = remembering.restore(connections.state, file, systems=systems)
        forget_progress(settings.talk_data_dir, flows)
    return done


def prune(settings: Settings) -> tuple[int, int]:
    """Removes what is older than the settings say; returns how many rows, and of how many records that are gone.

    Raises:
        LeaseHeldError: a run has one of the flows.
    """
    state = state_of(settings)
    state.refresh()
    if not state.file.exists():
        return 0, 0
    before = now() - timedelta(days=settings.talk_keep_days)
    people = 0
    with undisturbed(settings, state, by="pruning") as flows:
        with state.once() as db:
            owed = owe(db)
            for flow in flows.values():
                for entity in forgetting.long_gone(db, flow, before=before):
                    with suppress(ByHandError):
                        forgetting.refuse_unsettled(db, flow, entity)
                        forgetting.forget(Hand(db, flows, flow, "pruning"), entity)
                        people += 1
            rows = retention.prune(db, before=before)
        compact(state, due=bool(rows or people or owed))
    return rows, people


def forget(
    settings: Settings, name: str, text: str, *, by: str, with_referring: bool = False
) -> tuple[list[Forgotten], str, list[Unread]]:
    """Forgets an entity, in the state and in every file in which something of it may be.

    Returns:
        What was forgotten; what refers to it and was not, for a person; and what cannot be looked into.

    Raises:
        ByHandError: nothing is known by that name, or it cannot be forgotten yet.
        LeaseHeldError: a run has one of the flows.
    """
    state = known_state(settings)
    with undisturbed(settings, state, by=f"by hand, {by}") as flows:
        flow = named_flow(flows, name)
        with state.once() as db:
            own = forgetting.with_former(db, find(db, flow, text, gone_too=True))
            others = list(
                dict.fromkeys(
                    former
                    for one in own
                    for other in forgetting.referring(db, flows, one)
                    for former in forgetting.with_former(db, other)
                )
            )
            wanted = [*own, *others] if with_referring else own
            for one in wanted:
                forgetting.refuse_unsettled(db, flows[one.flow], one)
            words = Words(forgetting.words_of(db, flows, wanted))
        # first all texts: if a file is not to be had, or this ends here, the words to look for are still known
        unread = take_out(settings, words)
        with state.once() as db:
            owe(db)
            forgetting.forget_texts(db, words)
            done = [forgetting.forget(Hand(db, flows, flows[one.flow], by), one) for one in wanted]
            left = "" if with_referring else forgetting.named(db, flows, others)
        compact(state)
    return done, left, unread


def carry_out(settings: Settings, name: str, decision: Callable[[Hand], Decision], *, by: str) -> Decision:
    """Does a decision in a flow while no run works on it or on what refers to it; sensors have it carried out.

    Raises:
        ByHandError: it cannot be done.
        LeaseHeldError: a run has one of the flows.
    """
    said_at = now()  # before whatever a run that is waited for finds out
    flows = flows_of(settings)
    flow = named_flow(flows, name)
    state = known_state(settings)
    names = concerned(flows, name)
    with state.leased(names, by=f"by hand, {by}"):
        known = decide(settings.talk_data_dir, names)
        try:
            with state.once() as db:
                done = decision(Hand(db, flows, flow, by, said_at))
        except ByHandError:
            undecide(settings.talk_data_dir, known)
            raise
        if not done.for_a_run:
            undecide(settings.talk_data_dir, known)
    return done
