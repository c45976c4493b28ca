"""Which calls carry what of one write: by the properties that they name, or by the values that are written."""

from collections.abc import Sequence
from functools import cached_property

from talk_pipeline.engine.model import Write
from talk_pipeline.systems.customwebshop.spec.calls import Call
from talk_pipeline.systems.customwebshop.wire.records import Reader


class Choice:
    """The calls of one write.

    Attributes:
        calls: those that may be made, in their order: of calls for values those for the values written.
    """

    def __init__(self, declared: Sequence[Call], write: Write, reader: Reader) -> None:
        self._declared, self._write, self._reader = declared, write, reader
        self.calls = [call for call in declared if call.fits(write.values)]

    @cached_property
    def writable(self) -> list[str]:
        """The properties written that the shop takes."""
        fields = self._reader.fields()
        return [name for name in self._write.values if name in fields and fields[name].writable]

    def carrier(self, name: str) -> Call | None:
        """The call that says a property or a list: one made for its value, that names it, or for all others."""
        named = next((one for one in self.calls if name in one.when), None)
        named = named or next((one for one in self.calls if one.carries(name)), None)
        if named or any(name in one.when for one in self._declared):
            return named
        return next((one for one in self.calls if one.carries_the_rest), None)

    def unsaid(self) -> dict[str, str]:
        """Why values cannot be told, by property: there is no call for them."""
        return {name: self._no_call(name) for name in self.writable if self.carrier(name) is None}

    def _no_call(self, name: str) -> str:
        operation, value = self._write.operation, self._write.values[name]
        there = [word for one in self._declared for word in one.when.get(name, ())]
        known = ", ".join(repr(word) for word in dict.fromkeys(there)) or "none"
        return (
            f"no call tells this shop {value or ''!r}, only {known}: say one under {operation} in "
            f"CUSTOMWEBSHOP_CONNECTOR, with when: {{{name}: {value or '~'}}}"
        )
