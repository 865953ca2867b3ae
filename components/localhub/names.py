"""Which names of repositories, files and revisions are allowed: the Hub's own rules, and what a file system needs."""

from __future__ import annotations

import re
import unicodedata

from dulwich.refs import check_ref_format

from components.localhub.errors import HubError

NAME = re.compile(r"\w(?:[\w.-]{0,94}\w)?", re.ASCII)
COMMIT = re.compile(r"[0-9a-f]{40}")
COMMIT_START = re.compile(r"[0-9a-f]{7,40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
#: First path segments that the server itself uses; as a namespace they would hide repositories.
RESERVED = frozenset({"api", "models", "datasets", "spaces", "kernels", "buckets", "resolve", "lfs", "static"})
#: Unicode categories that no file name needs: controls, surrogates, line and paragraph separators.
_UNSAFE = ("Cc", "Cs", "Zl", "Zp")
PATH_BYTES = 1024
PART_BYTES = 250


def is_name(name: str) -> bool:
    """Whether `name` may be one half of a repository id."""
    return bool(NAME.fullmatch(name)) and not any(bad in name for bad in ("--", "..")) and not name.endswith(".git")


def is_namespace(name: str) -> bool:
    """Whether `name` may be a user's name."""
    return is_name(name) and name.lower() not in RESERVED


def check_repository(namespace: object, name: object) -> tuple[str, str]:
    """The two halves of a new repository's id; 400 where the Hub would refuse them."""
    for part, allowed in ((namespace, is_namespace), (name, is_name)):
        if not isinstance(part, str) or not allowed(part):
            raise HubError(
                400,
                f"{str(part)[:100]!r} is not a repository name: use letters, digits, '-', '_' and '.', at most 96, "
                "not starting or ending with '-' or '.', without '--' and '..', and not ending in '.git'.",
            )
    return str(namespace), str(name)


def is_file_path(path: str) -> bool:
    """Whether `path` may name a file inside a repository, on any file system it is later cloned to."""
    if not path or len(path.encode("utf-8", "surrogatepass")) > PATH_BYTES or "\\" in path:
        return False
    if any(unicodedata.category(letter) in _UNSAFE for letter in path):
        return False
    return all(
        part not in ("", ".", "..") and part.lower() != ".git" and len(part.encode()) <= PART_BYTES
        for part in path.split("/")
    )


def check_file_path(path: object) -> str:
    """A path to write to; 400 where it leaves the repository or cannot be checked out."""
    if not isinstance(path, str) or not is_file_path(path):
        raise HubError(400, f"{str(path)[:100]!r} is not a valid path in a repository.")
    return path


def is_branch(name: str) -> bool:
    """Whether `name` may be the name of a branch or tag."""
    if (
        not name
        or len(name) > 200
        or COMMIT.fullmatch(name)
        or name in ("HEAD", "@")
        or name.startswith(("refs/", "-"))
    ):
        return False
    return name.isprintable() and check_ref_format(b"refs/heads/" + name.encode())  # type: ignore[arg-type]


def check_branch(name: object) -> str:
    """The name of a new branch or tag; 400 where git would refuse it."""
    if not isinstance(name, str) or not is_branch(name):
        raise HubError(400, f"{str(name)[:100]!r} is not a valid name for a branch or tag.")
    return name
