"""Messages to people, by e-mail, webhook or whatever else an address of Apprise names.

What is told, and when, is not known here.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class DeliveryError(Exception):
    """A message did not reach everybody it was meant for."""


def deliver(addresses: Sequence[str], *, title: str, body: str) -> None:
    """Sends a message to every address, whatever becomes of the others.

    Raises:
        DeliveryError: some did not get it. They are told by their place in the list: an address holds secrets.
    """
    import apprise  # half a second, and most processes have nothing to tell

    failed = []
    for place, address in enumerate(addresses, start=1):
        with _why() as why:
            receiver = apprise.Apprise()
            if not receiver.add(address):
                failed.append(f"address {place} is none that Apprise knows")
            elif not receiver.notify(title=title, body=body, body_format=apprise.NotifyFormat.TEXT):
                failed.append(
                    f"address {place} ({receiver[0].service_name}): {'; '.join(why) or 'not delivered'}"
                )
    if failed:
        raise DeliveryError("; ".join(failed))


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
