"""Customers of the shop, and what Business Central already knows of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from talk_pipeline.sandbox.seed import cases, vocabulary
from talk_pipeline.sandbox.seed.moments import moment

Record = dict[str, Any]

_UNMATCHED = ("shop only", "invalid", "ambiguous")


@dataclass
class Customers:
    """Both sides' customers.

    Attributes:
        shop: records of the shop.
        central: records of Business Central.
        number: shop id -> number of the counterpart, for those that have one.
        taken: registration numbers and hosts that are some company's.
    """

    shop: list[Record] = field(default_factory=list)
    central: list[Record] = field(default_factory=list)
    number: dict[str, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)


def make_customers(size: int, seed: int) -> Customers:
    """The customers of a set of that size."""
    rng = random.Random(f"customers {seed}")
    result = Customers()
    least = {"invalid": len(cases.BAD_CUSTOMERS), "ambiguous": 3, "inactive": 1}
    if size < 20:
        least = {}
    plan = cases.plan(cases.CUSTOMERS, size, rng=rng, least=least)
    turns: dict[str, int] = {}
    for position, case in enumerate(plan):
        turns[case] = turns.get(case, -1) + 1
        record = _company(position, rng, taken=result.taken)
        _make_case(result, record, case, turns[case], rng)
    _only_in_central(result, size, rng)
    return result


def to_central(record: Mapping[str, Any]) -> Record:
    """The counterpart that says the same."""
    address = record["address"]
    return {
        "number": record["number"],
        "displayName": record["company_name"] or record["contact_name"],
        "type": "Company",
        "addressLine1": address["line1"] or "",
        "addressLine2": address["line2"] or "",
        "city": address["city"] or "",
        "state": address["region"] or "",
        "postalCode": address["postal_code"] or "",
        "country": address["country"] or "",
        "phoneNumber": record["phone"] or "",
        "email": record["email"] or "",
        "website": record["website"] or "",
        "taxRegistrationNumber": record["organization_number"] or "",
        "currencyCode": record["currency"] or "",
        "blocked": "_x0020_" if record["active"] else "All",
        "_modified": record["_modified"],
    }


def _company(position: int, rng: random.Random, *, taken: set[str]) -> Record:
    country = vocabulary.pick_country(rng)
    facts = vocabulary.words()["countries"][country]
    name = vocabulary.company_name(position, country)
    host = f"{vocabulary.slug(name)[:40].strip('-')}.example"
    if host in taken:  # cut off, long names may be the same
        host = f"{position}.{host}"
    taken.add(host)
    code, city, region = rng.choice(facts["places"])
    number = vocabulary.untaken(partial(vocabulary.registration, country=country), rng, taken=taken)
    vat = number.replace("-", "")
    return {
        "id": f"c-{1001 + position}",
        "number": str(10001 + position),
        "company_name": name,
        "contact_name": vocabulary.person_name(rng),
        "organization_number": number,
        "vat_number": f"{country}{vat}{'01' if country == 'SE' else ''}",
        "email": f"{rng.choice(('info', 'kontor', 'ordre', 'mail'))}@{host}",
        "phone": vocabulary.phone(rng, country)[rng.randrange(2)],
        "website": f"www.{host}",
        "currency": facts["currency"],
        "active": True,
        "address": {
            "line1": rng.choice(facts["streets"]).format(n=rng.randrange(1, 140)),
            "line2": rng.choice((None, None, None, "Port 3", "2. sal")),
            "city": city,
            "region": region or None,
            "postal_code": code,
            "country": country,
        },
        "note": rng.choice((None, None, "Ring før levering", "Leveres på bagsiden", "Fast aftale om fragt")),
        "_modified": moment(rng),
    }


def _make_case(result: Customers, record: Record, case: str, turn: int, rng: random.Random) -> None:
    """Turn a plain company into its case, on both sides."""
    record["_case"] = case
    if case == "inactive":
        record["active"] = False
    if case == "contact only":
        record |= {"company_name": None, "organization_number": None, "vat_number": None}
    if case == "invalid":
        _spoil(record, cases.BAD_CUSTOMERS[turn % len(cases.BAD_CUSTOMERS)])
    result.shop.append(record)
    if case in _UNMATCHED:
        if case == "ambiguous":
            _confuse(result, record, turn)
        return
    other = to_central(record)
    if case == "same after normalising":
        _respell(other, record, turn)
    elif case == "differing":
        record["_case"] += ": " + _differ(other, record, turn, rng)
    elif case.startswith("matches by"):
        other["number"] = vocabulary.series("D", 2, int(record["number"]) - 10001)
        if case == "matches by e-mail":
            other["taxRegistrationNumber"] = ""
            record["organization_number"] = record["vat_number"] = None
    result.central.append(other)
    result.number[record["id"]] = other["number"]


def _spoil(record: Record, how: str) -> None:
    record["_case"] = f"invalid: {how}"
    match how:
        case "name too long":
            record["company_name"] = (
                f"{record['company_name']}, afdeling for " + "meget " * 15 + "lange navne"
            )
        case "unknown currency":
            record["currency"] = "DKR"
        case "impossible e-mail":
            record["email"] = str(record["email"]).replace("@", " (at) ")
        case "country not ISO":
            record["address"]["country"] = "Danmark"
        case _:
            record |= {"company_name": "", "contact_name": None}


def _respell(other: Record, record: Record, turn: int) -> None:
    """The same thing written differently."""
    country = record["address"]["country"]
    match turn % 3:
        case 0:
            digits = "".join(char for char in record["phone"] if char.isdigit() or char == "+")
            other["phoneNumber"] = digits
        case 1:
            other["email"] = str(record["email"]).capitalize()
            record["website"] = other["website"]
        case _:
            plain = record["organization_number"].replace("-", "")
            record["organization_number"] = f"{country}{plain}" if country == "DK" else plain
            record["number"] = f"k{record['number']}"
            other["number"] = record["number"].upper()


def _differ(other: Record, record: Record, turn: int, rng: random.Random) -> str:
    """One property, sometimes two, say something else; returns which."""
    names = [cases.CUSTOMER_DIFFERENCES[turn % len(cases.CUSTOMER_DIFFERENCES)]]
    if turn % 3 == 2:
        names.append("address.line1")
    for name in dict.fromkeys(names):
        match name:
            case "phone":
                other["phoneNumber"] = vocabulary.phone(rng, record["address"]["country"])[1]
            case "email":
                other["email"] = f"faktura@{str(record['email']).partition('@')[2]}"
            case "website":
                other["website"] = ""
            case "address.line1":
                other["addressLine1"] = f"{record['address']['line1']} B"
            case _:
                other["displayName"] = f"{record['company_name']} (gammelt navn)"
    return ", ".join(dict.fromkeys(names))


def _confuse(result: Customers, record: Record, turn: int) -> None:
    """Two candidates for one: twice on the one side, then on the other."""
    if turn % 3 == 0:
        for branch in ("Nord", "Syd"):
            other = to_central(record)
            other |= {"number": vocabulary.series("D", 3, len(result.central)), "taxRegistrationNumber": ""}
            other["displayName"] = f"{record['company_name']} {branch}"
            result.central.append(other)
        record |= {
            "organization_number": None,
            "vat_number": None,
            "_case": "ambiguous: two in Business Central",
        }
        return
    if turn % 3 == 1:
        other = to_central(record)
        other["number"] = vocabulary.series("D", 3, len(result.central))
        result.central.append(other)
        record["_case"] = "ambiguous: two in the shop"
        return
    twin = next(r for r in reversed(result.shop) if r["_case"] == "ambiguous: two in the shop")
    record |= {
        name: deepcopy(twin[name]) for name in ("organization_number", "vat_number", "email", "currency")
    }
    record["address"]["country"] = twin["address"]["country"]
    record["phone"] = twin["phone"]
    record["_case"] = "ambiguous: two in the shop"


def _only_in_central(result: Customers, size: int, rng: random.Random) -> None:
    """Companies nobody told the shop of, and persons who look like its customers."""
    free = [record for record in result.shop if record["_case"] == "shop only"]
    for position in range(max(2, size // 8)):
        record = _company(size + position, rng, taken=result.taken)
        other = to_central(record) | {
            "number": vocabulary.series("D", 4, position),
            "_case": "only in Business Central",
        }
        result.central.append(other)
    for position in range(max(1, size // 12)):
        record = _company(2 * size + position, rng, taken=result.taken)
        person = to_central(record) | {
            "number": vocabulary.series("P", 5, position),
            "displayName": vocabulary.person_name(rng),
            "type": "Person",
            "website": "",
            "taxRegistrationNumber": "",
            "_case": "a person",
        }
        if free:
            likeness = free[position % len(free)]
            person["email"] = likeness["email"] or ""
            person["_case"] = f"a person with the e-mail of {likeness['id']}"
            if position % 2:
                person["taxRegistrationNumber"] = likeness["organization_number"] or ""
                person["country"] = likeness["address"]["country"]
                person["_case"] += " and its registration number"
        result.central.append(person)
