"""Repositories that an embedded Hub has from the start: folders on disk, published under nobody's account."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.localhub import git
from components.localhub.attributes import ATTRIBUTES, Patterns, default_attributes
from components.localhub.disk import write_whole
from components.localhub.hub import Hub
from components.localhub.lfs_store import store_file
from components.localhub.names import is_file_path, is_name, is_namespace
from components.localhub.repositories import KINDS, MAIN, Repository

_IGNORED = ("__pycache__", ".git", ".cache", ".DS_Store")
_CHUNK = 1024**2


def seed(hub: Hub, folder: Path) -> list[str]:
    """Publish `folder`/models/NAMESPACE/NAME/... (and datasets, spaces); gives the ids that changed.

    A folder whose names, sizes and modification times are those of the last time is not read again.

    Raises:
        ValueError: A namespace belongs to an account, or a name is not one that the Hub allows.
    """
    marks_file = hub.root / "seed.json"
    marks: dict[str, str] = json.loads(marks_file.read_text("utf-8")) if marks_file.exists() else {}
    changed = []
    for kind, repo_id, source in _sources(folder):
        namespace, _, name = repo_id.partition("/")
        if namespace in hub.accounts or not is_namespace(namespace) or not is_name(name):
            raise ValueError(f"{repo_id} cannot be published: the name is not allowed, or belongs to a user.")
        key, mark = f"{kind}/{repo_id}", _mark(source)
        found = hub.repositories.find(kind, namespace, name)
        if found is not None and marks.get(key) == mark:
            continue
        repository = found or hub.repositories.create(kind, repo_id, author=namespace)
        if _publish(hub, repository, source):
            changed.append(repo_id)
        marks[key] = mark
        write_whole(marks_file, json.dumps(marks, indent=1).encode())
    return changed


def _sources(folder: Path) -> Iterator[tuple[str, str, Path]]:
    for kind in KINDS:
        for source in sorted((folder / kind).glob("*/*")):
            if source.is_dir() and source.name not in _IGNORED:
                yield kind, f"{source.parent.name}/{source.name}", source


def _files(source: Path) -> Iterator[tuple[str, Path]]:
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(name for name in folders if name not in _IGNORED)
        for name in sorted(names):
            file = Path(folder, name)
            path = file.relative_to(source).as_posix()
            if name not in _IGNORED and not file.is_symlink() and is_file_path(path):
                yield path, file


def _mark(source: Path) -> str:
    stats = [(path, file.stat()) for path, file in _files(source)]
    listed = json.dumps([(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats])
    return hashlib.sha256(listed.encode()).hexdigest()


def _publish(hub: Hub, repository: Repository, source: Path) -> bool:
    """Commit what `source` holds; whether that differs from what was there."""
    objects = repository.objects
    found = dict(_files(source))
    attributes = found[ATTRIBUTES].read_bytes() if ATTRIBUTES in found else default_attributes(repository.kind).encode()
    patterns = Patterns(attributes.decode("utf-8", "replace"))
    files = {ATTRIBUTES: (git.FILE_MODE, git.write_blob(objects, attributes))}
    for path, file in found.items():
        with file.open("rb") as stream:
            sample = stream.read(512)
        large = patterns.large(path, file.stat().st_size, sample)
        data = _large(hub, repository, file).encode() if large else file.read_bytes()
        files[path] = (git.FILE_MODE, git.write_blob(objects, data))
    with repository.lock:
        head = repository.ref(MAIN)
        parents = [head] if head else []
        if head and git.write_tree(objects, files) == repository.tree(head):
            return False
        commit = git.write_commit(
            objects, files, parents=parents, author=repository.namespace, message="Publish the files of this server"
        )
        repository.set_ref(MAIN, commit)
    return True


def _large(hub: Hub, repository: Repository, file: Path) -> git.Pointer:
    """Copy a file into the repository's git-lfs objects."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    pointer = git.Pointer(digest.hexdigest(), file.stat().st_size)
    if not repository.large_file(pointer.sha256).exists():
        descriptor, copy = tempfile.mkstemp(prefix="seed-", dir=hub.repositories.scratch)
        os.close(descriptor)
        shutil.copyfile(file, copy)
        store_file(repository, Path(copy), pointer.sha256)
    return pointer
