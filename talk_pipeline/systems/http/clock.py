"""A server's clock against ours, measured by the Date header of its answers."""

import email.utils

import httpx


class ServerClock:
    """What is known of a server's clock.

    A slow answer tells little: the quickest one counts, until one contradicts it because a clock was set.

    Attributes:
        skew_seconds: how far it is ahead of ours; 0 as long as that may be the header's precision.
    """

    def __init__(self) -> None:
        self.skew_seconds = 0.0
        self._known: tuple[float, float] | None = None

    def measure(self, response: httpx.Response, *, sent: float, received: float) -> None:
        """Learns from an answer, to the precision of its header."""
        if date := response.headers.get("Date"):
            try:
                server = email.utils.parsedate_to_datetime(date).timestamp()
            except ValueError:
                return
            skew, margin = server + 0.5 - (sent + received) / 2, (received - sent) / 2 + 1.0
            if self._known is not None:
                known, known_margin = self._known
                if abs(skew - known) <= margin + known_margin and margin >= known_margin:
                    return
            self._known = skew, margin
            self.skew_seconds = skew if abs(skew) > margin + 0.5 else 0.0
