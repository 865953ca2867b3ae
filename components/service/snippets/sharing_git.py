"""The actions of sharing with git, and with the `hf` command where git has no say.

git asks for the user name on the Hub, and takes an access token with the role write for the password.
"""

from __future__ import annotations

from collections.abc import Callable

from components.service.snippets.names import Names

_ASKS = "# git asks for your name on the Hub, and for a password: give it an access token with write access."


def _clone_first(names: Names) -> str:
    return (
        f"git lfs install  # once a machine: large files go to git-lfs\n{_ASKS}\n"
        f"git clone {names.shell(names.address)}\ncd {names.shell(names.name)}"
    )


def _commit(names: Names, change: str, message: str) -> str:
    return f"{_clone_first(names)}\n{change}\ngit commit -m {names.shell(message)}\ngit push"


def _create(names: Names) -> str:
    sdk = " --sdk gradio" if names.repo_type == "space" else ""
    private = " --private" if names.private else " --public"
    return (
        f"hf repos create {names.shell(names.repo)}{names.kind_option}{sdk}{private} --exist-ok\n"
        f"{_ASKS}\ngit clone {names.shell(names.address)}"
    )


def _upload_file(names: Names) -> str:
    file = names.shell(names.file)
    change = f"cp ../{file} {file}\ngit lfs track '*.safetensors'  # what is large, if it is not tracked yet\n"
    return _commit(names, f"{change}git add .gitattributes {file}", f"Upload {names.file}")


def _upload_folder(names: Names) -> str:
    folder = names.shell(names.folder)
    clone = names.shell(f"{names.name}-clone")
    return (
        f"git lfs install  # once a machine: large files go to git-lfs\n{_ASKS}\n"
        f"git clone {names.shell(names.address)} {clone}\ncp -R {folder}/. {clone}/\ncd {clone}\n"
        f"git add .\ngit commit -m {names.shell(f'Upload {names.folder}')}\ngit push"
    )


def _push(names: Names) -> str:
    return _commit(names, "echo 'A line more.' >> README.md\ngit add README.md", "Add a line")


def _ref(kind: str) -> Callable[[Names], str]:
    def lines(names: Names) -> str:
        name = names.shell(getattr(names, kind))
        if kind == "tag":
            return f"{_clone_first(names)}\ngit tag {name}\ngit push origin {name}\n# git push --delete origin {name}"
        return (
            f"{_clone_first(names)}\ngit switch -c {name}\ngit push -u origin {name}\n# git push --delete origin {name}"
        )

    return lines


LINES: dict[str, Callable[[Names], str]] = {
    "login": lambda _names: 'hf auth login ${HF_TOKEN:+--token "$HF_TOKEN"}  # asks for the token where none is set',
    "whoami": lambda _names: "hf auth whoami",
    "logout": lambda _names: "hf auth logout",
    "create_repo": _create,
    "upload_file": _upload_file,
    "upload_folder": _upload_folder,
    "push_model": _upload_folder,
    "card": _push,
    "list_files": lambda names: (
        f"{_ASKS}\nGIT_LFS_SKIP_SMUDGE=1 git clone --depth 1 {names.shell(names.address)}\n"
        f"cd {names.shell(names.name)}\ngit ls-files"
    ),
    "clone": _clone_first,
    "pull": lambda names: f"cd {names.shell(names.name)}  # the clone\ngit pull",
    "push": _push,
    "delete_file": lambda names: _commit(names, f"git rm {names.shell(names.file)}", f"Delete {names.file}"),
    "branch": _ref("branch"),
    "tag": _ref("tag"),
    "visibility": lambda names: (
        f"hf repos settings {names.shell(names.repo)}{names.kind_option} {'--private' if names.private else '--public'}"
    ),
    "move_repo": lambda names: (
        f"hf repos move {names.shell(names.repo)} {names.shell(names.to)}{names.kind_option}\n"
        "# in a clone, afterwards:\n"
        f"# git remote set-url origin {names.shell(names.address.removesuffix(names.repo) + names.to)}"
    ),
    "delete_repo": lambda names: f"hf repos delete {names.shell(names.repo)}{names.kind_option} --yes",
    "list_models": lambda names: f"hf models ls --search {names.shell(names.query)} --sort likes --limit 20 --quiet",
    "list_datasets": lambda names: (
        f"hf datasets ls --search {names.shell(names.query)} --sort likes --limit 20 --quiet"
    ),
    "list_metrics": lambda _names: "hf spaces ls --author evaluate-metric --limit 100 --quiet",
}
