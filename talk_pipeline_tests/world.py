"""Both sandboxes, a data folder of its own, and real Dagster runs between them.

Records are made and looked at through the systems' own APIs, never through the pipeline's database.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import ref

import dagster as dg
import duckdb
import httpx
import pytest

from talk_pipeline.cli.syncing import numbers_of
from talk_pipeline.dagster.execute import execute, problems
from talk_pipeline.declarations import checked_files
from talk_pipeline.engine.report import run_summary
from talk_pipeline.engine.state.lease import Lease, leases
from talk_pipeline.flows.sides import Side
from talk_pipeline.installation import Connections
from talk_pipeline.run.session import Options
from talk_pipeline.sandbox.customwebshop.profiles.reference import Reference
from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline.settings import Settings
from talk_pipeline.systems.http.way import trusted
from talk_pipeline_tests.outcome import Findings, Run, found
from talk_pipeline_tests.passing import tried
from talk_pipeline_tests.proof.states import Watch
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.users import Central, Shop

NO_WRITES = ("$batch", "token", "session")
"""Calls by POST that write nothing themselves."""
FINE_TIMES = ("rfc3339", "epoch_ms")
"""Formats in which a shop tells fractions of a second."""


class World:
    """Two systems and the pipeline between them."""

    def __init__(
        self, environment: Mapping[str, str], data: Path, instance: dg.DagsterInstance, *, profile: str
    ) -> None:
        self.profile = profile
        self.environment = dict(environment)
        self.data = data
        self.instance = instance
        self._last: ref[Run] | None = None
        self._watch = Watch()
        self._beside = duckdb.connect()  # made anew it would take ten times as long as a look into the file
        shop_root = environment["CUSTOMWEBSHOP_URL"]
        self.shop = Shop(shop_root, {}, shop_root)
        bc_url = environment["BUSINESSCENTRAL_URL"]
        company = environment["BUSINESSCENTRAL_COMPANY_ID"]
        parts = urlsplit(bc_url)
        self.bc = Central(
            f"{bc_url}/companies({company})",
            {"Authorization": f"Bearer {_token(environment)}"},
            f"{parts.scheme}://{parts.netloc}",
        )

    def close(self) -> None:
        self.shop.close()
        self.bc.close()
        self._beside.close()

    def held(self, flow: str) -> AbstractContextManager[Lease]:
        """While another run has the lease of a flow."""
        return leases(self.data / "leases", (flow,), run_id="another", wait_seconds=0)

    def sync(
        self,
        *flows: str,
        full: bool = False,
        dry_run: bool = False,
        approve: bool = False,
        undo: str | None = None,
        restored: Side | None = None,
    ) -> Run:
        """One real Dagster run of these flows, all by default."""
        self._look_at_last()
        connections = Connections(Settings.load())
        names = flows or tuple(connections.flows)
        options = Options(full=full, dry_run=dry_run, approve=approve, undo=undo, restored=restored)
        result = execute(connections.flows, names, options=options, instance=self.instance)
        run_id = result.run_id

        def findings() -> Findings:
            with connections.state.once() as db:
                results = {name: run_summary.check_results(db, name) for name in names}
                self._watch.look_after_run(db)
            return {
                name: {check: one.finding for check, one in listed.items() if one.run_id == run_id}
                for name, listed in results.items()
            }

        numbers, stopped = partial(numbers_of, connections, names, run_id=run_id), problems(result)
        return self._remember(
            Run(run_id, stopped, success=result.success, data=self.data, numbers=numbers, findings=findings)
        )

    def step(
        self,
        *flows: str,
        full: bool = False,
        approve: bool = False,
        undo: str | None = None,
        restored: Side | None = None,
    ) -> Run:
        """The same as `sync` without Dagster around it: for tests of what happens between the systems."""
        self._look_at_last()
        connections, run_id = Connections(Settings.load()), uuid.uuid4().hex
        names = flows or tuple(connections.flows)
        options = Options(full=full, approve=approve, undo=undo, restored=restored)
        failures = tried(connections, names, run_id=run_id, options=options, watch=self._watch)

        def findings() -> Findings:
            with connections.state.once() as db:
                return {name: found(db, connections.flows[name], run_id) for name in names}

        numbers = partial(numbers_of, connections, names, run_id=run_id)
        success = not failures
        return self._remember(
            Run(run_id, failures, success=success, data=self.data, numbers=numbers, findings=findings)
        )

    def pass_over(
        self, *flows: str, full: bool = False, approve: bool = False, restored: Side | None = None
    ) -> list[str]:
        """A `step` of which only what stopped it is told: for tests that look at the systems alone."""
        self._look_at_last()
        connections = Connections(Settings.load())
        return tried(
            connections,
            flows or tuple(connections.flows),
            run_id=uuid.uuid4().hex,
            options=Options(full=full, approve=approve, restored=restored),
            watch=self._watch,
        )

    def _remember(self, run: Run) -> Run:
        self._last = ref(run)
        time.sleep(self.blurred_seconds())
        return run

    def blurred_seconds(self) -> float:
        """How long from now an edit in the shop would bear the time of our own writes."""
        _, shop = checked_files(Settings.load())
        return 1.01 - time.time() % 1 if shop.modified is not None and shop.times not in FINE_TIMES else 0

    def _look_at_last(self) -> None:
        """Before anything is done to what somebody may still ask the last run about."""
        last = self._last() if self._last else None
        self._last = None
        if last is not None:
            last.look()

    def shop_lacks(self, flow: str) -> Mapping[str, str]:
        """What the shop at hand leaves out of a flow, by property."""
        flows, _ = checked_files(Settings.load())
        return flows[flow].shop_lacks

    def charges(self, flow: str) -> bool:
        """Whether the shop at hand tells what its records charge beside their lines."""
        flows, _ = checked_files(Settings.load())
        return {"shipping", "fees"} <= flows[flow].children.keys()

    def has_room(self, flow: str, key: str) -> bool:
        """Whether a record of the shop at hand takes any number of these children."""
        flows, _ = checked_files(Settings.load())
        return flows[flow].part(f"{flow}.{key}").room is None

    def shop_path(self, flow: str) -> str:
        """Where the shop keeps the records of a flow."""
        flows, shop = checked_files(Settings.load())
        return shop.collections[flows[flow].customwebshop.entity].path

    def tells_times(self) -> bool:
        """Whether the shop tells when a record was modified."""
        _, shop = checked_files(Settings.load())
        return all(entity.modified for entity in shop.collections.values())

    def tells_births(self) -> bool:
        """Whether the shop tells when a record was made."""
        _, shop = checked_files(Settings.load())
        return all(entity.created for entity in shop.collections.values())

    def shows_deletions(self) -> bool:
        """Whether the shop tells what was deleted; else only a full scan finds it."""
        _, shop = checked_files(Settings.load())
        return all(entity.deleted is not None for entity in shop.collections.values())

    def lines_apart(self) -> bool:
        """Whether the shop keeps lines behind a path of their own, and takes them one by one."""
        _, shop = checked_files(Settings.load())
        return any(lines.url for entity in shop.collections.values() for lines in entity.children.values())

    def let_time_pass(self) -> None:
        """Long enough for the shop's modified times to tell two edits apart."""
        _, shop = checked_files(Settings.load())
        if shop.modified is None:
            pytest.skip("this shop tells no modified times")
        time.sleep(0.05 if shop.times in FINE_TIMES else 1.1)

    @contextmanager
    def database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The pipeline's database, to put it into the condition that a test is about."""
        self._look_at_last()
        with duckdb.connect(str(self.data / "talk.duckdb")) as db:
            db.execute("update meta set value = uuid()::varchar where starts_with(key, 'mark:')")
            yield db

    def sql(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        self._look_at_last()
        self._beside.execute(f"attach '{self.data / 'talk.duckdb'}' as state; use state")
        try:
            return self._beside.execute(query, list(parameters)).fetchall()
        finally:
            self._beside.execute("use memory; detach state")

    def counterpart(self, flow: str, shop_id: str) -> str:
        """The Business Central id a shop record is linked to."""
        rows = self.sql("select bc_id from link where part = ? and shop_id = ?", flow, shop_id)
        assert len(rows) == 1, f"{flow} {shop_id} has {len(rows)} links"
        return str(rows[0][0])

    def state(self, flow: str, shop_id: str) -> tuple[str, str] | None:
        rows = self.sql("select state, reason from status where flow = ? and shop_id = ?", flow, shop_id)
        return (rows[0][0], rows[0][1]) if rows else None

    def forget_requests(self) -> None:
        self.shop.forget_requests()
        self.bc.forget_requests()

    def writes(self) -> dict[str, int]:
        """Write requests each system saw, batch parts singly; a deep insert is one."""
        counted = {}
        for name, api in (("customwebshop", self.shop), ("businesscentral", self.bc)):
            seen = api.requests()
            calls = [*seen["by_path"].items(), *seen["batch_parts"].items()]
            counted[name] = sum(
                count
                for call, count in calls
                if call.split()[0] != "GET" and not any(word in call for word in NO_WRITES)
            )
        return counted


def _token(environment: Mapping[str, str]) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": environment["BUSINESSCENTRAL_CLIENT_ID"],
        "client_secret": environment["BUSINESSCENTRAL_CLIENT_SECRET"],
        "scope": "https://api.businesscentral.dynamics.com/.default",
    }
    answer = httpx.post(environment["BUSINESSCENTRAL_TOKEN_URL"], data=form, verify=trusted())
    return str(answer.raise_for_status().json()["access_token"])


@contextmanager
def opened_world(
    tmp_path: Path,
    *,
    empty: bool = True,
    size: int | None = None,
    instance: dg.DagsterInstance,
    profile: str = "reference",
    patch: pytest.MonkeyPatch | None = None,
) -> Iterator[World]:
    """A world of its own: without records, with the seed ones, or with generated ones.

    Its environment is undone at its end, or with `patch`: whoever sets more of it hands theirs in, since what is
    undone in another order comes back.
    """
    sown = 1 if empty else size  # what is emptied at once need not be much
    with ExitStack() as stack:
        patch = patch or stack.enter_context(pytest.MonkeyPatch.context())
        if empty:  # as in most shops an order has the id of a customer; documents tell the seed's
            patch.setattr(Reference, "numeric_ids", True)
        sandbox = stack.enter_context(Sandbox(size=sown, shop_profile=profile))
        environment = sandbox.environment()
        for name in list(Settings.model_fields):
            patch.delenv(name.upper(), raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("TALK_DATA_DIR", str(tmp_path / "data"))
        patch.setenv("TALK_WAIT_SECONDS", "5")
        patch.setenv("TALK_THREADS", "1")  # the tests themselves run side by side
        # these servers end with whoever calls: what is not there is not coming; tests of slowness say otherwise
        longest(patch, tmp_path, seconds=0)
        patch.chdir(tmp_path)
        world = World(environment, tmp_path / "data", instance, profile=profile)
        try:
            if empty:
                world.shop.control("reset", {"empty": True})
                world.bc.control("reset", {"empty": True})
            yield world
        finally:
            world.close()
