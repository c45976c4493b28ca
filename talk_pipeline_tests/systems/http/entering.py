"""Servers that give tokens and sessions, and credentials for them."""

from typing import Any

from pydantic import SecretStr

from talk_pipeline.systems.http import ClientCredentials, Credentials, Login
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply

SECRET = SecretStr("a secret of ours")
LOGIN = {"user": SecretStr("us"), "password": SECRET}


def client_credentials(server: Answering, **told: Any) -> ClientCredentials:
    given: dict[str, Any] = {"scope": "all", "settings": ("IT_TOKEN_URL", "IT_SECRET")} | told
    return ClientCredentials(f"{server.url}/token", "client", SECRET, **given)


def login(server: Answering, **told: Any) -> Login:
    def find(document: Any) -> str | None:
        found = document.get("session")
        return found if isinstance(found, str) else None

    return Login(f"{server.url}/login", LOGIN, find, **told)


def issues(server: Answering, **answer: Any) -> None:
    """A token endpoint that numbers its tokens, and things that any token opens."""
    numbers = iter(range(1, 100))

    def answered(asked: Asked) -> Reply:
        if asked.path == "/token":
            return Reply(200, {"access_token": f"token{next(numbers)}", "expires_in": 3600} | answer)
        if asked.path == "/login":
            return Reply(200, {"session": f"session{next(numbers)}"} | answer)
        return Reply()

    server.answer(answered)


def shown(server: Answering, path: str = "/things") -> list[str | None]:
    """What each request said who it is."""
    return [one.headers.get("authorization") for one in server.asked_at(path)]


def refuses(server: Answering, *tokens: str) -> None:
    """The same, but some tokens are not accepted."""
    issues(server)
    answered = server._replies[""]
    assert callable(answered)

    def judged(asked: Asked) -> Reply:
        held = asked.headers.get("authorization", "").split(" ")[-1]
        return Reply(401) if asked.path == "/things" and held in tokens else answered(asked)

    server.answer(judged)


KINDS = ("token", "session")


def renewing(server: Answering, kind: str) -> Credentials:
    return client_credentials(server) if kind == "token" else login(server)


def place(kind: str) -> str:
    return "/token" if kind == "token" else "/login"
