"""The smallest piece of YAML that must be replaced so that one value is set, added or taken away.

Each function gives pieces `(start, end, text)` of the source; what is not named stays as it is, byte for byte. Whether
the source then says what was wanted is for the caller to read: what stands oddly may come out wrong here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from components.service.cards.tree import Node, after_colon, key_start, line_end, line_start, next_line, skip
from components.service.cards.writing import Style, block, entry, inline, is_block

Piece = tuple[int, int, str]


class OddPlace(Exception):
    """The value stands so that it cannot be replaced alone."""


def put(source: str, parent: Node, number: int, value: Any, style: Style) -> list[Piece]:
    """Replace the item of that number in a list or mapping."""
    node = parent.items[number]
    style = replace(style, quote=node.style if node.style in ("'", '"') else "")
    in_line = node.flow or (node.kind in ("scalar", "alias") and node.style not in ("|", ">"))
    if parent.flow or (node.flow and isinstance(value, dict | list)):
        return _put_inline(source, parent, number, inline(value, style, flow=True))
    if in_line and not is_block(value, style):
        return _put_inline(source, parent, number, inline(value, style))
    return _put_lines(source, parent, number, value, style)


def _put_inline(source: str, parent: Node, number: int, text: str) -> list[Piece]:
    node = parent.items[number]
    if node.start < node.end:
        return [(node.start, node.end, text)]
    slot = _slot(source, parent, number)
    return [(slot, slot, f" {text}")]


def _put_lines(source: str, parent: Node, number: int, value: Any, style: Style) -> list[Piece]:
    """Replace lines, by lines or by one: a comment behind the key or dash stays there."""
    node, slot, line = parent.items[number], _slot(source, parent, number), style.newline
    dash = parent.kind == "list"
    first, *rest = entry(value, parent.column, style, dash=dash)
    begin = _body(node)
    own = node.start == begin and source[line_start(source, begin) : begin].strip(" ") == ""
    if node.kind in ("list", "map") and not node.flow and own:
        comment = source[slot : node.start].split("#", 1)
        head: list[Piece] = [(slot, slot, first)] if first else []
        if dash and rest and len(comment) > 1:
            rest, head = block(value, parent.column + 2, style), []
        gone = (line_start(source, begin), next_line(source, node.end))
        return [*head, (*gone, "".join(text + line for text in rest))]
    rest_of_line = source[node.end : line_end(source, node.end)]
    tail = rest_of_line if "#" in rest_of_line and node.style not in ("|", ">") else ""
    if tail and dash and rest and not isinstance(value, str):
        first, rest = "", block(value, parent.column + 2, style)
    start = slot if "#" not in source[slot : node.start] else node.start
    return [(start, next_line(source, node.end), first + tail + line + "".join(text + line for text in rest))]


def add(source: str, parent: Node, key: str | int, value: Any, style: Style) -> list[Piece]:
    """Put a key with its value at the end of a mapping, or an item into a list, before the one that has its number."""
    if parent.flow:
        return _add_flow(source, parent, key, value, style)
    made = block([value] if isinstance(key, int) else {key: value}, parent.column, style)
    place = next_line(source, parent.end)
    if isinstance(key, int) and key < len(parent.items):
        place = line_start(source, parent.dashes[key])
        if source[place : parent.dashes[key]].strip(" "):
            raise OddPlace
    return [(place, place, "".join(line + style.newline for line in made))]


def _add_flow(source: str, parent: Node, key: str | int, value: Any, style: Style) -> list[Piece]:
    text = inline(value, style, flow=True)
    text = text if isinstance(key, int) else f"{inline(key, style, flow=True)}: {text}"
    if source[parent.end - 1] not in "]}":
        raise OddPlace
    if not parent.items:
        return [(parent.end - 1, parent.end - 1, text)]
    if isinstance(key, int) and key < len(parent.items):
        start = parent.items[key].start
        return [(start, start, f"{text}, ")]
    end = parent.items[-1].end
    return [(end, end, f", {text}")]


def cut(source: str, parent: Node, numbers: list[int]) -> list[Piece]:
    """Take items out of a list or mapping that keeps others."""
    return [(_cut_flow if parent.flow else _cut_lines)(source, parent, number) for number in numbers]


def _cut_lines(source: str, parent: Node, number: int) -> Piece:
    node, begins = parent.items[number], [key_start(source, key) for key in parent.keys] or parent.dashes
    begin = begins[number]
    start, after = line_start(source, begin), next_line(source, node.end)
    if source[start:begin].strip(" ") == "":
        return start, after, ""
    if number + 1 == len(begins):
        raise OddPlace
    following = begins[number + 1]
    if source[after:following].strip() == "":
        return begin, following, ""
    return begin, line_end(source, node.end), ""


def _cut_flow(source: str, parent: Node, number: int) -> Piece:
    starts = [key.start for key in parent.keys] or [item.start for item in parent.items]
    ends = [item.end for item in parent.items]
    comma = skip(source, ends[number])
    if source[comma] == ",":
        end = comma + 1
        while source[end] in " \t":
            end += 1
        start = line_start(source, starts[number])
        if source[start : starts[number]].strip() == "" and source[end] in "\r\n":
            return start, next_line(source, end), ""
        return starts[number], end, ""
    if number and "#" not in source[ends[number - 1] : starts[number]]:
        return ends[number - 1], ends[number], ""
    return starts[number], ends[number], ""


def _slot(source: str, parent: Node, number: int) -> int:
    """The place behind the colon or dash of an item."""
    slot = after_colon(source, parent.keys[number]) if parent.kind == "map" else parent.dashes[number] + 1
    if slot is None:
        raise OddPlace
    return slot


def _body(node: Node) -> int:
    """Where a value begins, behind its anchor and tag."""
    if node.flow or node.kind in ("scalar", "alias"):
        return node.start
    return node.dashes[0] if node.dashes else node.keys[0].start
