"""Who is turned away at the door: a token is renewed, and what was asked or to be written goes once more."""

from collections.abc import Callable

import pytest

from talk_pipeline.systems.errors import AccessFault
from talk_pipeline.systems.http import Answer, Http
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply
from talk_pipeline_tests.systems.http.asking import at_once, read, write
from talk_pipeline_tests.systems.http.conftest import Opens
from talk_pipeline_tests.systems.http.entering import (
    KINDS,
    client_credentials,
    place,
    refuses,
    renewing,
    shown,
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_token_is_renewed_once(server: Answering, opens: Opens, kind: str) -> None:
    refuses(server, f"{kind}1")
    assert read(opens(credentials=renewing(server, kind))).ok
    assert shown(server) == [f"Bearer {kind}1", f"Bearer {kind}2"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_write_with_a_refused_token_goes_again(server: Answering, opens: Opens, kind: str) -> None:
    """It was turned away at the door."""
    refuses(server, f"{kind}1")
    assert write(opens(credentials=renewing(server, kind))).ok
    assert [one.body for one in server.asked_at("/things")] == [b'{"name": "New"}'] * 2


@pytest.mark.parametrize("asks", [read, write])
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_new_token_does_not_open_is_sent_once_more(
    server: Answering, opens: Opens, kind: str, asks: Callable[[Http], Answer]
) -> None:
    """Two tokens more: what was refused is not shown again."""
    refuses(server, *(f"{kind}{n}" for n in range(1, 4)))
    assert asks(opens(credentials=renewing(server, kind))).ok
    assert shown(server) == [f"Bearer {kind}{n}" for n in range(1, 5)]


@pytest.mark.parametrize("asks", [read, write])
@pytest.mark.parametrize("kind", KINDS)
def test_tokens_that_are_refused_are_a_matter_of_access(
    server: Answering, opens: Opens, kind: str, asks: Callable[[Http], Answer]
) -> None:
    refuses(server, *(f"{kind}{n}" for n in range(1, 9)))
    with pytest.raises(AccessFault, match=r"refuses the credentials \(401\): check IT_TOKEN"):
        asks(opens(credentials=renewing(server, kind)))
    assert len(server.asked_at(place(kind))) == len(server.asked_at("/things")) == 4


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reply", [DROPPED, Reply(412), Reply(429), Reply(500), Reply(503)], ids=str)
def test_a_token_is_asked_for_again(server: Answering, opens: Opens, kind: str, reply: Reply) -> None:
    server.on("/things", Reply())
    server.on(place(kind), reply, reply, Reply(200, {"access_token": "new", "session": "new"}))
    assert read(opens(credentials=renewing(server, kind))).ok
    assert shown(server) == ["Bearer new"]


def test_a_client_that_is_turned_away_asks_for_a_token_once_more(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply())
    server.on("/token", Reply(401), Reply(200, {"access_token": "new"}))
    assert read(opens(credentials=client_credentials(server))).ok
    server.on("/token", Reply(401, {"error": "invalid_client"}))
    with pytest.raises(AccessFault, match="invalid_client"):
        read(opens(credentials=client_credentials(server, scope="another")))
    assert len(server.asked_at("/token")) == 2 + 2


@pytest.mark.parametrize("kind", KINDS)
def test_many_requests_with_one_refused_token_renew_it_once(
    server: Answering, opens: Opens, kind: str
) -> None:
    refuses(server, f"{kind}1")
    answers = at_once(opens(credentials=renewing(server, kind)), ["/things"] * 6)
    assert not [one for one in answers if isinstance(one, BaseException)]
    assert len(server.asked_at(place(kind))) == 2
