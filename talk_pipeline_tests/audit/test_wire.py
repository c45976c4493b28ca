"""The audit asks again where what came is no answer to what it asked, and no longer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from talk_pipeline.audit import NotAuditableError, UnreachableError, wire
from talk_pipeline.audit.wire import Connection, Words
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply, answering

GOOD = Reply(200, {"id": "1"})
BROKEN_OFF = Reply(200, b'{"id": ', {"Content-Length": "100", "Connection": "close"})
OAUTH = {"type": "oauth2", "token_url": "/token", "client_id": "ID", "client_secret": "SECRET"}


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "_AGAIN", wire._AGAIN.new(backoff_factor=0))


@pytest.fixture
def server() -> Iterator[Answering]:
    with answering() as running:
        yield running


def entered(server: Answering, auth: Words | None = None) -> Connection:
    said = {"auth": auth or {}, "limits": {"requests": 1000, "seconds": 1}}
    return Connection(server.url, said, lambda variable: f"the {variable}")


def test_it_trusts_whom_the_pipeline_trusts(
    server: Answering, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as the authority of a company that runs Business Central itself."""
    authority = tmp_path / "authority.pem"
    server.encrypt(authority)
    server.on("/things/1", GOOD)
    with pytest.raises(UnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
        entered(server).read("/things/1")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    assert entered(server).read("/things/1") == {"id": "1"}


@pytest.mark.parametrize(
    "reply",
    [DROPPED, BROKEN_OFF, *(Reply(status) for status in (401, 408, 409, 412, 429, 500, 503, 522))],
    ids=str,
)
def test_what_is_no_answer_is_asked_again(server: Answering, reply: Reply) -> None:
    server.on("/things/1", reply, reply, GOOD)
    assert entered(server).read("/things/1") == {"id": "1"}
    server.on("/things/1", reply)
    asked = len(server.asked)
    with pytest.raises(NotAuditableError if reply.status == 401 else UnreachableError, match="/things/1"):
        entered(server).read("/things/1")
    assert len(server.asked) - asked <= 15


@pytest.mark.parametrize("status", [400, 403, 405, 410, 422, 501])
def test_what_will_not_pass_is_told_at_once(server: Answering, status: int) -> None:
    server.on("/things/1", Reply(status), GOOD)
    with pytest.raises(NotAuditableError if status == 403 else UnreachableError, match=str(status)):
        entered(server).read("/things/1")
    assert len(server.asked) == 1


def test_a_token_that_ended_is_replaced(server: Answering) -> None:
    server.on(
        "/token", Reply(200, {"access_token": "first"}), Reply(503), Reply(200, {"access_token": "second"})
    )
    server.on("/things/1", GOOD, Reply(401), GOOD)
    connection = entered(server, OAUTH)
    assert [connection.read("/things/1"), connection.read("/things/1")] == [{"id": "1"}] * 2
    shown = [one.headers["authorization"] for one in server.asked_at("/things/1")]
    assert shown == ["Bearer first", "Bearer first", "Bearer second"]
