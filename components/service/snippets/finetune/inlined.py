"""Functions of the app itself, put into a script with all that they need: one definition, in two places.

Sources are read, not imported: some of them need libraries that the web process does without.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = "components."
#: How definitions begin that stand apart.
_BLOCKS = ("def ", "class ")
_ROOT = Path(__file__).parents[4]


@dataclass(frozen=True)
class _Source:
    """A module: the text that defines each name, the names that this speaks of, and where other names come from."""

    texts: dict[str, str]
    needs: dict[str, tuple[str, ...]]
    imports: dict[str, tuple[str, str]]


def inlined(module: str, *names: str) -> tuple[str, list[str]]:
    """Definitions of a module's names and of what they need, constants first, and the lines of imports.

    Args:
        module: A module of the app, such as `components.service.runs.remedies`.
        names: Functions and constants of it.
    """
    found: dict[tuple[str, str], str] = {}
    imports: dict[str, None] = {}
    for name in names:
        _gather(module, name, found, imports)
    functions = [f"\n\n{text}" for text in found.values() if text.startswith(_BLOCKS)]
    constants = [text for text in found.values() if not text.startswith(_BLOCKS)]
    return "\n".join([*constants, *functions]), list(imports)


def _gather(module: str, name: str, found: dict[tuple[str, str], str], imports: dict[str, None]) -> None:
    source = _source(module)
    if name in source.imports:
        origin, original = source.imports[name]
        if origin.startswith(_PACKAGE):
            _gather(origin, original, found, imports)
        else:
            imports[f"from {origin} import {original}" if original else f"import {origin}"] = None
        return
    if (module, name) in found:
        return
    found[module, name] = ""  # holds no place: a function may need itself
    for needed in source.needs[name]:
        _gather(module, needed, found, imports)
    del found[module, name]
    found[module, name] = source.texts[name]


@cache
def _source(module: str) -> _Source:
    text = (_ROOT / f"{module.replace('.', '/')}.py").read_text("utf-8")
    lines = text.splitlines()
    tree = ast.parse(text)
    defined = {name: statement for statement in tree.body for name in _names(statement)}
    imports = {name: origin for statement in tree.body for name, origin in _imported(statement)}
    known = {*defined, *imports}
    needs = {name: tuple(_spoken(statement, known - {name})) for name, statement in defined.items()}
    return _Source({name: _text(lines, statement) for name, statement in defined.items()}, needs, imports)


def _names(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    targets = [statement.target] if isinstance(statement, ast.AnnAssign) else targets
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _imported(statement: ast.stmt) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each name that a statement imports, with its module and its name there; none of a whole module."""
    if isinstance(statement, ast.ImportFrom) and statement.module:
        yield from ((one.asname or one.name, (statement.module, one.name)) for one in statement.names)
    if isinstance(statement, ast.Import):
        yield from ((one.name, (one.name, "")) for one in statement.names)


def _spoken(statement: ast.stmt, known: set[str]) -> Iterator[str]:
    """The known names that a statement speaks of, each once, in the order of the text."""
    spoken = [node for node in ast.walk(statement) if isinstance(node, ast.Name) and node.id in known]
    yield from dict.fromkeys(node.id for node in sorted(spoken, key=lambda node: (node.lineno, node.col_offset)))


def _text(lines: list[str], statement: ast.stmt) -> str:
    """A statement as it is written, with the remarks above it."""
    start = statement.lineno - 1
    while start and lines[start - 1].startswith("#:"):
        start -= 1
    return "\n".join(re.sub("^#:", "#", line) for line in lines[start : statement.end_lineno])
