"""The page that shows the last table, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.table import HEADERS, Curve, Row, as_markdown

_HEAD = """# Speed

Each row holds the workbench against the stock way of doing the same work, on the same machine, in the same run and in
turns. The ratio is ours by stock, the median of the rounds; the noise is the ratio of the lowest and of the highest
round. Where one round would have said otherwise than the median, the verdict says so.

This page is written by one command, and no figure on it by hand:

```bash
.venv/bin/python -m tests.bench --write docs/speed.md
```
"""


def page(rows: Sequence[Row], curves: Sequence[Curve], made: Mapping[str, str], left: Sequence[str]) -> str:
    """The whole page in Markdown.

    Args:
        rows: The table.
        curves: What is shown below it.
        made: How it was made, as names and words.
        left: Names of the benchmarks that are not in it.
    """
    parts = [_HEAD, as_markdown([HEADERS, *(row.cells() for row in rows)])]
    if left:
        parts.append(
            f"Not in this table, because they were not asked for or did not come to an end: {', '.join(left)}."
        )
    if notes := [f"* **{row.what}**: {row.note}" for row in rows if row.note]:
        parts += ["## Notes", "\n".join(notes)]
    if curves:
        parts.append("## How work grows")
        parts.append(
            "The last line of each table is the power of the size that the upper end grows with: 1 is in step."
        )
    for curve in curves:
        parts += [f"### {curve.what}", as_markdown(curve.table()), *([curve.note] if curve.note else [])]
    parts += ["## How it was made", as_markdown([["", ""], *map(list, made.items())])]
    return "\n\n".join(part.strip() for part in parts) + "\n"
