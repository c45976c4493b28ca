"""A server of the test's own, and clients for it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from talk_pipeline import redaction
from talk_pipeline.systems.http import Application, Credentials, Http, Limits, credentials
from talk_pipeline_tests.systems.answering import Answering, answering

ADDRESS_SETTING = "IT_URL"
CREDENTIAL_SETTINGS = ("IT_TOKEN",)


class Opens(Protocol):
    """Makes a client of the server, or of another address."""

    def __call__(self, address: str | None = None, **options: Any) -> Http: ...


@pytest.fixture(autouse=True)
def _no_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither tokens nor secrets of another test are known."""
    monkeypatch.setattr(credentials, "_TOKENS", {})
    monkeypatch.setattr(redaction, "_known", {})


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


@pytest.fixture
def stranger() -> Iterator[Answering]:
    """A server that is somebody else's."""
    with answering() as running:
        yield running


@pytest.fixture
def opens(server: Answering, tmp_path: Path) -> Opens:
    def opened(address: str | None = None, credentials: Credentials | None = None, **options: Any) -> Http:
        told: dict[str, Any] = {
            "applications": [Application(credentials, CREDENTIAL_SETTINGS)],
            "limits": Limits(1000, 1, 8, tmp_path / "limits"),
            "longest_seconds": 0,
            "address_setting": ADDRESS_SETTING,
        }
        return Http("It", address or server.url, **(told | options))

    return opened
