"""What may be chosen for a card: languages, licences, tasks, libraries and metrics, searched by code and by name.

Each list is the dated snapshot that the project keeps, with what the Hub in use has beyond it where that answers.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils._http import get_session, hf_raise_for_status

from components.cardrules.names import nearest
from components.cardrules.snapshots import KINDS, snapshot
from components.service.errors import WorkbenchError
from components.service.hub import Hub

#: What can be searched; subtasks are kinds of tasks that results name.
SEARCHED = (*KINDS, "subtasks")
#: Most entries that are given at once, and most characters of a question.
MOST, QUERY = 200, 100
#: Longest wait for the Hub's list, and how long a failure is believed before the Hub is asked again, in seconds.
WAIT, AGAIN = 3.0, 300.0
#: Most bytes and entries of the Hub's own list.
BYTES, ENTRIES = 5_000_000, 50_000
_TAGS = {"languages": "language", "licenses": "license", "tasks": "pipeline_tag", "libraries": "library"}


@dataclass(frozen=True)
class _Answer:
    """What the Hub said, and when; `None` if it did not answer."""

    names: dict[str, str] | None
    at: float


class Lists:
    """The lists of the Hub in use."""

    def __init__(self, hub: Hub) -> None:
        self._endpoint = hub.settings.endpoint
        self._wait = min(WAIT, hub.settings.hub_seconds)
        self._answers: dict[str, _Answer] = {}

    def search(self, kind: str, query: str = "", limit: int = 20) -> dict[str, Any]:
        """What fits a word, best first.

        Args:
            kind: One of `languages`, `licenses`, `tasks`, `subtasks`, `libraries`, `metrics`.
            query: A part of a code or a name; all if empty.
            limit: Most entries, 1 to 200.

        Returns:
            `{"items": [{"value", "name"}], "source"}`: `value` is what the card says, and of a subtask `task` is what
            it is a kind of; `source` is "the Hub in use", or the date of the snapshot where that does not answer.

        Raises:
            WorkbenchError: There is no such list, or the question is none.
        """
        if kind not in SEARCHED:
            raise WorkbenchError(f"Choose one of the lists {', '.join(SEARCHED)}.", field="kind")
        if not isinstance(query, str) or len(query) > QUERY:
            raise WorkbenchError(f"Type at most {QUERY} characters to search for.", field="query")
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MOST:
            raise WorkbenchError(f"Ask for 1 to {MOST} entries.", field="limit")
        names, source = self._names(kind)
        subtasks = snapshot("tasks").more["subtasks"]
        items: list[dict[str, str]] = []
        for value in _found(kind, names, query.strip().lower()):
            more = {"task": subtasks[value]["task"]} if kind == "subtasks" else {}
            items.append({"value": value, "name": names[value], **more})
            if len(items) == limit:
                break
        return {"items": items, "source": source}

    def _names(self, kind: str) -> tuple[Mapping[str, str], str]:
        """The entries of a list with their names, and where they come from."""
        if kind == "subtasks":
            tasks = snapshot("tasks")
            names = {key: str(about["name"]) for key, about in tasks.more["subtasks"].items()}
            return names, f"snapshot of {tasks.date}"
        kept = snapshot(kind)
        answer = self._answers.get(kind)
        if answer is None or (answer.names is None and time.monotonic() - answer.at > AGAIN):
            answer = self._answers[kind] = _Answer(self._ask(kind), time.monotonic())
        if answer.names is None:
            return kept.names, f"snapshot of {kept.date}"
        return {
            **kept.names,
            **{key: name for key, name in answer.names.items() if key not in kept.names},
        }, "the Hub in use"

    def _ask(self, kind: str) -> dict[str, str] | None:
        """The Hub's own list; `None` if it does not give one in time."""
        path = "metrics" if kind == "metrics" else "models-tags-by-type"
        asked = {"type": _TAGS[kind]} if kind in _TAGS else None
        try:
            answer = get_session().get(f"{self._endpoint}/api/{path}", params=asked, timeout=self._wait)
            hf_raise_for_status(answer)
            said = answer.json() if len(answer.content) <= BYTES else None
        except (HfHubHTTPError, httpx2.HTTPError, OfflineModeIsEnabled, ValueError):
            return None
        rows = said if kind == "metrics" else said.get(_TAGS[kind]) if isinstance(said, dict) else None
        return dict(_rows(rows[:ENTRIES])) if isinstance(rows, list) else None


def _rows(rows: list[Any]) -> Iterator[tuple[str, str]]:
    """The entries of the Hub's list, each with its name."""
    for row in rows:
        key = row.get("id") if isinstance(row, dict) else None
        if isinstance(key, str) and 0 < len(key) <= QUERY:
            key = key.rpartition(":")[2]
            label = row.get("label")
            yield key, label[:QUERY] if isinstance(label, str) and label else key


def _found(kind: str, names: Mapping[str, str], query: str) -> Iterator[str]:
    """The entries that fit, best first; where none does, the nearest."""
    if not query:
        yield from names
        return
    native = snapshot("languages").more["native"] if kind == "languages" else {}
    ranked = [
        (rank, value) for value, name in names.items() if (rank := _rank(query, value, name, native.get(value, "")))
    ]
    yield from (value for _, value in sorted(ranked, key=lambda one: one[0]))
    if not ranked:
        by_name = {name: value for value, name in names.items() if len(value) == 2 or kind != "languages"}
        if (close := nearest(query, [*by_name, *by_name.values()], 0.7)) is not None:
            yield by_name.get(close, close)


def _rank(query: str, value: str, name: str, native: str) -> int:
    """How well an entry fits: 0 not at all, else the lower the better."""
    code, words = value.lower(), [one.lower() for one in (name, native) if one]
    tests = (
        code == query,
        query in words,
        code.startswith(query),
        any(word.startswith(query) for word in words),
        any(f" {query}" in word or f"-{query}" in word for word in (code, *words)),
        any(query in word for word in (code, *words)),
    )
    return next((rank for rank, fits in enumerate(tests, 1) if fits), 0)
