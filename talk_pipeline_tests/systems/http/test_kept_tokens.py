"""A client that was let in by a person: each refresh token is taken once, and the next one is kept."""

import asyncio
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline import redaction
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault
from talk_pipeline.systems.http import ClientCredentials, KeptTokens, credentials
from talk_pipeline_tests.systems.answering import Answering, Asked, Reply
from talk_pipeline_tests.systems.http.asking import read
from talk_pipeline_tests.systems.http.conftest import Opens


class Issuer:
    """A token endpoint as the standard advises: a refresh token that comes again ends the whole sequence."""

    def __init__(
        self,
        server: Answering,
        *,
        expires_in: int = 3600,
        seconds: float = 0.05,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self.valid: str | None = "refresh-token-0"
        self.given = 0
        self.expires_in = expires_in
        self.opens = ""
        self._seconds, self._meanwhile = seconds, meanwhile
        server.answer(self._answer)

    def _answer(self, asked: Asked) -> Reply:
        if asked.path != "/token":
            return Reply(200 if asked.headers.get("authorization") == f"Bearer {self.opens}" else 401)
        form = asked.form
        assert form["grant_type"] == "refresh_token"
        assert "client_secret" not in form
        if form["refresh_token"] != self.valid:
            self.valid = None
            return Reply(400, {"error": "invalid_grant", "error_description": form["refresh_token"]})
        self._meanwhile()
        self.given += 1
        self.valid, self.opens = f"refresh-token-{self.given}", f"access-token-{self.given}"
        told = {"access_token": self.opens, "refresh_token": self.valid, "expires_in": self.expires_in}
        return Reply(200, told, seconds=self._seconds)


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", {})


@pytest.fixture
def let_in(server: Answering, tmp_path: Path) -> ClientCredentials:
    kept = KeptTokens(tmp_path / "tokens", SecretStr("refresh-token-0"), "SHOP_REFRESH_TOKEN")
    return ClientCredentials(f"{server.url}/token", "client", None, settings=("auth.token_url",), kept=kept)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB that is full."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "small", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    (disk / "tokens").mkdir(mode=0o700)
    room = os.statvfs(disk)
    (disk / "filling").write_bytes(bytes(room.f_bavail * room.f_frsize))
    try:
        yield disk
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def another_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """What was in memory is gone."""

    def begin() -> None:
        monkeypatch.setattr(credentials, "_TOKENS", {})

    begin()
    return begin


def test_the_next_process_goes_on_where_the_last_one_was(
    server: Answering, opens: Opens, let_in: ClientCredentials, another_process: Callable[[], None]
) -> None:
    issuer = Issuer(server)
    assert read(opens(credentials=let_in)).status == 200
    another_process()
    assert read(opens(credentials=let_in)).status == 200
    assert issuer.given == 1, "the access token is good for an hour"
    issuer.opens = "none"  # it was withdrawn
    assert read(opens(credentials=let_in)).status == 200
    assert issuer.given == 2


def test_processes_at_the_same_time_take_each_token_once(
    server: Answering, opens: Opens, let_in: ClientCredentials, another_process: Callable[[], None]
) -> None:
    issuer = Issuer(server)
    first, second = opens(credentials=let_in), opens(credentials=let_in)

    async def both() -> list[int]:
        async with first, second:
            return [one.status for one in await asyncio.gather(first.read("/a"), second.read("/b"))]

    assert asyncio.run(both()) == [200, 200]
    assert issuer.given == 1


def test_what_is_kept_is_for_its_owner_alone(
    server: Answering, opens: Opens, let_in: ClientCredentials, another_process: Callable[[], None]
) -> None:
    Issuer(server)
    read(opens(credentials=let_in))
    assert let_in.kept is not None
    folder = let_in.kept.folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}


def test_one_that_is_not_taken_any_more_is_told_by_its_setting(
    server: Answering,
    opens: Opens,
    let_in: ClientCredentials,
    another_process: Callable[[], None],
    tmp_path: Path,
) -> None:
    issuer = Issuer(server)
    issuer.valid = "another"
    with pytest.raises(AccessFault) as told:
        read(opens(credentials=let_in))
    assert "does not take the refresh token any more (400, invalid_grant)" in str(told.value)
    assert "put it into SHOP_REFRESH_TOKEN" in str(told.value)
    assert "refresh-token-0" not in str(told.value)
    issuer.valid = "refresh-token-new"
    anew = KeptTokens(tmp_path / "tokens", SecretStr("refresh-token-new"), "SHOP_REFRESH_TOKEN")
    given = ClientCredentials(let_in.token_url, "client", None, kept=anew)
    assert read(opens(credentials=given)).status == 200


def test_one_that_is_given_after_whoever_asked_was_told_to_end_is_kept(
    server: Answering, opens: Opens, let_in: ClientCredentials, another_process: Callable[[], None]
) -> None:
    """It cannot be asked for again."""
    issuer = Issuer(server, seconds=1.0)

    async def told_to_end() -> None:
        async with opens(credentials=let_in) as http:
            await asyncio.wait_for(http.read("/things"), 0.3)

    with pytest.raises(TimeoutError):
        asyncio.run(told_to_end())
    assert issuer.given == 1
    another_process()
    assert read(opens(credentials=let_in)).status == 200
    assert issuer.given == 1


def test_none_is_asked_for_without_room_for_the_next(
    server: Answering, opens: Opens, another_process: Callable[[], None], small_disk: Path
) -> None:
    issuer = Issuer(server)
    kept = KeptTokens(small_disk / "tokens", SecretStr("refresh-token-0"), "SHOP_REFRESH_TOKEN")
    let_in = ClientCredentials(f"{server.url}/token", "client", None, kept=kept)
    with pytest.raises(OSError, match="No space left on device"):
        read(opens(credentials=let_in))
    assert issuer.given == 0
    (small_disk / "filling").unlink()
    assert read(opens(credentials=let_in)).status == 200


def test_what_fills_the_disk_meanwhile_takes_nobodys_room(
    server: Answering, opens: Opens, another_process: Callable[[], None], small_disk: Path
) -> None:
    (small_disk / "filling").unlink()

    def fills() -> None:
        room = os.statvfs(small_disk)
        (small_disk / "filling").write_bytes(bytes(room.f_bavail * room.f_frsize))

    issuer = Issuer(server, meanwhile=fills)
    kept = KeptTokens(small_disk / "tokens", SecretStr("refresh-token-0"), "SHOP_REFRESH_TOKEN")
    let_in = ClientCredentials(f"{server.url}/token", "client", None, kept=kept)
    for _ in range(2):
        assert read(opens(credentials=let_in)).status == 200
        another_process()
    assert issuer.given == 1


BROKEN = ["{", "[]", "null", "7", "[" * 100_000, '{"refresh_token": "a", "access_token": 5, "until": 1}']
BROKEN += ['{"refresh_token": "a", "access_token": "b", "until": "soon"}', '{"refresh_token": "a"}']


@pytest.mark.parametrize("broken", BROKEN, ids=lambda text: text[:60])
def test_a_file_that_is_broken_is_named(
    server: Answering,
    opens: Opens,
    let_in: ClientCredentials,
    another_process: Callable[[], None],
    broken: str,
) -> None:
    Issuer(server)
    read(opens(credentials=let_in))
    another_process()
    assert let_in.kept is not None
    let_in.kept.file.write_text(broken)
    with pytest.raises(ConfigurationFault, match="remove it, and put a new refresh token into SHOP_REFRESH"):
        read(opens(credentials=let_in))


def test_a_token_that_is_not_exchanged_in_time_is_no_word_about_it(
    server: Answering, opens: Opens, let_in: ClientCredentials, another_process: Callable[[], None]
) -> None:
    server.answer(lambda asked: Reply(503))
    with pytest.raises(SystemFault, match="answers 503"):
        read(opens(credentials=let_in))
    assert let_in.kept is not None
    assert not let_in.kept.file.exists()
