"""Changing one field or section of a card, and nothing else: every other byte stays as it is.

Only the piece of the metadata in which a value stands is written anew. Then the card is read again: the field must
hold what was wanted, for readers of YAML 1.1 and 1.2 alike, and everything else what it held before. Where that cannot
be had (a value that an alias shares, say), the change is refused, and nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from components.cardrules.values import DEPTH
from components.service.cards.document import CARD_BYTES, FRONT_BYTES, Unreadable, front_span
from components.service.cards.outline import newline_of, with_section
from components.service.cards.paths import Keys, read_path, write_path
from components.service.cards.renaming import with_key, with_line
from components.service.cards.splice import OddPlace, Piece, add, cut, put
from components.service.cards.tree import Node, anchors, child, find, read_tree, reads_as, shape
from components.service.cards.writing import Style, block
from components.service.errors import WorkbenchError
from components.service.tasks.texts import check_characters

#: Most changes of one call, and most text that is read again in it; a change of more steps writes its value whole.
CHANGES, STEPS, READ_AGAIN = 200, 20, 2_000_000


def edit(text: str, changes: Any) -> str:
    """The card with changes made, in their order.

    Args:
        text: The whole card.
        changes: `[{"field": PATH, "value": JSON}]` sets a field of the metadata; null takes it out of its mapping or
            list, and a number one past the end of a list adds to it. A key that is given twice is given once
            afterwards. `[{"section": TITLE, "text": MARKDOWN}]` replaces what stands under a heading; a section that is
            not there is put where the template has it; null takes it away with its heading. `[{"field": PATH, "rename":
            KEY}]` gives a key another name. `[{"line": NUMBER, "text": TEXT}]` replaces one line of the card, counted
            from 1; null takes it away.

    Raises:
        WorkbenchError: A change is not in this form, or cannot be made alone; `field` names the field or section.
    """
    check_card(text)
    if not isinstance(changes, list) or len(changes) > CHANGES:
        raise WorkbenchError(
            f'Give a list of at most {CHANGES} changes, each {{"field": ..., "value": ...}} or '
            '{"section": ..., "text": ...}.',
            field="changes",
        )
    left = READ_AGAIN
    for change in changes:
        if isinstance(change, dict) and change.keys() == {"field", "value"}:
            text, spent = _with_field(text, read_path(change["field"]), change["value"], left)
            left -= spent
        elif isinstance(change, dict) and change.keys() == {"section", "text"}:
            text = with_section(text, change["section"], change["text"])
        elif isinstance(change, dict) and change.keys() == {"field", "rename"}:
            text = with_key(text, change["field"], change["rename"])
        elif isinstance(change, dict) and change.keys() == {"line", "text"}:
            text = with_line(text, change["line"], change["text"])
        else:
            raise WorkbenchError(
                'Each change is {"field": ..., "value": ...} or {"section": ..., "text": ...}.', field="changes"
            )
    if len(text.encode()) > CARD_BYTES:
        raise WorkbenchError(
            f"The card would be longer than {CARD_BYTES:,} bytes. Move long tables or logs into files of their own.",
            field="text",
        )
    return text


def line_of(text: str, path: str) -> int | None:
    """The line, counted from 1, on which a field of the metadata stands; None if it is not there.

    Raises:
        WorkbenchError: The metadata cannot be read.
    """
    keys, front = read_path(path), _Front(text)
    parent = find(front.root, keys[:-1])
    if parent is None or (node := child(parent, keys[-1])) is None:
        return None
    number = next(at for at, item in enumerate(parent.items) if item is node)
    place = parent.keys[number].start if parent.keys else parent.dashes[number] if parent.dashes else node.start
    return front.line(place)


def check_card(text: Any) -> None:
    """Raise a `WorkbenchError` for what is no card, or too long for one."""
    if not isinstance(text, str):
        raise WorkbenchError("A card is text.", field="text")
    check_characters(text, "text")
    if len(text.encode()) > CARD_BYTES:
        raise WorkbenchError(f"The card is longer than {CARD_BYTES:,} bytes. Shorten it first.", field="text")


@dataclass(frozen=True)
class _Step:
    """One change of one value: `put` in its place, `add` at an end, `cut` out, or kept `once` of several."""

    what: str
    keys: Keys
    value: Any = None


class _Front:
    """A card taken apart: what stands before its metadata, the YAML with its last line break, and the rest.

    Raises:
        WorkbenchError: The metadata cannot be read.
    """

    def __init__(self, text: str) -> None:
        span = front_span(text)
        self.newline = newline_of(text)
        if span is None:
            # A front matter cannot end in a lone CR.
            self.newline = "\n" if self.newline == "\r" else self.newline
            mark = "\ufeff" if text.startswith("\ufeff") else ""
            gap = self.newline if text.removeprefix(mark) else ""
            self.before, self.source = f"{mark}---{self.newline}", ""
            self.after = f"---{self.newline}{gap}{text.removeprefix(mark)}"
        else:
            self.before, self.source, self.after = text[: span[0]], text[span[0] : span[1]], text[span[1] :]
        try:
            self.root = read_tree(self.source)
        except Unreadable as error:
            line = error.line + _breaks(self.before) + 1
            raise WorkbenchError(f"{error.message} Mend line {line} of the card first.", field="text") from None

    def line(self, place: int) -> int:
        return _breaks(self.before + self.source[:place]) + 1

    def whole(self) -> str:
        return self.before + self.source + self.after


def _with_field(text: str, keys: Keys, value: Any, left: int) -> tuple[str, int]:
    """The card with one field changed, and how much text was read again for it."""
    field = write_path(keys)
    _check_value(value, field)
    front = _Front(text)
    steps = _steps(front.root, keys, value, field)
    if len(steps) > STEPS:
        steps = [_Step("put", keys, value)]
    spent = (len(steps) + 1) * len(front.source)
    if spent > left:
        raise WorkbenchError(
            "These are too many changes at once of metadata this long. Save some of them first.", field=field
        )
    if not steps:
        return text, spent
    try:
        for step in steps:
            _take(front, step, field)
    except WorkbenchError:
        # In parts it cannot be had, because of the way it is written: then as a whole.
        front = _Front(text)
        if len(steps) == 1 or find(front.root, keys) is None:
            raise
        _take(front, _Step("put", keys, value), field)
    return front.whole(), spent


def _check_value(value: Any, field: str) -> None:
    parts, count = [(value, 0)], 0
    while parts:
        part, depth = parts.pop()
        count += len(part) + 1 if isinstance(part, str | list | dict) else 1
        if depth > DEPTH or count > FRONT_BYTES:
            raise WorkbenchError(f"The value for {field[:100]} is too large or nested too deep.", field=field)
        if isinstance(part, str):
            check_characters(part, field)
        elif isinstance(part, dict) and all(isinstance(key, str) for key in part):
            parts += [(inner, depth + 1) for entry in part.items() for inner in entry]
        elif isinstance(part, list):
            parts += [(inner, depth + 1) for inner in part]
        elif not (part is None or isinstance(part, bool) or _is_number(part)):
            raise WorkbenchError(f"The value for {field[:100]} is not made of JSON values.", field=field)


def _is_number(value: Any) -> bool:
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    return isinstance(value, int) and abs(value) < 10**300


def _steps(root: Node | None, keys: Keys, value: Any, field: str) -> list[_Step]:
    """What must be done so that the value stands at that path; empty if it does already.

    Raises:
        WorkbenchError: The path leads through something that is no mapping or list, or through an alias.
    """
    node, named = root, anchors(root)
    for depth, key in enumerate(keys):
        if node is None or node.null:
            made = _nested(keys[depth:], value, field)
            if value is None:
                return []
            return [
                _Step("put", keys[:depth], made) if depth else _Step("add", keys[:1], _nested(keys[1:], value, field))
            ]
        _check_way(node, key, write_path(keys[:depth]) or "the metadata", field)
        found = child(node, key)
        merges = any(name.text == "<<" for name in node.keys)
        if found is None and merges and (value is None or depth + 1 < len(keys)):
            raise WorkbenchError(f"{field} may come from another mapping through <<. Change it there.", field=field)
        if found is None and value is None:
            return []
        if found is None:
            return [_Step("add", keys[: depth + 1], _nested(keys[depth + 1 :], value, field))]
        again = node.kind == "map" and sum(name.text == key for name in node.keys) > 1
        if again and depth == len(keys) - 1 and value is not None:
            return [_Step("once", keys), *_changes(found, keys, value, named)]
        node = found
    assert node is not None
    return [_Step("cut", keys)] if value is None else list(_changes(node, keys, value, named))


def _check_way(node: Node, key: str | int, where: str, field: str) -> None:
    if node.kind == "alias":
        raise WorkbenchError(
            f"{where} is an alias, *{node.text}: it stands for a value elsewhere in the card. Change it there, or "
            "write it out here first.",
            field=field,
        )
    if isinstance(key, int) and node.kind == "list":
        if key > len(node.items):
            raise WorkbenchError(f"{where} has {len(node.items)} entries, so {field} would leave a gap.", field=field)
    elif isinstance(key, int) or node.kind != "map":
        kind = {"map": "keys with values", "list": "a list", "scalar": "a single value"}[node.kind]
        raise WorkbenchError(f"{where} holds {kind}, so there is no {field} in it. Change {where} itself.", field=field)


def _nested(keys: Keys, value: Any, field: str) -> Any:
    """The value inside new mappings and lists, as a path leads to it."""
    for key in reversed(keys):
        if isinstance(key, int) and key:
            raise WorkbenchError(f"There is no list yet for {field}. Begin with its entry 0.", field=field)
        value = [value] if isinstance(key, int) else {key: value}
    return value


def _changes(node: Node, keys: Keys, value: Any, named: dict[str, Node]) -> Iterable[_Step]:
    """Steps from what stands there to the value, as deep inside as they can be, so that comments stay."""
    if reads_as(node, value, named):
        return
    names = [key.text for key in node.keys]
    if node.kind == "map" and isinstance(value, dict) and len({*names, "<<"}) > len(names) and {*names} & {*value}:
        yield from (_Step("cut", (*keys, name)) for name in names if name not in value)
        for name, item in value.items():
            if name in names:
                yield from _changes(node.items[names.index(name)], (*keys, name), item, named)
            else:
                yield _Step("add", (*keys, name), item)
    elif node.kind == "list" and isinstance(value, list) and value and node.items:
        yield from _list_changes(node, keys, value, named)
    else:
        yield _Step("put", keys, value)


def _list_changes(node: Node, keys: Keys, value: list[Any], named: dict[str, Node]) -> Iterable[_Step]:
    """The entries that differ between equal beginnings and equal ends."""
    old, first, last = node.items, 0, 0
    while first < min(len(old), len(value)) and reads_as(old[first], value[first], named):
        first += 1
    while last < min(len(old), len(value)) - first and reads_as(old[-1 - last], value[-1 - last], named):
        last += 1
    kept = min(len(old), len(value)) - last
    for at in range(first, kept):
        yield from _changes(old[at], (*keys, at), value[at], named)
    for at in reversed(range(kept, len(old) - last)):
        yield _Step("cut", (*keys, at))
    for at in range(kept, len(value) - last):
        yield _Step("add", (*keys, at), value[at])


def _take(front: _Front, step: _Step, field: str) -> None:
    """Take a step in the source, and hold the outcome to what was wanted.

    Raises:
        WorkbenchError: The step cannot be taken without changing something else.
    """
    before = front.root
    if before is not None:
        _check_shared(before, step, field)
    style = _style(before, front.newline)
    for careful in (False, True):
        try:
            pieces = _pieces(front.source, before, step, replace(style, careful=careful))
            source = _spliced(front.source, pieces, front.newline)
            after = read_tree(source)
        except (OddPlace, Unreadable):
            continue
        source = source or front.newline
        span = front_span(front.before + source + front.after)
        if span == (len(front.before), len(front.before) + len(source)) and _holds(before, after, step):
            front.source, front.root = source, after
            return
    where = find(before, step.keys) or find(before, step.keys[:-1]) or before
    line = front.line(where.start if where else 0)
    raise WorkbenchError(
        f"{field[:200]} cannot be changed without changing more of the card. Edit line {line} of its source.",
        field=field,
    )


def _check_shared(root: Node, step: _Step, field: str) -> None:
    """Refuse to change what an alias elsewhere repeats: it would change there as well."""
    ways = [find(root, step.keys[:depth]) for depth in range(len(step.keys))]
    parent, key = ways[-1], step.keys[-1]
    gone: list[Node] = []
    if parent is not None and step.what != "add":
        gone = [parent.items[number] for number in _numbers(parent, key)]
    inside = [node for value in gone for node in value.walk()]
    within = {id(node) for node in inside}
    used = {node.text for node in root.walk() if node.kind == "alias" and id(node) not in within}
    for node in (*ways, *inside):
        if node is not None and node.anchor in used:
            raise WorkbenchError(
                f"{field[:200]} is used elsewhere in the card, as *{node.anchor}, and would change there too. Write it "
                "out there first.",
                field=field,
            )


def _numbers(parent: Node, key: str | int) -> list[int]:
    """Where the values of a key stand among the values of its mapping; for a list the number alone."""
    return [key] if isinstance(key, int) else [at for at, name in enumerate(parent.keys) if name.text == key]


def _pieces(source: str, root: Node | None, step: _Step, style: Style) -> list[Piece]:
    *way, key = step.keys
    if root is None:
        made = "".join(line + style.newline for line in block({key: step.value}, 0, style))
        return [(len(source) if source.strip() else 0, len(source), made)]
    parent = find(root, tuple(way))
    assert parent is not None
    if step.what == "add":
        return add(source, parent, key, step.value, style)
    numbers = _numbers(parent, key)
    if step.what == "put":
        return put(source, parent, numbers[-1], step.value, style)
    if step.what == "once":
        return cut(source, parent, numbers[:-1])
    if len(numbers) < len(parent.items) or (parent is root and not root.flow and not style.careful):
        return cut(source, parent, numbers)
    if parent is root:
        # Nothing at all would do, but not before the mark ... that ends a document.
        return [(root.start, root.end, "{}")]
    above = find(root, tuple(way[:-1]))
    assert above is not None
    return put(source, above, _numbers(above, way[-1])[-1], [] if parent.kind == "list" else {}, style)


def _spliced(source: str, pieces: list[Piece], newline: str) -> str:
    for start, end, new in sorted(pieces, key=lambda piece: piece[0], reverse=True):
        source = source[:start] + new + source[end:]
    return source if not source or source.endswith(("\n", "\r")) else source + newline


def _holds(before: Node | None, after: Node | None, step: _Step) -> bool:
    """Whether the wanted value stands there now, and all else is as it was."""
    keys = step.keys
    if step.what == "cut":
        return bool(shape(before, keys) == shape(after))
    if step.what == "once":
        parent = find(after, keys[:-1])
        alone = parent is not None and len(_numbers(parent, keys[-1])) == 1
        kept = shape(find(before, keys)) == shape(find(after, keys))
        return bool(alone and kept and shape(before, keys) == shape(after, keys))
    kept = shape(before, keys if step.what == "put" else None) == shape(after, keys)
    return kept and reads_as(find(after, keys), step.value, anchors(after))


def _style(root: Node | None, newline: str) -> Style:
    """How the card moves in its lists and mappings: as its first ones."""
    dash = indent = None
    for node in root.walk() if root is not None else ():
        for item in node.items if node.kind == "map" and not node.flow else ():
            if item.kind == "list" and not item.flow and dash is None:
                dash = max(0, item.column - node.column)
            if item.kind == "map" and not item.flow and indent is None:
                indent = max(1, item.column - node.column)
    return Style(newline, 0 if dash is None else dash, indent or 2)


def _breaks(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))
