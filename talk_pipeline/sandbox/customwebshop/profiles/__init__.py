"""The wire shapes the shop can speak, over the same records and rules.

::

    profile.py       what a profile is: who may enter, its addresses, how refusals look
    bodies.py        what bodies and queries hold
    reference.py     the shop's own API, which the others are measured against
"""

from __future__ import annotations

from collections.abc import Mapping

from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile
from talk_pipeline.sandbox.customwebshop.profiles.reference import Reference

REFERENCE = "reference"
PROFILES: Mapping[str, type[Profile]] = {REFERENCE: Reference}
"""Every profile by its name."""
