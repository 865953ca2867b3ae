"""The cards of the starter repositories: a text beside this file, filled with recorded facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

CARDS = Path(__file__).parent


def fill(name: str, facts: Mapping[str, object]) -> str:
    """The card of repository `name`; a fact that its text names and `facts` lacks raises `KeyError`."""
    return Template((CARDS / f"{name}.md").read_text(encoding="utf-8")).substitute(facts)
