"""Sentences for failures whose cause is known though their exception is not: a stranger's broken file may raise
anything. The exception travels on unchanged to the worker's one boundary, which finds the sentence on it."""

from __future__ import annotations

import logging
import re
import secrets
from types import TracebackType

from components.service.errors import WorkbenchError

_LOG = logging.getLogger(__name__)
_MEMORY = ("can't allocate memory", "not enough memory", "out of memory", "bad_alloc", "cannot allocate memory")
_MISSING = re.compile(r"requires the (\w+) library|Missing optional dependencies: (\w+)")


class blaming:
    """Whatever fails inside is told to the visitor as `message`, unless it is a `WorkbenchError` already."""

    def __init__(self, message: str, field: str | None = None) -> None:
        self._told = WorkbenchError(message, field=field)

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, WorkbenchError):
            error.__dict__.setdefault("told", _lacking(error) or self._told)


def _lacking(error: BaseException) -> WorkbenchError | None:
    """What is told where transformers says that it needs a package that is not installed, such as timm."""
    found = _MISSING.search(str(error)) if isinstance(error, (ImportError, ValueError)) else None
    if found is None:
        return None
    package = (found[1] or found[2]).lower()
    return WorkbenchError(
        f"This model needs the Python package {package}, which is not installed here. Choose another model.",
        field="model",
    )


def blamed(error: BaseException) -> WorkbenchError | None:
    """What the visitor is told of `error`, where its cause is known."""
    told = error.__dict__.get("told")
    return told if isinstance(told, WorkbenchError) else None


def told(name: str, error: BaseException) -> WorkbenchError:
    """What the visitor reads of any failure; a defect of ours goes to the log under a number they can quote.

    Args:
        name: What failed, for the log.
        error: What it raised.
    """
    if isinstance(error, WorkbenchError):
        return error
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in _MEMORY):
        return WorkbenchError(
            "This needs more memory than there is. Use a smaller model or a shorter text.", kind="memory"
        )
    reference = secrets.token_hex(4)
    _LOG.error("%s failed, reference %s", name, reference, exc_info=error)
    if (known := blamed(error)) is not None:
        return known
    if type(error).__name__ == "PanicException":  # what the Rust of tokenizers raises
        return WorkbenchError(
            "The tokenizer of this model failed on this text: its rules may be broken, or too costly for it. "
            "Use another text or another model.",
            field="model",
        )
    return WorkbenchError(
        f"Something went wrong here, and it is not your fault. The log has it under {reference}.", kind="code"
    )
