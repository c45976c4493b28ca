"""Several companies in one graph: a company is a partition of every asset and of every check.

Why so, and not a run tag or a code location each: decision 15. Where there is one company nothing is partitioned.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from talk_pipeline.acting import Company, acting_for
from talk_pipeline.declarations import checked_files
from talk_pipeline.flows.loading import FlowError, Flows
from talk_pipeline.flows.vocabulary import Flow
from talk_pipeline.settings import Settings, SettingsError

QUEUE_TAG = "dagster-celery/queue"


@dataclass(frozen=True)
class Partitions:
    """The companies of a graph.

    Attributes:
        names: of all, also of those with which something is wrong: their runs say what.
        flows: of each that can be acted for.
        queues: of the workers of a company, where it has some of its own.
        schedules: when a company is read in full, where it says so.
    """

    names: tuple[str, ...]
    flows: Mapping[str, Flows] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)
    schedules: Mapping[str, str] = field(default_factory=dict)

    @property
    def defined(self) -> dg.StaticPartitionsDefinition:
        """For assets, checks and jobs."""
        return dg.StaticPartitionsDefinition(list(self.names))

    def declared(self, flow: Flow) -> tuple[Flow, ...]:
        """A flow as the companies declare it: as many as there are different ones."""
        found = [its[flow.name] for its in self.flows.values() if flow.name in its]
        return tuple(one for at, one in enumerate(found) if one not in found[:at]) or (flow,)

    def tags(self, company: str) -> dict[str, str]:
        """What a run of the company is launched with."""
        return {QUEUE_TAG: self.queues[company]} if company in self.queues else {}


def partitions_of(settings: Settings) -> tuple[Flows, Partitions] | None:
    """All flows of all companies, and the companies; None where there is one.

    Raises:
        SettingsError: no company can be acted for, or the file of companies is none.
    """
    if settings.company is not None:
        flows, _ = checked_files(settings)
        return flows, Partitions((settings.company.name,))
    if settings.talk_companies is None:
        return None
    from talk_pipeline.companies import companies_in

    known = companies_in(settings.talk_companies)
    of_each: dict[str, Flows] = {}
    wrong = dict(known.wrong)
    for name, loaded in known.settings.items():
        try:
            of_each[name], _ = checked_files(loaded)
        except FlowError as error:
            wrong[name] = str(error)
    if not of_each:
        raise SettingsError("\n".join(["no company can be acted for:", *wrong.values()]))
    queues = {name: one.queue for name, one in known.right.items() if one.queue}
    schedules = {name: one.schedule for name, one in known.right.items() if one.schedule}
    union: dict[str, Flow] = {}
    for its in of_each.values():
        union = dict(its) | union
    return Flows.in_order(union), Partitions(tuple(known), of_each, queues, schedules)


def company_of(settings: Settings, tags: Mapping[str, str]) -> Company | None:
    """The company that a run with these tags is of; None where there is one.

    Raises:
        SettingsError: it is of none, or something is wrong with it.
    """
    if settings.talk_companies is None:
        return None
    from talk_pipeline.companies import companies_in

    known = companies_in(settings.talk_companies)
    name = tags.get(PARTITION_NAME_TAG)
    if name is None:
        raise SettingsError(f"the run is of no company: choose a partition, one of {', '.join(known)}")
    return known[name]


def settings_of(tags: Mapping[str, str]) -> Settings:
    """The settings of the company that a run with these tags is of, or of the only one.

    Raises:
        SettingsError: a setting makes no sense, or the run is of no company.
    """
    settings = Settings.load()
    with acting_for(company_of(settings, tags) if settings.company is None else settings.company):
        return Settings.load()


def each_company() -> Iterator[tuple[str, Settings | SettingsError]]:
    """All companies with their settings, or with what is wrong with them; where there is one, none.

    Raises:
        SettingsError: the file of companies is none.
    """
    file = Settings.load().talk_companies
    if file is None:
        return
    from talk_pipeline.companies import companies_in

    known = companies_in(file)
    for name in known:
        if name in known.settings:
            yield name, known.settings[name]
        else:
            yield name, SettingsError(known.wrong[name])


def judged_companies() -> tuple[dict[str, tuple[Settings, Flows]], dict[str, str]]:
    """The companies with their settings and flows, and what is wrong with the others.

    Raises:
        SettingsError: the file of companies is none.
    """
    known, wrong = {}, {}
    for name, settings in each_company():
        if isinstance(settings, SettingsError):
            wrong[name] = str(settings)
            continue
        try:
            known[name] = settings, checked_files(settings)[0]
        except FlowError as error:
            wrong[name] = str(error)
    return known, wrong


def partitioned(partitions: Partitions | None) -> dict[str, Any]:
    """The argument by which checks and jobs become partitioned, where there are companies."""
    return {"partitions_def": partitions.defined} if partitions else {}


@contextmanager
def without_preview_warnings() -> Iterator[None]:
    """Checks of partitions are new in Dagster, and each says so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        yield
