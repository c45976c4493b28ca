"""Which company is meant, among those that Business Central says it has."""

from collections.abc import Mapping
from typing import Any

from talk_pipeline.systems.businesscentral.lists import BrokenPageFault, Lists
from talk_pipeline.systems.errors import ConfigurationFault

Company = Mapping[str, Any]


async def companies(lists: Lists, *, address: str) -> list[Company]:
    """All that there are.

    Raises:
        ConfigurationFault: what answers is not Business Central's API.
    """
    try:
        return list(await lists.rows("/companies"))
    except BrokenPageFault as fault:  # at a wrong address somebody answers, too
        raise ConfigurationFault(
            f"{address} does not answer like Business Central's API; BUSINESSCENTRAL_URL goes "
            "up to and including /api/v2.0"
        ) from fault


def meant(known: list[Company], *, company_id: str | None, name: str | None) -> Company:
    """The one of this id, or of this name where no id is said.

    Raises:
        ConfigurationFault: there is none, or the two mean different ones.
    """
    wanted = company_id or name or ""
    company = next((one for one in known if wanted in (one.get("id"), one.get("name"))), None)
    if company is None:
        there = ", ".join(f"{one.get('name')} ({one.get('id')})" for one in known)
        raise ConfigurationFault(f"Business Central has no company {wanted!r}; there are: {there}")
    if name not in (None, company.get("name"), company.get("id")):
        raise ConfigurationFault(
            f"BUSINESSCENTRAL_COMPANY_ID {wanted} is {company.get('name')!r}, but BUSINESSCENTRAL_COMPANY says"
            f" {name!r}; set one of the two"
        )
    return company
