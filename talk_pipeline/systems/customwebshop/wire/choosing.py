"""Which calls carry what of one write: by the properties that they name, or by the values that are written."""

from collections.abc import Callable, Collection, Mapping, Sequence

from talk_pipeline.engine.model import Operation
from talk_pipeline.flows.values import Value
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.wire.records import Reader


def answered_once(reader: Reader, operation: Operation, *, makes_children: bool) -> bool:
    """Whether one that is repeated is known again: if it is one request, by its key or its version."""
    entity = reader.entity
    if makes_children and any(lines.singly for _, lines in reader.lists()):
        return False
    if operation == "create":
        return entity.idempotency_header is not None and len(entity.create) == 1
    return entity.version is not None


def _nothing(call: Call) -> bool:
    return False


class Choice:
    """The calls of one write of a record, or of an entry of one of its lists.

    Attributes:
        calls: those that may be made, in their order: of calls for values those for the values written.
        writable: the properties written that the shop takes.
    """

    def __init__(
        self,
        declared: Sequence[Call],
        *,
        operation: Operation,
        values: Mapping[str, Value],
        writable: Collection[str],
    ) -> None:
        self._declared, self._operation, self._values = declared, operation, values
        self.calls = [call for call in declared if call.fits(values)]
        self.writable = writable

    def carrier(self, name: str) -> Call | None:
        """The call that says a property or a list: one made for its value, that names it, or for all others."""
        named = next((one for one in self.calls if name in one.when), None)
        named = named or next((one for one in self.calls if one.carries(name)), None)
        if named or any(name in one.when for one in self._declared):
            return named
        return next((one for one in self.calls if one.carries_the_rest), None)

    def names(self, call: Call) -> list[str]:
        """The properties that its body says: those that it is made for it says by itself."""
        return [name for name in self.writable if self.carrier(name) is call and name not in call.when]

    def made(
        self, *, embeds: Callable[[Call], bool] = _nothing, fills: Callable[[Call], bool] = _nothing
    ) -> Sequence[Call]:
        """Those that have something to say; of a create all but what follows for properties that are blank.

        Args:
            embeds: whether a call says something besides properties.
            fills: whether that is more than that there is nothing.
        """
        if self._operation == "delete":
            return self.calls
        if self._operation == "create":
            first, *others = self.calls
            return [
                first,
                *(one for one in others if one.when or not one.of or self._fills(one) or fills(one)),
            ]
        return [call for call in self.calls if call.when or self.names(call) or embeds(call)]

    def _fills(self, call: Call) -> bool:
        return any(self._values.get(name) is not None for name in self.names(call))

    def unsaid(self) -> dict[str, str]:
        """Why values cannot be told, by property: there is no call for them."""
        return {name: self._no_call(name) for name in self.writable if self.carrier(name) is None}

    def _no_call(self, name: str) -> str:
        value = self._values.get(name)
        there = [word for one in self._declared for word in one.when.get(name, ())]
        where = f"say one under {self._operation} in CUSTOMWEBSHOP_CONNECTOR"
        if not there:
            return f"no call tells this shop of it: {where}, with of: [{name}]"
        known = ", ".join(repr(word) for word in dict.fromkeys(there))
        how = f"{where}, with when: {{{name}: {value or '~'}}}"
        return f"no call tells this shop {value or ''!r}, only {known}: {how}"
