"""The metadata of a card as a tree that knows where each value stands, to the character.

It is built from the events of the YAML reader, so nothing is made of what they say: no tag is obeyed and no alias is
followed. All places count in characters of the YAML source, which ends with a line break.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from components.cardrules.reading import ALIASES, Unreadable
from components.cardrules.values import DEPTH, NODES
from components.service.cards.document import FRONT_BYTES
from components.service.cards.paths import Keys

#: libyaml where PyYAML was built with it: ten times as fast, and its places are the same.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BLANK = re.compile(r"(?:[ \t\r\n]|(?:(?<=[ \t\r\n])|\A)#[^\r\n]*)*")
_BREAK = re.compile(r"\r\n|\r|\n")
_QUESTION = re.compile(r"\?[ \t]+\Z")
_NULLS = ("", "~", "null", "Null", "NULL")
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FRACTION = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
#: Plain words that some reader of YAML 1.1 or 1.2 takes for something other than a text.
_OTHER = re.compile(
    r"~|null|true|false|yes|no|on|off|y|n|=|<<|[-+]?\.(inf|nan)|[-+]?0x[0-9a-f_]+|[-+]?0o?[0-7_]+|[-+]?0b[01_]+"
    r"|[-+]?(\.[0-9]|[0-9])[0-9_]*(\.[0-9_]*)?(e[-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?",
    re.IGNORECASE,
)


@dataclass
class Node:
    """A value, or the key of one.

    Attributes:
        kind: What it is.
        start: Where it begins, with its anchor and tag.
        end: Where its last character ends; after that only a comment can stand in the line, unless `flow`.
        column: In which column it begins, without its anchor and tag.
        flow: Whether it stands between brackets, or is such brackets itself.
        text: The text of a scalar as YAML reads it; the name of an alias.
        style: Empty for a plain scalar, else its mark: a quote, `|` or `>`.
        keys, items: Of a mapping its keys and values; of a list its items.
        dashes: Of a list without brackets, where each dash stands.
    """

    kind: Literal["scalar", "alias", "list", "map"]
    start: int
    end: int
    column: int
    flow: bool = False
    text: str = ""
    style: str = ""
    tag: str | None = None
    anchor: str | None = None
    keys: list[Node] = field(default_factory=list)
    items: list[Node] = field(default_factory=list)
    dashes: list[int] = field(default_factory=list)

    @property
    def null(self) -> bool:
        """Whether it is a null, written out or not."""
        return self.kind == "scalar" and not self.style and self.tag is None and self.text in _NULLS

    def walk(self) -> Iterator[Node]:
        """Itself and all that is in it."""
        yield self
        for child in (*self.keys, *self.items):
            yield from child.walk()


def read_tree(source: str) -> Node | None:
    """The tree of a card's metadata; None where it holds no value.

    Raises:
        Unreadable: It is too large, no YAML, or no mapping; lines count from 0 within the source.
    """
    if len(source.encode("utf-8", "replace")) > FRONT_BYTES:
        raise Unreadable("The metadata is too long to be read here.", 0)
    try:
        root = _Builder(source).build()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise Unreadable(f"The metadata is not valid YAML: {problem}.", mark.line if mark else 0) from None
    if root is None or root.null:
        return None
    if root.kind != "map":
        raise Unreadable("The metadata must be keys with values, such as `license: mit`.", 0)
    return root


class _Builder:
    """Makes the tree of one source, within bounds and without recursion."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.open: list[Node] = []
        self.root: Node | None = None
        self.count = self.aliases = self.documents = 0

    def build(self) -> Node | None:
        for event in yaml.parse(self.source, Loader=_Loader):
            if isinstance(event, yaml.CollectionEndEvent):
                self._close(event)
            elif isinstance(event, yaml.NodeEvent):
                self._add(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
        if self.documents > 1:
            raise Unreadable("The metadata holds more than one document.", 0)
        return self.root

    def _add(self, event: Any) -> None:
        self.count += 1
        self.aliases += isinstance(event, yaml.AliasEvent)
        if self.aliases > ALIASES:
            raise Unreadable(
                f"The metadata uses more than {ALIASES} aliases; a card needs none.", event.start_mark.line
            )
        if self.count > NODES or len(self.open) > DEPTH:
            raise Unreadable("The metadata is too large or nested too deep.", event.start_mark.line)
        node = self._node(event)
        parent = self.open[-1] if self.open else None
        if parent is None:
            self.root = node
        elif parent.kind == "map" and len(parent.keys) == len(parent.items):
            if not parent.keys and not parent.flow:
                begin = key_start(self.source, node)
                parent.column = begin - line_start(self.source, begin)
            parent.keys.append(node)
        else:
            self._place(parent, node)
            parent.items.append(node)
        if node.kind in ("list", "map"):
            self.open.append(node)

    def _node(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        node = Node("scalar", start, end, event.start_mark.column, anchor=event.anchor)
        node.flow = bool(self.open and self.open[-1].flow)
        if isinstance(event, yaml.AliasEvent):
            node.kind, node.text, node.anchor = "alias", str(event.anchor), None
            return node
        node.tag = event.tag
        if isinstance(event, yaml.ScalarEvent):
            node.text, node.style = event.value, event.style or ""
            if node.style in ("|", ">"):
                node.end = self._block_end(start, end)
            return node
        node.kind = "list" if isinstance(event, yaml.SequenceStartEvent) else "map"
        node.flow = bool(event.flow_style)
        return node

    def _block_end(self, start: int, end: int) -> int:
        """Where a block scalar ends: without its last line break, and without empty lines that it does not keep."""
        text = self.source[start:end]
        keeps = "+" in _BREAK.split(text, maxsplit=1)[0]
        return start + (len(_without_break(text)) if keeps else len(text.rstrip("\r\n")))

    def _place(self, parent: Node, node: Node) -> None:
        """Note where the dash of an item stands, and give an empty value its place right behind dash or colon."""
        if parent.kind == "map":
            slot = after_colon(self.source, parent.keys[-1])
        elif parent.flow:
            slot = None
        else:
            dash = skip(self.source, parent.items[-1].end if parent.items else self._after_properties(parent))
            parent.dashes.append(dash)
            if not parent.items:
                parent.column = dash - line_start(self.source, dash)
            slot = dash + 1
        if slot is not None and node.start == node.end:
            node.start = node.end = slot

    def _after_properties(self, node: Node) -> int:
        place = node.start
        while self.source[place] in "&!":
            place = skip(self.source, place + len(re.split(r"\s", self.source[place:], maxsplit=1)[0]))
        return place

    def _close(self, event: Any) -> None:
        node = self.open.pop()
        if node.flow:
            node.end = event.end_mark.index
        else:
            node.end = node.items[-1].end if node.items else event.start_mark.index


def skip(source: str, place: int) -> int:
    """The next place that holds neither white space nor a comment."""
    match = _BLANK.match(source, place)
    return match.end() if match else place


def after_colon(source: str, key: Node) -> int | None:
    """The place behind the colon of a key; None where it has none."""
    place = skip(source, key.end)
    return place + 1 if source[place : place + 1] == ":" else None


def key_start(source: str, key: Node) -> int:
    """Where a key begins, with the question mark that it may have."""
    match = _QUESTION.search(source, line_start(source, key.start), key.start)
    return match.start() if match else key.start


def line_start(source: str, place: int) -> int:
    """Where the line of a place begins."""
    after = source.rfind("\n", 0, place) + 1
    return max(after, source.rfind("\r", after, place) + 1)


def line_end(source: str, place: int) -> int:
    """Where the line of a place ends, before its line break."""
    match = _BREAK.search(source, place)
    return match.start() if match else len(source)


def next_line(source: str, place: int) -> int:
    """Where the line after that of a place begins."""
    match = _BREAK.search(source, place)
    return match.end() if match else len(source)


def _without_break(text: str) -> str:
    return text[:-2] if text.endswith("\r\n") else text[:-1] if text[-1:] in ("\r", "\n") else text


def child(node: Node, key: str | int) -> Node | None:
    """The value of a key (of one that comes twice, the last) or the item of that number."""
    if isinstance(key, int):
        return node.items[key] if node.kind == "list" and key < len(node.items) else None
    found = [value for name, value in zip(node.keys, node.items, strict=True) if name.text == key]
    return found[-1] if node.kind == "map" and found else None


def find(root: Node | None, keys: Keys) -> Node | None:
    """The value that stands at a path; None if there is none, or only through an alias."""
    node = root
    for key in keys:
        node = child(node, key) if node is not None else None
    return node


def shape(node: Node | None, without: Keys | None = None) -> Any:
    """All that a tree says, wherever it stands and however it is quoted; `without` what stands at a path."""
    if node is None:
        return ("map", None, None, ())
    if node.kind in ("scalar", "alias"):
        return (node.kind, node.tag, node.anchor, node.text, bool(node.style))
    parts: list[Any] = []
    for number, item in enumerate(node.items):
        key: str | int = node.keys[number].text if node.kind == "map" else number
        inner = without[1:] if without and without[0] == key else None
        if inner != ():
            name = shape(node.keys[number]) if node.kind == "map" else None
            parts.append((name, shape(item, inner)))
    return (node.kind, node.tag, node.anchor, tuple(parts))


def is_text(word: str) -> bool:
    """Whether every reader of YAML takes this plain word for a text."""
    return word not in _NULLS and not _OTHER.fullmatch(word)


def anchors(root: Node | None) -> dict[str, Node]:
    """The values that aliases may stand for, by name; without names that are given twice."""
    named: dict[str, list[Node]] = {}
    for node in root.walk() if root is not None else ():
        if node.anchor is not None:
            named.setdefault(node.anchor, []).append(node)
    return {name: nodes[0] for name, nodes in named.items() if len(nodes) == 1}


def reads_as(node: Node | None, value: Any, named: Mapping[str, Node]) -> bool:
    """Whether readers of YAML 1.1 and of YAML 1.2 both find this JSON value there; `named` are the `anchors`."""
    if node is not None and node.kind == "alias":
        return node.text in named and reads_as(named[node.text], value, named)
    if node is None or (node.tag is not None and node.tag != "tag:yaml.org,2002:str"):
        return False
    if node.kind == "map":
        names = [key.text for key in node.keys]
        return (
            isinstance(value, dict)
            and sorted(names) == sorted(value)
            and all(_plain_key(key) for key in node.keys)
            and all(reads_as(item, value[name], named) for name, item in zip(names, node.items, strict=True))
        )
    if node.kind == "list":
        same = isinstance(value, list) and len(value) == len(node.items)
        return same and all(reads_as(item, part, named) for item, part in zip(node.items, value, strict=True))
    return _scalar_is(node, value)


def _plain_key(key: Node) -> bool:
    return key.kind == "scalar" and (bool(key.style) or is_text(key.text))


def _scalar_is(node: Node, value: Any) -> bool:
    if node.style or node.tag is not None:
        return isinstance(value, str) and node.text == value
    if isinstance(value, str):
        return node.text == value and is_text(value)
    if value is None:
        return node.null
    if isinstance(value, bool):
        return node.text in (("true", "True", "TRUE") if value else ("false", "False", "FALSE"))
    if isinstance(value, int | float) and _WHOLE.fullmatch(node.text) and len(node.text) < 4000:
        return int(node.text) == value
    return isinstance(value, int | float) and bool(_FRACTION.fullmatch(node.text)) and float(node.text) == value
