"""A change of a model card with `huggingface_hub.ModelCard`: load, edit, push."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.cards.paths import Keys, read_path
from components.service.errors import WorkbenchError
from components.service.snippets.code import Name, call, literal, program

#: What is changed where nothing else is asked for.
_EXAMPLE = [{"field": "license", "value": "apache-2.0"}]
#: Most changes that are written out.
CHANGES = 50
_UNDER = '''\
def write_under(text, title, new):
    """The Markdown with what stands under a heading replaced; the section is made at the end where there is none."""
    heading = rf"^(#+)[ \\t]+{re.escape(title)}[ \\t]*#*[ \\t]*$"
    found = re.search(heading, text, re.MULTILINE)
    if found is None:
        return f"{text.rstrip()}\\n\\n## {title}\\n\\n{new}\\n"
    after = re.compile(rf"^#{{1,{len(found[1])}}}[ \\t]", re.MULTILINE).search(text, found.end())
    end = after.start() if after else len(text)
    return f"{text[: found.end()]}\\n\\n{new}\\n\\n{text[end:]}"'''
_MERGED = (
    "# ModelCard reads model-index into a list of results and puts together those of one data set; write\n"
    "# card.data.eval_results, a list of huggingface_hub.EvalResult, or the file itself with HfApi.upload_file."
)


def card_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A program that changes a card and pushes it.

    Args:
        arguments: `repo`; `changes`, as `edit_card` takes them; `message`, `create_pr` and `parent_commit`, as
            `push_card` takes them.
        endpoint: The Hub in use.

    Raises:
        WorkbenchError: A change has another form.
    """
    repo = str(arguments.get("repo") or arguments.get("model") or "me/my-model")
    changes = arguments.get("changes") or _EXAMPLE
    if not isinstance(changes, list) or len(changes) > CHANGES:
        raise WorkbenchError(f"Give a list of at most {CHANGES} changes.", field="changes")
    lines = [_line(change) for change in changes]
    lines = [line for number, line in enumerate(lines) if line != _MERGED or line not in lines[:number]]
    sections = any(line.startswith("card.text") for line in lines)
    pushed: dict[str, Any] = {
        "commit_message": str(arguments.get("message") or "Update the model card"),
        **({"create_pr": True} if arguments.get("create_pr") else {}),
        **({"parent_commit": str(arguments["parent_commit"])} if arguments.get("parent_commit") else {}),
    }
    return program(
        endpoint,
        [*(["import re", ""] if sections else []), "from huggingface_hub import ModelCard"],
        f"\n{_UNDER}\n\n" if sections else "",
        "# ModelCard writes the metadata anew: its values stay, remarks and quotes go\n"
        f"card = {call('ModelCard.load', repo)}\n" + "\n".join(lines),
        f"commit = {call('card.push_to_hub', repo, **pushed)}\nresult = str(commit)\nprint(result)",
    )


def _line(change: Any) -> str:
    if isinstance(change, Mapping) and {"section", "text"} == change.keys():
        title, text = change["section"], change["text"]
        if not isinstance(title, str) or not isinstance(text, str | None):
            raise WorkbenchError("A section has a title, and a text or null.", field="changes")
        made = call("write_under", Name("card.text"), " ".join(title.split()), text or "")
        return f"card.text = {made}"
    if not isinstance(change, Mapping) or {"field", "value"} != change.keys():
        raise WorkbenchError(
            'Each change is {"field": ..., "value": ...} or {"section": ..., "text": ...}.', field="changes"
        )
    keys = read_path(change["field"])
    return _MERGED if keys[0] == "model-index" else _field(keys, change["value"])


def _field(keys: Keys, value: Any) -> str:
    *way, key = (f"[{literal(one)}]" for one in keys)
    place = "card.data" + "".join(way)
    if value is not None:
        return f"{place}{key} = {literal(value)}"
    return f"del {place}{key}" if way else f"card.data.pop({literal(keys[0])})"


CARD_VIEWS = {"card": card_snippet}
