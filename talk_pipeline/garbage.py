"""Python's looking for garbage, put off while much is imported."""

import gc


def put_off() -> None:
    """Looks for it seldom from now on: to do so among all that is imported takes a tenth of the time."""
    gc.set_threshold(50_000)
