"""The cards of the starter repositories: a text beside this file, filled with recorded facts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template

from components.starter import reviews

CARDS = Path(__file__).parent


def fill(name: str, facts: Mapping[str, object]) -> str:
    """The card of repository `name`; a fact that its text names and `facts` lacks raises `KeyError`."""
    return Template((CARDS / f"{name}.md").read_text(encoding="utf-8")).substitute(facts)


def review_facts() -> dict[str, object]:
    """What the card of `starter/reviews` states."""
    general, domains = reviews.words()
    groups = [*(general[name] for name in ("good", "bad")), *domains.values()]
    opinions = {word for group in groups for kind, found in group.items() for word in found if _opinion(kind)}
    rows = []
    for name, split in reviews.reviews().items():
        positive = sum(row.label == "positive" for row in split)
        rows.append(f"| {name} | {len(split):,} | {positive:,} | {len(split) - positive:,} |")
    return {
        "templates": sum(len(reviews.templates(part)) for part in ("both", "positive", "negative")),
        "words": len(opinions),
        "rows": "\n".join(rows),
    }


def _opinion(kind: str) -> bool:
    return kind not in {"item", "part", "use", "used"}
