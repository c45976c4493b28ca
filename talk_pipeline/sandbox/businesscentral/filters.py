"""``$filter`` as the service understands it: a subset of OData, with refusals of its own.

The grammar is `odata_query`'s. Two things it does not know are smoothed over first: years before 1000 (the
blank date is 0001-01-01) and ``not(`` without a space. The rest is this service's reading of the tree: `or`
only on one field, no functions in functions, lambdas passed over, no literal longer than its field.
"""

from __future__ import annotations

import fnmatch
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from odata_query import ast, exceptions
from odata_query.grammar import ODataLexer, ODataParser

from talk_pipeline.sandbox.businesscentral import errors, values
from talk_pipeline.sandbox.businesscentral.company import Company
from talk_pipeline.sandbox.businesscentral.schema import DECIMALS, EntitySet, Property
from talk_pipeline.sandbox.businesscentral.views import Getter, getter
from talk_pipeline.sandbox.store import Row

Predicate = Callable[[Row], bool]

_QUOTED = re.compile(r"('(?:[^']|'')*')")
_EARLY_DATE = re.compile(r"\b000(\d-\d\d-\d\d)")
_NOT = re.compile(r"\bnot\(", re.IGNORECASE)
_EARLY_MARK = "100"  # 0001-01-01 travels through the grammar as 1001-01-01, a year no record has
_COMPARE: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
}
_CASES: Mapping[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper}


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to run.

    Attributes:
        matches: whether a row passes.
        among: property -> values of which every row that passes must hold one.
    """

    matches: Predicate
    among: Mapping[str, frozenset[Any]]


def compile_filter(text: str, company: Company, entity_set: EntitySet, *, nested: bool = False) -> Filter:
    """Make a filter of its text.

    Args:
        text: the value of ``$filter``.
        company: whose records it will see.
        entity_set: their set.
        nested: whether functions may stand inside functions and ``in`` is understood.
    """
    if len(text) > 50_000:
        raise errors.bad_query("The $filter is too long.")
    try:
        tree = ODataParser().parse(ODataLexer().tokenize(_smoothed(text.strip())))
    except exceptions.UnknownFunctionException as error:
        raise errors.not_implemented(str(error)) from error
    except exceptions.ODataException as error:
        raise errors.bad_query(f"Syntax error in $filter: {error}") from error
    reader = _Reader(company, entity_set, nested=nested)
    try:
        return Filter(matches=reader.predicate(tree), among=reader.among(tree))
    except RecursionError as error:
        raise errors.bad_query("The $filter has too many parts.") from error


def _smoothed(text: str) -> str:
    parts = _QUOTED.split(text)
    for position in range(0, len(parts), 2):
        parts[position] = _NOT.sub("not (", _EARLY_DATE.sub(rf"{_EARLY_MARK}\1", parts[position]))
    return "".join(parts)


class _Reader:
    """Turns a tree into predicates over rows of one set."""

    def __init__(self, company: Company, entity_set: EntitySet, *, nested: bool) -> None:
        self._company = company
        self._set = entity_set
        self._nested = nested

    def predicate(self, node: Any) -> Predicate:
        match node:
            case ast.BoolOp(op=ast.And()):
                left, right = self.predicate(node.left), self.predicate(node.right)
                return lambda row: left(row) and right(row)
            case ast.BoolOp(op=ast.Or()):
                self._one_field(node)
                left, right = self.predicate(node.left), self.predicate(node.right)
                return lambda row: left(row) or right(row)
            case ast.UnaryOp(op=ast.Not()):
                inner = self.predicate(node.operand)
                return lambda row: not inner(row)
            case ast.CollectionLambda():
                return lambda row: True  # the service passes over lambdas without a word
            case ast.Compare(comparator=ast.In()):
                return self._in(node)
            case ast.Compare():
                return self._compare(node)
            case ast.Call():
                return self._test(node)
            case ast.Identifier():
                entry = self._property(node)
                if entry.kind == "Boolean":
                    get = self._getter(entry)
                    return lambda row: bool(get(row))
        raise errors.not_implemented("This expression is not supported in $filter.")

    def among(self, node: Any) -> dict[str, frozenset[Any]]:
        """The values that equality comparisons leave a property."""
        match node:
            case ast.BoolOp(op=ast.And()):
                return self.among(node.right) | self.among(node.left)
            case ast.BoolOp(op=ast.Or()):
                left, right = self.among(node.left), self.among(node.right)
                return {name: left[name] | right[name] for name in left.keys() & right.keys()}
            case ast.Compare(comparator=ast.Eq(), left=ast.Identifier() as left, right=ast._Literal()):
                entry = self._property(left)
                plain = entry.name not in self._set.twins and self._wildcards(entry, node.right) is None
                return {entry.name: frozenset([self._literal(entry, node.right)])} if plain else {}
        return {}

    # -- comparisons ------------------------------------------------------------------------------------------

    def _compare(self, node: ast.Compare) -> Predicate:
        if isinstance(node.right, ast.Boolean) and isinstance(node.left, ast.Call):
            test, wanted = self._test(node.left), node.right.py_val == isinstance(node.comparator, ast.Eq)
            return lambda row: test(row) == wanted
        compare = _COMPARE[type(node.comparator)]
        entry, get = self._operand(node.left)
        if not isinstance(node.right, ast._Literal):
            raise errors.not_implemented("A property can only be compared with a literal.")
        glob = self._wildcards(entry, node.right)
        if glob is not None and isinstance(node.comparator, ast.Eq):
            return lambda row: fnmatch.fnmatchcase(get(row), glob)
        value = self._literal(entry, node.right, of_function=isinstance(node.left, ast.Call))
        if entry.kind == "Enum":
            return self._compare_member(entry, get, compare, value)
        if entry.kind == "DateTime" and self._company.settings["datetime_comparison"] == "stored":
            value = Decimal(value)
            return lambda row: compare(get(row) + Decimal("0.4"), value)
        return lambda row: compare(get(row), value)

    def _compare_member(
        self, entry: Property, get: Getter, compare: Callable[[Any, Any], bool], value: str
    ) -> Predicate:
        if value == values.BLANK_MEMBER:
            rule = self._company.settings["blank_enum_filter"]
            if rule == "refused":
                raise errors.bad_request(f"The blank member of {entry.enum} cannot be filtered on.")
            if rule == "empty":
                return lambda row: False
        rank = {member: position for position, member in enumerate(entry.members)}
        return lambda row: compare(rank[get(row)], rank[value])

    def _in(self, node: ast.Compare) -> Predicate:
        if not self._nested:
            raise errors.not_implemented("The 'in' operator needs $schemaversion=2.1.")
        entry, get = self._operand(node.left)
        items = node.right.val if isinstance(node.right, ast.List) else [node.right]
        allowed = {self._literal(entry, item) for item in items}
        return lambda row: get(row) in allowed

    def _test(self, node: ast.Call) -> Predicate:
        test = _TESTS.get(node.func.name)
        if test is None:
            raise errors.not_implemented(f"The function '{node.func.name}' is not supported here.")
        subject, wanted = node.args
        if isinstance(subject, ast.Call) and not self._nested:
            raise errors.not_implemented("A function inside a function needs $schemaversion=2.1.")
        entry, get = self._operand(subject)
        if entry.kind not in ("Code", "Text") or not isinstance(wanted, ast.String):
            raise errors.bad_query(f"'{node.func.name}' takes a text property and a text.")
        text = self._text(entry, wanted.val, upper=not isinstance(subject, ast.Call))
        return lambda row: test(get(row), text)

    # -- operands ---------------------------------------------------------------------------------------------

    def _operand(self, node: Any) -> tuple[Property, Getter]:
        """A property, or a function of one, as something to read from a row."""
        if isinstance(node, ast.Identifier):
            entry = self._property(node)
            return entry, self._getter(entry)
        if not isinstance(node, ast.Call):
            raise errors.not_implemented("This expression is not supported in $filter.")
        name = node.func.name
        if name not in (*_CASES, "substring"):
            raise errors.not_implemented(f"The function '{name}' is not supported here.")
        if isinstance(node.args[0], ast.Call) and not self._nested:
            raise errors.not_implemented("A function inside a function needs $schemaversion=2.1.")
        entry, get = self._operand(node.args[0])
        if entry.kind not in ("Code", "Text"):
            raise errors.bad_query(f"'{name}' takes a text property.")
        if name in _CASES:
            case = _CASES[name]
            return entry, lambda row: case(get(row))
        numbers = [argument for argument in node.args[1:] if isinstance(argument, ast.Integer)]
        if len(numbers) < len(node.args) - 1:
            raise errors.bad_query("'substring' takes whole numbers.")
        start, *length = (int(argument.val) for argument in numbers)
        return entry, lambda row: get(row)[start : start + length[0] if length else None]

    def _property(self, node: ast.Identifier) -> Property:
        entry = self._set.properties.get(node.name)
        if entry is None or node.namespace:
            raise errors.bad_query(f"Could not find a property named '{node.name}'.")
        return entry

    def _getter(self, entry: Property) -> Getter:
        return getter(self._company, self._set, entry.name)

    # -- literals ---------------------------------------------------------------------------------------------

    def _literal(self, entry: Property, node: Any, *, of_function: bool = False) -> Any:
        match node:
            case ast.Null():
                return values.blank(entry)
            case ast.String(val=text) if entry.kind in ("Code", "Text"):
                return self._text(entry, text, upper=not of_function)
            case ast.String(val=text) if entry.kind == "Enum":
                return _member(entry, text)
            case ast.GUID(val=text) if entry.kind == "Guid":
                return text.lower()
            case ast.Boolean() if entry.kind == "Boolean":
                return node.py_val
            case ast.Integer(val=text) | ast.Float(val=text) if entry.kind in (*DECIMALS, "Int32", "Int64"):
                return Decimal(text)
            case ast.Date(val=text) if entry.kind in ("Date", "DateTime"):
                text = _early(text)
                moment = values.parse_moment(f"{text}T00:00:00+00:00")
                if moment is None:
                    raise errors.bad_query(f"'{text}' is not a date.")
                return text if entry.kind == "Date" else moment
            case ast.DateTime(val=text) if entry.kind == "DateTime":
                moment = values.parse_moment(_early(text))
                if moment is not None:
                    return moment
        raise errors.bad_query(f"The literal for '{entry.name}' is not of type {entry.kind}.")

    def _text(self, entry: Property, text: str, *, upper: bool) -> str:
        maximum = values.length_of(entry, self._company.settings)
        if maximum is not None and values.units(text) > maximum:
            raise errors.ApiError(
                400,
                "Application_FilterErrorException",
                f"The filter on {entry.name} holds {values.units(text)} characters; the field has {maximum}.",
            )
        return values.upper(text) if entry.kind == "Code" and upper else text

    def _wildcards(self, entry: Property, node: Any) -> str | None:
        """The glob a literal means if the service's own filter characters are let through."""
        if self._company.settings["filter_characters"] != "wildcards" or not isinstance(node, ast.String):
            return None
        return self._text(entry, node.val, upper=True) if set(node.val) & set("*?") else None

    def _one_field(self, node: ast.BoolOp) -> None:
        if len(_fields(node)) > 1:
            raise errors.not_implemented("'or' is supported on one and the same field only.")


def _member(entry: Property, text: str) -> str:
    """The member a literal names, escaped or as people read it."""
    if text in ("", " ", values.BLANK_MEMBER) and values.BLANK_MEMBER in entry.members:
        return values.BLANK_MEMBER
    for member in entry.members:
        if text in (member, unescaped(member)):
            return member
    raise errors.bad_request(f"'{text}' is not a member of {entry.enum}.")


def unescaped(member: str) -> str:
    """A member's name as people read it."""
    return re.sub(r"_x([0-9A-F]{4})_", lambda match: chr(int(match.group(1), 16)), member)


def _early(text: str) -> str:
    return f"000{text[3:]}" if text.startswith(_EARLY_MARK) else text


def _fields(node: Any) -> set[str]:
    match node:
        case ast.Identifier():
            return {node.name}
        case ast.BoolOp() | ast.Compare():
            return _fields(node.left) | _fields(node.right)
        case ast.UnaryOp():
            return _fields(node.operand)
        case ast.Call():
            return set().union(*(_fields(argument) for argument in node.args))
    return set()
