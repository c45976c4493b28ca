"""A person of one of several companies, who is erased: what all companies share is looked through as well."""

import json
from pathlib import Path

import dagster as dg
import pytest

from talk_pipeline.engine.state.traces import MASK
from talk_pipeline_tests.cli.command_line import Done, run
from talk_pipeline_tests.pains.test_erased_people import MAIL, NAME
from talk_pipeline_tests.pipeline.records import customer
from talk_pipeline_tests.several import Companies, opened_companies


def holding(folder: Path, *words: str) -> list[str]:
    """The files in which one of the words stands."""
    return [
        str(file.relative_to(folder))
        for file in sorted(folder.rglob("*"))
        if file.is_file() and any(word.lower().encode() in file.read_bytes().lower() for word in words)
    ]


def done(*arguments: str) -> Done:
    ended = run(*arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


def erased(companies: Companies, name: str) -> str:
    world = companies[name]
    key = world.shop.post("customers", customer(company_name=NAME, contact_name=NAME, email=MAIL))["id"]
    done("sync", "--flow", "customer", "--company", name)
    world.shop.patch("customers", key, {"email": f"new.{MAIL}"})
    done("sync", "--flow", "customer", "--company", name)
    world.bc.delete("customers", world.counterpart("customer", key))
    world.shop.delete("customers", key)
    done("sync", "--flow", "customer", "--full", "--company", name)
    return str(key)


def test_an_erased_person_of_a_company_is_in_nothing_that_all_share(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened_companies(tmp_path, "berlin", "oslo", instance=instance, patch=monkeypatch) as companies:
        data = tmp_path / "data"
        key = erased(companies, "oslo")
        crash, services = data / "crash.txt", tmp_path / "services"
        crash.write_text(f"KeyError: {NAME}\n", encoding="utf-8")
        services.mkdir()
        (services / "run.log").write_text(f"{NAME} is planned\n", encoding="utf-8")
        monkeypatch.setenv("DAGSTER_HOME", str(services))
        before = holding(data, NAME, MAIL)
        assert [one for one in before if one.startswith("dagster_home/")]
        told = json.loads(done("forget", "customer", key, "--company", "oslo", "--json").stdout)
        assert told["unread"] == []
        assert holding(data, NAME, MAIL) == []
        assert crash.read_text(encoding="utf-8") == f"KeyError: {MASK}\n"
        assert holding(services, NAME) == []
        done("sync", "--flow", "customer", "--company", "berlin")
