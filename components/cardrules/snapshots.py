"""Dated snapshots of the Hub's lists, as JSON in the folder `lists`; `python -m components.cardrules` renews them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "lists"
#: The kinds of lists there are.
KINDS = ("languages", "licenses", "tasks", "libraries", "metrics")


@dataclass(frozen=True)
class Snapshot:
    """One list of the Hub as it was.

    Attributes:
        date: Year and month, such as 2026-11.
        names: Each identifier with its name, in the Hub's own order.
        more: What else the list tells, by kind: `native` names and `bibliographic` codes of languages; `subtasks` of
            tasks, each with its name and its task, and their `modality`.
    """

    date: str
    names: Mapping[str, str]
    more: Mapping[str, Mapping[str, Any]]


@cache
def snapshot(kind: str) -> Snapshot:
    """The snapshot of one of `KINDS`."""
    content = json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))
    items = content["items"]
    if kind == "tasks":
        names = {tag: about["name"] for tag, about in items.items()}
        subtasks = {
            key: {"name": name, "task": tag} for tag, about in items.items() for key, name in about["subtasks"].items()
        }
        modality = {tag: about["modality"] for tag, about in items.items()}
        return Snapshot(content["date"], names, {"subtasks": subtasks, "modality": modality})
    more = {key: content[key] for key in ("native", "bibliographic") if key in content}
    return Snapshot(content["date"], items, more)
