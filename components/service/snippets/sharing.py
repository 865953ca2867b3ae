"""Sharing in the three ways of the course: `push_to_hub`, `huggingface_hub`, and git with the `hf` command.

A snippet acts with the login of the machine that it runs on (`hf auth login`, or the variable HF_TOKEN); a token never
stands in it. One that an action does not have in some way is a remark that says what to use instead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from components.service.errors import WorkbenchError
from components.service.settings import HUGGING_FACE
from components.service.snippets import sharing_git, sharing_push, sharing_python
from components.service.snippets.code import literal, which_hub
from components.service.snippets.names import Names

WAYS = {
    "push_to_hub": "push_to_hub",
    "huggingface_hub": "huggingface_hub",
    "git": "git and hf",
}
_LINES: dict[str, dict[str, Callable[[Names], str]]] = {
    "push_to_hub": sharing_push.LINES,
    "huggingface_hub": sharing_python.LINES,
    "git": sharing_git.LINES,
}


@dataclass(frozen=True)
class Action:
    """Something that one does on the Hub.

    Attributes:
        title: What it is called.
        note: Which way suits when, and what has changed since the course was written.
    """

    title: str
    note: str


ACTIONS: dict[str, Action] = {
    "login": Action(
        "Sign in",
        "Once a machine. In a notebook login() shows a field; on a server set the variable HF_TOKEN. The command "
        "huggingface-cli is gone: it is hf now.",
    ),
    "whoami": Action(
        "See who one is", "Worth a look before a push: it shows the account and the organizations that it belongs to."
    ),
    "logout": Action(
        "Sign out", "Forgets the token on this machine. To make it worthless everywhere, revoke it on the Hub."
    ),
    "create_repo": Action(
        "Create a repository",
        "push_to_hub creates what is missing by itself. Create one by hand to choose its kind, or to clone it first.",
    ),
    "upload_file": Action(
        "Upload a file",
        "upload_file needs no clone, and sends large files in pieces: the old limit of 5 GB for one HTTP upload is "
        "gone. git suits whoever has a clone anyway.",
    ),
    "upload_folder": Action(
        "Upload a folder",
        "One commit for everything. The Hub advises fewer than 10,000 files in a folder; for hundreds of gigabytes "
        "take upload_large_folder, which goes on where it was interrupted.",
    ),
    "push_model": Action(
        "Push a model",
        "push_to_hub suits whoever has the model in memory; the Trainer does it at each save and writes the card, too. "
        "The others suit files on disk.",
    ),
    "card": Action(
        "Write the card", "The card is README.md. metadata_update changes its front matter and nothing else."
    ),
    "list_files": Action(
        "List the files", "Over HTTP nothing is downloaded. git needs a clone, but large files may stay away."
    ),
    "clone": Action(
        "Download or clone",
        "snapshot_download fetches one version into the cache. A clone brings the history, and git-lfs the large "
        "files. The class Repository of huggingface_hub is gone: use git itself.",
    ),
    "pull": Action(
        "Get what is new", "snapshot_download fetches only files that changed; git pull merges them into your clone."
    ),
    "push": Action(
        "Change and push",
        "git suits whoever edits many files by hand and wants branches. Otherwise upload_folder is less to learn.",
    ),
    "delete_file": Action("Delete a file", "A commit without the file. The history still has it."),
    "branch": Action("Make a branch", "To try something beside main; from_pretrained(..., revision=branch) reads it."),
    "tag": Action("Tag a version", "A tag stays where it is, so others can rely on it."),
    "visibility": Action(
        "Change the visibility", "update_repo_settings took the place of update_repo_visibility, which is gone."
    ),
    "move_repo": Action("Rename or move", "huggingface.co leads old addresses on to the new ones."),
    "delete_repo": Action("Delete a repository", "For good, with its history. There is no way back."),
    "list_models": Action("Find models", "The filters are tags: task, library, language and licence."),
    "list_datasets": Action("Find data sets", "load_dataset reads what is found, as a stream if it is large."),
    "list_metrics": Action(
        "Find metrics",
        "huggingface_hub.list_metrics and datasets.load_metric are gone. Metrics are Spaces of evaluate-metric now, "
        "and evaluate.load runs one.",
    ),
}


def share_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """An action on the Hub, in one of the three ways.

    Args:
        arguments: `action` (a key of `ACTIONS`), `way` (a key of `WAYS`), and the names at hand: `repo`, `repo_type`,
            `private`, `file`, `folder`, `branch`, `tag`, `to`, `query`; each has a default.
        endpoint: The Hub in use.

    Returns:
        Python, or commands of the shell for `git`.
    """
    action, way = str(arguments.get("action") or ""), str(arguments.get("way") or "huggingface_hub")
    if action not in ACTIONS:
        raise WorkbenchError(f"There is no action {action[:80]!r}. Actions are {', '.join(ACTIONS)}.", field="action")
    if way not in WAYS:
        raise WorkbenchError(f"There is no way {way[:80]!r}. Ways are {', '.join(WAYS)}.", field="way")
    names = Names.of(arguments, endpoint.rstrip("/"))
    lines = _LINES[way].get(action)
    if lines is None:
        return f"# {WAYS[way]} has nothing for this. {_elsewhere(action, way)}\n"
    head = _shell_head(names) if way == "git" else _python_head(names)
    return "\n\n".join(part for part in (head, lines(names).strip()) if part) + "\n"


def _elsewhere(action: str, way: str) -> str:
    others = [WAYS[other] for other in WAYS if other != way and action in _LINES[other]]
    return f"Take {' or '.join(others)}."


def _python_head(names: Names) -> str:
    """Which Hub is meant, before any library reads it."""
    if names.endpoint == HUGGING_FACE:
        return ""
    return (
        f'import os\n\nos.environ["HF_ENDPOINT"] = {literal(names.endpoint)}  # {which_hub(names.endpoint)}\n'
        'os.environ["HF_HUB_DISABLE_XET"] = "1"  # only huggingface.co has the Xet storage'
    )


def _shell_head(names: Names) -> str:
    if names.endpoint == HUGGING_FACE:
        return ""
    return f"export HF_ENDPOINT={names.shell(names.endpoint)} HF_HUB_DISABLE_XET=1  # {which_hub(names.endpoint)}"


SHARING_VIEWS = {"share": share_snippet}
