"""Which store a description means."""

from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.customwebshop.spec.access import Secret
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.stores.shop import StoredShop
from talk_pipeline.systems.customwebshop.stores.store import Store
from talk_pipeline.systems.errors import ConfigurationFault

TRANSACTION_SECONDS = 30
"""How long the end of a transaction may be at work there though nobody waits for it any more."""


def opened(shop: Description, flows: Flows, *, secret: Secret) -> StoredShop:
    """A shop behind the place where it keeps its records; secrets by the names of their variables."""
    longest = shop.limits.longest_seconds if "limits" in shop.model_fields_set else TRANSACTION_SECONDS
    return StoredShop(_store(shop, secret), flows, description=shop, longest_seconds=longest)


def _store(shop: Description, secret: Secret) -> Store:
    assert shop.database is not None
    try:
        from talk_pipeline.systems.customwebshop.stores.database import Database
    except ImportError as error:
        hint = "the extra `sql` has it: pip install 'talk-pipeline[sql]'"
        raise ConfigurationFault(f"a database needs {error.name}: {hint}") from None
    return Database(secret(shop.database.url).get_secret_value(), setting=shop.database.url)
