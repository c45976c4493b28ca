"""The wire shapes the shop can speak, over the same records and rules.

::

    profile.py       what a profile is: who may enter, its addresses, how refusals look
    bodies.py        what bodies and queries hold
    doors.py         who may enter
    forms.py         one value, held and on the wire
    shapes.py        a record on the wire, as a table of such values
    records.py       a resource in such a shape
    slices.py        what a list shows
    reference.py     the shop's own API, which the others are measured against
    woocommerce.py   WooCommerce's REST API; woocommerce_*.py: its records

and shops made up to be hard to talk to, each in other ways::

    cents.py         numbered pages, smallest coins, numeric ids, archived instead of deleted
    enveloped.py     envelopes, sessions, links, whole objects, local times; enveloped_shapes.py: its records
    bare.py          summaries, sub-resources, no versions and no times; bare_shapes.py: its records
    liar.py          refusals with status 200, times that stand still, drafts; liar_shapes.py: its records
"""

from __future__ import annotations

from collections.abc import Mapping

from talk_pipeline.sandbox.customwebshop.profiles.bare import Bare
from talk_pipeline.sandbox.customwebshop.profiles.cents import Cents
from talk_pipeline.sandbox.customwebshop.profiles.enveloped import Enveloped
from talk_pipeline.sandbox.customwebshop.profiles.liar import Liar
from talk_pipeline.sandbox.customwebshop.profiles.profile import Profile
from talk_pipeline.sandbox.customwebshop.profiles.reference import Reference
from talk_pipeline.sandbox.customwebshop.profiles.woocommerce import WooCommerce

REFERENCE = "reference"
PROFILES: Mapping[str, type[Profile]] = {
    REFERENCE: Reference,
    "woocommerce": WooCommerce,
    "cents": Cents,
    "enveloped": Enveloped,
    "bare": Bare,
    "liar": Liar,
}
"""Every profile by its name."""
