"""Pieces of Python text that the snippets are made of. Values enter it by `repr` only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from components.service.settings import HUGGING_FACE, is_loopback

_WIDTH = 88


def program(endpoint: str, imports: list[str], *parts: str) -> str:
    """A whole program: the Hub in use first (before anything reads it), then the imports, then the parts."""
    head = "\n".join(imports)
    if endpoint.rstrip("/") != HUGGING_FACE:
        where = f'os.environ["HF_ENDPOINT"] = {literal(endpoint.rstrip("/"))}  # {which_hub(endpoint)}'
        head = f"import os\n\n{where}\n\n{head}"
    return "\n\n".join([head, *(part for part in parts if part)]) + "\n"


def which_hub(endpoint: str) -> str:
    """What a remark says of a Hub other than huggingface.co."""
    own = is_loopback(urlsplit(endpoint).hostname or "")
    return "the Hub in use, which answers while the app runs" if own else "the Hub in use"


def call(function: str, *arguments: Any, indent: int = 0, **named: Any) -> str:
    """A call in one line, or one argument a line where it is long; a `Name` stands as it is."""
    given = [literal(one) for one in arguments] + [f"{name}={literal(one)}" for name, one in named.items()]
    line = f"{function}({', '.join(given)})"
    if len(line) + indent <= _WIDTH:
        return line
    return f"{function}(\n" + "".join(f"{' ' * (indent + 4)}{one},\n" for one in given) + f"{' ' * indent})"


class Name(str):
    """A name in the program, in distinction from a text."""

    __slots__ = ()


def literal(value: Any) -> str:
    """A JSON value as Python, texts in double quotes where that needs no escape; a `Name` stands as it is."""
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(literal(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{literal(key)}: {literal(one)}' for key, one in value.items())}}}"
    plain = repr(value)
    return f'"{plain[1:-1]}"' if plain.startswith("'") and '"' not in plain else plain


def origin(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments that pin a download: `revision`, where the commit is known."""
    commit = arguments.get("commit") or arguments.get("revision")
    return {"revision": str(commit)} if commit else {}


def model_id(arguments: Mapping[str, Any]) -> str:
    """The model's id."""
    return str(arguments.get("model") or "")


def remark(arguments: Mapping[str, Any]) -> str:
    """What has to be said of a model that is on no Hub."""
    if model_id(arguments).startswith("runs/"):
        return "# This run is on no Hub yet: publish it, and put the repository's id here."
    return ""
