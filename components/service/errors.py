"""What a visitor may be told.

Every failure that a visitor can cause or mend leaves the service as a `WorkbenchError`. Its text is a sentence for
people: what happened, why, what to do next. Anything else that is raised is a defect of ours: it goes to the log, and
the visitor reads a general sentence.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "input", "not_found", "conflict", "forbidden", "busy", "timeout", "memory", "crashed", "hub", "disk", "code"
]


class WorkbenchError(Exception):
    """A failure whose text may be shown to a visitor.

    Args:
        message: What happened, why, and what to do next; no traceback, no server path, no token.
        kind: What sort of failure it is; callers branch on this, never on the text.
        field: The name of the argument it concerns (`"model"`, `"inputs"`, `"columns.label"` ...), if it is one.
    """

    def __init__(self, message: str, *, kind: Kind = "input", field: str | None = None) -> None:
        super().__init__(_sendable(message))
        self.message = _sendable(message)
        self.kind: Kind = kind
        self.field = None if field is None else _sendable(field)


def _sendable(text: str) -> str:
    """The text with a question mark for each half of a surrogate pair, which may be quoted but not be sent."""
    return text.encode("utf-8", "replace").decode()
