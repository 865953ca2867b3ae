"""The actions of sharing with the library huggingface_hub."""

from __future__ import annotations

from collections.abc import Callable

from components.service.snippets.code import literal
from components.service.snippets.names import Names

_API = "from huggingface_hub import HfApi\n\napi = HfApi()\n"


def _create(names: Names) -> str:
    sdk = ', space_sdk="gradio"' if names.repo_type == "space" else ""
    return (
        f"{_API}url = api.create_repo({literal(names.repo)}{names.kind}{sdk}, private={names.private}, exist_ok=True)\n"
        "result = url.repo_id\nprint(result)"
    )


def _upload_file(names: Names) -> str:
    return (
        f"{_API}commit = api.upload_file(\n    path_or_fileobj={literal(names.file)},\n"
        f"    path_in_repo={literal(names.file)},\n    repo_id={literal(names.repo)}{_own_line(names)},\n"
        f"    commit_message={literal(f'Upload {names.file}')},\n)\nresult = commit.oid\nprint(result)"
    )


def _upload_folder(names: Names) -> str:
    return (
        f"{_API}commit = api.upload_folder(\n    folder_path={literal(names.folder)},\n"
        f"    repo_id={literal(names.repo)}{_own_line(names)},\n"
        f'    ignore_patterns=["checkpoint-*"],\n    commit_message={literal(f"Upload {names.folder}")},\n)\n'
        "result = commit.oid\nprint(result)"
    )


def _card(names: Names) -> str:
    return (
        "from huggingface_hub import metadata_update\n\n"
        f'url = metadata_update({literal(names.repo)}, {{"license": "mit"}}{names.kind}, overwrite=True)\n'
        "result = str(url)\nprint(result)"
    )


def _own_line(names: Names) -> str:
    return f",\n    repo_type={literal(names.repo_type)}" if names.kind else ""


def _ref(kind: str) -> Callable[[Names], str]:
    def lines(names: Names) -> str:
        name = literal(getattr(names, kind))
        groups = {"branch": "branches", "tag": "tags"}[kind]
        return (
            f"{_API}api.create_{kind}({literal(names.repo)}, {kind}={name}{names.kind})\n"
            f"result = [ref.name for ref in api.list_repo_refs({literal(names.repo)}{names.kind}).{groups}]\n"
            f"print(result)\n# api.delete_{kind}({literal(names.repo)}, {kind}={name}{names.kind})"
        )

    return lines


def _list(kind: str, filters: str) -> Callable[[Names], str]:
    def lines(names: Names) -> str:
        return (
            f'{_API}found = api.list_{kind}(search={literal(names.query)}, sort="likes", limit=20)  # {filters}\n'
            "result = [one.id for one in found]\nprint(result)"
        )

    return lines


def _download(names: Names) -> str:
    return (
        "from huggingface_hub import snapshot_download\n\n"
        f"result = snapshot_download({literal(names.repo)}{names.kind})  # only what is not there yet\nprint(result)"
    )


LINES: dict[str, Callable[[Names], str]] = {
    "login": lambda _names: (
        "import os\n\nfrom huggingface_hub import login\n\n"
        'login(token=os.environ.get("HF_TOKEN"))  # asks for the token where the variable is not set'
    ),
    "whoami": lambda _names: f'{_API}result = api.whoami()["name"]\nprint(result)',
    "logout": lambda _names: "from huggingface_hub import logout\n\nlogout()",
    "create_repo": _create,
    "upload_file": _upload_file,
    "upload_folder": _upload_folder,
    "push_model": _upload_folder,
    "card": _card,
    "list_files": lambda names: f"{_API}result = api.list_repo_files({literal(names.repo)}{names.kind})\nprint(result)",
    "clone": _download,
    "pull": _download,
    "push": _upload_folder,
    "delete_file": lambda names: (
        f"{_API}commit = api.delete_file({literal(names.file)}, {literal(names.repo)}{names.kind})\n"
        "result = commit.oid\nprint(result)"
    ),
    "branch": _ref("branch"),
    "tag": _ref("tag"),
    "visibility": lambda names: (
        f"{_API}api.update_repo_settings({literal(names.repo)}{names.kind}, private={names.private})\n"
        f"result = api.repo_info({literal(names.repo)}{names.kind}).private\nprint(result)"
    ),
    "move_repo": lambda names: f"{_API}api.move_repo({literal(names.repo)}, {literal(names.to)}{names.kind})",
    "delete_repo": lambda names: f"{_API}api.delete_repo({literal(names.repo)}{names.kind})",
    "list_models": _list("models", 'pipeline_tag="text-classification", filter=["fr", "license:mit"], author=...'),
    "list_datasets": _list("datasets", 'filter=["language:fr", "task_categories:text-classification"], author=...'),
    "list_metrics": lambda _names: (
        f'{_API}result = [space.id for space in api.list_spaces(author="evaluate-metric", limit=100)]\nprint(result)'
    ),
}
