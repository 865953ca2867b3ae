"""Reading the YAML of a card: safely, within bounds, quickly, and knowing where everything stands."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from components.cardrules.paths import below
from components.cardrules.values import DEPTH, NODES, plain

#: Most bytes of metadata, and most aliases in it.
BYTES = 100_000
ALIASES = 20
_BREAK = re.compile(r"\r\n|\r|\n")
_MERGE, _TEXT, _BOOL = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str", "tag:yaml.org,2002:bool"
#: What PyYAML's own converters raise on odd scalars, beside its own errors.
_ODD = (ValueError, LookupError, AttributeError, TypeError)
#: libyaml where PyYAML was built with it: ten times as fast.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Unreadable(ValueError):
    """The YAML cannot be read.

    Args:
        message: Why, in words.
        line: Where; `read` counts from 0 in what it was given.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


@dataclass
class Reading:
    """The YAML of a card.

    Attributes:
        value: It as plain JSON values: a mapping, or whatever else it is. Keys are texts, as they are written.
        lines: The line, counted from 0, of each value by its path: `license`, `widget[0].text`.
        twice: Keys that come again in their mapping: each path with the line of the later one.
        expanding: Paths whose value is an alias (`*a`) or takes in another mapping (`<<`), with their lines.
        tagged: Paths whose value has a tag of its own (`!!str`), with their lines.
        doubtful: Paths whose value is a text to the Hub and to YAML 1.2, but true or false to Python's YAML 1.1 (`no`,
            the code of Norwegian), with their lines.
    """

    value: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    twice: dict[str, int] = field(default_factory=dict)
    expanding: dict[str, int] = field(default_factory=dict)
    tagged: dict[str, int] = field(default_factory=dict)
    doubtful: dict[str, int] = field(default_factory=dict)


def read(source: str) -> Reading:
    """Read the YAML between the `---` of a card; of a key that comes twice the last counts.

    Raises:
        Unreadable: It is no YAML, uses what a card never needs (tags of Python, many aliases, deep nesting), or is too
            large.
    """
    if len(source.encode("utf-8", "replace")) > BYTES:
        raise Unreadable(f"The metadata is longer than {BYTES:,} bytes.")
    try:
        lines = Lines(source)
        tags = _look_through(source, lines)
        loader = _Loader(source)
        try:
            node = loader.get_single_node()
            found = Reading()
            if node is not None:
                _Places(found, tags, lines).visit(node, "", 0)
                found.value = plain(loader.construct_document(node))
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise Unreadable(_problem(error), Lines(source).of(mark) if mark else 0) from None
    except RecursionError:
        raise Unreadable("The metadata is nested too deeply.") from None
    except Unreadable:
        raise
    except _ODD as error:
        raise Unreadable(f"A value of the metadata is not what it looks like: {error}.") from None
    return found


class Lines:
    """The lines of a text as editors count them; YAML has some more breaks between lines than they."""

    def __init__(self, text: str) -> None:
        self._starts = [match.end() for match in _BREAK.finditer(text)]

    def of(self, mark: Any) -> int:
        """The line of a place, counted from 0."""
        return bisect_right(self._starts, mark.index)


def _look_through(source: str, lines: Lines) -> set[int]:
    """Where tags stand, found in the events, which take no memory, before anything is built from them.

    Raises:
        Unreadable: More aliases, depth or parts than a card has.
    """
    depth = aliases = 0
    tags = set()
    events: Iterator[Any] = yaml.parse(source, Loader=_Loader)
    for number, event in enumerate(events):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEPTH or number > NODES:
            raise Unreadable("The metadata is too large or nested too deeply.", lines.of(event.start_mark))
        aliases += isinstance(event, yaml.AliasEvent)
        if aliases > ALIASES:
            raise Unreadable(
                f"The metadata uses more than {ALIASES} aliases; a card needs none.", lines.of(event.start_mark)
            )
        if getattr(event, "tag", None):
            tags.add(event.start_mark.index)
    return tags


class _Places:
    """Notes where each value of a composed document stands.

    An alias composes to the very node of its anchor, so a node that is met again is an alias; what is under it keeps
    the places of the anchor.
    """

    def __init__(self, found: Reading, tags: set[int], lines: Lines) -> None:
        self.found = found
        self.lines = lines
        self.tags = tags
        self.met: set[int] = set()
        self.left = NODES

    def visit(self, node: Any, path: str, line: int) -> None:
        """Note a value and all that is in it.

        Raises:
            Unreadable: It holds itself, or becomes too large unfolded.
        """
        self.found.lines[path] = line
        self.left -= 1
        if self.left < 0:
            raise Unreadable("The metadata is too large once its aliases are unfolded.", line)
        if id(node) in self.met:
            self.found.expanding[path] = line
            return
        self.met.add(id(node))
        if node.start_mark.index in self.tags:
            self.found.tagged[path] = self.lines.of(node.start_mark)
        elif node.tag == _BOOL and node.value.lower() not in ("true", "false"):
            node.tag = _TEXT
            self.found.doubtful[path] = line
        for inner, value, at in self._parts(node, path, line):
            self.visit(value, inner, at)

    def _parts(self, node: Any, path: str, line: int) -> Iterator[tuple[str, Any, int]]:
        if isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                yield below(path, number), item, line if id(item) in self.met else self.lines.of(item.start_mark)
        elif isinstance(node, yaml.MappingNode):
            node.value = [(self._name(key), value) for key, value in node.value]
            # What stands in a value that is given again is not itself given twice.
            seen: set[str] = set()
            for key, value in node.value:
                yield from self._entry(key, value, path, seen)

    def _name(self, key: Any) -> Any:
        """A key as the text that it is written with, by which paths name it: `no` is no, not false."""
        odd = key.start_mark.index in self.tags and key.tag not in _Loader.yaml_constructors
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE or odd:
            return key
        return yaml.ScalarNode(_TEXT, key.value, key.start_mark, key.end_mark)

    def _entry(self, key: Any, value: Any, path: str, seen: set[str]) -> Iterator[tuple[str, Any, int]]:
        line = self.lines.of(key.start_mark)
        if key.tag == _MERGE:
            self.found.expanding[path] = line
            return
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        inner = below(path, name)
        if inner in seen:
            self.found.twice[inner] = line
        seen.add(inner)
        yield inner, value, line


def _problem(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or error)
    if "could not determine a constructor" in problem:
        tag = re.search(r"'(?:tag:yaml\.org,2002:)?([^']*)'", problem)
        return f"The metadata has the unsupported tag {tag[1][:80] if tag else ''}, which a card never needs."
    return f"The metadata is not valid YAML: {problem[:300]}."
