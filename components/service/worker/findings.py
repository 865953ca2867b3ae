"""What is told about data: findings, and numbers with their nouns."""

from __future__ import annotations

from typing import Any


def finding(level: str, message: str, fix: str, field: str = "data") -> dict[str, Any]:
    """One thing to tell about the data."""
    return {"level": level, "field": field, "message": message, "fix": fix}


def count(number: int, one: str, many: str) -> str:
    """The number with the words that go with it: `1 row has`, `2 rows have`."""
    return f"{number:,} {one if number == 1 else many}"
