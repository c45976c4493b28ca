"""What goes along with the values of a write, and around them."""

import copy
from collections.abc import Iterator

from talk_pipeline.systems.customwebshop.spec import paths
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.spec.paths import MISSING, Json, JsonOrMissing
from talk_pipeline.systems.customwebshop.spec.templates import Known, filled_values


def accompanied(call: Call, body: dict[str, Json], current: Json, *, nothing: Json = None) -> dict[str, Json]:
    """A body with what must go along; `nothing` is what stands where nothing is."""
    for path in call.along:
        value = paths.get(current, path)
        if value is not MISSING and paths.get(body, path) is MISSING and paths.beside(body, path):
            paths.put(body, path, copy.deepcopy(value))
    for path, value in call.defaults.items():
        said = paths.get(body, path)
        told = paths.get(current, path) if said is MISSING else said
        is_blank = paths.text_of(told) is None or (told is nothing and not isinstance(value, bool))
        if is_blank and paths.beside(body, path):
            paths.put(body, path, copy.deepcopy(value))
    return body


def completed(value: Json, current: Json) -> Json:
    """A nested object with what it holds besides."""
    if not (isinstance(value, dict) and isinstance(current, dict)):
        return value
    return {**current, **{key: completed(inner, current.get(key)) for key, inner in value.items()}}


def wrapped(call: Call, body: Json, known: Known, *, current: Json) -> Json:
    """The body of a call, with all that goes around the record or a part of it."""
    if call.at:
        body = _part(call, call.at, body, current)
    for path, value in call.constants.items():
        paths.put(body, path, filled_values(value, known.beside(record=body)))
    if call.body is not None:
        whole = filled_values(dict(call.body), known.beside(record=body))
        if call.envelope:
            paths.put(whole, call.envelope, body)
        return whole
    if call.envelope:
        outer: Json = [] if isinstance(paths.steps(call.envelope)[0], int) else {}
        paths.put(outer, call.envelope, body)
        body = outer
    return body


def _part(call: Call, at: str, body: Json, current: Json) -> Json:
    """The part of a record that is a body: of an entry of a list, which is held whole, what it is to say."""
    part = paths.get(body, at)
    if part is MISSING:
        return {}
    if call.whole or call.objects == "whole" or not paths.lists_on(at):
        return part
    said = _changed(part, paths.get(current, at))
    for path in call.along:
        value = paths.get(body, path)
        if path.startswith(f"{at}.") and value is not MISSING:
            paths.put(said, path.removeprefix(f"{at}."), value)
    return said


def _changed(value: JsonOrMissing, current: JsonOrMissing) -> Json:
    """What an entry of a list says otherwise than it did; one that was not there is told whole."""
    if not (isinstance(value, dict) and isinstance(current, dict)):
        return None if value is MISSING else value
    others = {key: inner for key, inner in value.items() if inner != current.get(key, MISSING)}
    return {key: _changed(inner, current.get(key)) for key, inner in others.items()}


def pairs(value: Json, name: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a form, nested ones as a[b][0]."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from pairs(inner, f"{name}[{key}]" if name else str(key))
    elif isinstance(value, bool):
        yield name, "1" if value else "0"
    else:
        yield name, "" if value is None else str(value)
