"""The environment as typed settings; nothing else reads it.

The process environment beats `.env` in the working folder, and what a company says otherwise beats both, while one
acts for it. Secrets stay wrapped, so that no message, metadata or table can show them by accident.
"""

import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from dotenv import dotenv_values
from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from talk_pipeline.acting import Company, acted_for
from talk_pipeline.addresses import is_address
from talk_pipeline.flows.bounds import MOST, MOST_DAYS, MOST_SECONDS, MOST_THREADS
from talk_pipeline.flows.mistakes import MAY_BE_SECRET
from talk_pipeline.flows.moments import ZoneName
from talk_pipeline.flows.record_pages import checked_template
from talk_pipeline.flows.texts import Currency
from talk_pipeline.flows.values import Context
from talk_pipeline.guids import Guid
from talk_pipeline.redaction import holds_entry, learn

OWNERS = r"^((team:[A-Za-z0-9_-]+|[^@\s,]+@[^@\s,]+\.[^@\s,]+)(, *|$))*$"
"""Of assets, as Dagster knows them: e-mail addresses and `team:` names, with commas between them."""

_TOKEN = re.compile(r"(?<![^/?&=:])[\w-]{16,}(?![.\w-])")
"""What is long and no host, in the address of a webhook."""

_FURTHER = re.compile(r"BUSINESSCENTRAL_CLIENT_(?:ID|SECRET)_(\d+)")


class SettingsError(ValueError):
    """Settings are missing or make no sense."""


class Registration(NamedTuple):
    """An application as it is registered with Entra.

    Attributes:
        variables: those of its id and its secret.
    """

    client_id: str
    secret: SecretStr
    variables: tuple[str, str]


class Settings(BaseSettings):
    """Where the two systems are, how to enter them, and where the pipeline keeps its own."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    customwebshop_url: str | None = None
    customwebshop_connector: Path | None = None
    customwebshop_record_url: str | None = None

    businesscentral_url: str | None = None
    businesscentral_company_id: Guid | None = None
    businesscentral_company: str | None = None
    businesscentral_token: SecretStr | None = None
    businesscentral_token_url: str | None = None
    businesscentral_client_id: str | None = None
    businesscentral_client_secret: SecretStr | None = None
    businesscentral_scope: str = "https://api.businesscentral.dynamics.com/.default"
    businesscentral_currency: str | None = None
    businesscentral_time_zone: ZoneName = "UTC"
    businesscentral_requests: int = Field(6000, ge=1, le=MOST)
    businesscentral_window_seconds: float = Field(300, gt=0, le=MOST_SECONDS)
    # eight minutes in its queue, eight of work, and one for clocks
    businesscentral_longest_seconds: float = Field(1020, ge=0, le=MOST_SECONDS)
    businesscentral_record_url: str | None = None
    businesscentral_entities_dir: Path | None = None

    dagster_home: Path | None = None
    talk_data_dir: Path = Path("data")
    talk_work_dir: Path | None = None
    talk_flows_dir: Path | None = None
    talk_wait_seconds: float = Field(60, ge=0, le=MOST_SECONDS)
    talk_lease_seconds: float = Field(30, ge=1, le=MOST_SECONDS)
    talk_limits_url: SecretStr | None = None
    talk_threads: int | None = Field(None, ge=1, le=MOST_THREADS)
    talk_memory: str | None = Field(None, pattern=r"(?i)^\d{1,6} *[MGT]i?B$")
    talk_poll_seconds: float = Field(5, ge=0, le=MOST_SECONDS)
    talk_keep_days: int = Field(400, ge=1, le=MOST_DAYS)
    talk_keep_runs_days: int = Field(30, ge=1, le=MOST_DAYS)
    talk_webhook_secret: SecretStr | None = None
    talk_alerts: SecretStr | None = None
    talk_owners: str = Field("", pattern=OWNERS)
    talk_companies: Path | None = None
    talk_logs: Literal["text", "json"] = "text"

    _company: Company | None = PrivateAttr(None)
    _shared_dir: Path | None = PrivateAttr(None)
    _said: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("businesscentral_currency")
    @classmethod
    def _known_currency(cls, code: str | None) -> str | None:
        return code and Currency().canonical(code, Context())

    @field_validator("customwebshop_url", "businesscentral_url", "businesscentral_token_url")
    @classmethod
    def _without_password(cls, url: str | None) -> str | None:
        if url and holds_entry(url):
            raise PydanticCustomError(MAY_BE_SECRET, _NO_ENTRY)
        return url

    @field_validator("customwebshop_record_url", "businesscentral_record_url")
    @classmethod
    def _known_places(cls, template: str | None) -> str | None:
        if template and holds_entry(template):
            raise PydanticCustomError(MAY_BE_SECRET, _NO_ENTRY)
        return template and checked_template(template)

    @property
    def owners(self) -> tuple[str, ...]:
        """Who answers for the assets."""
        return tuple(filter(None, (one.strip() for one in self.talk_owners.split(","))))

    @property
    def alert_addresses(self) -> tuple[str, ...]:
        """Where people are told what they should know, as Apprise writes addresses; they hold secrets."""
        return tuple(self.talk_alerts.get_secret_value().split()) if self.talk_alerts else ()

    @property
    def limits_url(self) -> str | None:
        """The Redis in which several machines count their requests together; it may hold a password."""
        return self.talk_limits_url.get_secret_value() if self.talk_limits_url else None

    @property
    def company(self) -> Company | None:
        """Whose settings these are, where there are several companies."""
        return self._company

    @property
    def work_dir(self) -> Path:
        """Where the state's file lies: in the data folder, unless that has its snapshots alone."""
        return self.talk_work_dir or self.talk_data_dir

    @property
    def shared_dir(self) -> Path:
        """Where Dagster's home lies, which all companies share: the data folder, where there is one company."""
        return self._shared_dir or self.talk_data_dir

    @classmethod
    def load(cls) -> "Settings":
        """The settings of this process, or of the company that it acts for.

        Raises:
            SettingsError: a value makes no sense, named with its variable.
        """
        company = acted_for()
        if company is None:
            return _of_process(environment_mark())
        environment = _environment()
        shared = Path(environment.get("TALK_DATA_DIR") or cls.model_fields["talk_data_dir"].default)
        try:
            held = _held(company, environment)
            said = {"TALK_DATA_DIR": str(shared / company.name)}
            if work := environment.get("TALK_WORK_DIR"):
                said["TALK_WORK_DIR"] = str(Path(work) / company.name)
            said |= {**company.values, **held}
            loaded = cls._read(said)
        except SettingsError as error:
            raise SettingsError(f"company {company.name}: {error}") from None
        loaded._company, loaded._shared_dir, loaded._said = company, shared, said
        return loaded

    @classmethod
    def _read(cls, said: Mapping[str, str]) -> Self:
        """What the environment says, but for what is said here; blank is not set, as it is there."""
        given: dict[str, Any] = {
            name: said[name.upper()] or field.get_default()
            for name, field in cls.model_fields.items()
            if name.upper() in said
        }
        try:
            loaded = cls(**given)
        except ValidationError as error:
            # what stands in a variable may be a secret: the cause would show it
            raise SettingsError("; ".join(map(_describe, error.errors()))) from None
        except UnicodeDecodeError as error:
            raise SettingsError(f".env is no text in UTF-8 (byte {error.start + 1})") from None
        for name in cls.model_fields:
            if isinstance(value := getattr(loaded, name), SecretStr):
                learn(value.get_secret_value())
        for address in loaded.alert_addresses:
            holds_entry(address)
            learn(address, *_TOKEN.findall(address))
        return loaded

    def secret(self, name: str) -> SecretStr:
        """A secret that the shop's description names, from the environment or `.env`.

        Raises:
            SettingsError: it is not set.
        """
        found = self.named(name)
        learn(found)
        return SecretStr(found)

    def named(self, name: str) -> str:
        """What is no secret of what the shop's description names, from the same places.

        Raises:
            SettingsError: it is not set.
        """
        found = self._others().get(name)
        if not found:
            raise SettingsError(f"not set: {name} (in the environment or in .env), named by the connector")
        return found

    def registrations(self) -> tuple[Registration, ...]:
        """The applications that enter Business Central: the one, and those of variables that end in `_2`, `_3`...

        Raises:
            SettingsError: one is incomplete or named twice.
        """
        others = {name.upper(): value for name, value in self._others().items()}
        numbers = {
            match[1] for name, value in others.items() if value and (match := _FURTHER.fullmatch(name))
        }
        if wrong := [number for number in numbers if number.startswith("0") or number == "1"]:
            named = f"BUSINESSCENTRAL_CLIENT_ID_{min(wrong)}"
            raise SettingsError(
                f"{named}: the first application has no number, the next ones are _2, _3 and so on"
            )
        found: list[Registration] = []
        for suffix in ("", *(f"_{number}" for number in sorted(numbers, key=int))):
            variables = f"BUSINESSCENTRAL_CLIENT_ID{suffix}", f"BUSINESSCENTRAL_CLIENT_SECRET{suffix}"
            if not suffix:
                client, secret = self.businesscentral_client_id, self.businesscentral_client_secret
            else:
                client, secret = others.get(variables[0]), SecretStr(others.get(variables[1]) or "")
                learn(secret.get_secret_value())
            if not (client and secret and secret.get_secret_value()):
                lacking = variables[1] if client else variables[0]
                raise SettingsError(
                    f"not set: {lacking}, though an application needs both of {', '.join(variables)}"
                )
            if twice := [one for one in found if one.client_id.lower() == client.lower()]:
                named = f"{twice[0].variables[0]} and {variables[0]}"
                raise SettingsError(
                    f"{named} name the same application: its limits count once; remove one of them"
                )
            found.append(Registration(client, secret, variables))
        return tuple(found)

    def _others(self) -> Mapping[str, str | None]:
        return {**_environment(), **self._said}

    def require_systems(
        self,
        secrets: Sequence[str] = ("CUSTOMWEBSHOP_TOKEN",),
        *,
        with_shop: bool = True,
        address: bool = True,
    ) -> None:
        """Proves that both systems are named completely.

        Args:
            secrets: the variables the shop's description asks for.
            with_shop: whether the shop is to be asked too, and not Business Central alone.
            address: whether the shop has an address, and no door of another kind.

        Raises:
            SettingsError: with every missing variable.
        """
        addresses = (*(["customwebshop_url"] if with_shop and address else []), "businesscentral_url")
        missing = [name for name in addresses if getattr(self, name) is None]
        others = self._others()
        missing += [name for name in secrets if with_shop and not others.get(name)]
        if self.businesscentral_company_id is None and self.businesscentral_company is None:
            missing.append("businesscentral_company_id")
        if self.businesscentral_token is None:
            needed = (
                "businesscentral_token_url",
                "businesscentral_client_id",
                "businesscentral_client_secret",
            )
            missing += [name for name in needed if getattr(self, name) is None]
        if missing:
            names = ", ".join(name.upper() for name in missing)
            raise SettingsError(f"not set: {names} (in the environment or in .env); see the README")
        for name in ("customwebshop_url", "businesscentral_url", "businesscentral_token_url"):
            url = getattr(self, name)
            if url is not None and not is_address(url):
                raise SettingsError(
                    f"{name.upper()}: {url!r} is not an address; write one such as https://shop.example"
                )


def _environment() -> dict[str, str | None]:
    return {**dotenv_values(".env"), **os.environ}


@lru_cache(maxsize=1)
def _of_process(mark: tuple[object, ...]) -> Settings:  # noqa: ARG001 - what it is read from, as it was
    """Read once for as long as nothing changes that it is read from: the sensors ask every few seconds."""
    return Settings._read({})


def environment_mark() -> tuple[object, ...]:
    """The same as long as neither the environment nor `.env` has changed."""
    dotenv = Path(".env").absolute()
    return dotenv, dotenv.exists() and dotenv.stat().st_mtime_ns, hash(frozenset(os.environ.items()))


def _held(company: Company, environment: Mapping[str, str | None]) -> dict[str, str]:
    """The secrets of a company, from the variables that it names."""
    held = {name: environment.get(variable) or "" for name, variable in company.secrets.items()}
    if missing := [f"{company.secrets[name]}, which holds its {name}" for name in held if not held[name]]:
        raise SettingsError(f"not set: {'; '.join(missing)} (in the environment or in .env)")
    learn(*held.values())
    return held


def batch_events() -> None:
    """Tells Dagster in this process that events of one moment may be written together."""
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")


_NO_ENTRY = (
    "holds a user or a password before the host (not shown): take them out of the address; the connector says"
    " by `auth` which variables hold them"
)


def _describe(one: Mapping[str, Any]) -> str:
    name, message = str(one["loc"][0]).upper(), str(one["msg"]).removeprefix("Value error, ")
    secret = one["type"] == MAY_BE_SECRET or "SecretStr" in str(
        Settings.model_fields[name.lower()].annotation
    )
    return f"{name}: {message}" if secret else f"{name}: {message} (found {one['input']!r})"
