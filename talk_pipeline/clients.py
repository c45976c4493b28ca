"""The clients of both systems as the settings name them, and where their requests are counted.

Nothing is asked here. What speaks HTTP is loaded by whoever makes a client: Dagster only looks at what there is.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from talk_pipeline.flows.loading import Flows
from talk_pipeline.flows.sides import Side
from talk_pipeline.settings import Settings
from talk_pipeline.systems.businesscentral.entities import Entities

if TYPE_CHECKING:
    from talk_pipeline.systems.businesscentral.client import Businesscentral
    from talk_pipeline.systems.customwebshop.spec.description import Description
    from talk_pipeline.systems.customwebshop.stores.shop import StoredShop
    from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
    from talk_pipeline.systems.http import Application

LIMITS = "limits"
TOKENS = "tokens"


def customwebshop(settings: Settings, flows: Flows, described: "Description") -> "Customwebshop | StoredShop":
    """The web shop as it is described."""
    if described.stored:
        from talk_pipeline.systems.customwebshop.stores.opening import opened

        return opened(described, flows, secret=settings.secret, plain=settings.named)
    from talk_pipeline.systems.customwebshop.spec.addresses import base_url
    from talk_pipeline.systems.customwebshop.wire.client import Customwebshop
    from talk_pipeline.systems.customwebshop.wire.xml import XmlWire
    from talk_pipeline.systems.http import Application, Http

    address, pace = settings.customwebshop_url or "", described.limits
    kept, root = settings.shared_dir / TOKENS, address.removesuffix(described.base_path)
    entry = described.auth.credentials(settings.secret, root, kept)
    http = Http(
        described.name,
        base_url(address, described),
        applications=[Application(entry, described.auth.variables)],
        limits=pace.limits(**counted_at(settings, Side.SHOP)._asdict()),
        longest_seconds=pace.longest_seconds,
        headers=described.every_request,
        throttled=pace.throttled,
        address_setting="CUSTOMWEBSHOP_URL",
        wire=XmlWire(described.xml) if described.xml else None,
    )
    return Customwebshop(http, flows, description=described)


def central(
    settings: Settings, flows: Flows, entities: Entities, *, applications: "Sequence[Application]" = ()
) -> "Businesscentral":
    """Business Central as the settings name it, asked by some of the applications or by all."""
    from talk_pipeline.systems.businesscentral.access import IN_FLIGHT
    from talk_pipeline.systems.businesscentral.client import Businesscentral
    from talk_pipeline.systems.http import Http, Limits

    http = Http(
        Side.BC.system,
        settings.businesscentral_url or "",
        applications=applications or applications_of(settings),
        limits=Limits(
            settings.businesscentral_requests,
            settings.businesscentral_window_seconds,
            IN_FLIGHT,
            **counted_at(settings, Side.BC)._asdict(),
        ),
        longest_seconds=settings.businesscentral_longest_seconds,
        address_setting="BUSINESSCENTRAL_URL",
    )
    return Businesscentral(
        http,
        flows,
        entities,
        company_id=settings.businesscentral_company_id,
        company_name=settings.businesscentral_company,
    )


def applications_of(settings: Settings) -> "list[Application]":
    """What may enter Business Central."""
    from talk_pipeline.systems.businesscentral.access import by_registration, by_token

    if settings.businesscentral_token is not None:
        return by_token(settings.businesscentral_token)
    return by_registration(
        settings.registrations(),
        token_url=settings.businesscentral_token_url or "",
        scope=settings.businesscentral_scope,
    )


class Counting(NamedTuple):
    """Where the requests to a system are counted.

    Attributes:
        folder: of the company's limits of that system.
        redis: where several machines count, if they do.
        together: the folder in which several companies count, if there are several: who enters as one application
            is limited as one.
    """

    folder: Path
    redis: str | None
    together: Path | None


def counted_at(settings: Settings, side: Side) -> Counting:
    """Where the requests to a system are counted."""
    together = settings.shared_dir / LIMITS if settings.company else None
    return Counting(settings.talk_data_dir / LIMITS / side, settings.limits_url, together)
