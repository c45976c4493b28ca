"""The applications that enter a system: what it allows, it allows each, and each request is made by one of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
from httpx_retries import Retry, RetryTransport

from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http.credentials import Credentials, authentication, whose
from talk_pipeline.systems.http.limits import Gate, Limits
from talk_pipeline.systems.http.sendable import UnusableSecretError


@dataclass(frozen=True, slots=True)
class Application:
    """What enters a system under a name of its own.

    Attributes:
        credentials: None for a system that asks for none.
        settings: the variables that hold them.
        name: of the folder in which its requests are counted, below that of the limits.
    """

    credentials: Credentials | None = None
    settings: Sequence[str] = ()
    name: str = ""


@dataclass(slots=True)
class Lane:
    """The connections of one application, and what it was given to do.

    Attributes:
        settings: the variables that hold its credentials.
        busy: requests without an answer yet, also those that wait for the limits.
        spent: requests so far, as the limits count.
    """

    client: httpx.AsyncClient
    settings: Sequence[str]
    busy: int = 0
    spent: int = 0

    @contextmanager
    def used(self, weight: int) -> Iterator[None]:
        """While a request is this application's."""
        self.busy += 1
        self.spent += weight
        try:
            yield
        finally:
            self.busy -= 1


def lane_of(
    application: Application,
    *,
    system: str,
    address: str,
    limits: Limits,
    measure: Callable[..., None],
    headers: Mapping[str, str] | None,
    retry: Retry,
    timeout: httpx.Timeout,
) -> Lane:
    """Where an application's requests go out.

    Raises:
        ConfigurationFault: a secret cannot be sent.
    """
    given = application.credentials
    try:
        auth = authentication(given) if given else None
    except UnusableSecretError as error:
        named = ", ".join(application.settings)
        raise ConfigurationFault(f"{system}: {named} cannot be sent: {error}; set it anew") from None
    own = replace(limits, folder=limits.folder / application.name, account=whose(given, at=address))
    gate = Gate(address, own, measure)
    client = httpx.AsyncClient(
        auth=auth,
        headers=headers,
        transport=RetryTransport(gate, retry=retry),
        timeout=timeout,
    )
    return Lane(client, application.settings)


def least_busy(lanes: Sequence[Lane]) -> Lane:
    """The one to ask next; where all have as much to do, the one that was asked least."""
    return min(lanes, key=lambda lane: (lane.busy, lane.spent))
