"""The shop as one service: its records, and the profile that speaks for it on the wire."""

from __future__ import annotations

from pathlib import Path

from talk_pipeline.sandbox.clock import Clock
from talk_pipeline.sandbox.customwebshop.profiles import PROFILES, REFERENCE
from talk_pipeline.sandbox.customwebshop.shop import Shop
from talk_pipeline.sandbox.errors import SandboxError
from talk_pipeline.sandbox.gateway import Gateway
from talk_pipeline.sandbox.limits import Limits
from talk_pipeline.sandbox.settings import Settings
from talk_pipeline.sandbox.store import Store

_HERE = Path(__file__).parent
_PACKAGED = _HERE.parents[1] / "systems" / "customwebshop"
"""The descriptions of shops that exist lie with the connector; those of shops made up for tests lie here."""


class Customwebshop:
    """The server of the shop.

    Args:
        store: where the records live.
        clock: the time the shop believes it is.
        profile: the wire shape it speaks.

    Raises:
        SandboxError: if there is no such profile, or the records were made under another one.
    """

    def __init__(self, store: Store, clock: Clock, *, profile: str = REFERENCE) -> None:
        if profile not in PROFILES:
            raise SandboxError(f"there is no shop profile {profile}; there are {', '.join(PROFILES)}")
        spoken = PROFILES[profile]
        self._name = profile
        self._profile_table = store.table("shop/_profile")
        self._agree_with(store)
        self.shop = Shop(
            store,
            clock,
            settings=Settings(spoken.settings),
            numeric_ids=spoken.numeric_ids,
            quiet=spoken.quiet,
            documents=spoken.documents,
        )
        self.profile = spoken(self.shop)
        self.gateway = Gateway(self.profile, clock=clock, limits=Limits(page_size=spoken.most))
        self.shop.budgets = self.gateway.budgets

    def environment(self) -> dict[str, str]:
        """What a client needs beside the shop's address: credentials, and where this wire shape is described."""
        environment = self.profile.environment()
        if self._name != REFERENCE:
            folder = _HERE / "profiles" if self._name != "woocommerce" else _PACKAGED
            environment["CUSTOMWEBSHOP_CONNECTOR"] = str(folder / f"{self._name}.yaml")
        return environment

    def remember_profile(self) -> None:
        """Keep with the records which profile made them, inside a transaction."""
        self.shop.store.put(self._profile_table, {"id": "profile", "name": self._name})

    def _agree_with(self, store: Store) -> None:
        """Ids of one profile mean nothing in another."""
        row = self._profile_table.get("profile")
        made = row["name"] if row else REFERENCE
        if not store.fresh and made != self._name:
            raise SandboxError(
                f"the records in this state were made under the shop profile {made}, not {self._name};"
                " use another --state"
            )
