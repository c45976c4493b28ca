"""The companies file: several companies of one installation, each with what it says otherwise than the environment.

Without `TALK_COMPANIES` nobody reads this module. A mistake within a company is that company's alone: the others go
on, and whoever acts for it is told what is wrong, by file, line, company and key.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from talk_pipeline import sharing
from talk_pipeline.acting import Company, acting_for
from talk_pipeline.flows import schema as json_schema
from talk_pipeline.flows.loading import FlowError, mistake, read_yaml, stamp, validated
from talk_pipeline.flows.mistakes import MAY_BE_SECRET
from talk_pipeline.flows.properties import Model, Word
from talk_pipeline.settings import Settings, SettingsError, environment_mark
from talk_pipeline.systems.customwebshop.spec.access import EnvName

SCHEMA_FILE = Path(__file__).parent / "companies.schema.json"
NAME = r"^[a-z][a-z0-9_-]{0,62}$"
_KEPT = ("dagster_home", "limits", "sandbox", "seed")
"""Folders that lie beside those of the companies."""

_OF_ALL = {"DAGSTER_HOME", "TALK_COMPANIES", "TALK_LOGS", "TALK_KEEP_RUNS_DAYS"}
"""Settings of the whole installation."""

_SECRET = {
    name.upper() for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)
}
_PLAIN = {name.upper() for name in Settings.model_fields} - _SECRET - _OF_ALL
_FURTHER_ID = re.compile(r"BUSINESSCENTRAL_CLIENT_ID_\d+")
_FURTHER_SECRET = re.compile(r"BUSINESSCENTRAL_CLIENT_SECRET_\d+")


def _wrong_key(name: str, why: str) -> PydanticCustomError:
    """Of a setting whose value nobody may see: it could be a secret in the wrong place."""
    return PydanticCustomError(MAY_BE_SECRET, f"{name}: {why}")


def _is_cron(text: str) -> str:
    from dagster._utils.schedules import is_valid_cron_string  # what Dagster reads, loaded where it is used

    if not is_valid_cron_string(text):
        raise ValueError("is no time as cron writes it; write one such as '0 3 * * *', each night at three")
    return text


class Entry(Model):
    """A company, as the file says it."""

    settings: dict[str, Word] = Field(
        {},
        description="Settings that are other than in the environment, by the names that they have there; a blank"
        " one is not set. TALK_DATA_DIR is a folder of the company's name below that of all, if it is not here.",
    )
    secrets: dict[str, EnvName] = Field(
        {},
        description="For each secret, what the settings or the shop's description call it, the environment variable"
        " that holds this company's.",
    )
    flows: list[str] = Field([], description="The flows to synchronize; without any, all.")
    schedule: Annotated[str, AfterValidator(_is_cron)] | None = Field(
        None,
        description="When everything is read in full and audited, as cron writes it; by default at three.",
    )
    queue: str | None = Field(
        None,
        pattern=r"^[\w.-]+$",
        description="The queue of the workers that do its runs, where there are any.",
    )

    @field_validator("settings")
    @classmethod
    def _known_settings(cls, said: dict[str, str]) -> dict[str, str]:
        for name in said:
            if name in _SECRET or _FURTHER_SECRET.fullmatch(name):
                raise _wrong_key(
                    name,
                    f"is a secret (not shown): put it into an environment variable, and `{name}: ITS_NAME`"
                    " under secrets",
                )
            if name in _OF_ALL:
                raise _wrong_key(name, "is one for the whole installation: set it in the environment")
            if name not in _PLAIN and not _FURTHER_ID.fullmatch(name):
                near = difflib.get_close_matches(name, _PLAIN, n=1, cutoff=0.9)
                meant = f" {near[0]} is one." if near else ""
                raise _wrong_key(
                    name,
                    f"is no setting (its value is not shown).{meant} What a shop's description names, such as a"
                    f" token, goes under secrets: `{name}:` and the environment variable that holds it",
                )
        return said

    @field_validator("settings")
    @classmethod
    def _one_company(cls, said: dict[str, str]) -> dict[str, str]:
        """What the environment calls the company otherwise is no part of an entry that says which it is."""
        ways = ("BUSINESSCENTRAL_COMPANY", "BUSINESSCENTRAL_COMPANY_ID")
        return dict.fromkeys(ways, "") | said if set(ways) & set(said) else said

    @field_validator("secrets")
    @classmethod
    def _are_secrets(cls, said: dict[str, str]) -> dict[str, str]:
        for name in said:
            if name in _PLAIN | _OF_ALL or _FURTHER_ID.fullmatch(name):
                raise _wrong_key(name, "is no secret: it goes under settings")
            if not re.fullmatch(r"[A-Z][A-Z0-9_]*", name):
                raise _wrong_key(name, "is no name of a variable")
        return said


class CompaniesFile(Model):
    """The companies of an installation, by name."""

    companies: dict[Annotated[str, Field(pattern=NAME)], Entry] = Field(
        description="By name: lower-case letters, digits, - and _. It is that of the company's folder, too.",
    )


@dataclass(frozen=True)
class Companies(Mapping[str, Company]):
    """The companies of a file, in its order.

    Attributes:
        file: where they stand.
        right: those that can be acted for.
        wrong: what is wrong with the others.
        settings: of those that can be acted for.
    """

    file: Path
    names: tuple[str, ...]
    right: Mapping[str, Company]
    wrong: Mapping[str, str]
    settings: Mapping[str, Settings]

    def __getitem__(self, name: str) -> Company:
        """A company.

        Raises:
            SettingsError: there is no such company, or something is wrong with it.
        """
        if name in self.wrong:
            raise SettingsError(self.wrong[name])
        if name not in self.right:
            raise SettingsError(f"no company {name!r} in {self.file}; there are: {', '.join(self.names)}")
        return self.right[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def companies_in(file: Path) -> Companies:
    """The companies of a file, which is read anew when it was edited.

    Raises:
        SettingsError: the file cannot be read, or no companies are in it.
    """
    try:
        at = file, stamp(file), environment_mark()
        return _held_apart(*at, sharing.flow_files(_settled(*at).settings))
    except OSError as error:
        raise SettingsError(f"TALK_COMPANIES: {file} cannot be read: {error.strerror}") from None
    except FlowError as error:
        raise SettingsError(str(error)) from None


@lru_cache(maxsize=2)  # sensors ask every few seconds, and nobody has edited anything
def _settled(file: Path, seen: object, _environment: object) -> Companies:
    return _apart(_read(file, seen))


@lru_cache(maxsize=2)
def _held_apart(file: Path, seen: object, environment: object, _flow_files: object) -> Companies:
    """The same without those that could take each other's records, by what their flow files say now."""
    found = _settled(file, seen, environment)
    wrong = dict(found.wrong)
    for one, other, flow in sharing.contested(found.settings):
        message = (
            f"{one} and {other} may have the same records of {flow.businesscentral.entity}, since they share a"
            f" company of Business Central: in the flow file of {flow.name} of each say by businesscentral.scope"
            " which are its own, such as {number: N-*}, or in both several_shops: true"
        )
        wrong |= {name: f"{found.file}: company {message}" for name in (one, other) if name not in wrong}
    right = {name: one for name, one in found.right.items() if name not in wrong}
    return Companies(found.file, found.names, right, wrong, {name: found.settings[name] for name in right})


@lru_cache(maxsize=4)
def _read(file: Path, _seen: object) -> Companies:
    data, tree = read_yaml(file)
    named = data.get("companies") if isinstance(data, dict) else None
    if named == {}:
        raise FlowError(mistake(file, tree, at=("companies",), message="names no company"))
    if not isinstance(named, dict) or set(data) != {"companies"}:
        validated(CompaniesFile, {} if data is None else data, file=file, tree=tree)
        raise FlowError(f"{file}: names no company")
    names = tuple(str(name) for name in named)
    right, wrong = {}, {}
    for name, said in named.items():
        try:
            right[name] = _company(file, tree, name, said)
        except FlowError as error:
            wrong[str(name)] = str(error)
    return Companies(file, names, right, wrong, {})


def _company(file: Path, tree: yaml.Node | None, name: Any, said: Any) -> Company:
    if name in _KEPT:
        message = "is a folder of the pipeline's own: call the company otherwise"
        raise FlowError(mistake(file, tree, at=("companies", name), message=message))
    whole = validated(
        CompaniesFile, {"companies": {name: {} if said is None else said}}, file=file, tree=tree
    )
    entry = whole.companies[name]
    return Company(name, entry.settings, dict(entry.secrets), tuple(entry.flows), entry.schedule, entry.queue)


def _apart(found: Companies) -> Companies:
    """Two that would work on the same state, or keep the same two systems in step, are both refused."""
    wrong, loaded = dict(found.wrong), dict[str, Settings]()
    first: dict[tuple[object, ...], str] = {}
    for name, company in found.right.items():
        try:
            with acting_for(company):
                loaded[name] = Settings.load()
        except SettingsError as error:
            wrong[name] = f"{found.file}: {error}"
            continue
        for what, same in sharing.claims(loaded[name]):
            other = first.setdefault(same, name)
            if other != name:
                for one, its in ((name, other), (other, name)):
                    message = f"company {one} has {what} of {its}; give one of them its own"
                    wrong.setdefault(one, f"{found.file}: {message}")
    right = {name: one for name, one in found.right.items() if name not in wrong}
    return Companies(found.file, found.names, right, wrong, {name: loaded[name] for name in right})


def schema_text() -> str:
    """The file's JSON schema, for editors; `make docs` writes it."""
    schema = CompaniesFile.model_json_schema()
    named, each = schema["$defs"]["Entry"]["properties"], schema["properties"]["companies"]
    (entry,) = each["patternProperties"].values()
    each |= {"patternProperties": {NAME: {"anyOf": [entry, {"type": "null"}]}}, "additionalProperties": False}
    named["settings"] |= {
        "properties": {name: {} for name in sorted(_PLAIN)},
        "patternProperties": {f"^{_FURTHER_ID.pattern}$": {}},
        "additionalProperties": False,
    }
    named["secrets"]["additionalProperties"] = {"type": "string", "pattern": r"^[A-Z][A-Z0-9_]*$"}
    return json_schema.text(json_schema.headed(schema, "Companies"))
