"""Packs that were pushed: read in little memory, checked, and only then made part of a repository."""

from __future__ import annotations

import mmap
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, Commit, ObjectID, Tag, Tree

from components.localhub.attributes import REGULAR_BYTES
from components.localhub.git import POINTER_BYTES, read_pointer
from components.localhub.names import is_file_path
from components.localhub.repositories import Repository

#: Deepest nesting of folders.
DEPTH = 100
_TREE, _OFFSET_DELTA, _REFERENCE_DELTA = 2, 6, 7
_STEP = 256 * 1024


class Refused(Exception):
    """The push breaks a rule; the message is for the person who pushes."""


class Quarantine(DiskObjectStore):
    """Objects that were pushed, aside from those of the repository until they have been checked."""

    def __init__(self, repository: Repository, folder: Path) -> None:
        (folder / "pack").mkdir()
        super().__init__(folder, fsync_object_files=True, alternates=[repository.path / "objects"])
        self._repository = repository
        self._heights: dict[bytes, int] = {}

    def take(self, file: Path, start: int) -> None:
        """Read the pack that begins at byte `start` of `file`; `Refused` if it is broken or breaks a rule."""
        with file.open("rb") as stream:
            if not _objects(stream.fileno(), start):
                return
            stream.seek(start)
            try:
                pack = self.add_thin_pack(stream.read, None)
            except (KeyError, ValueError, AssertionError, zlib.error) as error:
                raise Refused("The pack that was sent is damaged.") from error
        for item in pack.iterobjects():
            self._check(item)

    def _check(self, item: Blob | Tree | Commit | Tag) -> None:
        """Everything that an object names is there, and no file is one that the Hub would refuse."""
        if isinstance(item, Blob):
            pointer = read_pointer(item.data) if item.raw_length() <= POINTER_BYTES else None
            file = self._repository.large_file(pointer.sha256) if pointer else None
            if pointer and file and not (file.exists() and file.stat().st_size == pointer.size):
                raise Refused(f"A git-lfs pointer names a file that was not uploaded: {pointer.sha256}.")
        elif isinstance(item, Tree):
            self._height(item.id)
        elif isinstance(item, Commit):
            for oid in (item.tree, *item.parents):
                self._require(oid)
        elif isinstance(item, Tag):
            self._require(item.object[1])

    def _require(self, oid: bytes) -> None:
        if ObjectID(oid) not in self:
            raise Refused(f"The pack lacks the object {oid.decode()}.")

    def _height(self, oid: bytes, depth: int = 0) -> int:
        """How deep the folders of a tree go; its entries are checked on the way."""
        if depth > DEPTH:
            raise Refused(f"Folders are nested more than {DEPTH} deep.")
        if oid not in self._heights:
            self._require(oid)
            tree = self[ObjectID(oid)]
            if not isinstance(tree, Tree):
                raise Refused("A commit or folder names something that is no folder.")
            below = [self._entry(entry.path, entry.mode, entry.sha, depth) for entry in tree.iteritems()]
            self._heights[oid] = 1 + max(below, default=0)
        if depth + self._heights[oid] > DEPTH:
            raise Refused(f"Folders are nested more than {DEPTH} deep.")
        return self._heights[oid]

    def _entry(self, name: bytes, mode: int, oid: bytes, depth: int) -> int:
        try:
            allowed = b"/" not in name and is_file_path(name.decode())
        except UnicodeDecodeError:
            allowed = False
        if not allowed:
            raise Refused(f"{name.decode('utf-8', 'replace')!r} is not a valid file name.")
        if stat.S_IFMT(mode) == 0o160000:
            raise Refused(f"{name.decode()} is a submodule: the Hub has none.")
        if stat.S_ISDIR(mode):
            return self._height(oid, depth + 1)
        self._require(oid)
        return 0

    def keep(self) -> None:
        """Make the pack part of the repository. The caller holds its lock."""
        target = self._repository.path / "objects" / "pack"
        for end in (".pack", ".idx"):  # the index comes last: with it, the pack counts
            for file in Path(self.pack_dir).glob(f"*{end}"):
                os.replace(file, target / file.name)


@contextmanager
def quarantine(repository: Repository, scratch: Path) -> Iterator[Quarantine]:
    """A place for the objects of one push; dropped at the end with what was not kept."""
    folder = Path(tempfile.mkdtemp(prefix="push-", dir=scratch))
    store = Quarantine(repository, folder)
    try:
        yield store
    finally:
        store.close()
        shutil.rmtree(folder)


def _objects(descriptor: int, start: int) -> int:
    """The number of objects in a pack. `Refused` where one would be larger than a regular file may be: this is found
    out before anything is unpacked, for a few bytes can unpack to gigabytes."""
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        if data[start : start + 4] != b"PACK":
            raise Refused("What was sent is not a pack.")
        count = int.from_bytes(data[start + 8 : start + 12], "big")
        position, large = start + 12, 0
        try:
            for _ in range(count):
                position, size = _measure(data, position)
                large = max(large, size)
        except (IndexError, zlib.error) as error:
            raise Refused("The pack that was sent is damaged.") from error
    if large > REGULAR_BYTES:
        raise Refused(
            f"Your push was rejected because it contains files larger than {REGULAR_BYTES // 1024**2} MiB "
            f"(the largest has {large / 1024**2:.1f} MiB).\n"
            "Please use https://git-lfs.github.com/ to store large files, e.g. `git lfs track FILE`,\n"
            "and `git lfs migrate import` for those that are committed already."
        )
    return count


def _measure(data: mmap.mmap, position: int) -> tuple[int, int]:
    """Where the object of a pack at `position` ends, and how many bytes it unpacks to."""
    first = data[position]
    kind, size, shift = (first >> 4) & 7, first & 15, 4
    while data[position] & 128:
        position += 1
        size |= (data[position] & 127) << shift
        shift += 7
    position += 1
    if kind == _OFFSET_DELTA:
        while data[position] & 128:
            position += 1
        position += 1
    elif kind == _REFERENCE_DELTA:
        position += 20
    unpacker, beginning, unpacked = zlib.decompressobj(), b"", 0
    while not unpacker.eof:
        given = unpacker.unconsumed_tail
        if not given:
            given = data[position : position + _STEP]
            position += len(given)
        out = unpacker.decompress(given, _STEP)
        if not given and not out:
            raise zlib.error("the pack ends too soon")
        beginning, unpacked = beginning or out[:20], unpacked + len(out)
        if unpacked > size:
            raise zlib.error("more than was announced")
    if kind in (_OFFSET_DELTA, _REFERENCE_DELTA):
        size = max(size, _delta_size(beginning))
    return position - len(unpacker.unused_data), size


def _delta_size(delta: bytes) -> int:
    """The size of what a delta makes: the second of the numbers that it begins with."""
    position, size = 0, 0
    for _ in range(2):
        size, shift = 0, 0
        while True:
            byte = delta[position]
            position += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
    return size
