"""Both systems judged once more without the engine: a mistake of its own must not be able to hide itself."""


class NotAuditableError(Exception):
    """Set up in a way that the audit does not know, or nobody is let in: nothing was judged."""


class UnreachableError(Exception):
    """A system, or the state, gives no usable answer: nothing was judged."""
