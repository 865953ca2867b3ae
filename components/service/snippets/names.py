"""The names that a sharing snippet is filled with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.service.rights import REPO_TYPES
from components.service.snippets.code import literal

_TEXTS = ("repo", "file", "folder", "branch", "tag", "to", "query")
_FOLDERS = {"model": "", "dataset": "datasets/", "space": "spaces/"}


@dataclass(frozen=True)
class Names:
    """What a snippet is about.

    Attributes:
        endpoint: The Hub in use.
        repo: `namespace/name`.
        repo_type: `model`, `dataset` or `space`.
        private: Whether a repository that is created is private.
        file: A file on disk and in the repository.
        folder: A folder on disk.
        branch, tag: Names of a branch and a tag.
        to: A new name for the repository.
        query: Words to search for.
    """

    endpoint: str
    repo: str = "me/my-model"
    repo_type: str = "model"
    private: bool = True
    file: str = "README.md"
    folder: str = "my-model"
    branch: str = "draft"
    tag: str = "v1.0"
    to: str = "me/my-better-model"
    query: str = "sentiment"

    @classmethod
    def of(cls, arguments: Mapping[str, Any], endpoint: str) -> Names:
        """The names given, with defaults for the others."""
        # One line each: a name must not end the remark that it stands in.
        texts = {name: " ".join(str(arguments.get(name) or "").split())[:200] for name in _TEXTS}
        repo, kind = texts["repo"] or cls.repo, str(arguments.get("repo_type"))
        texts["folder"] = texts["folder"] or repo.rpartition("/")[2]
        texts["to"] = texts["to"] or f"{repo}-renamed"
        return cls(
            endpoint=endpoint,
            repo_type=kind if kind in REPO_TYPES else "model",
            private=bool(arguments.get("private", True)),
            **{name: text for name, text in texts.items() if text},
        )

    @property
    def address(self) -> str:
        """Where git finds the repository."""
        return f"{self.endpoint}/{_FOLDERS[self.repo_type]}{self.repo}"

    @property
    def name(self) -> str:
        """The repository's name without its namespace, which is the folder that a clone makes."""
        return self.repo.rpartition("/")[2]

    @property
    def kind(self) -> str:
        """The keyword that names the kind in Python; empty for a model, which is the default."""
        return "" if self.repo_type == "model" else f", repo_type={literal(self.repo_type)}"

    @property
    def kind_option(self) -> str:
        """The option that names the kind for the `hf` command."""
        return "" if self.repo_type == "model" else f" --type {self.repo_type}"

    def shell(self, text: str) -> str:
        """A text as one word of a shell command; one that looks like an option is kept from being one."""
        return shlex.quote(f"./{text}" if text.startswith("-") else text)
