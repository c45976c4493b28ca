"""Every number that a person may set has an upper limit, and one beyond it is named with its place."""

import importlib
import pkgutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import annotated_types
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import talk_pipeline
from talk_pipeline.flows.bounds import MOST_DAYS
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.flows.properties import Model
from talk_pipeline.settings import Settings, SettingsError
from talk_pipeline_tests.flow_files import edited_flows, flows_in

NUMBERS = (int, float, Decimal)


def models(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield one
        yield from models(one)


def numbers(annotation: Any) -> bool:
    if get_origin(annotation) in (Union, UnionType):
        return any(map(numbers, get_args(annotation)))
    return annotation in NUMBERS


def is_bounded(field: FieldInfo) -> bool:
    return any(isinstance(one, annotated_types.Le | annotated_types.Lt) for one in field.metadata)


def test_every_number_has_an_upper_limit() -> None:
    for module in pkgutil.walk_packages(talk_pipeline.__path__, "talk_pipeline."):
        if module.name.split(".")[1] in ("flows", "systems", "companies"):
            importlib.import_module(module.name)
    everywhere: list[type[BaseModel]] = [Settings, *models(Model)]
    found = {
        f"{model.__module__}.{model.__name__}.{name}"
        for model in everywhere
        for name, field in model.model_fields.items()
        if model.__module__.startswith("talk_pipeline.")
        and numbers(field.annotation)
        and not is_bounded(field)
    }
    assert found == set()


ABSURD = [
    ("TALK_KEEP_DAYS", 10**9),
    ("TALK_KEEP_DAYS", MOST_DAYS + 1),
    ("TALK_KEEP_RUNS_DAYS", 10**30),
    ("TALK_WAIT_SECONDS", "inf"),
    ("TALK_WAIT_SECONDS", "nan"),
    ("TALK_POLL_SECONDS", 1e300),
    ("TALK_LEASE_SECONDS", 10**12),
    ("TALK_THREADS", 10**9),
    ("TALK_MEMORY", "999999999999999GB"),
    ("BUSINESSCENTRAL_REQUESTS", 10**12),
    ("BUSINESSCENTRAL_LONGEST_SECONDS", 1e12),
]


@pytest.mark.parametrize(("name", "value"), ABSURD)
def test_a_setting_beyond_it_is_named(
    name: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, str(value))
    with pytest.raises(SettingsError, match=f"^{name}: ") as caught:
        Settings.load()
    assert repr(str(value)) in str(caught.value)


def test_the_most_that_is_allowed_can_be_reckoned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALK_KEEP_DAYS", str(MOST_DAYS))
    assert Settings.load().talk_keep_days == MOST_DAYS


def test_a_flow_file_beyond_it_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edited_flows(
        tmp_path, monkeypatch, customer=("full_scan_minutes: 1440", "full_scan_minutes: 1000000000000")
    )
    with pytest.raises(
        FlowError, match=r"customer\.yaml:\d+.*full_scan_minutes.*less than or equal to 527040"
    ):
        flows_in(tmp_path / "flows")
