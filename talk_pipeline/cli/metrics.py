"""`talk-pipeline metrics`: how every company stands, for Prometheus; the library is the extra `metrics`.

The numbers are those of `status`, read anew now and then and not for each question: a database that a run works
with is waited for, and nobody who asks waits with us. What could not be read keeps its last numbers, and its
`talk_up` is 0.
"""

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING, NoReturn
from wsgiref.simple_server import WSGIServer

from talk_pipeline.acting import acting_for
from talk_pipeline.cli.company import companies
from talk_pipeline.cli.exits import UsageError, told_in_a_line
from talk_pipeline.cli.standing import Standing, standing_of
from talk_pipeline.cli.terminal import say
from talk_pipeline.settings import Settings
from talk_pipeline.stopping import go_on

try:
    from prometheus_client import CollectorRegistry, start_http_server
    from prometheus_client.core import GaugeMetricFamily
    from prometheus_client.registry import Collector
except ModuleNotFoundError as error:
    raise UsageError(
        f"metrics need the package {error.name}, which is not installed: {sys.executable} -m pip install"
        " 'talk-pipeline[metrics]', or -e '.[metrics]' in the project's folder"
    ) from error

if TYPE_CHECKING:
    from talk_pipeline.companies import Companies

WAIT_SECONDS = 2.0
GOOD = ("passed", "warned")


class Standings(Collector):
    """How each company stood when it was read last."""

    def __init__(self) -> None:
        self._known: dict[str, Standing] = {}
        self._up: dict[str, bool] = {}

    def refresh(self) -> dict[str, str]:
        """Reads all anew; returns what is wrong with whom."""
        known = None if Settings.load().company else companies()
        found, up, wrong = dict[str, Standing](), dict[str, bool](), dict[str, str]()
        for name in known or ("",):
            try:
                found[name] = _read(known, name)
            except Exception as error:  # the others are told of all the same
                go_on()
                wrong[name] = told_in_a_line(error)[1]
                if name in self._known:
                    found[name] = self._known[name]
            up[name] = name not in wrong
        self._known, self._up = found, up
        return wrong

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """What Prometheus asks for."""
        known, up = self._known, self._up
        yield _gauge("up", "1 where the last look could be had.", ["company"], _ups(up))
        yield _gauge(
            "last_run_timestamp_seconds",
            "When the last run began.",
            ["company"],
            ((name, one.sheet.run.started_at) for name, one in known.items() if one.sheet),
        )
        yield _gauge(
            "last_run_good",
            "1 where the last run passed, warnings included.",
            ["company"],
            ((name, float(one.sheet.verdict in GOOD)) for name, one in known.items() if one.sheet),
        )
        yield _gauge(
            "flow_in_step_timestamp_seconds",
            "When the last run that carried the flow through began; the time since is its lag.",
            ["company", "flow"],
            (
                (name, at.flow, at.in_step_at)
                for name, one in known.items()
                for at in one.where
                if at.in_step_at
            ),
        )
        yield _gauge(
            "flow_open_requests",
            "Requests whose outcome is not known.",
            ["company", "flow"],
            ((name, at.flow, float(at.open_requests)) for name, one in known.items() for at in one.where),
        )
        yield _gauge(
            "waiting",
            "Records that wait for a person.",
            ["company", "kind"],
            ((name, kind, float(n)) for name, one in known.items() for kind, n in one.waiting.items()),
        )
        limits = [(name, limit) for name, one in known.items() for limit in one.budgets]
        named = ["company", "system", "application"]
        yield _gauge(
            "limit_used_requests",
            "Requests of the window that ends now.",
            named,
            (
                (name, limit.side, limit.application, float(limit.used))
                for name, limit in limits
                if limit.used is not None
            ),
        )
        yield _gauge(
            "limit_allowed_requests",
            "Requests that a window allows.",
            named,
            ((name, limit.side, limit.application, float(limit.allowed)) for name, limit in limits),
        )


def serve(*, host: str, port: int, every: float) -> None:
    """Serves until stopped."""
    standings = Standings()
    server, _ = serving(standings, host=host, port=port)
    say(f"metrics are at http://{host}:{server.server_port}/metrics")
    with suppress(KeyboardInterrupt):  # that is how it ends
        _look_on(standings, every=every)


def _look_on(standings: Standings, *, every: float) -> NoReturn:
    told: dict[str, str] = {}
    while True:
        wrong = standings.refresh()
        for name, text in wrong.items():
            if told.get(name) != text:
                say(f"{name or 'it'} could not be read: {text}", err=True)
        told = wrong
        time.sleep(every)


def serving(standings: Standings, *, host: str, port: int) -> tuple[WSGIServer, Thread]:
    """Answers in a thread of its own."""
    registry = CollectorRegistry()
    registry.register(standings)
    return start_http_server(port, addr=host, registry=registry)


def _read(known: "Companies | None", name: str) -> Standing:
    if known is None:
        return standing_of(_impatient(Settings.load()))
    with acting_for(known[name]):
        return standing_of(_impatient(Settings.load()))


def _impatient(settings: Settings) -> Settings:
    return settings.model_copy(update={"talk_wait_seconds": WAIT_SECONDS})


def _ups(up: dict[str, bool]) -> Iterator[tuple[str, float]]:
    yield from ((name, float(there)) for name, there in up.items())


def _gauge(name: str, text: str, labels: list[str], rows: Iterable[tuple[object, ...]]) -> GaugeMetricFamily:
    """A gauge of rows: its labels, and then its value."""
    family = GaugeMetricFamily(f"talk_{name}", text, labels=labels)
    for *about, value in rows:
        told = value.replace(tzinfo=UTC).timestamp() if isinstance(value, datetime) else float(str(value))
        family.add_metric([str(one) for one in about], told)
    return family
