"""Which store a description means."""

from pathlib import Path
from typing import TYPE_CHECKING

from talk_pipeline.flows.loading import Flows
from talk_pipeline.redaction import holds_entry
from talk_pipeline.systems.customwebshop.spec.access import Plain, Secret
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.spec.files import Files
from talk_pipeline.systems.customwebshop.stores.shop import StoredShop
from talk_pipeline.systems.errors import ConfigurationFault

if TYPE_CHECKING:  # each is loaded where a description asks for it
    from talk_pipeline.systems.customwebshop.stores.database import Database
    from talk_pipeline.systems.customwebshop.stores.folders import Folder

TRANSACTION_SECONDS = 30
"""How long the end of a transaction may be at work there though nobody waits for it any more."""
HOUR_SECONDS = 3600


def opened(shop: Description, flows: Flows, *, secret: Secret, plain: Plain) -> StoredShop:
    """A shop behind the place where it keeps its records.

    Args:
        shop: what is said of it.
        flows: what is read and written.
        secret: secrets by the names of their variables.
        plain: what is no secret, by the names of the variables.

    Raises:
        ConfigurationFault: a variable holds no such place, or a library is missing.
    """
    if shop.files is not None:
        from talk_pipeline.systems.customwebshop.stores.filed import FiledShop
        from talk_pipeline.systems.customwebshop.stores.files import FileStore

        hours = shop.files.put.awaited_hours if shop.files.put else 0
        store = FileStore(_folder(shop.files, secret, plain), shop)
        return FiledShop(store, flows, description=shop, longest_seconds=hours * HOUR_SECONDS)
    longest = shop.limits.longest_seconds if "limits" in shop.model_fields_set else TRANSACTION_SECONDS
    return StoredShop(_database(shop, secret), flows, description=shop, longest_seconds=longest)


def _database(shop: Description, secret: Secret) -> "Database":
    assert shop.database is not None
    try:
        from talk_pipeline.systems.customwebshop.stores.database import Database
    except ImportError as error:
        hint = "the extra `sql` has it: pip install 'talk-pipeline[sql]'"
        raise ConfigurationFault(f"a database needs {error.name}: {hint}") from None
    return Database(secret(shop.database.url).get_secret_value(), setting=shop.database.url)


def _folder(files: Files, secret: Secret, plain: Plain) -> "Folder":
    where = plain(files.at)
    if "://" not in where:
        from talk_pipeline.systems.customwebshop.stores.folders import LocalFolder

        return LocalFolder(Path(where).expanduser(), setting=files.at)
    if not where.startswith("sftp://"):
        raise ConfigurationFault(f"{files.at} is no folder; write a path, or sftp://host:22/exchange")
    if holds_entry(where):
        text = "holds a user or a password before the host: name variables for them by files.user, files.password"
        raise ConfigurationFault(f"{files.at} {text}")
    if files.user is None:
        raise ConfigurationFault(
            f"{files.at} is reached by SFTP: say files.user, and files.password or files.key"
        )
    try:
        from talk_pipeline.systems.customwebshop.stores.sftp import Entry, SftpFolder
    except ImportError as error:
        hint = "the extra `sftp` has it: pip install 'talk-pipeline[sftp]'"
        raise ConfigurationFault(f"SFTP needs {error.name}: {hint}") from None
    entry = Entry(
        user=plain(files.user),
        password=secret(files.password) if files.password else None,
        key=plain(files.key) if files.key else None,
        host_key=plain(files.host_key) if files.host_key else None,
        said=files,
    )
    return SftpFolder(where, entry, setting=files.at)
