"""What a pull request changes, and bringing it into its branch: a three-way merge, file by file."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from io import BytesIO

from dulwich.objects import Commit, ObjectID
from dulwich.patch import write_tree_diff

from components.localhub import git
from components.localhub.attributes import ATTRIBUTES
from components.localhub.repositories import Repository

#: Longest diff that is shown, in bytes.
DIFF_BYTES = 1024**2

Files = dict[str, tuple[int, str]]


def log(repository: Repository, commit: str) -> Iterator[Commit]:
    """A commit and all those before it, newest first."""
    seen = {commit}
    found = repository.objects.commit(commit)
    waiting = [(-found.commit_time, 0, found)] if found else []
    while waiting:
        current = heapq.heappop(waiting)[2]
        yield current
        for parent in (oid.decode() for oid in current.parents):
            if parent not in seen and (found := repository.objects.commit(parent)):
                # Of commits of one second, the one that was found first comes first.
                heapq.heappush(waiting, (-found.commit_time, len(seen), found))
                seen.add(parent)


def merge_base(repository: Repository, ours: str, theirs: str) -> str | None:
    """The newest commit that both have behind them, None if their histories are unrelated."""
    known = {commit.id for commit in log(repository, ours)}
    return next((commit.id.decode() for commit in log(repository, theirs) if commit.id in known), None)


def merge(repository: Repository, ours: str, theirs: str) -> tuple[Files, list[str]]:
    """The files of commit `ours` with the changes of `theirs` since they parted, and the paths in conflict."""
    base = _files(repository, merge_base(repository, ours, theirs))
    mine, other = _files(repository, ours), _files(repository, theirs)
    merged, conflicts = dict(mine), []
    for path in sorted(base.keys() | other.keys()):
        wanted = other.get(path)
        if wanted in (base.get(path), mine.get(path)):
            continue
        if path == ATTRIBUTES and wanted and path in mine and mine[path] != base.get(path):
            merged[path] = _union(repository, mine[path], wanted)
        elif mine.get(path) != base.get(path):
            conflicts.append(path)
        elif wanted is None:
            del merged[path]
        else:
            merged[path] = wanted
    folders = {path[:end] for path in merged for end in range(len(path)) if path[end] == "/"}
    return merged, conflicts + sorted(folders & merged.keys())


def diff(repository: Repository, ours: str, theirs: str) -> str:
    """What `theirs` changes since it parted from `ours`, as a unified diff cut at `DIFF_BYTES`."""
    base = merge_base(repository, ours, theirs)
    trees = [ObjectID(repository.tree(commit).encode()) if commit else None for commit in (base, theirs)]
    text = BytesIO()
    write_tree_diff(text, repository.objects, *trees)
    return text.getvalue()[:DIFF_BYTES].decode("utf-8", "replace")


def _files(repository: Repository, commit: str | None) -> Files:
    return {entry.path: (entry.mode, entry.oid) for entry in repository.files(commit)} if commit else {}


def _union(repository: Repository, mine: tuple[int, str], other: tuple[int, str]) -> tuple[int, str]:
    """Both sides' git-lfs rules: the server itself appends to that file, which is no conflict."""
    lines = repository.objects.data(mine[1]).splitlines(keepends=True)
    lines += [line for line in repository.objects.data(other[1]).splitlines(keepends=True) if line not in lines]
    return mine[0], git.write_blob(repository.objects, b"".join(lines))
