"""What is asked again, and what never is.

A question may be asked as often as one likes, and is where what came cannot be an answer to it. A write goes again
only where it was certainly not carried out: it was turned away for the pace or at the door, or never left.
"""

from collections.abc import Awaitable, Callable, Collection

import httpx
from httpx_retries import Retry

RETRIES = 5
BACKOFF_SECONDS = 0.4
TOO_LARGE = frozenset({408, 413, 504})
"""It took too long or is too much: whoever can asks for less."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

# no question of ours has a condition: somebody in between erred
_OF_A_CONDITION = {409, 412, 416, 417, 423, 424, 428}
_OF_THE_MOMENT = {408, 421, 425, 429, *range(500, 600)}
_UNABLE = {501, 505}
NO_ANSWER = frozenset((_OF_A_CONDITION | _OF_THE_MOMENT) - _UNABLE)
"""Statuses that say nothing of what was asked."""


def questions(throttled: Collection[int] = ()) -> Retry:
    """How questions are repeated.

    Args:
        throttled: statuses beside 429 that say: slower.
    """
    return Retry(
        total=RETRIES,
        allowed_methods=["GET", "HEAD", "POST"],  # one that only asks
        status_forcelist=NO_ANSWER.union(throttled),
        backoff_factor=BACKOFF_SECONDS,
        max_backoff_wait=60,
    )


def writes(throttled: Collection[int] = ()) -> Retry:
    """How writes are."""
    return Retry(
        total=RETRIES,
        allowed_methods=["POST", "PATCH", "PUT", "DELETE"],
        status_forcelist=[429, *throttled],
        retry_on_exceptions=NOT_SENT,
        backoff_factor=BACKOFF_SECONDS,
        max_backoff_wait=300,
    )


async def let_in(ask: Callable[[], Awaitable[httpx.Response]], retry: Retry) -> httpx.Response:
    """What a request is answered; where it is turned away at the door it is put once more, a little later.

    Nothing was carried out then, so that this holds for a write as for a question.

    The credentials are what they were: who is at the door errs now and then, and locks out who knocks for ever.
    """
    response = await ask()
    if response.status_code != httpx.codes.UNAUTHORIZED:
        return response
    await retry.increment().asleep(response)
    return await ask()
