"""The one resource of all assets: a run's settings, leases and sessions.

With the in-process executor it lives exactly as long as its run. It knows no flow.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster._core.errors import DagsterExecutionInterruptedError
from pydantic import Field, PrivateAttr

from talk_pipeline.dagster.asset_keys import diffs_key, flow_keys, sync_key
from talk_pipeline.dagster.company import settings_of
from talk_pipeline.dagster.presence import present
from talk_pipeline.engine.report import progress, run_summary, runs
from talk_pipeline.engine.state.database import State
from talk_pipeline.engine.state.lease import LeaseLostError
from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.installation import Connections
from talk_pipeline.logs import about
from talk_pipeline.redaction import scrubbed
from talk_pipeline.run.lookback import edited_meanwhile
from talk_pipeline.run.plan import BreakerTrippedError
from talk_pipeline.run.session import Options, Session
from talk_pipeline.stopping import StoppedError, listening

T = TypeVar("T")
DRY_RUN = "dry_run"
"""The tag of a run that was not to write, with the value `true`."""
Context = dg.OpExecutionContext | dg.AssetExecutionContext | dg.AssetCheckExecutionContext


class DecisionError(ValueError):
    """What the config of a run decides cannot be decided so."""


def restored_side(name: str, *, dry_run: bool) -> Side | None:
    """The system that was restored, by its name.

    Raises:
        DecisionError: there is no such system, or nothing is to be decided since nothing is to be written.
    """
    if not name.strip():
        return None
    sides = {str(side): side for side in Side}
    if name.strip() not in sides:
        raise DecisionError(f"restored: {name!r} is no system; allowed: {', '.join(sides)}")
    if dry_run:
        raise DecisionError(
            "restored decides what is written and goes with no dry run; the checklist shows what went back"
        )
    return sides[name.strip()]


class Pipeline(dg.ConfigurableResource[None]):
    """How far a run may go, and what it works with."""

    full: bool = Field(False, description="Read everything, and find out what disappeared.")
    dry_run: bool = Field(False, description="Plan, and write nothing to either system.")
    approve: bool = Field(False, description="You have seen the plan: the circuit breaker lets it pass.")
    restored: str = Field(
        "",
        description="The system that was restored from a backup, customwebshop or businesscentral: what is newer "
        "on the other side is brought back to it. To take what it shows now for edits instead: approve.",
    )
    undo: str = Field(
        "",
        description="A run's id, or its beginning: puts back what its updates replaced, where nobody edited since.",
    )

    _connections: Connections | None = PrivateAttr(None)
    _tags: Mapping[str, str] = PrivateAttr(default_factory=dict)
    _named: str | None = PrivateAttr(None)
    _exit_stack: ExitStack = PrivateAttr(default_factory=ExitStack)
    _began_at: datetime | None = PrivateAttr(None)
    _begun: set[tuple[str, str]] = PrivateAttr(default_factory=set)  # run and flow, once they are noted

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Shows from the first moment on that the run has a process, and in its tags how far it may go."""
        if context.instance and context.run:
            self._tags = context.run.tags
            self._exit_stack.enter_context(present(Path(context.instance.root_directory), context.run.run_id))
            said = {DRY_RUN: self.dry_run, "approved": self.approve, "undo_of": self.undo.strip()}
            tags = {name: str(value).lower() for name, value in said.items() if value}
            context.instance.add_run_tags(context.run.run_id, tags)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Notes that the run is over and what came of it, gives back the leases, and shows no process any more."""
        try:
            if self._began_at and context.run_id:
                with self.state.once() as db:
                    runs.ended(db, run_id=context.run_id)
                    came_of_it = run_summary.totals(db, run_id=context.run_id)
                if context.instance:
                    tags = {name: str(number) for name, number in came_of_it.items()}
                    named = {"undo_of": self._named} if self._named else {}
                    context.instance.add_run_tags(context.run_id, tags | named)
        except LeaseLostError as lost:  # the state is another run's; the steps have said so
            if context.log:
                context.log.warning(str(lost))
        finally:
            self._exit_stack.close()

    @property
    def connections(self) -> Connections:
        """The installation this process is set up for."""
        if self._connections is None:
            self._connections = Connections(settings_of(self._tags))
        return self._connections

    @property
    def flows(self) -> Flows:
        """The flows of the installation, or of the run's company."""
        return self.connections.flows

    def flow(self, name: str) -> Flow:
        """A flow as the run's company declares it.

        Raises:
            DecisionError: the company does not synchronize it.
        """
        if name in self.flows:
            return self.flows[name]
        company = self.connections.settings.company
        raise DecisionError(
            f"company {company.name if company else ''} does not synchronize {name}: choose assets of"
            f" {', '.join(self.flows)}"
        )

    @property
    def partition(self) -> str | None:
        """The company, where there are several: the partition of all that the run makes."""
        company = self.connections.settings.company
        return company.name if company else None

    @property
    def state(self) -> State:
        """The installation's state."""
        return self.connections.state

    @property
    def options(self) -> Options:
        """How far the run may go."""
        return Options(
            full=self.full,
            dry_run=self.dry_run,
            approve=self.approve,
            undo=self._run_to_undo(),
            restored=restored_side(self.restored, dry_run=self.dry_run),
        )

    def _run_to_undo(self) -> str | None:
        """The run that is meant; the launchpad shows no more of an id than its beginning."""
        if self.undo.strip() and self._named is None:
            with self.state.once() as db:
                self._named = runs.named_run(db, self.undo)
        return self._named

    def work(self, context: Context, flow: Flow, step: Callable[[Session], Awaitable[T]]) -> T:
        """Does one piece of a flow's run: holds the leases, opens both systems, and calls `step`.

        What breaks it off is noted with the run before it is raised.
        """
        self.flow(flow.name)
        run_id, flows = context.run.run_id, self._flows_in(context)
        self._lease(context, flows)
        written = self._synchronized_in(context)
        self.begin(run_id, written)

        async def opened() -> T:
            connected = self.connections.session(run_id, options=self.options, flows_in_run=written)
            async with connected as session:
                return await step(session)

        try:
            named = about(run=run_id, company=self.partition, flow=flow.name)
            with named, self.noting(run_id, flow), scrubbed(), listening():
                return asyncio.run(opened())
        except StoppedError as stop:  # the run ends here: no other step is begun
            raise DagsterExecutionInterruptedError(str(stop)) from stop

    @contextmanager
    def noting(self, run_id: str, flow: Flow) -> Iterator[None]:
        """Notes with the run what breaks it off, before it is raised."""
        try:
            yield
        except (BreakerTrippedError, LeaseLostError):
            raise  # who has taken over keeps the record of what it finds
        except Exception as error:
            self.begin(run_id, (flow.name,))  # it may be one that is only read
            with self.state.once() as db:
                runs.broke_off(db, flow.name, run_id=run_id, problem=str(error))
            raise

    def checking(self, context: Context, flow: Flow) -> None:
        """Notes that the run works on a flow that it checks, unless it only reads that for another flow."""
        synchronized = self._synchronized_in(context)
        if flow.name in (synchronized or (flow.name,)):
            self.begin(context.run.run_id, (flow.name,))

    def stopped(self, run_id: str, flow: Flow, *, by: str, reason: str) -> None:
        """Notes that a blocking check lets the run go no further; also of what it only reads."""
        self.begin(run_id, (flow.name,))
        with self.state.once() as db:
            runs.stopped(db, flow.name, run_id=run_id, by=by, reason=reason)

    def begin(self, run_id: str, flows: tuple[str, ...]) -> None:
        """Notes that the run works on these flows, each once: every note opens the state's file."""
        begun = {(run_id, flow) for flow in flows}
        if begun <= self._begun:
            return
        options = self.options
        with self.state.once() as db:
            runs.begin(
                db, flows, run_id=run_id, full=options.full, dry_run=options.dry_run, undoes=options.undo
            )
        self._begun |= begun

    def _synchronized_in(self, context: Context) -> tuple[str, ...]:
        """The flows that the run is to plan or to write, not those that it only reads."""
        keys = set(context.job_def.asset_layer.executable_asset_keys)
        return tuple(
            name for name, flow in self.flows.items() if keys.intersection((diffs_key(flow), sync_key(flow)))
        )

    def _flows_in(self, context: Context) -> tuple[str, ...]:
        """The flows that any asset of the run belongs to, in running order."""
        keys = set(context.job_def.asset_layer.executable_asset_keys)
        return tuple(name for name, flow in self.flows.items() if keys.intersection(flow_keys(flow)))

    def completed(self, context: Context, flow: Flow) -> None:
        """Notes that the run has done all it could for a flow; a dry one has not."""
        if self.dry_run or self._began_at is None:
            return
        data_dir, run_id = self.connections.settings.talk_data_dir, context.run.run_id
        missed = self.work(context, flow, lambda session: edited_meanwhile(session, flow))
        with self.state.once() as db:
            progress.complete(data_dir, db, flow, run_id=run_id, began_at=self._began_at, missed=missed)

    def _lease(self, context: Context, flows: tuple[str, ...]) -> None:
        """Once a run, for all its flows: a UI materialization carries no tag that would keep two apart."""
        if self._began_at is not None:
            return
        data_dir = self.connections.settings.talk_data_dir
        self._exit_stack.enter_context(self.state.leased(flows, by=context.run.run_id))
        self._began_at = datetime.now(UTC)
        if not self.dry_run:
            keys = context.job_def.asset_layer.executable_asset_keys
            synchronized = [name for name in flows if sync_key(self.flows[name]) in keys]
            progress.begin(data_dir, synchronized, at=self._began_at)
