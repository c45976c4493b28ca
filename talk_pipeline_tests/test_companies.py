"""The companies file: what it may say, and that a mistake is one company's alone."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from talk_pipeline.acting import acting_for
from talk_pipeline.cli.company import companies
from talk_pipeline.companies import SCHEMA_FILE, Companies
from talk_pipeline.declarations import flows_of
from talk_pipeline.flows.loading import FlowError
from talk_pipeline.settings import Settings, SettingsError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TALK_COMPANIES", "companies.yaml")
    return tmp_path


def read(folder: Path, text: str) -> Companies:
    (folder / "companies.yaml").write_text(text)
    found = companies()
    assert found is not None
    return found


def settings_of(companies: Companies, name: str) -> Settings:
    with acting_for(companies[name]):
        return Settings.load()


def test_settings_are_the_environment_overlaid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUSTOMWEBSHOP_URL", "https://shop.example")
    monkeypatch.setenv("BUSINESSCENTRAL_TOKEN", "of-the-environment")
    monkeypatch.setenv("BERLIN_SECRET", "berlins-own-secret")
    companies = read(
        folder,
        """
companies:
  berlin:
    settings:
      TALK_POLL_SECONDS: 30
      BUSINESSCENTRAL_COMPANY: Berlin
      BUSINESSCENTRAL_CLIENT_ID: b-1
      BUSINESSCENTRAL_CLIENT_ID_2: b-2
    secrets:
      BUSINESSCENTRAL_TOKEN: BERLIN_SECRET
      BUSINESSCENTRAL_CLIENT_SECRET: BERLIN_SECRET
      BUSINESSCENTRAL_CLIENT_SECRET_2: BERLIN_SECRET
      SHOP_KEY: BERLIN_SECRET
    queue: north
    schedule: "30 1 * * *"
  oslo:
    settings: {BUSINESSCENTRAL_COMPANY: Oslo, CUSTOMWEBSHOP_URL: "", TALK_DATA_DIR: elsewhere}
  rome:
""",
    )
    assert list(companies) == ["berlin", "oslo", "rome"]
    berlin = settings_of(companies, "berlin")
    assert berlin.customwebshop_url == "https://shop.example"
    assert (berlin.talk_poll_seconds, berlin.businesscentral_company) == (30, "Berlin")
    assert berlin.businesscentral_token is not None
    assert berlin.businesscentral_token.get_secret_value() == "berlins-own-secret"
    assert [one.client_id for one in berlin.registrations()] == ["b-1", "b-2"]
    assert berlin.secret("SHOP_KEY").get_secret_value() == "berlins-own-secret"
    assert (berlin.talk_data_dir, berlin.shared_dir) == (Path("data/berlin"), Path("data"))
    assert berlin.company
    assert (berlin.company.queue, berlin.company.schedule) == ("north", "30 1 * * *")
    oslo = settings_of(companies, "oslo")
    assert (oslo.customwebshop_url, oslo.talk_data_dir) == (None, Path("elsewhere"))
    assert settings_of(companies, "rome").businesscentral_company is None
    assert (Settings.load().company, Settings.load().shared_dir) == (None, Path("data"))


CLEAR = "in-the-clear-1234"
WRONG = [
    (
        "settings: {BUSINESSCENTRAL_CLIENT_SECRET: in-the-clear-1234}",
        r"CLIENT_SECRET: is a secret.*under secrets",
    ),
    (
        "settings: {CUSTOMWEBSHOP_TOKEN: in-the-clear-1234}",
        r"CUSTOMWEBSHOP_TOKEN: is no setting.*under secrets",
    ),
    (
        "settings: {BUSINESSCENTRAL_CLIENT_SECRET_2: in-the-clear-1234}",
        r"SECRET_2: is a secret.*under secrets",
    ),
    ("settings: {TALK_ALERTS: in-the-clear-1234}", r"TALK_ALERTS: is a secret"),
    (
        "secrets: {CUSTOMWEBSHOP_TOKEN: in-the-clear-1234}",
        r"secrets.CUSTOMWEBSHOP_TOKEN: is the name of",
    ),
    ("secrets: {CUSTOMWEBSHOP_URL: SHOP_URL}", r"CUSTOMWEBSHOP_URL: is no secret: it goes under settings"),
    ("settings: {CUSTOMWEBSHOP_URl: x}", r"CUSTOMWEBSHOP_URl: is no setting.*CUSTOMWEBSHOP_URL is one"),
    ("settings: {TALK_COMPANIES: x}", r"TALK_COMPANIES: is one for the whole installation"),
    ("settings: {TALK_POLL_SECONDS: often}", r"company berlin: TALK_POLL_SECONDS: .*number.*'often'"),
    (
        "secrets: {CUSTOMWEBSHOP_TOKEN: NOT_THERE}",
        r"not set: NOT_THERE, which holds its CUSTOMWEBSHOP_TOKEN .in the environment",
    ),
    ("schedule: at three", r"schedule: is no time as cron writes it; write one such as .*'at three'"),
    ("queu: north", r"queu: unknown key; allowed: settings, secrets, flows, schedule, queue"),
    ("settings: [1]", r"settings: keys belong here.*found a list"),
]


def test_a_company_is_named_by_its_entry_whatever_the_environment_calls_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUSINESSCENTRAL_COMPANY_ID", "of-the-environment")
    companies = read(folder, "companies:\n  oslo: {settings: {BUSINESSCENTRAL_COMPANY: Oslo}}\n  rome:\n")
    oslo, rome = settings_of(companies, "oslo"), settings_of(companies, "rome")
    assert (oslo.businesscentral_company, oslo.businesscentral_company_id) == ("Oslo", None)
    assert rome.businesscentral_company_id == "of-the-environment"


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_mistake_is_one_companys_and_named(text: str, message: str, folder: Path) -> None:
    companies = read(folder, f"companies:\n  paris: {{}}\n  berlin:\n    {text}\n")
    settings_of(companies, "paris")
    with pytest.raises(SettingsError, match=message) as caught:
        companies["berlin"]
    told = str(caught.value)
    assert told.startswith("companies.yaml:")
    assert "berlin" in told
    assert CLEAR not in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "companies.yaml:1: companies: is required"),
        ("[1]", "companies.yaml:1: the file: keys belong here"),
        ("companies: {}", "names no company"),
        ("companies: {a: {}}\nmore: 1", "more: unknown key; allowed: companies"),
        ("companies: {a: {}, a: {}}", "a: is there already"),
        ("companies: [", "not YAML"),
    ],
)
def test_a_file_that_is_none(text: str, message: str, folder: Path) -> None:
    with pytest.raises(SettingsError, match=message):
        read(folder, text)
    (folder / "companies.yaml").unlink()
    with pytest.raises(SettingsError, match="TALK_COMPANIES: companies.yaml cannot be read"):
        companies()


def test_names_that_are_no_folders(folder: Path) -> None:
    companies = read(folder, "companies: {Berlin: {}, dagster_home: {}, ../x: {}, paris: {}}")
    assert list(companies.right) == ["paris"]
    assert "[key]" in companies.wrong["Berlin"]
    assert "call the company otherwise" in companies.wrong["dagster_home"]
    with pytest.raises(SettingsError, match="no company 'rome' in .*; there are: Berlin, dagster_home"):
        companies["rome"]


PAIR = "CUSTOMWEBSHOP_URL: https://s.example, BUSINESSCENTRAL_URL: https://b.example"


def test_two_companies_never_have_the_same_folder_or_the_same_systems(folder: Path) -> None:
    companies = read(
        folder,
        f"""
companies:
  a: {{settings: {{TALK_DATA_DIR: data/b}}}}
  b: {{}}
  c: {{settings: {{{PAIR}, BUSINESSCENTRAL_COMPANY: One}}}}
  d: {{settings: {{{PAIR}/, BUSINESSCENTRAL_COMPANY: one}}}}
  e: {{settings: {{{PAIR}, BUSINESSCENTRAL_COMPANY: Two}}}}
""",
    )
    assert list(companies.right) == ["e"]
    assert "company a has the data folder" in companies.wrong["a"]
    assert "(TALK_DATA_DIR) of b; give" in companies.wrong["a"]
    assert "company b has the data folder" in companies.wrong["b"]
    assert "the shop https://s.example and the company one of business" in companies.wrong["c"].lower()


DATABASE = "CUSTOMWEBSHOP_CONNECTOR: shop.yaml, BUSINESSCENTRAL_URL: https://b.example"


def test_two_companies_never_have_the_same_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "shop.yaml").write_text("name: Shop\ndatabase: {url: SHOP_DATABASE}\n")
    monkeypatch.setenv("NORTH", "postgresql+psycopg://north:first-secret@db.example/shop")
    monkeypatch.setenv("NORTH_AGAIN", "postgresql://again:second-secret@db.example/shop")
    monkeypatch.setenv("SOUTH", "postgresql+psycopg://south:third-secret@db.example/another")
    companies = read(
        folder,
        f"""
companies:
  a: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: One}}, secrets: {{SHOP_DATABASE: NORTH}}}}
  b: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: One}}, secrets: {{SHOP_DATABASE: NORTH_AGAIN}}}}
  c: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: Two}}, secrets: {{SHOP_DATABASE: NORTH}}}}
  d: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: Two}}, secrets: {{SHOP_DATABASE: SOUTH}}}}
""",
    )
    assert "the shop postgresql://db.example/shop and the company one" in companies.wrong["a"]
    assert "secret" not in companies.wrong["b"]
    assert "company c and d may have the same records of customers" in companies.wrong["c"]
    assert list(companies.right) == []


def test_two_companies_never_have_the_same_folder_of_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "shop.yaml").write_text("name: Shop\nfiles: {at: EXCHANGE, format: {type: jsonl}}\n")
    for name, where in (
        ("NORTH", "exchange"),
        ("AGAIN", f"{folder}/exchange"),
        ("SOUTH", "sftp://f.example/out"),
    ):
        monkeypatch.setenv(name, where)
    companies = read(
        folder,
        f"""
companies:
  a: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: One}}, secrets: {{EXCHANGE: NORTH}}}}
  b: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: One}}, secrets: {{EXCHANGE: AGAIN}}}}
  c: {{settings: {{{DATABASE}, BUSINESSCENTRAL_COMPANY: Two}}, secrets: {{EXCHANGE: SOUTH}}}}
""",
    )
    assert f"the shop {folder}/exchange and the company one" in companies.wrong["a"]
    assert list(companies.right) == ["c"]


def test_an_edited_file_is_read_anew(folder: Path) -> None:
    assert list(read(folder, "companies: {a: {}}")) == ["a"]
    assert list(read(folder, "companies: {a: {}, bc: {}}")) == ["a", "bc"]


def test_a_company_chooses_flows(folder: Path) -> None:
    companies = read(
        folder,
        "companies:\n  a: {flows: [product]}\n  b: {flows: [order, product]}\n  c: {flows: [orders]}\n  d: {}",
    )
    with acting_for(companies["a"]):
        assert list(flows_of(Settings.load())) == ["product"]
    with acting_for(companies["d"]):
        assert list(flows_of(Settings.load())) == ["customer", "product", "order"]
    for name, message in (
        ("b", "order refers to customer: choose that too"),
        ("c", "no flow 'orders'; there are: "),
    ):
        with acting_for(companies[name]), pytest.raises(FlowError, match=f"company {name}: flows: {message}"):
            flows_of(Settings.load())


def test_the_schema_says_the_same(folder: Path) -> None:
    schema = json.loads(SCHEMA_FILE.read_text())
    good = "companies: {a: {settings: {TALK_POLL_SECONDS: 5}, secrets: {K: V}, flows: [x], queue: q}}"
    jsonschema.validate(yaml.safe_load(good), schema)
    for bad in (
        "{a: {settings: {NO_SETTING: 1}}}",
        "{a: {queu: 1}}",
        "{a: {secrets: {K: no-name}}}",
        "{A: {}}",
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"companies": yaml.safe_load(bad)}, schema)


def test_one_company_imports_none_of_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TALK_COMPANIES")
    code = (
        "import sys, talk_pipeline.definitions; from talk_pipeline.cli.company import companies;"
        "print(companies(), [name for name in sys.modules if 'companies' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None []"
