"""The one place that knows the HTTP library, so that it can be exchanged here.

::

    client.py         requests
    again.py          what is asked again, and what never is
    answer.py         what came of one, and how its body went over the line
    whole.py          an answer, read to its end
    located.py        where on a server a path is
    applications.py   who makes a request, where a system's limits hold for each who may
    limits.py         how many requests a system takes, counted over every process
    shared.py         the same over several machines
    usage.py          how much of that is used
    credentials.py    how a client proves who it is
    login.py          a session that is begun by a call of its own
    sendable.py       secrets as they can be sent
    kept_tokens.py    refresh tokens, from one process to the next
    trail.py          whether a list of pages comes to an end
    way.py            the certificates to trust, and the proxy that leads out
    clock.py          the server's clock against ours
"""

from talk_pipeline.systems.http.again import TOO_LARGE
from talk_pipeline.systems.http.answer import Answer, OutcomeUnknownError, Wire
from talk_pipeline.systems.http.applications import Application
from talk_pipeline.systems.http.client import Http
from talk_pipeline.systems.http.credentials import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    Credentials,
)
from talk_pipeline.systems.http.kept_tokens import KeptTokens
from talk_pipeline.systems.http.limits import Limits
from talk_pipeline.systems.http.login import Login

__all__ = [
    "TOO_LARGE",
    "Answer",
    "ApiKey",
    "Application",
    "Basic",
    "Bearer",
    "ClientCredentials",
    "Credentials",
    "Http",
    "KeptTokens",
    "Limits",
    "Login",
    "OutcomeUnknownError",
    "Wire",
]
