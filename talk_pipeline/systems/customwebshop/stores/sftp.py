"""A folder reached by SFTP: no server is spoken to whose key is not known."""

import base64
import logging
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from threading import RLock
from urllib.parse import unquote, urlsplit

import paramiko
from paramiko.pkey import UnknownKeyType
from pydantic import SecretStr

from talk_pipeline.systems.customwebshop.spec.files import Files
from talk_pipeline.systems.customwebshop.stores.folders import UNFINISHED, Seen, below
from talk_pipeline.systems.customwebshop.stores.store import NotDoneError, PerhapsDoneError
from talk_pipeline.systems.errors import AccessFault, ConfigurationFault, SystemFault, UnavailableFault
from talk_pipeline.wording import counted

SECONDS = 30
"""How long the server may be silent."""
PORT = 22

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what goes wrong is told by whoever asked


@dataclass(frozen=True, slots=True)
class Entry:
    """Who enters, and how the server is known.

    Attributes:
        said: the names of the variables.
        user: the user's name.
        password: of the user, or of the key.
        key: path of the file with the private key.
        host_key: the server's key; None where ~/.ssh/known_hosts has it.
    """

    said: Files
    user: str
    password: SecretStr | None = None
    key: str | None = None
    host_key: str | None = None


class SftpFolder:
    """A folder of another machine.

    Args:
        url: where it is, as sftp://host:port/path.
        entry: who enters.
        setting: the variable that holds the address.
    """

    own_clock = False

    def __init__(self, url: str, entry: Entry, *, setting: str) -> None:
        self._setting = setting
        self._entry = entry
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or PORT
        except ValueError:
            self._host, self._port = "", 0
        if not self._host:
            raise ConfigurationFault(f"{setting} is no address; write one such as sftp://host:22/exchange")
        self._path = unquote(parts.path).rstrip("/")
        self.name = f"sftp://{self._host}:{self._port}{self._path}"
        self._lock = RLock()
        self._client: paramiko.SSHClient | None = None
        self._sftp: paramiko.SFTPClient | None = None

    def open(self) -> None:
        """Proves that it is there."""
        with self._asked("") as sftp:
            sftp.stat(self._path or ".")

    def close(self) -> None:
        """Ends the connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = self._sftp = None

    def listed(self, pattern: str) -> list[Seen]:
        """The files that a pattern finds."""
        within, _, last = pattern.rpartition("/")
        with self._asked(within) as sftp:
            return [
                Seen(below(within, one.filename), one.st_size or 0, one.st_mtime or 0)
                for one in sftp.listdir_attr(self._at(within))
                if fnmatchcase(one.filename, last) and stat.S_ISREG(one.st_mode or stat.S_IFREG)
            ]

    def read(self, name: str) -> bytes | None:
        """What is in a file."""
        with self._asked(name) as sftp:
            try:
                with sftp.open(self._at(name), "rb") as file:
                    file.prefetch()
                    return file.read()
            except FileNotFoundError:
                return None

    def put(self, name: str, content: bytes) -> None:
        """Makes a file."""
        final, renaming = self._at(name), False
        try:
            with self._asked(name) as sftp:
                self._write(sftp, final + UNFINISHED, content)
                renaming = True
                self._rename(sftp, final + UNFINISHED, final)
        except AccessFault as fault:
            raise NotDoneError(str(fault)) from None
        except SystemFault as fault:
            kind = PerhapsDoneError if renaming else NotDoneError
            raise kind(str(fault)) from None

    def _rename(self, sftp: paramiko.SFTPClient, path: str, to: str) -> None:
        try:
            sftp.posix_rename(path, to)
        except OSError as error:
            if isinstance(error, TimeoutError) or error.errno is not None:
                raise
            # the server knows no other, or has said no without a reason: it says so again
            sftp.rename(path, to)

    def _write(self, sftp: paramiko.SFTPClient, path: str, content: bytes) -> None:
        with sftp.open(path, "wb") as file:
            file.set_pipelined()
            file.write(content)
        if sftp.stat(path).st_size != len(content):
            raise NotDoneError(f"{path} did not arrive whole at {self.name}")

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}".rstrip("/") if self._path else name or "."

    @contextmanager
    def _asked(self, what: str) -> Iterator[paramiko.SFTPClient]:
        """The connection, for one thing at a time."""
        with self._lock:
            try:
                yield self._connected()
            except FileNotFoundError:
                raise ConfigurationFault(
                    f"{self._setting}: there is no {what or 'folder'} at {self.name}"
                ) from None
            except PermissionError:
                raise AccessFault(
                    f"{self._setting}: {what or 'it'} is not allowed to us at {self.name}"
                ) from None
            except (OSError, EOFError, paramiko.SSHException) as error:
                self.close()
                raise UnavailableFault(f"{self.name} gives no usable answer: {_said(error)}") from None

    def _connected(self) -> paramiko.SFTPClient:
        if self._sftp is not None:
            return self._sftp
        client, entry = paramiko.SSHClient(), self._entry
        client.set_missing_host_key_policy(_NobodyUnknown(self))
        self._know(client)
        self._client = client
        try:
            client.connect(
                self._host,
                self._port,
                username=entry.user,
                password=entry.password.get_secret_value() if entry.password and not entry.key else None,
                pkey=self._key(),
                timeout=SECONDS,
                banner_timeout=SECONDS,
                auth_timeout=SECONDS,
                allow_agent=False,
                look_for_keys=False,
            )
            self._sftp = client.open_sftp()
        except paramiko.BadHostKeyException as error:
            self.close()
            raise self.stranger(error.key, known=error.expected_key) from None
        except paramiko.AuthenticationException:
            self.close()
            names = " and ".join(filter(None, (entry.said.user, entry.said.password, entry.said.key)))
            raise AccessFault(f"{self.name} lets nobody in by {names}: look at what they hold") from None
        except SystemFault:
            self.close()
            raise
        channel = self._sftp.get_channel()
        if channel is not None:
            channel.settimeout(SECONDS)
        return self._sftp

    def _know(self, client: paramiko.SSHClient) -> None:
        """Whom we expect there."""
        if self._entry.host_key is None:
            client.load_system_host_keys()
            return
        setting = self._entry.said.host_key
        try:
            kind, text, *_ = self._entry.host_key.split()
            key = paramiko.PKey.from_type_string(kind, base64.b64decode(text))
        except (ValueError, paramiko.SSHException, UnknownKeyType):
            raise ConfigurationFault(
                f"{setting} is no key of a server; write one such as ssh-ed25519 AAAA..."
            ) from None
        named = self._host if self._port == PORT else f"[{self._host}]:{self._port}"
        client.get_host_keys().add(named, key.get_name(), key)

    def _key(self) -> paramiko.PKey | None:
        if self._entry.key is None:
            return None
        said, file = self._entry.said, Path(self._entry.key).expanduser()
        secret = self._entry.password.get_secret_value() if self._entry.password else None
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                return kind.from_private_key_file(str(file), secret)
            except OSError as error:
                raise AccessFault(f"{said.key}: {file} cannot be read: {error.strerror}") from None
            except (ValueError, paramiko.SSHException):
                continue
        password = f"is {said.password} its password" if said.password else "has it none"
        raise AccessFault(f"{said.key}: {file} is not understood: is it a private key, and {password}?")

    def stranger(self, key: paramiko.PKey, *, known: paramiko.PKey | None = None) -> AccessFault:
        """What is said of a server whose key is another one, or not known."""
        shown = f"{key.get_name()} {key.get_base64()}"
        setting = self._entry.said.host_key
        accept = f"{setting}={shown}" if setting else f"say files.host_key, and set that variable to {shown}"
        what = f"and {known.fingerprint} was expected" if known else "which is not known"
        return AccessFault(
            f"{self.name} shows the key {key.get_name()} {key.fingerprint}, {what}: nothing was sent. Ask whoever"
            f" runs it whether that is its key, and only then accept it: {accept}"
        )


class _NobodyUnknown(paramiko.MissingHostKeyPolicy):
    """Nobody is believed to be who they say they are."""

    def __init__(self, folder: SftpFolder) -> None:
        self._folder = folder

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise self._folder.stranger(key)


def _said(error: Exception) -> str:
    if isinstance(error, socket.timeout | TimeoutError):
        return f"nothing came for {counted(SECONDS, 'second')}"
    return str(error) or type(error).__name__
