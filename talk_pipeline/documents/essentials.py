"""What a flow file cannot do without, whatever a document says: the flow would not load, or do something else."""

from talk_pipeline.documents.plan import Plan
from talk_pipeline.flows.properties import Property
from talk_pipeline.flows.vocabulary import Part
from talk_pipeline.systems.businesscentral.entities import Entities


def essentials(plan: Plan, entities: Entities) -> dict[tuple[str, str], str]:
    """Part and property -> why it is kept, of all that must be there; also what the document names itself."""
    found = {
        (part.name, prop.name): why
        for part in plan.flow.parts
        for prop in part.properties
        if (why := _reason(plan, part, prop))
    }
    described = entities.get(plan.flow.businesscentral.entity)
    priced = any(
        prop.bc in records.prices and (plan.keeps(part, prop.name) or (part.name, prop.name) in found)
        for part in plan.flow.parts
        if (records := entities.of(plan.flow, part))
        for prop in part.properties
    )
    if priced and described:
        root = plan.flow.root
        found |= {
            (root.name, prop.name): "it says what a price means"
            for prop in root.properties
            if prop.bc and prop.bc == described.price_mode
        }
    return found


def _reason(plan: Plan, part: Part, prop: Property) -> str:
    flow, settings = plan.flow, plan.flow.settings
    if prop.required:
        return "a record cannot be without it"
    if part.parent is not None:
        return _of_line(part, prop)
    if prop.name == flow.create_key:
        return "a create of unknown outcome is found again by it"
    if prop.name in (plan.match or ()):
        return "the document's merge conditions name it"
    if prop.shop is None and prop.mapped:
        return "it is a constant of every new record"
    if prop.name in {*settings.scope, *settings.create_scope, *settings.create_scope_businesscentral}:
        return "it tells which records are meant"
    return ""


def _of_line(part: Part, prop: Property) -> str:
    """A line that names its record and not how many of it, or at what price, would be another order."""
    if prop.name in part.match:
        return "lines are matched by it"
    if prop.name == part.there_by:
        return "it tells whether there is such a line"
    needed = (one for one in part.properties if one.required or one.name in part.match)
    return next((f"it goes along with {one.name}" for one in needed if prop.name in one.send_with), "")
