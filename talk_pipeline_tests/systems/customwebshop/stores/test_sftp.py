"""A folder reached by SFTP: the same files, no server that is not known, and no secret in any text."""

import base64
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from pydantic import SecretStr

from talk_pipeline.redaction import learn
from talk_pipeline.systems.customwebshop.spec.files import Files
from talk_pipeline.systems.customwebshop.stores import sftp
from talk_pipeline.systems.customwebshop.stores.sftp import Entry, SftpFolder
from talk_pipeline.systems.customwebshop.stores.store import NotDoneError, PerhapsDoneError
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, UnavailableFault
from talk_pipeline_tests.systems.customwebshop.stores.sftp_server import SftpServer

SAID = Files.model_validate(
    {
        **{"user": "SFTP_USER", "password": "SFTP_PASSWORD", "host_key": "SFTP_HOST_KEY"},
        "format": {"type": "csv"},
    }
)
WRONG = "wrong-and-long-enough"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SftpServer]:
    (tmp_path / "shown" / "out").mkdir(parents=True)
    (tmp_path / "shown" / "in").mkdir()
    with SftpServer(tmp_path / "shown") as serving:
        yield serving


def folder(
    server: SftpServer, path: str = "", *, password: str | None = None, host_key: str | None = None
) -> SftpFolder:
    secret = password or server.password
    learn(secret)
    entry = Entry(SAID, server.user, SecretStr(secret), host_key=host_key or server.known_as)
    return SftpFolder(server.url + path, entry, setting="SHOP_FILES")


def test_files_are_listed_read_and_put(server: SftpServer) -> None:
    content = bytes(range(256)) * 1000
    (server.root / "out" / "a_1.csv").write_bytes(content)
    (server.root / "out" / "a_2.csv.part").write_bytes(b"")
    (server.root / "out" / "a_3.csv").mkdir()
    there = folder(server)
    there.open()
    assert [(one.name, one.size) for one in there.listed("out/a_*.csv")] == [("out/a_1.csv", len(content))]
    assert there.read("out/a_1.csv") == content
    assert there.read("out/a_9.csv") is None
    for _ in range(2):
        there.put("in/b.csv", content)
    there.close()
    assert [file.name for file in (server.root / "in").iterdir()] == ["b.csv"]
    assert (server.root / "in" / "b.csv").read_bytes() == content


def test_a_server_without_posix_names_takes_files_too(server: SftpServer) -> None:
    server.renames_as_posix = False
    there = folder(server)
    there.put("in/b.csv", b"1")
    there.close()
    assert (server.root / "in" / "b.csv").read_bytes() == b"1"


def test_a_file_whose_renaming_is_not_answered_in_time_may_be_there(
    server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sftp, "SECONDS", 1.0)
    server.renames_for = 1.5  # whoever asks for something else meanwhile is answered by then
    there = folder(server)
    with pytest.raises(NotDoneError) as told:
        there.put("in/b.csv", b"1")
    assert type(told.value) is PerhapsDoneError
    assert (server.root / "in" / "b.csv").read_bytes() == b"1"
    server.renames_for = 0.0
    there.put("in/c.csv", b"2")
    there.close()


def test_a_file_that_may_not_be_renamed_surely_is_not_there(server: SftpServer) -> None:
    server.may_not_rename = True
    there = folder(server)
    with pytest.raises(NotDoneError, match="is not allowed to us") as told:
        there.put("in/b.csv", b"1")
    assert type(told.value) is NotDoneError
    there.close()
    assert not (server.root / "in" / "b.csv").exists()


def test_a_lost_connection_is_made_anew_by_whoever_asks_next(server: SftpServer) -> None:
    there = folder(server)
    there.open()
    server.drop_connections()
    with pytest.raises(UnavailableFault, match="gives no usable answer"):
        there.listed("out/*")
    assert there.listed("out/*") == []
    there.close()


def test_a_server_whose_key_is_another_one_is_sent_nothing(server: SftpServer) -> None:
    other = paramiko.ECDSAKey.generate()
    there = folder(server, host_key=f"{other.get_name()} {other.get_base64()}")
    with pytest.raises(AccessFault) as told:
        there.open()
    text = str(told.value)
    assert f"shows the key {server.host_key.get_name()} {server.host_key.fingerprint}" in text
    assert f"and {other.fingerprint} was expected: nothing was sent" in text
    assert f"accept it: SFTP_HOST_KEY={server.known_as}" in text


def test_a_server_that_nobody_knows_is_sent_nothing(
    server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    said = SAID.model_copy(update={"host_key": None})
    there = SftpFolder(server.url, Entry(said, server.user, SecretStr(server.password)), setting="SHOP_FILES")
    with pytest.raises(AccessFault, match="which is not known: nothing was sent.*say files.host_key"):
        there.open()
    (tmp_path / ".ssh").mkdir()
    port = server.url.rpartition(":")[2].rstrip("/")
    (tmp_path / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {server.known_as}\n")
    there.open()
    there.close()


def test_a_wrong_password_is_named_by_its_variable_and_not_told(server: SftpServer) -> None:
    there = folder(server, password=WRONG)
    with pytest.raises(
        AccessFault, match="lets nobody in by SFTP_USER and SFTP_PASSWORD: look at what they hold"
    ) as told:
        there.open()
    assert WRONG not in str(told.value)
    with pytest.raises(NotDoneError) as put:
        there.put("in/b.csv", b"1")
    assert WRONG not in str(put.value)


def test_a_key_lets_in_and_its_password_opens_it(server: SftpServer, tmp_path: Path) -> None:
    key = paramiko.RSAKey.generate(2048)
    key.write_private_key_file(str(tmp_path / "id"), password="of the key")
    server.user_key = paramiko.RSAKey(data=base64.b64decode(key.get_base64()))
    said = SAID.model_copy(update={"key": "SFTP_KEY"})

    def with_key(secret: str) -> SftpFolder:
        entry = Entry(
            said, server.user, SecretStr(secret), key=str(tmp_path / "id"), host_key=server.known_as
        )
        return SftpFolder(server.url, entry, setting="SHOP_FILES")

    there = with_key("of the key")
    there.open()
    there.close()
    with pytest.raises(
        AccessFault, match="id is not understood: is it a private key, and is SFTP_PASSWORD its password?"
    ) as told:
        with_key(WRONG).open()
    assert WRONG not in str(told.value)


def test_what_is_not_there_is_named(server: SftpServer) -> None:
    there = folder(server, "nothing")
    with pytest.raises(ConfigurationFault, match="SHOP_FILES: there is no folder at sftp://127.0.0.1:"):
        there.open()
    there.close()
    with pytest.raises(ConfigurationFault, match="SHOP_FILES is no address"):
        SftpFolder("sftp://", Entry(SAID, "talk"), setting="SHOP_FILES")
    with pytest.raises(ConfigurationFault, match="SFTP_HOST_KEY is no key of a server"):
        folder(server, host_key="nonsense").open()
