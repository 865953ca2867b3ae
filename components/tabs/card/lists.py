"""The lists that fields of a card are chosen from: what they offer, and what was typed as it is written in a card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.service.cards.service import Cards

#: Most entries of a list that a field offers at once.
_OFFERED = 200


class PickLists:
    """The lists of languages, licences, tasks, libraries and metrics, as a dropdown takes them."""

    def __init__(self, cards: Cards) -> None:
        self._cards = cards

    def choices(self, kind: str, query: str, chosen: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Names and values that fit what is typed, and after them those that are chosen already."""
        found = self._cards.search_lists(kind, query[:100], _OFFERED)["items"]
        if kind != "languages":
            return [(value, value) for value in _whole_first([one["value"] for one in found])]
        known = {one["value"] for one in found}
        others = [(one, self._best(kind, one)) for one in chosen if one not in known]
        kept = [(_language(best) if best["value"] == one else one, one) for one, best in others]
        return [*((_language(one), one["value"]) for one in found), *kept]

    def coded(self, kind: str, given: Any) -> Any:
        """What was chosen from a list, names as their codes: German as de; anything else as it is."""

        def coded(typed: str) -> str:
            best = self._best(kind, typed)
            return best["value"] if best["name"].lower() == typed.strip().lower() else typed

        if not kind or not given:
            return given
        return list(dict.fromkeys(map(coded, given))) if isinstance(given, list) else coded(given)

    def _best(self, kind: str, typed: str) -> dict[str, str]:
        """The entry of a list that fits best."""
        found = self._cards.search_lists(kind, typed[:100], 1)["items"]
        return found[0] if found else {"value": "", "name": ""}


def _language(one: dict[str, str]) -> str:
    return f"{one['name']} ({one['value']})"


def _whole_first(values: list[str]) -> list[str]:
    """Each value before those that contain it: Enter takes the first that contains what was typed, and gpl-3.0 typed
    may not become agpl-3.0."""
    first = {value: next(place for place, other in enumerate(values) if value in other) for value in values}
    return sorted(values, key=lambda value: (first[value], len(value)))
