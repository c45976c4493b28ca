"""A deployment on this machine: the settings of `deploy/`, real servers, workers with host names of their own.

Each worker is a machine as far as leases go: what the kernel knows of another's locks does not count.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from talk_pipeline.audit.audit import audit
from talk_pipeline.settings import Settings
from talk_pipeline_tests.scale.servers import Postgres, Redis, ended, free_port
from talk_pipeline_tests.several import SECRETS, entry, variable
from talk_pipeline_tests.users import Shop

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LOCATION = "talk_pipeline_tests.scale.location"
FLOW = "customer"
LEASE_SECONDS = 4

_LAUNCH = """
mutation($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}"""
_AT_WORK = """
{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, MANAGED, STARTING, STARTED, CANCELING]}) {
  ... on Runs { results { runId } } } }"""
_RUNS = """
{ runsOrError { ... on Runs { results {
  runId status startTime endTime creationTime rootRunId tags { key value } } } } }"""


class Run(dict[str, Any]):
    """A run as Dagster's API tells it."""

    @property
    def id(self) -> str:
        return str(self["runId"])

    @property
    def status(self) -> str:
        return str(self["status"])

    def tag(self, name: str) -> str:
        return next((str(one["value"]) for one in self["tags"] if one["key"] == name), "")


class Rig:
    """A deployment with its companies, `c00` and so on."""

    def __init__(self, folder: Path, count: int, *, size: int) -> None:
        self.folder, self.count, self.size = folder, count, size
        self.postgres, self.redis = Postgres(), Redis(folder / "redis")
        self.environments: dict[str, dict[str, str]] = {}
        self._started: list[subprocess.Popen[bytes]] = []
        self._controls: dict[str, tuple[Shop, Shop]] = {}
        self._web = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CUSTOMWEBSHOP_")},
            "DAGSTER_HOME": str(folder / "home"),
            "TALK_POSTGRES_URL": f"postgresql+psycopg2://dagster@127.0.0.1:{self.postgres.port}/postgres",
            "CELERY_BROKER_URL": self.redis.url,
            "CELERY_RESULT_BACKEND": self.redis.url,
            "TALK_LIMITS_URL": self.redis.url,
            "TALK_DATA_DIR": str(folder / "data"),
            "TALK_LEASE_SECONDS": str(LEASE_SECONDS),
            "TALK_WAIT_SECONDS": "2",
            "TALK_THREADS": "1",
            "BUSINESSCENTRAL_LONGEST_SECONDS": "2",
            "TALK_COMPANIES": str(folder / "companies.yaml"),
            "DAGSTER_EVENT_BATCH_SIZE": "500",
            "REMAP_SIGTERM": "SIGQUIT",
            "PYTHONPATH": str(ROOT),
        }

    def start(self) -> None:
        self.postgres.start()
        self.redis.start()
        self._serve_systems()
        home = self.folder / "home"
        home.mkdir()
        (home / "dagster.yaml").write_text(settings_of_dagster())
        workspace = self.folder / "workspace.yaml"
        port = free_port()
        server = {"host": "127.0.0.1", "port": port, "location_name": "talk_pipeline"}
        workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": server}]}))
        self._start("dagster", "instance", "migrate").wait(120)
        self._start("dagster", "code-server", "start", "-m", LOCATION, "--host", "127.0.0.1", "-p", str(port))
        self._start("dagster-webserver", "-w", str(workspace), "-h", "127.0.0.1", "-p", str(self._web))
        self._start("dagster-daemon", "run", "-w", str(workspace))
        self.until(self._is_ready, seconds=120)

    def _serve_systems(self) -> None:
        command = [sys.executable, "-m", f"{__package__}.systems", str(self.count), str(self.size)]
        serving = subprocess.Popen(
            command, stdout=subprocess.PIPE, cwd=ROOT, env=self.environment, start_new_session=True
        )
        self._started.append(serving)
        assert serving.stdout
        told = json.loads(serving.stdout.readline())
        entries = {}
        for at, environment in enumerate(told):
            name = f"c{at:02}"
            self.environments[name] = environment | {"TALK_DATA_DIR": str(self.folder / "data" / name)}
            entries[name] = entry(name, environment)
            self.environment |= {variable(name, secret): environment[secret] for secret in SECRETS}
        (self.folder / "companies.yaml").write_text(yaml.safe_dump({"companies": entries}))

    def _start(self, program: str, *arguments: str, host: str = "") -> subprocess.Popen[bytes]:
        command = [str(BIN / program), *arguments]
        if host:
            command = [
                "unshare",
                "--map-root-user",
                "--uts",
                "sh",
                "-c",
                'hostname "$0" && exec "$@"',
                host,
                *command,
            ]
        with (self.folder / f"{host or program}.log").open("ab") as log:
            started = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=ROOT, env=self.environment, start_new_session=True
            )
        self._started.append(started)
        return started

    def worker(self, name: str, *queues: str, awaited: bool = True) -> subprocess.Popen[bytes]:
        """A machine with one worker process, that serves these queues; awaited, it is there."""
        app, served = "talk_pipeline.dagster.celery_worker", ",".join(queues or ("dagster",))
        options = ("--concurrency=1", "--without-gossip", "--without-mingle", "--loglevel=INFO")
        before = len(self._said(name))
        started = self._start(
            "celery", "-A", app, "worker", "-n", f"{name}@%h", "-Q", served, *options, host=name
        )
        if awaited:
            self.until(lambda: f"{name} ready" in self._said(name, since=before), seconds=120)
        return started

    def _said(self, name: str, *, since: int = 0) -> str:
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace")[since:] if log.exists() else ""

    def stop(self) -> None:
        for process in reversed(self._started):
            ended(process)
            if process.stdout:
                process.stdout.close()
        for api in (api for pair in self._controls.values() for api in pair):
            api.close()
        self.redis.stop()
        self.postgres.remove()

    def _is_ready(self) -> bool:
        try:
            found = self.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
        except httpx.HTTPError:
            return False
        return bool(found["repositoriesOrError"].get("nodes"))

    def ask(self, query: str, **variables: Any) -> Mapping[str, Any]:
        """What Dagster's API says."""
        sent = {"query": query, "variables": variables}
        answer = httpx.post(f"http://127.0.0.1:{self._web}/graphql", json=sent, timeout=60)
        answer.raise_for_status()
        told: Mapping[str, Any] = answer.json()
        assert "errors" not in told, told
        data: Mapping[str, Any] = told["data"]
        return data

    def run(self, company: str, *, queue: str = "dagster", **options: bool) -> str:
        """Asks for a run of the flow of a company."""
        tags = {"dagster/partition": company, "dagster-celery/queue": queue}
        where = {"repositoryName": "__repository__", "repositoryLocationName": "talk_pipeline"}
        params = {
            "selector": {**where, "pipelineName": f"sync_{FLOW}"},
            "mode": "default",
            "runConfigData": {"resources": {"pipeline": {"config": options}}},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        launched = self.ask(_LAUNCH, params=params)["launchPipelineExecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def runs(self) -> dict[str, Run]:
        return {one["runId"]: Run(one) for one in self.ask(_RUNS)["runsOrError"]["results"]}

    def status(self, run: str) -> str:
        return self.runs()[run].status

    def done(self, runs: Sequence[str], *, seconds: float = 600) -> list[Run]:
        """The runs once all have ended.

        Asked seldom, and for no more than it takes: it is done by the cores that the workers share.
        """
        self.until(lambda: self._have_ended(runs), seconds=seconds, every=2)
        found = self.runs()
        return [found[run] for run in runs]

    def _have_ended(self, runs: Sequence[str]) -> bool:
        try:
            at_work = {one["runId"] for one in self.ask(_AT_WORK)["runsOrError"]["results"]}
        except httpx.HTTPStatusError:
            return False  # its database is being restarted
        return at_work.isdisjoint(runs)

    def until(self, holds: Callable[[], Any], *, seconds: float, every: float = 0.25) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, f"not within {seconds} seconds; the logs are in {self.folder}"
            time.sleep(every)

    @contextmanager
    def acting_for(self, company: str) -> Iterator[None]:
        before = dict(os.environ)
        os.environ.update(self.environment | self.environments[company])
        del os.environ["TALK_COMPANIES"]
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)

    def control(self, company: str) -> tuple[Shop, Shop]:
        """What people do at the shop and at Business Central, and what goes wrong there."""
        if company not in self._controls:
            environment = self.environments[company]
            shop, central = environment["CUSTOMWEBSHOP_URL"], environment["BUSINESSCENTRAL_URL"]
            root = central.split("/v2.0/")[0]
            self._controls[company] = Shop(shop, {}, shop), Shop(root, {}, root)
        return self._controls[company]

    def slow(self, company: str, seconds: float) -> None:
        """Both systems take so long for every answer to a read.

        Not for a token, which a worker keeps: how many it has yet is no part of how fast it is.
        """
        for api in self.control(company):
            api.no_faults()
            if seconds:
                api.faults({"match": {"method": "GET"}, "fault": {"delay": seconds}, "times": None})

    def unexplained(self, company: str) -> list[Any]:
        """What the second opinion says, of both systems as they are: whatever is lost or there twice."""
        with self.acting_for(company):
            return [one for judged in audit(Settings.load(), (FLOW,)) for one in judged.unexplained]


def settings_of_dagster() -> str:
    """Those of `deploy/`, by which a queue has one worker, with a shorter patience."""
    settings = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text())
    settings["run_monitoring"]["poll_interval_seconds"] = 2
    return yaml.safe_dump(settings, sort_keys=False)
