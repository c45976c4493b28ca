"""Refresh tokens, kept from one process to the next: each may be taken once only, and brings the one after it.

They lie in files that only their owner can read. One process at a time asks for the next, since a token that is
taken twice ends the whole sequence at many systems; the others use what it was given. What is given once must not
be lost: there is room for it on disk before it is asked for.
"""

import hashlib
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import AsyncFileLock
from pydantic import SecretStr

from talk_pipeline.pieces import rename_through, write_through
from talk_pipeline.redaction import learn_token
from talk_pipeline.systems.errors import ConfigurationFault
from talk_pipeline.systems.http.sendable import taken

ROOM = 65_536
"""Bytes that an access token and a refresh token take together, at most: they go in headers and forms."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave last.

    Attributes:
        until: when the access token ends, by our clock.
    """

    refresh_token: str
    access_token: str | None = None
    until: float = 0.0

    @property
    def seconds(self) -> int:
        """How long the access token is good for."""
        return int(self.until - time.time())


@dataclass(frozen=True, slots=True)
class KeptTokens:
    """The tokens that followed on one that a person was given; another one begins anew.

    Attributes:
        folder: where they are kept.
        first: the refresh token to begin with.
        setting: the variable that holds it.
    """

    folder: Path
    first: SecretStr = field(repr=False)
    setting: str

    @property
    def file(self) -> Path:
        """Where those that followed on this one are."""
        name = hashlib.sha256(self.first.get_secret_value().encode()).hexdigest()[:32]
        return self.folder / f"{name}.json"

    @property
    def _new(self) -> Path:
        """Where the next ones are written, under a name of its own."""
        return self.file.with_suffix(".new")

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """While no other process reads or changes them."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        async with AsyncFileLock(self.file.with_suffix(".lock"), mode=0o600, is_singleton=False):
            yield

    def read(self) -> Tokens:
        """What was given last, or the token to begin with.

        Raises:
            ConfigurationFault: the file cannot be read.
        """
        try:
            said = json.loads(self.file.read_bytes())
            found = Tokens(said["refresh_token"] + "", said["access_token"] + "", said["until"] + 0.0)
        except FileNotFoundError:
            return Tokens(taken(self.first))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            text = f"{self.file} cannot be read: remove it, and put a new refresh token into {self.setting}"
            raise ConfigurationFault(text) from None
        for token in filter(None, (found.refresh_token, found.access_token)):
            learn_token(token, of=str(self.file))
        return found

    def make_room(self) -> None:
        """Takes the room on disk that the next ones need, before they are asked for.

        Raises:
            OSError: there is none.
        """
        self._new.unlink(missing_ok=True)
        os.close(os.open(self._new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        write_through(self._new, bytes(ROOM))

    def put(self, refresh_token: str, access_token: str, seconds: int) -> None:
        """Keeps them, for whom there is room by now; they are on disk when this returns."""
        learn_token(refresh_token, of=str(self.file))
        text = {"refresh_token": refresh_token, "access_token": access_token, "until": time.time() + seconds}
        write_through(self._new, json.dumps(text).encode())
        rename_through(self._new, self.file)
