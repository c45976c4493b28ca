"""The page of the architecture says what is there: its paths, layers, rooms and tables are those of the code."""

import re
import tomllib
from typing import Any

from talk_pipeline_tests.docs.documents import ROOT
from talk_pipeline_tests.docs.table_users import NAMES, users

PACKAGE = ROOT / "talk_pipeline"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PICTURE = re.findall(r"```\n(.*?)```", PAGE, re.S)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def contract(name: str) -> list[Any]:
    (layers,) = [one["layers"] for one in CONTRACTS if one["name"] == name]
    return list(layers)


def rows(title: str) -> list[list[str]]:
    """The cells of the table of a section, without its head."""
    (section,) = re.findall(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.S | re.M)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_path_it_names_exists() -> None:
    prose = re.sub(r"```.*?```", "", PAGE, flags=re.S)
    assets = ("sync/", "links/", "diffs/")
    paths = [
        one
        for one in named(prose)
        if ("/" in one or re.search(r"\.(py|sql|toml|yaml)$", one)) and not one.startswith(assets)
    ]
    drawn = re.findall(r"\b(?:systems|run|engine)/\w+", "".join(PICTURE))
    assert len(paths) > 50
    assert drawn
    missing = [path for path in paths if not ((PACKAGE / path).exists() or (ROOT / path).exists())]
    missing += [
        path for path in drawn if not ((PACKAGE / path).exists() or (PACKAGE / f"{path}.py").exists())
    ]
    assert not missing


def test_its_layers_are_those_of_the_contract() -> None:
    told = [
        {name.removesuffix("/").removesuffix(".py") for name in named(row[0])} for row in rows("The layers")
    ]
    kept = [set(layer.replace("talk_pipeline.", "").split(" | ")) for layer in contract("layers")]
    assert told == kept


def test_its_rooms_are_those_of_the_contract_and_of_the_folder() -> None:
    told = [
        name.removeprefix("engine/").removesuffix("/").removesuffix(".py")
        for row in rows("The rooms of the engine")
        for name in named(row[0])
    ]
    assert told == contract("the rooms of the engine, in the order of the data")[::-1]
    there = {file.stem for file in (PACKAGE / "engine").glob("*.py")}
    there |= {file.parent.name for file in (PACKAGE / "engine").glob("*/__init__.py")}
    assert set(told) == there - {"__init__"}


def test_every_table_is_told_with_those_who_write_and_read_it() -> None:
    told = rows("What is kept")
    assert [name for row in told for name in named(row[0])] == NAMES
    found = users()
    for cell, _, written_by, read_by in told:
        (name,) = named(cell)
        of = found[name]
        assert (set(filter(None, written_by.split(", "))), set(filter(None, read_by.split(", ")))) == (
            of.write,
            of.read,
        ), name
