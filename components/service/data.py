"""Data to fine-tune on: from a data set's id, an upload or pasted rows to what it holds and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tasks.texts import check_characters
from components.service.visitor import Visitor

SOURCES = ("dataset", "file", "text")
#: A path that is longer names no file; most systems refuse to look for it.
PATH_CHARS = 1000


def check_columns(columns: Any) -> None:
    """Refuse columns that are not names by role, such as `{"text": "sentence"}`; None stands for no choice."""
    if columns is not None and not isinstance(columns, Mapping):
        raise WorkbenchError('Columns are an object, such as {"text": "sentence"}.', field="columns")
    for role, column in (columns or {}).items():
        if not isinstance(role, str) or not isinstance(column, str | None):
            raise WorkbenchError(f"The column for {str(role)[:40]} is given by its name.", field="columns")
        check_characters(f"{role}{column}", "columns")


class Data:
    """Looks into data sources. Tables are parsed in the worker, never in this process."""

    def __init__(self, settings: Settings, hub: Hub, engine: Engine) -> None:
        self.settings = settings
        self.hub = hub
        self.engine = engine

    def inspect(
        self, source: dict[str, Any], columns: dict[str, str] | None = None, *, visitor: Visitor
    ) -> dict[str, Any]:
        """What a source holds.

        Args:
            source: `{"dataset": id, "revision": commit or None, "config": name or None}`,
                `{"file": path of an upload, "name": its original name}` or `{"text": pasted CSV}`.
            columns: The columns chosen as `text`, `text_pair` and `label`; those not given are guessed.

        Returns:
            `columns`: `[{name, kind, distinct, missing, examples}]`, kind one of text, label, number, other;
            `suggested`: `{text, text_pair, label}`, the columns chosen or guessed; `splits`: rows by split name;
            `rows`: the first 20; `labels`: `[{label, count}]`; `problems`: `[{level, field, message, fix}]`, level one
            of error, warning, info; `lengths`: words a text, `{unit, median, p95, longest, histogram}`; `source`:
            the source at a fixed revision.

        Raises:
            WorkbenchError: The source is not there, or cannot be read at all.
        """
        check_columns(columns)
        fixed, local = self.resolve(source, visitor=visitor)
        caps = self.caps()
        seen: dict[str, Any] = self.engine.call(
            "inspect_data", {"source": local, "columns": dict(columns or {}), "caps": caps}
        )
        return {**seen, "source": fixed}

    def resolve(self, source: dict[str, Any], *, visitor: Visitor) -> tuple[dict[str, Any], dict[str, Any]]:
        """The source with its revision fixed to a commit, and where it lies on this machine."""
        kind = self._kind(source)
        value = source[kind]
        if not isinstance(value, str) or not value.strip():
            raise WorkbenchError("There is no data yet. Paste rows, upload a file or name a data set.", field="data")
        for name in ("config", "name"):
            if not isinstance(source.get(name), str | None):
                raise WorkbenchError(f"The {name} of the data is given as text.", field="data")
            check_characters(source.get(name) or "", "data")
        if kind == "dataset":
            config = source.get("config") or None
            snapshot = self.hub.dataset(value, source.get("revision"), visitor=visitor)
            fixed = {"dataset": snapshot.id, "revision": snapshot.commit, "config": config}
            return fixed, {"folder": str(snapshot.path), "config": config}
        if kind == "text":
            if len(value) > self.settings.upload_bytes:
                raise WorkbenchError("The pasted text is too long. Upload it as a file.", field="data")
            check_characters(value, "data")
            return {"text": value}, {"text": value}
        path = Path(value)
        if len(value) > PATH_CHARS or not path.is_file():
            raise WorkbenchError("The uploaded file is no longer there. Upload it again.", field="data")
        if path.stat().st_size > self.settings.upload_bytes:
            raise WorkbenchError(
                f"The file has {path.stat().st_size / 1e6:,.0f} MB; the limit is "
                f"{self.settings.upload_bytes / 1e6:,.0f} MB. Use fewer rows.",
                field="data",
            )
        name = Path(str(source.get("name") or path.name).replace("\\", "/")).name
        named = {"file": value, "name": name if len(name) <= 100 else f"{name[:60]}…{name[-20:]}"}
        return named, named

    def caps(self) -> dict[str, int]:
        """The limits of a table, as the worker takes them."""
        return {"bytes": self.settings.upload_bytes, "rows": self.settings.data_rows}

    @staticmethod
    def _kind(source: Any) -> str:
        kinds = [kind for kind in SOURCES if kind in source] if isinstance(source, Mapping) else []
        if len(kinds) != 1:
            raise WorkbenchError(
                'Data is {"dataset": id}, {"file": path, "name": name} or {"text": rows}; give exactly one of them.',
                field="data",
            )
        return kinds[0]
