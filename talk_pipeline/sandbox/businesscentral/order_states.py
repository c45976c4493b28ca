"""The states of a sales order as the API names them, and the refusal of what only an open one takes."""

from __future__ import annotations

from talk_pipeline.sandbox.businesscentral import errors

OPEN = "Draft"
RELEASED = "Open"
IN_REVIEW = "In_x0020_Review"


def status_guard(name: str, status: str) -> errors.ApiError:
    """The refusal of an edit that only an open order takes."""
    now = "Released" if status == RELEASED else "Pending Approval"
    return errors.field_rule(f"Status must be equal to 'Open' to change {name}. Current value is '{now}'.")
