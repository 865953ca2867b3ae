"""The repositories of an embedded Hub: bare git repositories in folders named after their kind and id."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dulwich.objects import ObjectID, Tag
from dulwich.refs import DiskRefsContainer, Ref

from components.localhub import git
from components.localhub.attributes import default_attributes
from components.localhub.disk import write_whole
from components.localhub.errors import HubError, repository_not_found, revision_not_found
from components.localhub.names import COMMIT, is_name

#: Kind of repository -> what its address starts with.
KINDS = {"models": "", "datasets": "datasets/", "spaces": "spaces/"}
MAIN = "refs/heads/main"
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,39}")
_ABOUT = "localhub.json"


class Repository:
    """One bare git repository with its settings. Writers hold `lock`; readers need nothing."""

    def __init__(self, kind: str, name: str, path: Path) -> None:
        self.kind = kind
        self.id = name
        self.path = path
        self.lock = threading.RLock()
        self.objects = git.Objects(path / "objects")
        self._refs = DiskRefsContainer(path)
        for stale in (path / "refs").rglob("*.lock"):  # left by a killed server; this process is the only writer
            stale.unlink()

    @property
    def namespace(self) -> str:
        """Whose repository it is."""
        return self.id.partition("/")[0]

    @property
    def large_files(self) -> Path:
        """Folder of the git-lfs objects."""
        return self.path / "lfs" / "objects"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock for a change; 404 if the repository has been moved or deleted meanwhile."""
        with self.lock:
            if not (self.path / _ABOUT).exists():
                raise repository_not_found(signed_in=True)
            yield

    # -- settings ----------------------------------------------------------------------------------------------------

    @property
    def about(self) -> dict[str, Any]:
        """Settings: `created` (ISO time), `private`, `gated`, `access` (user -> request), `likers`, a Space's `sdk`."""
        about: dict[str, Any] = json.loads((self.path / _ABOUT).read_text("utf-8"))
        return about

    def update(self, **settings: Any) -> None:
        """Change settings."""
        with self.writing():
            write_whole(self.path / _ABOUT, json.dumps({**self.about, **settings}, indent=1).encode())

    # -- refs --------------------------------------------------------------------------------------------------------

    def refs(self) -> dict[str, str]:
        """Full names of all branches, tags and other refs, and the commits they point to."""
        return {name: self._peel(oid) for name, oid in self.raw_refs().items()}

    def raw_refs(self) -> dict[str, str]:
        """Full names of all refs, and the objects they point to: a commit, or an annotated tag."""
        names = sorted(name.decode() for name in self._refs.allkeys() if name != b"HEAD")
        return {name: self._refs[Ref(name.encode())].decode() for name in names}

    def ref(self, name: str) -> str | None:
        """The commit that the ref of that full name points to."""
        try:
            return self._peel(self._refs[Ref(name.encode())].decode())
        except (KeyError, ValueError):
            return None

    def set_ref(self, name: str, commit: str) -> None:
        """Create or move a ref, in one step. The caller holds `lock`."""
        try:
            self._refs.set_if_equals(Ref(name.encode()), None, ObjectID(commit.encode()))
        except (NotADirectoryError, IsADirectoryError) as error:
            raise HubError(409, "A branch or tag with a conflicting name exists already.") from error

    def delete_ref(self, name: str) -> None:
        """Delete a ref. The caller holds `lock`."""
        self._refs.remove_if_equals(Ref(name.encode()), None)

    def _peel(self, oid: str) -> str:
        found = self.objects[ObjectID(oid.encode())]
        return self._peel(found.object[1].decode()) if isinstance(found, Tag) else oid

    def resolve(self, revision: str) -> str:
        """The commit that a branch, tag, full ref or (at least 7 digits of a) commit id names; 404 if none."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if name.startswith("refs/") and (commit := self.ref(name)):
                return commit
        if COMMIT.fullmatch(revision) and self.objects.commit(revision):
            return revision
        if _SHORT_COMMIT.fullmatch(revision):
            candidates = [oid.decode() for oid in self.objects.iter_prefix(revision.encode())]
            commits = [oid for oid in candidates if self.objects.commit(oid)]
            if len(commits) == 1:
                return commits[0]
        raise revision_not_found(revision)

    # -- content -----------------------------------------------------------------------------------------------------

    def tree(self, commit: str) -> str:
        """The root folder of a commit."""
        found = self.objects.commit(commit)
        if found is None:  # the repository was deleted since the commit was resolved
            raise revision_not_found(commit)
        return found.tree.decode()

    def find(self, commit: str, path: str) -> git.Entry | None:
        """The file or folder at `path` in a commit."""
        return git.find(self.objects, self.tree(commit), path)

    def files(self, commit: str) -> Iterator[git.Entry]:
        """All files of a commit."""
        return (entry for entry in git.walk(self.objects, self.tree(commit)) if not entry.folder)

    def facts(self, entry: git.Entry) -> tuple[int, git.Pointer | None]:
        """Size in bytes of a file, and its git-lfs pointer if its content is here as a git-lfs object."""
        size, pointer = git.blob_facts(str(self.path / "objects"), entry.oid)
        if pointer is not None and self.large_file(pointer.sha256).exists():
            return pointer.size, pointer
        return size, None

    def text(self, commit: str, path: str, *, limit: int = 1024**2) -> str | None:
        """A small text file, or None if it is missing, larger than `limit` bytes or a git-lfs object."""
        entry = self.find(commit, path)
        if entry is None or entry.folder:
            return None
        size, pointer = self.facts(entry)
        return self.objects.data(entry.oid).decode("utf-8", "replace") if not pointer and size <= limit else None

    @property
    def downloads(self) -> int:
        """How often the repository was downloaded: the length of a file that grows by a byte each time."""
        try:
            return (self.path / "downloads").stat().st_size
        except FileNotFoundError:
            return 0

    def count_download(self) -> None:
        """Add one to `downloads`."""
        with (self.path / "downloads").open("ab") as stream:
            stream.write(b".")

    def large_file(self, sha256: str) -> Path:
        """Where the git-lfs object of that hash is stored, if it is."""
        return self.large_files / sha256[:2] / sha256[2:4] / sha256


class Repositories:
    """All repositories below `root`. Repositories appear, move and vanish by renaming a folder: whole or not at all."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._open: dict[Path, Repository] = {}
        self.scratch = root / "tmp"
        shutil.rmtree(self.scratch, ignore_errors=True)  # what a killed server left half-done
        self.scratch.mkdir(parents=True)

    def _path(self, kind: str, name: str) -> Path:
        return self._root / kind / f"{name}.git"

    def find(self, kind: str, namespace: str, name: str) -> Repository | None:
        """The repository of that kind and id."""
        if kind not in KINDS or not is_name(namespace) or not is_name(name):
            return None
        repo_id = f"{namespace}/{name}"
        path = self._path(kind, repo_id)
        with self._lock:
            if path not in self._open:
                if not _exists(path):
                    return None
                self._open[path] = Repository(kind, repo_id, path)
            return self._open[path]

    def all(self, kind: str, namespace: str = "") -> Iterator[Repository]:
        """All repositories of a kind (only those of that user or organization, if one is given), by name."""
        for folder in sorted((self._root / kind).glob(f"{namespace if is_name(namespace) else '*'}/*.git")):
            found = self.find(kind, folder.parent.name, folder.name.removesuffix(".git"))
            if found is not None:
                yield found

    def create(
        self, kind: str, repo_id: str, *, author: str, files: dict[str, bytes] | None = None, **settings: Any
    ) -> Repository:
        """A new repository whose first commit holds `.gitattributes` and `files`; 409 if the id is taken."""
        scratch = Path(tempfile.mkdtemp(dir=self.scratch))
        _init_bare(scratch)
        write_whole(scratch / _ABOUT, json.dumps(_new_settings(settings), indent=1).encode())
        new = Repository(kind, repo_id, scratch)
        content = {".gitattributes": default_attributes(kind).encode(), **(files or {})}
        blobs = {path: (git.FILE_MODE, git.write_blob(new.objects, data)) for path, data in content.items()}
        new.set_ref(MAIN, git.write_commit(new.objects, blobs, parents=[], author=author, message="initial commit"))
        try:
            return self._open_new(scratch, kind, repo_id)
        except HubError:
            shutil.rmtree(scratch)
            raise

    def adopt(self, folder: Path, kind: str, repo_id: str, **settings: Any) -> Repository:
        """Make a folder, a copy of another repository, a repository of its own; 409 if the id is taken."""
        write_whole(folder / _ABOUT, json.dumps(_new_settings(settings), indent=1).encode())
        return self._open_new(folder, kind, repo_id)

    def _open_new(self, folder: Path, kind: str, repo_id: str) -> Repository:
        self._place(folder, self._path(kind, repo_id))
        found = self.find(kind, *repo_id.split("/"))
        assert found is not None
        return found

    def _place(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        with self._lock:
            taken = {folder.name.lower() for folder in target.parent.glob("*.git")}
            if target.name.lower() in taken:
                raise HubError(409, "You already created this repository")
            source.rename(target)
            self._open.pop(source, None)

    def delete(self, repository: Repository) -> None:
        """Remove a repository with all it holds."""
        scratch = Path(tempfile.mkdtemp(dir=self.scratch))
        with repository.writing(), self._lock:
            self._open.pop(repository.path, None)
            repository.path.rename(scratch / "deleted.git")
        shutil.rmtree(scratch)

    def move(self, repository: Repository, new_id: str) -> None:
        """Give a repository another id; 409 if that is taken."""
        with repository.writing():
            self._place(repository.path, self._path(repository.kind, new_id))


def _new_settings(settings: dict[str, Any]) -> dict[str, Any]:
    return {"created": datetime.now(UTC).isoformat(timespec="milliseconds"), "private": False, **settings}


def _exists(path: Path) -> bool:
    """Whether there is a repository of exactly that name, also where the file system ignores case."""
    try:
        return path.name in os.listdir(path.parent) and (path / _ABOUT).exists()
    except FileNotFoundError:
        return False


def _init_bare(folder: Path) -> None:
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "lfs/objects"):
        os.makedirs(folder / name)
    (folder / "HEAD").write_text(f"ref: {MAIN}\n")
    (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = true\n")
