"""How a description says who may enter. Secrets stand there as names of environment variables, never themselves."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path as File
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from talk_pipeline.flows.mistakes import MAY_BE_SECRET
from talk_pipeline.flows.properties import Model
from talk_pipeline.redaction import holds_entry
from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.places import Path

if TYPE_CHECKING:  # what speaks HTTP is loaded by whoever enters: most who read a description do not
    from talk_pipeline.systems.http import Credentials


def _variable(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z0-9_]*", value):
        return value
    raise PydanticCustomError(
        MAY_BE_SECRET,
        "is the name of an environment variable such as CUSTOMWEBSHOP_TOKEN; the secret goes there or into .env",
    )


def _place(url: object) -> object:
    if isinstance(url, str) and holds_entry(url):
        raise PydanticCustomError(
            MAY_BE_SECRET, "holds a user or a password before the host: name variables for them instead"
        )
    return url


Place = Annotated[str, BeforeValidator(_place)]
EnvName = Annotated[str, BeforeValidator(_variable), Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
Secret = Callable[[str], SecretStr]
Plain = Callable[[str], str]
"""What variables hold that is no secret, and may be in any text."""


class BearerAuth(Model):
    """A fixed bearer token."""

    type: Literal["bearer"] = "bearer"
    token: EnvName = "CUSTOMWEBSHOP_TOKEN"

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it needs."""
        return (self.token,)

    def credentials(self, secret: Secret, address: str, folder: File) -> "Credentials":
        """With the secrets filled in."""
        from talk_pipeline.systems.http import Bearer

        return Bearer(secret(self.token))


class BasicAuth(Model):
    """User and password, or key and secret, with every request."""

    type: Literal["basic"]
    user: EnvName
    password: EnvName | None = Field(None, description="left out where the key alone is the user's name")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it needs."""
        return (self.user, self.password) if self.password else (self.user,)

    def credentials(self, secret: Secret, address: str, folder: File) -> "Credentials":
        """With the secrets filled in."""
        from talk_pipeline.systems.http import Basic

        return Basic(secret(self.user), secret(self.password) if self.password else SecretStr(""))


class KeyAuth(Model):
    """A fixed key in a header or a query parameter."""

    type: Literal["header", "query"]
    name: str
    value: EnvName

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it needs."""
        return (self.value,)

    def credentials(self, secret: Secret, address: str, folder: File) -> "Credentials":
        """With the secrets filled in."""
        from talk_pipeline.systems.http import ApiKey

        return ApiKey(self.name, secret(self.value), self.type)


class OAuth2Auth(Model):
    """OAuth2: client credentials, or a refresh token that a person was given once."""

    type: Literal["oauth2"]
    token_url: Place = Field(description="whole, or below the shop's address (without base_path)")
    client_id: EnvName
    client_secret: EnvName | None = Field(None, description="may be left out beside refresh_token")
    refresh_token: EnvName | None = Field(
        None, description="the first one; those that follow are kept in the data folder"
    )
    scope: str | None = None
    credentials_in: Literal["form", "header"] = "form"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not (self.client_secret or self.refresh_token):
            raise ValueError("says client_secret, refresh_token or both")
        return self

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it needs."""
        return tuple(filter(None, (self.client_id, self.client_secret, self.refresh_token)))

    def credentials(self, secret: Secret, address: str, folder: File) -> "Credentials":
        """With the secrets filled in."""
        from talk_pipeline.systems.http import ClientCredentials, KeptTokens

        first = self.refresh_token
        return ClientCredentials(
            _whole(address, self.token_url),
            secret(self.client_id).get_secret_value(),
            secret(self.client_secret) if self.client_secret else None,
            scope=self.scope,
            in_form=self.credentials_in == "form",
            settings=("auth.token_url in CUSTOMWEBSHOP_CONNECTOR", *self.variables),
            kept=KeptTokens(folder, secret(first), first) if first else None,
        )


class LoginAuth(Model):
    """A session token from a login call, fetched anew when the shop answers 401."""

    type: Literal["login"]
    url: Place = Field(description="whole, or below the shop's address (without base_path)")
    body: Mapping[str, EnvName] = Field(description="what is sent: field -> environment variable")
    token: Path | None = Field(None, description="path of the token; without it the answer is the token")
    header: str = "Authorization"
    value: str = Field("Bearer {token}", pattern=r"\{token\}")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables it needs."""
        return tuple(self.body.values())

    def credentials(self, secret: Secret, address: str, folder: File) -> "Credentials":
        """With the secrets filled in."""
        from talk_pipeline.systems.http import Login

        return Login(
            _whole(address, self.url),
            {name: secret(variable) for name, variable in self.body.items()},
            lambda answer: paths.text_of(paths.get(answer, self.token) if self.token else answer),
            header=self.header,
            value=self.value,
        )


class NoAuth(Model):
    """A shop that lets everybody in, such as one on the same machine."""

    type: Literal["none"]
    variables: tuple[str, ...] = Field((), exclude=True, max_length=0)

    def credentials(self, secret: Secret, address: str, folder: File) -> None:
        """There are none."""
        return


Auth = Annotated[
    BearerAuth | BasicAuth | KeyAuth | OAuth2Auth | LoginAuth | NoAuth, Field(discriminator="type")
]


def _whole(address: str, url: str) -> str:
    return url if url.startswith(("http://", "https://")) else address.rstrip("/") + url
