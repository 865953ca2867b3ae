"""The code that the page of the API shows for each endpoint: the call of its example, which runs as it stands.

Gradio writes the defaults of the arguments where there are any, with which most calls are refused, and for the shell a
line that works in zsh alone.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

from gradio import routes

from components.api_examples import EXAMPLES
from components.service.snippets.code import Name, call

_UPLOADED = "gradio.FileData"


def show_calls() -> None:
    """Let Gradio show these; it has no setting for it."""
    routes.generate_code_snippets = code_of  # type: ignore[assignment]
    routes.generate_cli_snippet = commands_of


def code_of(endpoint: str, _told: Any, root: str, space_id: str | None = None, api_prefix: str = "/") -> dict[str, str]:
    """The call of an endpoint's example, `{"python", "javascript", "bash"}`.

    Args:
        endpoint: Its name with a slash before it.
        root: The app's address.
        space_id: The Space that the app is, if it is one.
        api_prefix: What stands before the paths of calls.
    """
    example, place = EXAMPLES[endpoint.removeprefix("/")], space_id or root
    return {
        "python": _python(endpoint, example, place),
        "javascript": _javascript(endpoint, example, place),
        "bash": _bash(endpoint, example, f"{root.rstrip('/')}{api_prefix}"),
    }


def commands_of(endpoints: dict[str, Any]) -> dict[str, str]:
    """The call of each endpoint's example as a command; the page puts in what stands in braces."""
    return {
        endpoint: f"{{command}} predict {{space_id}} {endpoint} {shlex.quote(_sent(EXAMPLES[endpoint[1:]]))}"
        for endpoint in endpoints
    }


def _python(endpoint: str, example: dict[str, Any], place: str) -> str:
    file = ", handle_file" if _files(example) else ""
    given = _with_files(example, lambda name: Name(call("handle_file", name)))
    made = call("client.predict", **given, api_name=endpoint)
    return f"from gradio_client import Client{file}\n\nclient = {call('Client', place)}\nresult = {made}\nprint(result)"


def _javascript(endpoint: str, example: dict[str, Any], place: str) -> str:
    file = ", handle_file" if _files(example) else ""
    given = _json(_with_files(example, lambda name: f"<{name}>"), indent=2)
    for name in _files(example):
        given = given.replace(f'"<{name}>"', f"handle_file({_json(name)})")
    return (
        f'import {{ Client{file} }} from "@gradio/client";\n\nconst client = await Client.connect({_json(place)});\n'
        f"const result = await client.predict({_json(endpoint)}, {given});\nconsole.log(result.data);"
    )


def _bash(endpoint: str, example: dict[str, Any], address: str) -> str:
    names = _files(example)
    sent = shlex.quote(_sent(example, "<path>")).replace("<path>", "'$path'")
    lines = [f"path=$(curl -s {address}upload -F files=@{shlex.quote(name)} | cut -d '\"' -f 2)" for name in names]
    lines += [
        f'event=$(curl -s {address}call/v2{endpoint} -H "Content-Type: application/json" \\',
        f"  -d {sent} | cut -d '\"' -f 4)",
        f"curl -sN {address}call{endpoint}/$event",
    ]
    return "\n".join(lines)


def _sent(example: dict[str, Any], path: str = "") -> str:
    """An example as JSON, each of its files at `path`, or else beside whoever calls."""
    return _json(_with_files(example, lambda name: {"path": path or name, "meta": {"_type": _UPLOADED}}))


def _files(value: Any) -> list[str]:
    """The names of the files that an example uploads."""
    found: list[str] = []
    _with_files(value, found.append)
    return found


def _with_files(value: Any, place: Callable[[str], Any]) -> Any:
    """An example with what `place` gives for the name of each of its files."""
    if isinstance(value, list):
        return [_with_files(one, place) for one in value]
    if not isinstance(value, dict):
        return value
    if value.get("meta") == {"_type": _UPLOADED}:
        return place(PurePath(value["path"]).name)
    return {name: _with_files(one, place) for name, one in value.items()}


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
