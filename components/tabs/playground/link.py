"""A link that opens the playground as it is now: task, model, revision, inputs and parameters, but no secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from components.service.tasks import TASKS
from components.tabs.playground.asked import Asked
from components.tabs.playground.inputs import can_show
from components.tabs.playground.parameters import can_hold

#: Longest address that browsers and servers are sure to take, in characters.
MOST_CHARS = 6000
#: What looks like a key that opens something: of the Hub, of other services, private keys, web tokens, passwords.
_SECRET = re.compile(
    r"hf_\w{8,}|\b(?:sk|pk|rk)[-_][\w-]{12,}|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bxox[abprs]-[\w-]{8,}"
    r"|\bAKIA[0-9A-Z]{12,}|\bAIza[\w-]{20,}|-----BEGIN|\beyJ[\w-]{8,}\.[\w-]{8,}|\bglpat-[\w-]{8,}"
    r"|\b(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key)\b\s*[:=]\s*\S+",
    re.IGNORECASE,
)


def write_link(task: str, model: str, inputs: Any, parameters: dict[str, Any], revision: str | None) -> tuple[str, str]:
    """The query of a link, and a sentence about what it leaves out (empty where it leaves out nothing)."""
    query = {"task": task, "model": model, **({"revision": revision} if revision else {})}
    written = json.dumps({"inputs": inputs, "parameters": parameters}, ensure_ascii=False)
    if _SECRET.search(written):
        return urlencode(query), "The link leaves out inputs and parameters: something in them looks like a secret."
    if '"file":' in written:
        inputs = None
    kept = {
        **({"inputs": json.dumps(inputs, ensure_ascii=False)} if inputs not in (None, "") else {}),
        **({"parameters": json.dumps(parameters, ensure_ascii=False)} if parameters else {}),
    }
    whole = urlencode({**query, **kept})
    if len(whole) > MOST_CHARS:
        return urlencode(query), "The link leaves out inputs and parameters: they are too long for an address."
    return whole, "The link leaves out the file: only what is typed fits an address." if inputs is None else ""


def read_link(query: Mapping[str, str]) -> Asked | None:
    """What a link asks for, or None where it is no link to a view or has been tampered with."""
    spec = TASKS.get(query.get("task", ""))
    if spec is None:
        return None
    try:
        inputs = json.loads(query["inputs"]) if "inputs" in query else spec.example().inputs
        parameters = json.loads(query["parameters"]) if "parameters" in query else {}
    except (ValueError, RecursionError):
        return None
    if not isinstance(parameters, dict) or not can_show(spec, inputs):
        return None
    known = {one.name: one for one in spec.parameters}
    kept = {name: value for name, value in parameters.items() if name in known and can_hold(known[name], value)}
    return Asked(spec, query.get("model", ""), inputs, kept, query.get("revision") or None)
