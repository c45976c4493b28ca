"""How the pipeline enters Business Central: by one registered application, or several.

Its limits count for each application (page `operational-limits-online`), and a heavy integration is told to
register several. Everything else is the same whichever of them asks.
"""

from collections.abc import Iterable
from urllib.parse import quote

from pydantic import SecretStr

from talk_pipeline.systems.http import Application, Bearer, ClientCredentials

IN_FLIGHT = 5  # requests at once an application has (page `operational-limits-online`)


def by_token(token: SecretStr) -> list[Application]:
    """A fixed token, which is one application's."""
    return [Application(Bearer(token), ["BUSINESSCENTRAL_TOKEN"])]


def by_registration(
    registered: Iterable[tuple[str, SecretStr, tuple[str, str]]], *, token_url: str, scope: str
) -> list[Application]:
    """Applications that fetch tokens.

    Args:
        registered: of each its id, its secret and the variables that hold both.
        token_url: where tokens come from.
        scope: what they are for.
    """
    return [
        Application(
            ClientCredentials(
                token_url, client, secret, scope, settings=("BUSINESSCENTRAL_TOKEN_URL", *variables)
            ),
            variables,
            # the first counts where it did when it was the only one
            name="" if at == 0 else quote(client, safe=""),
        )
        for at, (client, secret, variables) in enumerate(registered)
    ]
