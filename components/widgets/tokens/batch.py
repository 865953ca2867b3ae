"""A batch as the model reads it: a grid of tokens and ids, and the tensors."""

from __future__ import annotations

from typing import Any

from components.widgets.html import escape, facts, notice, table
from components.widgets.tokens.text import folded

#: Most rows and columns of the grid that are drawn.
_ROWS, _COLUMNS = 24, 64
_MATRICES = {
    "ids": "input_ids",
    "attention_mask": "attention_mask",
    "token_type_ids": "token_type_ids",
    "special_tokens_mask": "special_tokens_mask (not read by the model)",
}

_CELLS = (("text", "a token"), ("special", "special"), ("second", "second text"), ("pad", "padding, masked"))
_KEY = f"""<ul class="wb-key-list">{
    "".join(f'<li><i class="wb-cell-{kind}"></i>{said}</li>' for kind, said in _CELLS)
}</ul>"""


def collated_view(made: dict[str, Any]) -> str:
    """The batch of `collate`, but for what is wrong with it."""
    return _stated(made) + "".join(map(notice, made["notes"])) + _grid(made) + _tensors(made)


def verdict(made: dict[str, Any]) -> str:
    """The tensor's shape, or why there is none, of the answer of `collate`."""
    error = made["error"]
    if error is None:
        shape = made["shape"]
        told = f"{shape[0]:,} rows of {shape[1]:,} tokens: a tensor of the shape ({shape[0]}, {shape[1]})."
        return notice(told, "success") if shape else ""
    words = f'<pre class="wb-json" tabindex="0">{escape(error["type"])}: {escape(error["message"])}</pre>'
    return notice(error["why"], "warning", title="There is no tensor.") + folded("What the library says", words)


def _stated(made: dict[str, Any]) -> str:
    counts, pad = made["counts"], made["pad"]
    borrowed = ", the end-of-text token" if pad and pad["borrowed"] else ""
    return facts(
        [
            ("Texts", f"{counts['texts']:,}"),
            ("Rows", f"{counts['rows']:,}"),
            ("Cells", f"{counts['cells']:,}"),
            (
                "Padding",
                f"{counts['padding']:,} ({100 * counts['padding_share']:.0f} %)" if counts["padding"] else None,
            ),
            ("Tokens cut off", f"{counts['cut']:,}" if counts["cut"] else None),
            ("Padding token", f"{pad['token']} (id {pad['id']}{borrowed}), on the {pad['side']}" if pad else "none"),
        ]
    )


def _grid(made: dict[str, Any]) -> str:
    rows = made["rows"][:_ROWS]
    if not rows:
        return ""
    width = min(_COLUMNS, max(len(row["ids"]) for row in rows))
    several = any(row["window"] for row in rows)
    head = "".join(f'<th class="wb-num">{place}</th>' for place in range(width))
    body = "".join(_grid_row(row, width, several=several) for row in rows)
    more = made["counts"]["rows"] - len(rows)
    wide = max(len(row["ids"]) + row["hidden"] for row in rows) - width
    left_out = [f"{more:,} more rows" if more > 0 else "", f"{wide:,} more columns" if wide > 0 else ""]
    rest = " and ".join(part for part in left_out if part)
    return (
        '<div class="wb-table wb-grid" role="region" aria-label="The batch" tabindex="0"><table><thead><tr>'
        f"<th>Row</th>{head}</tr></thead><tbody>{body}</tbody></table></div>{_KEY}"
        + (f'<p class="wb-lead">{rest} are not drawn.</p>' if rest else "")
    )


def _grid_row(row: dict[str, Any], width: int, *, several: bool) -> str:
    name = f"{row['sample'] + 1}" + (f", window {row['window'] + 1}" if several else "")
    cells = "".join(_cell(row, place) for place in range(min(width, len(row["ids"]))))
    missing = "<td></td>" * (width - len(row["ids"]))
    return f"<tr><th>{name}</th>{cells}{missing}</tr>"


def _cell(row: dict[str, Any], place: int) -> str:
    second = row["token_type_ids"] is not None and row["token_type_ids"][place] == 1
    if row["attention_mask"][place] == 0:
        kind = "pad"
    elif row["special_tokens_mask"][place]:
        kind = "special"
    else:
        kind = "second" if second else "text"
    return f'<td class="wb-cell-{kind}">{escape(row["tokens"][place])}<small>{row["ids"][place]}</small></td>'


def _tensors(made: dict[str, Any]) -> str:
    """What each tensor is for, and its numbers."""
    rows = [(one["name"], tuple(one["shape"]), one["dtype"], one["meaning"]) for one in made["tensors"]]
    listed = table(["Tensor", "Shape", "Type", "What it says"], rows, label="Tensors of the batch") if rows else ""
    matrices = "".join(
        folded(title, _matrix([row[key][:_COLUMNS] for row in made["rows"][:_ROWS]]), opened=key == "attention_mask")
        for key, title in _MATRICES.items()
        if made["rows"] and made["rows"][0][key] is not None
    )
    return listed + matrices


def _matrix(rows: list[list[int]]) -> str:
    """Numbers in columns, right-aligned."""
    width = max((len(str(number)) for row in rows for number in row), default=1)
    lines = "\n".join("[" + " ".join(str(number).rjust(width) for number in row) + "]" for row in rows)
    return f'<pre class="wb-json" tabindex="0">{lines}</pre>'
