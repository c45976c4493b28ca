"""An SFTP server on this machine that shows a folder, for users with a password or a key."""

import os
import socket
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import paramiko
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL, OPEN_SUCCEEDED
from paramiko.sftp import SFTP_FAILURE, SFTP_OK, SFTP_OP_UNSUPPORTED, SFTP_PERMISSION_DENIED

NO_SUCH_FILE = 2


class _Door(paramiko.ServerInterface):
    def __init__(self, server: "SftpServer") -> None:
        self._server = server

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_auth_password(self, username: str, password: str) -> int:
        fits = (username, password) == (self._server.user, self._server.password)
        return AUTH_SUCCESSFUL if fits else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        fits = username == self._server.user and key == self._server.user_key
        return AUTH_SUCCESSFUL if fits else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED


class _Opened(paramiko.SFTPHandle):
    """A file that tells its size, as those of real servers do."""

    def __init__(self, flags: int, file: IO[bytes]) -> None:
        super().__init__(flags)
        self.readfile = self.writefile = file

    def stat(self) -> "paramiko.SFTPAttributes | int":
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, server: paramiko.ServerInterface, root: Path, served: "SftpServer") -> None:
        super().__init__(server)
        self._root = root
        self._served = served

    def _real(self, path: str) -> Path:
        return self._root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> "list[paramiko.SFTPAttributes] | int":
        try:
            return [_shown(file) for file in self._real(path).iterdir()]
        except OSError as error:
            return _code(error)

    def stat(self, path: str) -> "paramiko.SFTPAttributes | int":
        try:
            return _shown(self._real(path))
        except OSError as error:
            return _code(error)

    lstat = stat

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> "paramiko.SFTPHandle | int":
        try:
            fd = os.open(self._real(path), flags, 0o666)
        except OSError as error:
            return _code(error)
        return _Opened(flags, os.fdopen(fd, "wb" if flags & os.O_WRONLY else "rb"))

    def rename(self, oldpath: str, newpath: str) -> int:
        if not self._real(oldpath).exists():  # looked for first, as OpenSSH does
            return NO_SUCH_FILE
        if self._real(newpath).exists():
            return SFTP_FAILURE
        return self._renamed(oldpath, newpath)

    def posix_rename(self, oldpath: str, newpath: str) -> int:
        if not self._served.renames_as_posix:
            return SFTP_OP_UNSUPPORTED
        if self._served.may_not_rename:
            return SFTP_PERMISSION_DENIED
        answer = self._renamed(oldpath, newpath)
        time.sleep(self._served.renames_for)
        return answer

    def _renamed(self, oldpath: str, newpath: str) -> int:
        try:
            self._real(oldpath).rename(self._real(newpath))
        except OSError as error:
            return _code(error)
        return SFTP_OK


class SftpServer:
    """The server, as long as the block lasts.

    Args:
        root: the folder that is shown.

    Attributes:
        renames_as_posix: whether a file may be renamed onto another.
        may_not_rename: whether it is not allowed.
        renames_for: how many seconds it is silent after it was done.
    """

    def __init__(self, root: Path, *, user: str = "talk", password: str = "open sesame") -> None:
        self.root = root
        self.user = user
        self.password = password
        self.user_key: paramiko.PKey | None = None
        self.host_key = paramiko.ECDSAKey.generate()
        self.renames_as_posix = True
        self.may_not_rename = False
        self.renames_for = 0.0
        self._transports: list[paramiko.Transport] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        return f"sftp://127.0.0.1:{self._socket.getsockname()[1]}/"

    @property
    def known_as(self) -> str:
        return f"{self.host_key.get_name()} {self.host_key.get_base64()}"

    def drop_connections(self) -> None:
        """Whoever is connected is no more."""
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self.drop_connections()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self.root, self)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Door(self))
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()


def _shown(file: Path) -> paramiko.SFTPAttributes:
    return paramiko.SFTPAttributes.from_stat(file.stat(), file.name)


def _code(error: OSError) -> int:
    return paramiko.SFTPServer.convert_errno(error.errno or NO_SUCH_FILE)
