"""Messages to people, by e-mail, webhook or whatever else an address of Apprise names.

What is told, and when, is not known here.
"""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager


class DeliveryError(Exception):
    """A message did not reach everybody it was meant for.

    Attributes:
        missed: the addresses that it did not reach; they hold secrets, and are told by their place in the list.
    """

    def __init__(self, message: str, *, missed: Collection[str] = ()) -> None:
        super().__init__(message)
        self.missed = missed


def deliver(addresses: Sequence[str], *, title: str, body: str, but: Collection[str] = ()) -> None:
    """Sends a message to every address, whatever becomes of the others.

    Args:
        addresses: of all.
        title: of the message.
        body: of the message, as plain text.
        but: the addresses that have it.

    Raises:
        DeliveryError: some did not get it.
    """
    import apprise  # half a second, and most processes have nothing to tell

    failed: dict[str, str] = {}
    for place, address in enumerate(addresses, start=1):
        if address in but:
            continue
        with _why() as why:
            receiver = apprise.Apprise()
            if not receiver.add(address):
                failed[address] = f"address {place} is none that Apprise knows"
            elif not receiver.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
                reason = "; ".join(why) or "not delivered"
                failed[address] = f"address {place} ({receiver[0].service_name}): {reason}"
    if failed:
        raise DeliveryError("; ".join(failed.values()), missed=failed)


@contextmanager
def _why() -> Iterator[list[str]]:
    """What the library says of a failure: it answers yes or no, and logs the reason."""
    told: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(record.getMessage())

    logger, handler = logging.getLogger("apprise"), Kept(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield told
    finally:
        logger.removeHandler(handler)
