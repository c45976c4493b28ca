"""How a client proves who it is: fixed secrets, tokens that are fetched and renewed, sessions."""

import base64
from typing import Any

import pytest
from pydantic import SecretStr

from talk_pipeline import redaction
from talk_pipeline.redaction import TOKENS, redacted
from talk_pipeline.systems.errors import (
    AccessFault,
    ConfigurationFault,
    ForeignHostFault,
    SystemFault,
    UnavailableFault,
)
from talk_pipeline.systems.http import (
    ApiKey,
    Basic,
    Bearer,
    ClientCredentials,
    Credentials,
    credentials,
)
from talk_pipeline_tests.systems.answering import DROPPED, Answering, Reply
from talk_pipeline_tests.systems.http.asking import at_once, nobody, read, using, write
from talk_pipeline_tests.systems.http.conftest import Opens
from talk_pipeline_tests.systems.http.entering import (
    KINDS,
    SECRET,
    client_credentials,
    issues,
    login,
    place,
    renewing,
    shown,
)


def basic(user: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{SECRET.get_secret_value()}'.encode()).decode()}"


FIXED: list[tuple[Credentials, str, str]] = [
    (Bearer(SECRET), "authorization", "Bearer a secret of ours"),
    (Basic(SecretStr("us"), SECRET), "authorization", basic("us")),
    (ApiKey("X-Key", SECRET, "header"), "x-key", "a secret of ours"),
]


@pytest.mark.parametrize(("given", "header", "value"), FIXED, ids=["token", "password", "key"])
def test_a_fixed_secret_goes_along_with_every_request(
    server: Answering, opens: Opens, given: Credentials, header: str, value: str
) -> None:
    server.on("/things", Reply())
    http = opens(credentials=given)
    using(http, lambda opened: opened.read("/things"))
    write(opens(credentials=given))
    assert [one.headers[header] for one in server.asked] == [value, value]
    assert value.split()[-1] not in redacted(f"you sent {value}"), "and is in no text from then on"


def test_a_key_in_the_query_leaves_the_rest_of_it(server: Answering, opens: Opens) -> None:
    server.on("/things", Reply())
    read(opens(credentials=ApiKey("key", SECRET, "query")), "/things?page=2&name=a%20b")
    assert server.asked[0].query == {"page": "2", "name": "a b", "key": "a secret of ours"}


UNUSABLE = [
    Bearer(SecretStr("ä")),
    Basic(SecretStr("us"), SecretStr("two\nlines")),
    ApiKey("k", SecretStr("\t"), "query"),
]


@pytest.mark.parametrize("given", UNUSABLE, ids=["token", "password", "key"])
def test_a_secret_that_cannot_be_sent_names_its_setting(opens: Opens, given: Credentials) -> None:
    with pytest.raises(ConfigurationFault, match="It: IT_TOKEN cannot be sent: character"):
        opens(credentials=given)


@pytest.mark.parametrize("in_form", [True, False], ids=["form", "header"])
def test_client_and_secret_go_one_way(server: Answering, opens: Opens, in_form: bool) -> None:
    issues(server)
    read(opens(credentials=client_credentials(server, in_form=in_form)))
    (asked,) = server.asked_at("/token")
    told = {"client_id": "client", "client_secret": "a secret of ours"} if in_form else {}
    assert asked.form == {"grant_type": "client_credentials", "scope": "all", **told}
    assert asked.headers.get("authorization") == (None if in_form else basic("client"))
    assert shown(server) == ["Bearer token1"]


def test_without_a_scope_none_is_told(server: Answering, opens: Opens) -> None:
    issues(server)
    read(opens(credentials=client_credentials(server, scope=None)))
    assert "scope" not in server.asked_at("/token")[0].form


def test_one_token_serves_all_clients_of_this_process(server: Answering, opens: Opens) -> None:
    issues(server)
    given = client_credentials(server)
    at_once(opens(credentials=given), ["/things"] * 5)
    read(opens(credentials=given))
    assert len(server.asked_at("/token")) == 1
    assert shown(server) == ["Bearer token1"] * 6
    read(opens(credentials=client_credentials(server, scope="other")))
    assert shown(server)[-1] == "Bearer token2", "but not those who may do something else"


@pytest.mark.parametrize(
    ("told", "fetched"),
    [
        (3600, 1),
        ("3600", 1),
        (10**30, 1),
        (None, 1),
        ("soon", 1),
        ([1], 1),
        (29, 2),
        (0, 2),
        (-5, 2),
        ("1e1", 2),
    ],
)
def test_a_token_is_replaced_before_it_ends(server: Answering, opens: Opens, told: Any, fetched: int) -> None:
    """Where its end is not said in a way we understand, it is taken to last a few minutes."""
    issues(server, expires_in=told)
    for _ in range(2):
        read(opens(credentials=client_credentials(server)))
    assert len(server.asked_at("/token")) == fetched
    assert shown(server)[-1] == f"Bearer token{fetched}"


def test_a_token_whose_end_is_not_known_is_not_kept_for_long(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    issues(server, expires_in=None)
    now = 1000.0
    monkeypatch.setattr(credentials, "monotonic", lambda: now)
    given = client_credentials(server)
    read(opens(credentials=given))
    now += credentials.UNTOLD_SECONDS
    read(opens(credentials=given))
    assert shown(server) == ["Bearer token1", "Bearer token2"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply(429), UnavailableFault),
        (Reply(500), UnavailableFault),
        (Reply(503), UnavailableFault),
        (Reply(400, {"error": "invalid_client"}), AccessFault),
        (Reply(401, {"error": "invalid_client"}), AccessFault),
    ],
    ids=lambda one: str(one.status) if isinstance(one, Reply) else one.__name__,
)
def test_where_there_is_no_token_nothing_is_asked(
    server: Answering, opens: Opens, kind: str, reply: Reply, fault: type[SystemFault]
) -> None:
    server.on(place(kind), reply)
    with pytest.raises(fault, match=place(kind)):
        read(opens(credentials=renewing(server, kind)))
    assert not server.asked_at("/things")
    with pytest.raises(fault):
        write(opens(credentials=renewing(server, kind)))
    assert not server.asked_at("/things"), "so that nobody need find out what became of it"


@pytest.mark.parametrize("kind", KINDS)
def test_where_the_token_comes_from_does_not_answer(server: Answering, opens: Opens, kind: str) -> None:
    server.on(place(kind), DROPPED)
    left: list[int] = []
    with pytest.raises(UnavailableFault):
        read(opens(credentials=renewing(server, kind)))
    with pytest.raises(UnavailableFault, match="cannot be reached.*: check IT_"):
        write(opens(credentials=renewing(server, kind)), leaving=lambda: left.append(1))
    assert not left
    assert not server.asked_at("/things")


@pytest.mark.parametrize("kind", KINDS)
def test_secrets_follow_no_redirect(server: Answering, stranger: Answering, opens: Opens, kind: str) -> None:
    stranger.answer(lambda _: Reply(200, {"access_token": "theirs", "session": "theirs"}))
    server.on(place(kind), Reply(307, headers={"Location": f"{stranger.url}{place(kind)}"}))
    with pytest.raises(ForeignHostFault, match="nothing was sent there"):
        read(opens(credentials=renewing(server, kind)))
    assert not stranger.asked
    assert not server.asked_at("/things")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("token", ["a\nb", "a\x7fb", "tökén"])
def test_a_token_that_cannot_stand_in_a_header_is_refused(
    server: Answering, opens: Opens, kind: str, token: str
) -> None:
    server.on(place(kind), Reply(200, {"access_token": token, "session": token}))
    with pytest.raises(ConfigurationFault, match="cannot stand in a header"):
        read(opens(credentials=renewing(server, kind)))
    assert not server.asked_at("/things")


def test_a_token_endpoint_that_is_not_there_is_named_with_its_setting(opens: Opens) -> None:
    address = nobody()
    given = ClientCredentials(f"{address}/token", "client", SECRET, settings=("IT_TOKEN_URL",))
    with pytest.raises(UnavailableFault, match=f"{address}/token cannot be reached.*: check IT_TOKEN_URL"):
        read(opens(credentials=given))


def test_a_slow_token_endpoint_is_not_waited_for(
    server: Answering, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "TOKEN_SECONDS", 0.2)
    server.on("/token", Reply(200, {"access_token": "late"}, seconds=5))
    with pytest.raises(UnavailableFault, match="cannot be reached: ReadTimeout"):
        read(opens(credentials=client_credentials(server)))


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_issued_is_in_no_text(server: Answering, opens: Opens, kind: str) -> None:
    issues(server)
    read(opens(credentials=renewing(server, kind)))
    assert f"{kind}1" not in redacted(f"you sent Bearer {kind}1")


def test_a_login_is_sent_as_described(server: Answering, opens: Opens) -> None:
    issues(server)
    read(opens(credentials=login(server, header="X-Session", value="id={token}")))
    (asked,) = server.asked_at("/login")
    assert (asked.method, asked.json()) == ("POST", {"user": "us", "password": "a secret of ours"})
    assert "x-session" not in asked.headers
    assert server.asked_at("/things")[0].headers["x-session"] == "id=session1"


def test_one_login_serves_all_requests_of_a_client(server: Answering, opens: Opens) -> None:
    issues(server)
    at_once(opens(credentials=login(server)), ["/things"] * 5)
    assert len(server.asked_at("/login")) == 1
    assert shown(server) == ["Bearer session1"] * 5


@pytest.mark.parametrize("answer", [b"<html>Welcome</html>", {}, {"session": None}, {"session": 5}], ids=str)
def test_a_login_without_a_token_names_the_connector(server: Answering, opens: Opens, answer: Any) -> None:
    server.on("/login", Reply(200, answer))
    with pytest.raises(AccessFault, match="without a token where the connector says"):
        read(opens(credentials=login(server)))
    assert not server.asked_at("/things")


def test_of_tokens_that_one_place_gives_out_the_latest_are_known(server: Answering, opens: Opens) -> None:
    """A process that looks at a shop every few seconds may be given one each time."""
    issues(server)
    for _ in range(2 * TOKENS):
        read(opens(credentials=login(server)))
    known = len(redaction._known)
    for _ in range(TOKENS):
        read(opens(credentials=login(server)))
    assert len(redaction._known) == known
    latest = f"session{3 * TOKENS}"
    assert latest not in redacted(f"you sent {latest}")
    assert SECRET.get_secret_value() not in redacted(f"you sent {SECRET.get_secret_value()}"), (
        "a setting stays"
    )
