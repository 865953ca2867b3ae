"""What a visitor may be told.

Every failure that a visitor can cause or mend leaves the service as a `WorkbenchError`. Its text is a sentence for
people: what happened, why, what to do next. Anything else that is raised is a defect of ours: it goes to the log, and
the visitor reads a general sentence.
"""

from __future__ import annotations

import errno
import logging
import re
from typing import Literal

log = logging.getLogger("workbench")

Kind = Literal[
    "input", "not_found", "conflict", "forbidden", "busy", "timeout", "memory", "crashed", "hub", "disk", "code"
]


#: What a visitor reads of a defect.
SORRY = "Something went wrong in the app itself. Try again, or report it with what you did."


class WorkbenchError(Exception):
    """A failure whose text may be shown to a visitor.

    Args:
        message: What happened, why, and what to do next; no traceback, no server path. Where it quotes a token,
            as one that was pasted into the wrong field, `[token]` stands in its place.
        kind: What sort of failure it is; callers branch on this, never on the text.
        field: The name of the argument it concerns (`"model"`, `"inputs"`, `"columns.label"` ...), if it is one.
    """

    def __init__(self, message: str, *, kind: Kind = "input", field: str | None = None) -> None:
        super().__init__(_sendable(message))
        self.message = _sendable(message)
        self.kind: Kind = kind
        self.field = None if field is None else _sendable(field)


#: A disk or a quota that is full, and a folder that cannot be written.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES)


def tellable(error: BaseException) -> WorkbenchError | None:
    """What a visitor may be told of a failure: its own sentence, or that the disk takes no more; None for a defect."""
    if isinstance(error, WorkbenchError):
        return error
    if isinstance(error, OSError) and error.errno in _DISK:
        log.warning("The disk takes nothing: %s", error)
        return WorkbenchError(
            "This could not be kept: the app's disk is full, or its data folder cannot be written. Free some space "
            "there, or tell who runs the app, then try again.",
            kind="disk",
        )
    return None


#: A token of the Hub. Names of repositories that begin like one are shorter, or are put together of words.
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}")


def _sendable(text: str) -> str:
    """The text without tokens, and with a question mark for each half of a surrogate pair, which cannot be sent."""
    return _TOKEN.sub("[token]", text.encode("utf-8", "replace").decode())
