"""Several companies: a pair of sandboxes each, on ports of their own, and the file that names them all."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline.settings import Settings
from talk_pipeline_tests.slowness import longest
from talk_pipeline_tests.world import World

SECRETS = ("CUSTOMWEBSHOP_TOKEN", "BUSINESSCENTRAL_CLIENT_SECRET")


class Companies(Mapping[str, World]):
    """Their worlds by name, and the file, which a test may write anew."""

    def __init__(self, file: Path, worlds: Mapping[str, World]) -> None:
        self.file = file
        self._worlds = worlds
        self.said = {name: entry(name, world.environment) for name, world in worlds.items()}

    def write(self, **more: Any) -> None:
        """The file, with keys of further or the same companies."""
        entries = {name: self.said.get(name, {}) | more.get(name, {}) for name in {**self.said, **more}}
        self.file.write_text(yaml.safe_dump({"companies": entries}, sort_keys=False))

    def __getitem__(self, name: str) -> World:
        return self._worlds[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._worlds)

    def __len__(self) -> int:
        return len(self._worlds)


def variable(company: str, name: str) -> str:
    """Where a company's secret is kept."""
    return f"{company.upper()}_{name}"


def entry(company: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """What the file says of a company whose sandboxes are these."""
    return {
        "settings": {name: value for name, value in environment.items() if name not in SECRETS},
        "secrets": {name: variable(company, name) for name in SECRETS},
    }


def counted_requests(folder: Path, *, seconds: float) -> int:
    """Requests of the window, as the file of the limits has them, asked without any code of ours.

    `folder` is the company's, in which is noted whose the file is: it lies beside all companies.
    """
    since, account = (time.time() - seconds - 1) * 1000, (folder / "account").read_text()
    with closing(sqlite3.connect(folder.parents[2] / "limits" / account / "requests.sqlite")) as db:
        (number,) = db.execute("select count(*) from requests where item_timestamp >= ?", [since]).fetchone()
    return int(number)


WINDOWS = {"customwebshop": 60.0, "businesscentral": 300.0}


def counted_of(companies: Companies, names: Iterable[str]) -> dict[tuple[str, str], int]:
    """Requests of the window by company and system: they only leave it, while nobody asks anything."""
    return {
        (name, side): counted_requests(companies[name].data / "limits" / side, seconds=seconds)
        for name in names
        for side, seconds in WINDOWS.items()
    }


@contextmanager
def opened_companies(
    folder: Path, *names: str, instance: dg.DagsterInstance, patch: pytest.MonkeyPatch
) -> Iterator[Companies]:
    """Companies without records; each has its data in a folder of its name."""
    with ExitStack() as stack:
        for name in [*Settings.model_fields, *SECRETS, "talk_company"]:
            patch.delenv(name.upper(), raising=False)
        worlds = {}
        for name in names:
            environment = stack.enter_context(Sandbox(size=1)).environment()
            for secret in SECRETS:
                patch.setenv(variable(name, secret), environment[secret])
            worlds[name] = World(environment, folder / "data" / name, instance, profile="reference")
            stack.callback(worlds[name].close)
            for api in (worlds[name].shop, worlds[name].bc):
                api.control("reset", {"empty": True})
        companies = Companies(folder / "companies.yaml", worlds)
        companies.write()
        patch.setenv("TALK_COMPANIES", str(companies.file))
        patch.setenv("TALK_DATA_DIR", str(folder / "data"))
        patch.setenv("TALK_WAIT_SECONDS", "5")
        patch.setenv("TALK_THREADS", "1")
        longest(patch, folder, seconds=0)
        patch.chdir(folder)
        yield companies
