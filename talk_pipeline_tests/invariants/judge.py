"""What must hold once everybody has stopped: the verdict on a scenario, from both systems and the ledger.

What the pipeline lists with a reason is exempt as far as it lists it; the reasons themselves must be known ones.
"""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from talk_pipeline.audit import NotAuditableError
from talk_pipeline.audit.audit import audit
from talk_pipeline.settings import Settings
from talk_pipeline_tests.invariants.disasters import CONFLICTS
from talk_pipeline_tests.invariants.fields import FIELDS, SETS, Field, Row
from talk_pipeline_tests.invariants.ledger import LINES, Edit, Place, Sight
from talk_pipeline_tests.invariants.show import Show
from talk_pipeline_tests.story import checker

QUIET_RUNS = 2
TRIES = 3
LONGEST_MINUTES = 20
WHOLE = ("ambiguous", "held", "excluded", "closed", "broken")
# why a record may be listed after the faults have ended
KNOWN = (
    r"unlinked by hand",
    r"more than one candidate by |belongs already to |is that of .*, which goes first",
    r"posted in Business Central|gone on both sides|was posted before|it is over in the shop",
    r"the (shop|Business Central) record is (deleted|vanished|out of scope)",
    r"deleted, and not linked|disappeared, and is not linked",
    r"status is \w+; created only while",
    r"(customer_id|product_id) .*(is not linked|is inactive|active is|left Business Central)",
    r"the sales order is released or in review",
    r"cancelled in the shop",
    r"is in EUR, but Business Central keeps it in",
    r"outcome unknown: .* (carries|records carry)",
    # what cannot be said there
    r"characters, at most|is not an e-mail address|is blank, but must not be",
    # what the sandboxes refuse, rightly
    r"registration number .* is not in the format|unit of measure is not one of|Base unit",
    r"discountAmount must be between|discount is more than the lines",
    r"is blocked|Blocked must be|needs a customer to bill|already exists|There is no (customer|product)",
    r"type .* cannot change|cannot be changed|(is|are) shipped and not invoiced|must not be less than",
    r"(display)?[nN]ame.* (blank|required|empty)|company_name",
    r"Status must be equal",
    r"a person decides",
    r"stock_quantity is not valid",  # a shop that counts in whole pieces
    # a city and a postal code of two places, one of which was there already
    r"(city|postal_code|country|region): businesscentral took .*, and made it .* again with",
)


@dataclass
class Listed:
    """What the pipeline lists with a reason.

    Attributes:
        records: by flow and shop id, left alone as a whole.
        properties: by part, shop id and property: not written yet.
        children: orders whose lines are not in step.
    """

    records: dict[tuple[str, str], str] = field(default_factory=dict)
    properties: dict[tuple[str, str, str], str] = field(default_factory=dict)
    children: set[str] = field(default_factory=set)
    states: dict[tuple[str, str], str] = field(default_factory=dict)


def verdict(players: Show) -> list[str]:
    """Everything that is wrong after the scenario that was played."""
    for office in (players.shop, players.bc):
        office.call("DELETE", "faults")
    # until then Business Central may answer with what was before, or be at work on what it did not answer
    players.play({"do": "time", "minutes": LONGEST_MINUTES})
    for _ in range(TRIES):
        players.play({"do": "decide"})
        if not players.suspected():
            break
    world = players.world
    for _ in range(QUIET_RUNS):
        world.forget_requests()
        players.wrong += [f"a quiet run stopped: {one}" for one in players.run({"do": "sync", "full": True})]
        if not any(world.writes().values()):
            break  # the next one would find what this one found
    world.forget_requests()
    # a full scan asks again what was refused because of some other record
    asks_again = world.sql("select 1 from refusal where about_another") != []
    last = world.step(full=not asks_again)
    wrong = [*players.wrong, *last.problems]
    wrong += [f"the last run wrote to {side} {n} times" for side, n in world.writes().items() if n]
    # a player who made a second record by a number that is taken is told so; whether a run did is looked at below
    twins = ".create_keys_unique:" if players.twins else "no twins"
    wrong += [f"checklist: {one}" for one in last.failed() if twins not in one]
    with contextlib.suppress(NotAuditableError):  # of a shop that says what the audit does not know
        found = [one for judged in audit(Settings.load()) for one in judged.unexplained]
        # a second record by a number that is taken, as above
        wrong += [f"audit: {one}" for one in found if one.shop_id or one.property or not players.twins]
    return wrong + list(_violations(players))


def _violations(players: Show) -> Iterator[str]:
    players.look_at_links()
    players.conflicts = [*players.record, *players.world.sql(CONFLICTS)]
    sight, linked = players.look(), players.links
    listed = _listed(players)
    yield from _known(listed)
    yield from _complete(players, sight, listed)
    yield from _unique(players)
    for flow in SETS:
        for shop_id, bc_id in linked.get(flow, ()):
            if (flow, shop_id) in listed.records:
                continue
            shop, bc = ("shop", flow, shop_id), ("bc", flow, bc_id)
            if shop not in sight or bc not in sight:
                yield f"{flow} {shop_id} = {bc_id} is active, and one of them is not there"
                continue
            yield from _pair(players, sight, listed, shop=shop, bc=bc)
            if flow == "order":
                yield from _lines(players, sight, listed, shop_id=shop_id, bc_id=bc_id)


def _listed(players: Show) -> Listed:
    sql, listed = players.world.sql, Listed()
    for flow, shop_id, state, reason in sql("select flow, shop_id, state, reason from status"):
        listed.states[flow, shop_id] = f"{state}: {reason}"
        if state in WHOLE:
            listed.records[flow, shop_id] = reason
    rows = sql(
        "select part, operation, shop_id, root_shop_id, property, hold_kind || ': ' || hold_reason from change"
    )
    for part, operation, shop_id, root, prop, withheld in rows:
        listed.properties[part, shop_id or root, prop] = withheld
        if part == LINES and operation != "update":
            listed.children.add(root)
    return listed


def _known(listed: Listed) -> Iterator[str]:
    reasons = {*listed.states.values(), *(f"change: {why}" for why in listed.properties.values())}
    for reason in sorted(reasons):
        if not any(re.search(known, reason) for known in KNOWN):
            yield f"a reason that should not be left: {reason}"


def _complete(players: Show, sight: Sight, listed: Listed) -> Iterator[str]:
    for side, flow, shop_id in sight:
        if side != "shop" or flow == LINES or sight[side, flow, shop_id]["deleted_at"]:
            continue
        linked = {mine for mine, _ in players.links.get(flow, ())}
        if shop_id not in linked and (flow, shop_id) not in listed.states:
            yield f"{flow} {shop_id} is neither linked nor listed"


def _unique(players: Show) -> Iterator[str]:
    for (flow, key), ids in players.created.items():
        allowed = 1 + sum(1 for flow_, who in players.recreated if (flow_, who) == (flow, key))
        if len(set(ids)) > allowed:
            yield f"{flow} {key} was created {len(set(ids))} times"


def _pair(players: Show, sight: Sight, listed: Listed, *, shop: Place, bc: Place) -> Iterator[str]:
    _, part, shop_id = shop
    for one in FIELDS[part]:
        if (part, shop_id, one.name) in listed.properties or (part, one.name) in players.blind:
            continue
        mine, theirs = one.of("shop", sight[shop]), one.of("bc", sight[bc])
        if mine != theirs:
            yield f"{part} {shop_id} {one.name} is {mine!r}, in Business Central {theirs!r}"
            continue
        yield from _kept(players, shop=shop, bc=bc, one=one, value=mine)


def _kept(players: Show, *, shop: Place, bc: Place, one: Field, value: object) -> list[str]:
    """Whether the last thing said about a property is what both sides hold, or lost to what is recorded.

    Where it cannot be known whether a run saw what came between, either is right.
    """
    if shop[1] == LINES and players.ledger.met_unseen(shop[2], bc[2]):
        return []
    found = [
        list(_kept_of(players, shop=shop, bc=bc, one=one, value=value, sure=sure)) for sure in (False, True)
    ]
    return min(found, key=len)


def _kept_of(
    players: Show, *, shop: Place, bc: Place, one: Field, value: object, sure: bool
) -> Iterator[str]:
    ledger, (_, part, shop_id) = players.ledger, shop
    shop_ids, bc_ids = ledger.names(part, shop_id, bc[2])
    said = {
        "shop": ledger.last("shop", part, shop_ids, name=one.name, sure=sure),
        "bc": ledger.last("bc", part, bc_ids, name=one.name, sure=sure),
    }
    mine = said["shop"]
    if mine and ledger.inherited(part, shop_id, bc_ids, name=one.name, edit=mine):
        said["shop"] = (
            None  # a new line in the place of a removed one repeats it, and says nothing of its own
        )
    for side, edit in said.items():
        if edit and ledger.carried_over(side, part, (shop_id, bc[2]), name=one.name, edit=edit):
            said[side] = None
    # what was said there may have lost to a line that is gone, and in whose place a user put this one
    there, gone = said["bc"], ledger.replaced(part, shop_id, bc_ids)
    before = there and there.at < ledger.made.get(("shop", part, shop_id), 0)
    if there and before and _recorded(players, part, gone, one=one, edit=there):
        said["bc"] = None
    edits = sorted((e for e in said.values() if e), key=lambda edit: edit.at)
    what = f"{part} {shop_id} {one.name}"
    if not edits:
        agreed = ledger.agreed.get((part, shop_id, one.name))
        if agreed and agreed[-1].value != value:
            was = agreed[-1].value
            yield f"{what} is {value!r} on both sides, though nobody said so (agreed was {was!r})"
        return
    latest = edits[-1]
    if value != latest.value and ledger.filled(part, shop_id, latest):
        return
    if value not in [edit.value for edit in edits]:
        # a record or line that was there already says what it holds, though nobody edited it
        if (value, latest.value) not in _conflicts(players, part, shop_ids, one=one):
            yield f"{what} is {value!r} on both sides, last said was {_told(said)}"
    elif value != latest.value and not _recorded(players, part, shop_ids, one=one, edit=latest):
        yield f"{what} is {value!r}: lost, with no record, is {_told(said)}"
    elif len(edits) == 2 and value == latest.value != edits[0].value:
        both = (edits[0], latest)
        if (
            ledger.together(part, shop_ids, name=one.name, edits=both)
            and edits[0].value is not None
            and not _recorded(players, part, shop_ids, one=one, edit=edits[0])
        ):
            yield f"{what} is {value!r}: overwritten with no record, of {_told(said)}"


def _conflicts(players: Show, part: str, shop_ids: set[str], *, one: Field) -> list[tuple[object, object]]:
    """Which value won over which, whoever said them."""
    found = [row for row in players.conflicts if row[1] in shop_ids and (row[0], row[2]) == (part, one.name)]
    both = [(one.same(_meant(shop)), (one.there or one.same)(_meant(bc))) for *_, shop, bc in found]
    return [*both, *((bc, shop) for shop, bc in both)]


def _meant(word: str | None) -> object:
    """What is kept of a conflict is text."""
    return {"true": True, "false": False}.get(word or "", word)


def _recorded(players: Show, part: str, shop_ids: set[str], *, one: Field, edit: Edit) -> bool:
    return any(edit.value in both for both in _conflicts(players, part, shop_ids, one=one))


def _told(said: dict[str, Edit | None]) -> str:
    return ", ".join(f"{side} {edit.value!r} at {edit.at}" for side, edit in said.items() if edit)


def _lines(players: Show, sight: Sight, listed: Listed, *, shop_id: str, bc_id: str) -> Iterator[str]:
    """Whether both sides have the same lines, all that were added and none that were removed."""
    if shop_id in listed.children:
        return
    linked = dict(players.links.get(LINES, ()))
    mine = {
        key for side, part, key in sight if (side, part) == ("shop", LINES) and key.startswith(f"{shop_id}/")
    }
    theirs = {
        key for side, part, key in sight if (side, part) == ("bc", LINES) and key.startswith(f"{bc_id}/")
    }
    if {linked.get(key) for key in mine} != theirs:
        yield f"order {shop_id} has lines {sorted(mine)}, in Business Central {sorted(theirs)}, linked {linked}"
        return
    products = dict(players.links.get("product", ()))
    for key in mine:
        shop, bc = ("shop", LINES, key), ("bc", LINES, linked[key])
        if (LINES, key, "product_id") not in listed.properties:
            product = products.get(sight[shop]["product_id"])
            if product and product != sight[bc]["itemId"]:
                yield f"line {key} is of {sight[shop]['product_id']}, in Business Central of another product"
        if not checker.text(sight[shop]["unit"].upper(), sight[bc]["unitOfMeasureCode"]) and (
            (LINES, key, "unit") not in listed.properties
        ):
            yield f"line {key} is in {sight[shop]['unit']}, in Business Central {sight[bc]['unitOfMeasureCode']}"
        if bc_id in players.ledger.blurred:
            for one in FIELDS[LINES]:
                if one.of("shop", sight[shop]) != one.of("bc", sight[bc]) and (
                    (LINES, key, one.name) not in listed.properties
                ):
                    yield f"line {key} {one.name} differs"
        else:
            yield from _pair(players, sight, listed, shop=shop, bc=bc)
    if bc_id not in players.ledger.blurred | players.ledger.remade.keys():
        yield from _none_lost(players, mine=mine, theirs=theirs, shop_id=shop_id, bc_id=bc_id)


def _none_lost(players: Show, *, mine: set[str], theirs: set[str], shop_id: str, bc_id: str) -> Iterator[str]:
    """Whether all lines that were added are there, none that were removed, and what was said of those is kept."""
    ledger, ever = players.ledger, players.ledger.links.get(LINES, set())
    said = {place for place, _ in ledger.edits} | ledger.made.keys()
    for place in sorted(said):
        side, part, key = place
        if part != LINES or not key.startswith((f"{shop_id}/", f"{bc_id}/")):
            continue
        here, other_side = (0, "bc") if side == "shop" else (1, "shop")
        others = {pair[1 - here] for pair in ever if pair[here] == key}
        held, held_there = (mine, theirs) if side == "shop" else (theirs, mine)
        removed_there = any((other_side, LINES, other) in ledger.removed for other in others)
        gone = place in ledger.removed or removed_there
        if place in ledger.made and key not in held and not others & held_there and not gone:
            yield f"line {key}, added on {side} at {ledger.made[place]}, is lost"
        # a user's new line may take the place of the one removed; one that a run made may not
        now = {pair[1 - here] for pair in players.links.get(LINES, ()) if pair[here] == key}
        taken = any((other_side, LINES, other) in ledger.made for other in now)
        # an edit that outranks the removal brings the line back, on both sides
        outranked = bool(now) and any(at == place and edits for (at, _), edits in ledger.edits.items())
        if key in held and (place in ledger.removed or (removed_there and not taken and not outranked)):
            yield f"line {key} of {side} was removed by a user and is still there"
        if removed_there and place not in ledger.removed and key not in held:
            shop_ids = {key} if side == "shop" else others
            told = [ledger.removed_rows.get((other_side, LINES, other)) for other in others]
            yield from _edits_kept(
                players, side=side, key=key, shop_ids=shop_ids, seen=[row for row in told if row]
            )


def _edits_kept(players: Show, *, side: str, key: str, shop_ids: set[str], seen: list[Row]) -> Iterator[str]:
    """What was said of a line that somebody removed on the other side meanwhile must be recorded.

    Unless it had been carried over by then, as the removed rows show: whoever removed the line saw it.
    """
    ledger, there = players.ledger, "bc" if side == "shop" else "shop"
    for one in FIELDS[LINES]:
        edit = ledger.last(side, LINES, {key}, name=one.name)
        if edit and edit.value in [one.of(there, row) for row in seen]:
            continue
        for shop_id in shop_ids if edit else ():
            agreed = ledger.agreed.get((LINES, shop_id, one.name))
            if not edit or not agreed or edit.at < agreed[-1].at:
                continue
            # it may have lost to a line that took the place of the removed one before that was removed, too
            if edit.value != agreed[-1].value and not _recorded(players, LINES, shop_ids, one=one, edit=edit):
                yield f"line {key} {one.name}: {edit.value!r}, said at {edit.at}, went with the line unrecorded"
