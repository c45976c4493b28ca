"""A file that a server dates by a clock of its own has come to rest when it was the same for a while by ours."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from talk_pipeline.flows.loading import load_flows
from talk_pipeline.redaction import learn
from talk_pipeline.systems.customwebshop.stores.export import Exports
from talk_pipeline.systems.customwebshop.stores.sftp import Entry, SftpFolder
from talk_pipeline.systems.customwebshop.wire.fitting import load_description
from talk_pipeline_tests.systems.customwebshop.stores.filed_shop import FileShop
from talk_pipeline_tests.systems.customwebshop.stores.sftp_server import SftpServer
from talk_pipeline_tests.systems.customwebshop.stores.test_sftp import SAID

SLEEP = "talk_pipeline.systems.customwebshop.stores.export.time.sleep"
LATE = 65.0


class Shop:
    """Files behind a server, whose clock is behind."""

    def __init__(self, folder: Path) -> None:
        self.files = FileShop(folder / "exchange")
        self.files.add("products", sku="P1", name="Thing", price="1")
        self.files.export("products")
        self.file = self.files.newest("products")
        self.folder = folder
        self.dated(LATE)

    def dated(self, behind: float) -> None:
        moment = time.time() - behind
        os.utime(self.file, (moment, moment))

    def goes_on(self, *, behind: float) -> None:
        self.file.write_bytes(self.file.read_bytes() + b"9;P9;the rest;1;;DKK;pcs;;true;\r\n")
        self.dated(behind)

    def read(self, server: SftpServer, *, quiet: float) -> set[str]:
        file = self.files.described(self.folder, **{"quiet_seconds: 0": f"quiet_seconds: {quiet}"})
        said = load_description(file, flows=load_flows())
        learn(server.password)
        entry = Entry(SAID, server.user, SecretStr(server.password), host_key=server.known_as)
        there = SftpFolder(server.url, entry, setting="SHOP_FILES")
        assert said.files is not None
        try:
            return set(Exports(there, said.files, said.collections["products"], said.xml).now().rows)
        finally:
            there.close()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture
def server(shop: Shop) -> Iterator[SftpServer]:
    with SftpServer(shop.files.folder) as serving:
        yield serving


def test_half_a_file_is_not_believed_because_the_servers_clock_is_behind(
    shop: Shop, server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = list[float]()

    def meanwhile(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 1:
            shop.goes_on(behind=LATE - 2)

    monkeypatch.setattr(SLEEP, meanwhile)
    assert shop.read(server, quiet=60) == {"1", "9"}
    assert [round(seconds / 10) for seconds in waited] == [6, 6], "once more, since it was written to"


def test_what_was_seen_before_and_what_is_old_is_not_waited_for(
    shop: Shop, server: SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, sleep = list[float](), time.sleep

    def noted(seconds: float) -> None:
        waited.append(seconds)
        sleep(seconds)

    monkeypatch.setattr(SLEEP, noted)
    for _ in range(2):
        assert shop.read(server, quiet=0.3) == {"1"}
    assert len(waited) == 1, "whoever asks again knows the file"
    shop.goes_on(behind=25 * 3600)
    assert shop.read(server, quiet=0.3) == {"1", "9"}
    assert len(waited) == 1
