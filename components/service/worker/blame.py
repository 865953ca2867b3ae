"""Sentences for failures whose cause is known though their exception is not: a stranger's broken file may raise
anything. The exception travels on unchanged to the worker's one boundary, which finds the sentence on it."""

from __future__ import annotations

from types import TracebackType

from components.service.errors import WorkbenchError


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
            error.__dict__.setdefault("told", self._told)


def blamed(error: BaseException) -> WorkbenchError | None:
    """What the visitor is told of `error`, where its cause is known."""
    told = error.__dict__.get("told")
    return told if isinstance(told, WorkbenchError) else None
