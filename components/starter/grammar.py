"""Synchronous grammars: one draw says the same on several sides, such as French and English, or text and summary.

A grammar is a TOML file. Under `[words]` a symbol has entries separated by commas, under `[lines]` one entry a line.
The sides of an entry are separated by `|`, the forms of a word by `/`; an entry with one side is the same on all.
A line refers to a symbol by `{symbol}`, to its second form by `{symbol/1}`, with a capital by `{Symbol}`. Within one
draw a symbol keeps its word; `{symbol2}` is another draw from the same list.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

TEXT = Path(__file__).parent / "text"
REFERENCE = re.compile(r"\{([A-Za-z_]+)(\d*)(?:/(\d))?\}")

#: The sides of an entry, each with its forms.
Entry = tuple[tuple[str, ...], ...]


class Grammar:
    """Draws from the symbols of one or several files under `text/`; later files add to earlier ones."""

    def __init__(self, *names: str) -> None:
        self.symbols: dict[str, list[Entry]] = {}
        for name in names:
            for symbol, entries in _read(name).items():
                self.symbols[symbol] = [*self.symbols.get(symbol, ()), *entries]
        self.sides = max(len(entry) for entries in self.symbols.values() for entry in entries)
        for symbol, entries in self.symbols.items():
            self.symbols[symbol] = [entry + entry[-1:] * (self.sides - len(entry)) for entry in entries]

    def draw(self, symbol: str, source: random.Random, bound: dict[str, Entry] | None = None) -> tuple[str, ...]:
        """One drawing of a symbol, by side; `bound` holds the words that are already chosen."""
        return tuple(forms[0] for forms in self._draw(symbol, source, {} if bound is None else bound))

    def words(self, symbol: str) -> list[str]:
        """The first form of each word of a list, on its first side."""
        return [entry[0][0] for entry in self.symbols[symbol]]

    def _draw(self, symbol: str, source: random.Random, bound: dict[str, Entry]) -> Entry:
        entry = source.choice(self.symbols[symbol])
        return tuple(tuple(self._fill(form, side, source, bound) for form in forms) for side, forms in enumerate(entry))

    def _fill(self, text: str, side: int, source: random.Random, bound: dict[str, Entry]) -> str:
        def choose(match: re.Match[str]) -> str:
            symbol = match[1].lower()
            key = symbol + match[2]
            if key not in bound:
                taken = {entry for name, entry in bound.items() if name.rstrip("0123456789") == symbol}
                bound[key] = self._other(symbol, taken, source, bound)
            forms = bound[key][side]
            word = forms[min(int(match[3] or 0), len(forms) - 1)]
            return word[0].upper() + word[1:] if match[1][0].isupper() else word

        return REFERENCE.sub(choose, text)

    def _other(self, symbol: str, taken: set[Entry], source: random.Random, bound: dict[str, Entry]) -> Entry:
        """A drawing that no other number of the symbol has yet, if a few attempts find one."""
        for _ in range(5):
            found = self._draw(symbol, source, bound)
            if found not in taken:
                break
        return found


@cache
def _read(name: str) -> dict[str, list[Entry]]:
    raw = tomllib.loads((TEXT / f"{name}.toml").read_text(encoding="utf-8"))
    found = {symbol: _entries(text.split(","), "/") for symbol, text in raw.get("words", {}).items()}
    return found | {symbol: _entries(text.splitlines(), None) for symbol, text in raw.get("lines", {}).items()}


def _entries(parts: Sequence[str], forms: str | None) -> list[Entry]:
    sides = ([" ".join(side.split()) for side in part.split("|")] for part in parts if part.strip())
    return [tuple(tuple(side.split(forms)) if forms else (side,) for side in entry) for entry in sides]
