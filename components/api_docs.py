"""What the page of the API, and MCP, say of an endpoint: from the docstring of its function, with an example."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.api_examples import EXAMPLES

_SECTION = re.compile(r"^(Args|Returns|Raises):[ ]*$", re.M)
_ARGUMENT = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n(?: {8}.*)?)*)", re.M)

#: Arguments that mean the same wherever a docstring does not say more of them.
COMMON = {
    "task": "A task's name, such as `text-classification`.",
    "model": "A model's id; empty for the task's default on the Hub in use.",
    "inputs": "What the task reads: a text, a file, an object of several, or a list of such inputs.",
    "parameters": "The task's parameters by their names.",
    "revision": "A branch, a tag or a commit; the newest where none is given.",
    "repo": "A repository, `namespace/name`.",
    "repo_type": "`model`, `dataset` or `space`.",
    "path": "The file's path in the repository.",
    "branch": "The branch's name.",
    "tag": "The tag's name.",
    "message": "The commit's message, or what is said of a tag.",
    "parent_commit": "The commit that one has seen; a repository changed since then is left alone.",
    "private": "Whether it can be read by its owner alone.",
    "run_id": "The run's id.",
    "job": "The job's id.",
    "query": "Words of the id; empty for all.",
    "language": "Its code, such as `fr`.",
    "library": "Such as `transformers`.",
    "license": "Such as `apache-2.0`.",
    "sort": "`trending_score`, `downloads`, `likes`, `last_modified` or `created_at`, highest first.",
    "author": "Whose.",
    "sdk": "What Spaces are made with, such as `gradio`.",
    "limit": "Most rows, up to 100.",
}


@dataclass(frozen=True)
class Said:
    """What is said of an endpoint.

    Attributes:
        text: What it does.
        arguments: What each of its arguments is, by name.
        returns: What it gives; empty where the text says it.
        example: Arguments of a call, by name.
    """

    text: str
    arguments: dict[str, str]
    returns: str
    example: dict[str, Any]

    def docstring(self) -> str:
        """All of it in the form that Gradio reads, for which each argument is one line."""
        lines = [f"{self.text} Example: {json.dumps(self.example, ensure_ascii=False)}", "Args:"]
        lines += [f"    {name}: {said}" for name, said in self.arguments.items()]
        return "\n".join([*lines, "Returns:", f"    {self.returns}"] if self.returns else lines)


def said_of(name: str, function: Callable[..., Any]) -> Said:
    """What is said of an endpoint.

    Args:
        name: The endpoint's name.
        function: The function of the service behind it, with a docstring in Google's form.

    Raises:
        KeyError: Nothing says what one of its arguments is, or there is no example of a call.
    """
    text, *rest = _SECTION.split(inspect.getdoc(function) or "")
    sections = dict(zip(rest[::2], rest[1::2], strict=True))
    found = {
        argument: _line(match[2])
        for match in _ARGUMENT.finditer(sections.get("Args", ""))
        for argument in match[1].split(", ")
    }
    names = [one for one in inspect.signature(function).parameters if one not in ("self", "visitor")]
    arguments = {one: found.get(one) or COMMON[one] for one in names}
    return Said(_line(text), arguments, _line(sections.get("Returns", "")), EXAMPLES[name])


def document(endpoint: Callable[..., Any], name: str, said: Said) -> Callable[..., Any]:
    """The endpoint with its name and all that is said of it, where Gradio looks for them."""
    endpoint.__name__ = name
    endpoint.__doc__ = said.docstring()
    endpoint.said = said  # type: ignore[attr-defined]
    return endpoint


def fill_in(said: Said, told: dict[str, Any]) -> None:
    """Put into Gradio's own description of an endpoint what its arguments and its answer are, with an example."""
    for parameter in told["parameters"]:
        name = parameter["parameter_name"]
        parameter["label"] = name
        parameter["python_type"] = {**parameter["python_type"], "description": said.arguments[name]}
        parameter["example_input"] = said.example.get(name, parameter["parameter_default"])
    for answer in told["returns"]:
        answer["label"] = "answer"
        answer["python_type"] = {**answer["python_type"], "description": said.returns}


def _line(text: str) -> str:
    return " ".join(text.split())
