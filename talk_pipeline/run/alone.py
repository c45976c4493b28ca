"""A record that a system fails on, though it answers otherwise: it alone waits, and nothing else stops."""

from collections.abc import Awaitable
from typing import TypeVar

from talk_pipeline.systems.errors import (
    AccessFault,
    ConfigurationFault,
    DeniedFault,
    SystemFault,
    UnreachableFault,
)
from talk_pipeline.systems.protocol import System

T = TypeVar("T")

OF_ALL = (AccessFault, ConfigurationFault, UnreachableFault)
"""What concerns no single record, but for `DeniedFault`: a list that may be seen may have one that may not."""


class NotToldError(Exception):
    """A system does not tell of one record, and answers otherwise."""


async def alone(system: System, asked: Awaitable[T]) -> T:
    """What a system tells of one record.

    Raises:
        NotToldError: it fails on that one or may not show it, and answers who it is.
        SystemFault: it fails as a whole.
    """
    try:
        return await asked
    except SystemFault as fault:
        if isinstance(fault, OF_ALL) and not isinstance(fault, DeniedFault):
            raise
        await system.identify()
        raise NotToldError(str(fault)) from fault
