"""Which secret notices were registered with last: no system shows it, and one that was changed has to be told anew.

Kept is what a secret comes to with a salt, by the address and what is told there, beside the wakes. What nothing is
kept of was registered by an earlier release, or from another folder, and is taken for ours.
"""

import hashlib
import json
import logging
import secrets
from pathlib import Path

from pydantic import SecretStr

from talk_pipeline.flows.sides import Side
from talk_pipeline.pieces import put

log = logging.getLogger(__name__)


class Registered:
    """What is registered with a system for one address, and whether it is of the secret at hand.

    Args:
        data_dir: the company's data folder.
        side: the system.
        url: where it tells of changes.
        secret: the one at hand.
    """

    def __init__(self, data_dir: Path, side: Side, *, url: str, secret: SecretStr) -> None:
        self._file, self._url = data_dir / "registered" / f"{side}.json", url
        self._salt, self._kept = _read(self._file) or (secrets.token_hex(16), {})
        said, salt = secret.get_secret_value().encode(), bytes.fromhex(self._salt)
        self._now = hashlib.scrypt(said, salt=salt, n=2**14, r=8, p=1).hex()

    def is_of_another(self, what: str) -> bool:
        """Whether that was registered with another secret."""
        return self._kept.get(self._key(what), self._now) != self._now

    def keep(self, what: str) -> None:
        """That is registered with this secret; it is on disk when this returns."""
        if self._kept.get(self._key(what)) == self._now:
            return
        self._kept[self._key(what)] = self._now
        self._file.parent.mkdir(parents=True, exist_ok=True)
        put(self._file, json.dumps({"salt": self._salt, "registered": self._kept}).encode())

    def _key(self, what: str) -> str:
        return f"{self._url} {what}"


def _read(file: Path) -> tuple[str, dict[str, str]] | None:
    """The salt and what is kept with it; nothing where that cannot be read, as where no file is."""
    if not file.exists():
        return None
    try:
        kept = json.loads(file.read_bytes())
        salt, registered = kept["salt"], kept["registered"]
        bytes.fromhex(salt)
        found = salt, {**registered}
    except (ValueError, KeyError, TypeError):
        log.warning("%s cannot be read, and counts as not there", file)
        return None
    return found
