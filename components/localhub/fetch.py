"""What `git clone` and `git fetch` ask for: git's upload-pack over HTTP, protocol version 0, one question at a time.

dulwich's own server answers no fetch of a shallow clone; this one does. It sends whole objects, never deltas: large
files travel by git-lfs, so the objects are small.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from dulwich.objects import ObjectID, Tag
from dulwich.protocol import Protocol

from components.localhub import git
from components.localhub.errors import HubError
from components.localhub.names import COMMIT
from components.localhub.repositories import Repository

CAPABILITIES = (
    b"multi_ack_detailed side-band-64k thin-pack ofs-delta shallow no-progress include-tag "
    b"allow-reachable-sha1-in-want symref=HEAD:refs/heads/main object-format=sha1 agent=localhub"
)
_LINE = re.compile(r"(want|shallow|deepen|have|done)(?: (\S+))?(.*)")
#: Most bytes of a pack in one packet of side-band-64k.
_BAND = 65_000


class Question:
    """What the client wants, what it has, and how deep it wants to look."""

    def __init__(self, stream: BinaryIO) -> None:
        self.wants: list[str] = []
        self.haves: list[str] = []
        self.shallow: set[str] = set()
        self.depth: int | None = None
        self.done = False
        self.options: list[str] = []
        #: Whether the client says what it has, or only asks where a shallow clone would end.
        self.negotiates = False
        proto = Protocol(stream.read, lambda _data: None)
        for line in proto.read_pkt_seq():
            self._take(line)
        while not proto.eof():
            self.negotiates = True
            for line in proto.read_pkt_seq() if not self.done else ():
                self._take(line)
                if self.done:
                    return

    def _take(self, line: bytes) -> None:
        match = _LINE.fullmatch(line.decode("ascii", "strict").rstrip("\n"))
        if match is None or (match[1] not in ("deepen", "done") and not COMMIT.fullmatch(match[2] or "")):
            raise ValueError("not a line of the protocol")
        if match[1] == "want":
            self.wants.append(match[2])
            self.options += match[3].split()
        elif match[1] == "have":
            self.haves.append(match[2])
        elif match[1] == "shallow":
            self.shallow.add(match[2])
        elif match[1] == "deepen":
            self.depth = int(match[2] or "")
        else:
            self.done = True


class Fetch:
    """The answer to one question about a repository."""

    def __init__(self, repository: Repository, question: Question) -> None:
        self._repository = repository
        self._objects = repository.objects
        self._question = question
        self._refs = repository.raw_refs()

    def run(self, output: BinaryIO) -> None:
        """Write the answer; 400 if the client wants something that no branch, tag or pull request leads to."""
        question = self._question
        proto = Protocol(lambda _size: b"", output.write)
        if not question.wants:
            return
        starts = [self._peel(oid) for oid in question.wants]
        self._check(question.wants)
        ends: set[str] = set()
        if question.depth is not None:
            visited, ends = self._to_depth(starts, question.depth)
            for oid in sorted(ends - question.shallow):
                proto.write_pkt_line(b"shallow " + oid.encode())
            for oid in sorted((visited - ends) & question.shallow):
                proto.write_pkt_line(b"unshallow " + oid.encode())
            proto.write_pkt_line(None)
        else:
            visited = self._behind(starts, question.shallow)
        common = [oid for oid in question.haves if self._objects.commit(oid)]
        if question.negotiates and self._acknowledge(proto, common):
            self._send(proto, visited, self._behind(common, question.shallow), common)

    def _acknowledge(self, proto: Protocol, common: list[str]) -> bool:
        """Tell what both sides have; whether the client is ready for the pack."""
        if self._question.done:
            proto.write_pkt_line(f"ACK {common[-1]}\n".encode() if common else b"NAK\n")
            return True
        for oid in common:
            proto.write_pkt_line(f"ACK {oid} common\n".encode())
        if common:
            proto.write_pkt_line(f"ACK {common[-1]} ready\n".encode())
        proto.write_pkt_line(b"NAK\n")
        return False

    # -- which objects ------------------------------------------------------------------------------------------------

    def _peel(self, oid: str) -> str:
        try:
            found = self._objects[ObjectID(oid.encode())]
        except KeyError:
            raise HubError(400, f"The repository has no object {oid}.") from None
        return self._peel(found.object[1].decode()) if isinstance(found, Tag) else oid

    def _check(self, wants: list[str]) -> None:
        """Between the list of refs and this question a branch may have moved: what is behind it counts, too."""
        others = set(wants) - set(self._refs.values())
        if others and others - self._behind(self._peel(oid) for oid in self._refs.values()):
            raise HubError(400, "The repository does not offer what was asked for.")

    def _parents(self, oid: str) -> list[str]:
        commit = self._objects.commit(oid)
        return [parent.decode() for parent in commit.parents] if commit else []

    def _behind(self, starts: Iterable[str], ends: Iterable[str] = ()) -> set[str]:
        """These commits and all before them; `ends` count as having no parents."""
        found, waiting, last = set[str](), list(starts), set(ends)
        while waiting:
            oid = waiting.pop()
            if oid not in found:
                found.add(oid)
                waiting += [] if oid in last else self._parents(oid)
        return found

    def _to_depth(self, starts: list[str], depth: int) -> tuple[set[str], set[str]]:
        """The commits that are at most `depth` deep, and those of them where the history is cut."""
        found: set[str] = set()
        level = set(starts)
        for _ in range(depth - 1):
            found |= level
            level = {parent for oid in level for parent in self._parents(oid)} - found
            if not level:
                break
        return found | level, {oid for oid in level if self._parents(oid)}

    def _wanted(self, commits: set[str], known: set[str], common: list[str]) -> Iterator[str]:
        """Ids of the objects to send: `commits` without those of the commits that the client knows."""
        new = commits - known
        edges = {parent for oid in new for parent in self._parents(oid)} & known
        seen: set[str] = set()
        for oid in edges | set(common):
            seen |= set(self._content(self._repository.tree(oid), seen))
        for oid in new:
            yield oid
            for entry in self._content(self._repository.tree(oid), seen):
                seen.add(entry)
                yield entry
        for oid in set(self._refs.values()) | set(self._question.wants):
            asked = oid in self._question.wants or "include-tag" in self._question.options
            if asked and isinstance(self._objects[ObjectID(oid.encode())], Tag) and self._peel(oid) in commits:
                yield from self._tags(oid)

    def _tags(self, oid: str) -> Iterator[str]:
        found = self._objects[ObjectID(oid.encode())]
        if isinstance(found, Tag):
            yield oid
            yield from self._tags(found.object[1].decode())

    def _content(self, tree: str, seen: set[str]) -> Iterator[str]:
        if tree not in seen:
            yield tree
            for entry in git.walk(self._objects, tree, recursive=False):
                if entry.folder:
                    yield from self._content(entry.oid, seen)
                elif entry.oid not in seen:
                    yield entry.oid

    # -- the pack -----------------------------------------------------------------------------------------------------

    def _send(self, proto: Protocol, commits: set[str], known: set[str], common: list[str]) -> None:
        wanted = list(dict.fromkeys(self._wanted(commits, known, common)))
        chunks = pack(self._objects, wanted)
        if "side-band-64k" not in self._question.options:
            for chunk in chunks:
                proto.write(chunk)
            return
        if "no-progress" not in self._question.options:
            proto.write_sideband(2, f"Sending {len(wanted)} objects.\n".encode())
        for chunk in chunks:
            proto.write_sideband(1, chunk)
        proto.write_pkt_line(None)


def pack(objects: git.Objects, wanted: list[str]) -> Iterator[bytes]:
    """A pack of whole objects, in pieces of some `_BAND` bytes."""
    digest, pending = hashlib.sha1(), bytearray(b"PACK\0\0\0\2" + len(wanted).to_bytes(4, "big"))
    for oid in wanted:
        kind, data = objects.get_raw(ObjectID(oid.encode()))
        pending += _header(kind, len(data)) + zlib.compress(data, 1)
        if len(pending) > _BAND:
            digest.update(pending)
            yield bytes(pending)
            pending = bytearray()
    digest.update(pending)
    yield bytes(pending) + digest.digest()


def _header(kind: int, size: int) -> bytes:
    header, byte, size = bytearray(), kind << 4 | size & 15, size >> 4
    while size:
        header.append(byte | 128)
        byte, size = size & 127, size >> 7
    return bytes([*header, byte])


def advertisement(repository: Repository) -> Iterator[bytes]:
    """What a fetch is told first: all refs, and what annotated tags are for."""
    refs = repository.raw_refs()
    peeled = repository.refs()
    if "refs/heads/main" in refs:
        refs = {"HEAD": refs["refs/heads/main"], **refs}
    first = b"\0" + CAPABILITIES
    for name, oid in refs.items():
        yield f"{oid} {name}".encode() + first
        first = b""
        if peeled.get(name, oid) != oid:
            yield f"{peeled[name]} {name}^{{}}".encode()
