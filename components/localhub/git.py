"""Objects of a bare git repository: read trees and blobs, write commits. Shas are hexadecimal text throughout."""

from __future__ import annotations

import os
import stat
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, ShaFile, Tree

from components.localhub.disk import write_whole
from components.localhub.names import SHA256

FILE_MODE = 0o100644
POINTER_BYTES = 1024
_POINTER_START = b"version https://git-lfs.github.com/spec/v1\n"


class Objects(DiskObjectStore):
    """The object store of one repository.

    dulwich writes a loose object under a lock file: two writers of equal content collide, and a killed process leaves
    a lock that nobody removes. Here each object is written aside and renamed into place instead.
    """

    def add_object(self, obj: ShaFile) -> None:
        """Store `obj` unless it is there already."""
        file = self._loose(obj.id.decode())
        if file.exists():
            return
        file.parent.mkdir(exist_ok=True)
        write_whole(file, obj.as_legacy_object(compression_level=1))

    def _loose(self, oid: str) -> Path:
        return Path(os.fspath(self.path), oid[:2], oid[2:])

    def size(self, oid: str) -> int:
        """Bytes of a blob, without unpacking it when it is a loose object."""
        head, unpacking = b"", zlib.decompressobj()
        try:
            with self._loose(oid).open("rb") as stream:
                # The code that a stream begins with may be longer than its first 128 bytes, and yields no text yet.
                while b"\0" not in head and (part := stream.read(128)):
                    head += unpacking.decompress(part, 64)
        except FileNotFoundError:
            return len(self.data(oid))
        return int(head[head.index(b" ") + 1 : head.index(b"\0")])

    def data(self, oid: str) -> bytes:
        """The content of a blob."""
        return self.get_raw(ObjectID(oid.encode()))[1]

    def tree(self, oid: str) -> Tree:
        """A folder."""
        tree = self[ObjectID(oid.encode())]
        assert isinstance(tree, Tree)
        return tree

    def commit(self, oid: str) -> Commit | None:
        """A commit, or None if there is no commit of that id."""
        try:
            found = self[ObjectID(oid.encode())]
        except KeyError:
            return None
        return found if isinstance(found, Commit) else None


@dataclass(frozen=True)
class Entry:
    """A file or folder in a commit."""

    path: str
    oid: str
    mode: int

    @property
    def folder(self) -> bool:
        """Whether this is a folder."""
        return stat.S_ISDIR(self.mode)


@dataclass(frozen=True)
class Pointer:
    """What git stores in place of a large file."""

    sha256: str
    size: int

    def encode(self) -> bytes:
        """The pointer file."""
        return _POINTER_START + f"oid sha256:{self.sha256}\nsize {self.size}\n".encode()


def read_pointer(data: bytes) -> Pointer | None:
    """The git-lfs pointer that `data` is, if it is one."""
    if len(data) > POINTER_BYTES or not data.startswith(_POINTER_START):
        return None
    fields = dict(line.partition(" ")[::2] for line in data.decode("utf-8", "replace").splitlines())
    oid, size = fields.get("oid", ""), fields.get("size", "")
    if not oid.startswith("sha256:") or not SHA256.fullmatch(oid[7:]) or not (size.isascii() and size.isdecimal()):
        return None
    return Pointer(oid[7:], int(size))


@lru_cache(maxsize=65536)
def blob_facts(folder: str, oid: str) -> tuple[int, Pointer | None]:
    """Size in bytes and git-lfs pointer of a blob in the object store at `folder`. An object never changes."""
    objects = Objects(folder)
    size = objects.size(oid)
    return size, read_pointer(objects.data(oid)) if size <= POINTER_BYTES else None


def walk(objects: Objects, tree: str, folder: str = "", *, recursive: bool = True) -> Iterator[Entry]:
    """Everything below the folder `tree`, whose own path is `folder`, in git's order."""
    for item in objects.tree(tree).iteritems():
        assert item.path is not None
        assert item.sha is not None
        assert item.mode is not None
        name = item.path.decode("utf-8", "replace")
        entry = Entry(f"{folder}/{name}" if folder else name, item.sha.decode(), item.mode)
        if stat.S_IFMT(entry.mode) == 0o160000:  # a submodule: nothing of it is here
            continue
        yield entry
        if recursive and entry.folder:
            yield from walk(objects, entry.oid, entry.path)


def find(objects: Objects, tree: str, path: str) -> Entry | None:
    """The file or folder at `path`; the whole tree for the empty path."""
    entry = Entry("", tree, stat.S_IFDIR)
    for part in path.split("/") if path else []:
        if not entry.folder:
            return None
        try:
            mode, oid = objects.tree(entry.oid)[part.encode("utf-8", "surrogatepass")]
        except KeyError:
            return None
        entry = Entry(f"{entry.path}/{part}".lstrip("/"), oid.decode(), mode)
    return entry


def write_blob(objects: Objects, data: bytes) -> str:
    """Store a file's content."""
    blob = Blob.from_string(data)
    objects.add_object(blob)
    return blob.id.decode()


def write_tree(objects: Objects, files: Mapping[str, tuple[int, str]]) -> str:
    """Store the folders of `files` (path -> mode, blob); gives the root's id."""
    tree = Tree()
    folders: dict[str, dict[str, tuple[int, str]]] = {}
    for path, (mode, oid) in files.items():
        name, _, rest = path.partition("/")
        if rest:
            folders.setdefault(name, {})[rest] = (mode, oid)
        else:
            tree.add(name.encode(), mode, ObjectID(oid.encode()))
    for name, below in folders.items():
        tree.add(name.encode(), stat.S_IFDIR, ObjectID(write_tree(objects, below).encode()))
    objects.add_object(tree)
    return tree.id.decode()


def write_commit(
    objects: Objects,
    files: Mapping[str, tuple[int, str]],
    *,
    parents: list[str],
    author: str,
    message: str,
) -> str:
    """Store a commit of `files` (path -> mode, blob); moving a branch to it is the caller's part."""
    commit = Commit()
    commit.tree = ObjectID(write_tree(objects, files).encode())
    commit.parents = [ObjectID(parent.encode()) for parent in parents]
    commit.author = commit.committer = f"{author} <{author}@users.noreply.localhub>".encode()
    commit.author_time = commit.commit_time = int(time.time())
    commit.author_timezone = commit.commit_timezone = 0
    commit.encoding = b"UTF-8"
    commit.message = message.encode("utf-8", "replace")
    objects.add_object(commit)
    return commit.id.decode()
