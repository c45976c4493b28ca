"""The shop that a folder of files is: a write is put before it, and answered by what it exports later."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from talk_pipeline.engine.model import Operation, Outcome, Result
from talk_pipeline.flows.loading import Flows
from talk_pipeline.systems.customwebshop.spec.description import Description
from talk_pipeline.systems.customwebshop.stores.files import FileStore
from talk_pipeline.systems.customwebshop.stores.shop import StoredShop, outcome_of


class FiledShop(StoredShop):
    """One web shop behind a folder of files."""

    def __init__(
        self, store: FileStore, flows: Flows, *, description: Description, longest_seconds: float
    ) -> None:
        super().__init__(store, flows, description=description, longest_seconds=longest_seconds)
        self._files = store

    def answers_once(
        self, flow: str, operation: Operation, *, makes_children: bool, versioned: bool = True
    ) -> bool:
        """Whoever takes a file twice carries it out twice."""
        return False

    async def heard(self, flow: str, keys: Sequence[str]) -> Mapping[str, Outcome]:
        """What the shop refused, and what it left lying."""
        found = await asyncio.to_thread(self._files.heard, self._readers[flow], keys)
        told = {key: outcome_of(error, "update") for key, error in found.items()}
        return {
            key: replace(one, ended=True) if one.result is Result.REFUSED else one
            for key, one in told.items()
        }
