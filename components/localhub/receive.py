"""Pushing by git: the commands of a push, checked one by one, applied under the repository's lock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from dulwich.errors import GitProtocolError, HangupException
from dulwich.objects import Commit, ObjectID, Tag
from dulwich.protocol import Protocol

from components.localhub import cards, discussions
from components.localhub.accounts import Account
from components.localhub.errors import HubError
from components.localhub.hub import forbidden
from components.localhub.merging import log
from components.localhub.names import COMMIT, is_branch
from components.localhub.packs import Quarantine, Refused, quarantine
from components.localhub.repositories import MAIN, Repository

NOTHING = "0" * 40
CAPABILITIES = b"report-status delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 agent=localhub"
COMMANDS = 1000
#: Most commits that one push adds to the events of a pull request.
EVENTS = 100


@dataclass(frozen=True)
class Command:
    """One ref to move from `old` to `new`; `NOTHING` stands for a ref that is not there."""

    old: str
    new: str
    ref: str


class Push:
    """One push of `account` to `repository`; `file` holds the request as git sent it."""

    def __init__(self, repository: Repository, account: Account, file: Path, scratch: Path) -> None:
        self._repository = repository
        self._account = account
        self._file = file
        self._scratch = scratch
        self._options: list[bytes] = []

    def run(self, output: BinaryIO) -> None:
        """Take the push and write git's report to `output`; 400 if the request is not git's protocol."""
        with self._file.open("rb") as stream:
            try:
                commands = self._read(stream)
            except (HangupException, GitProtocolError, AssertionError, ValueError) as error:
                raise HubError(400, "The request cannot be understood as git's protocol.") from error
            start = stream.tell()
        if not commands:
            return
        proto = Protocol(lambda _size: b"", output.write)
        try:
            results = self._take(commands, start)
        except Refused as refused:
            for line in str(refused).splitlines():
                self._say(proto, line)
            results = dict.fromkeys(commands, "pre-receive hook declined")
        self._report(proto, results)

    def _read(self, stream: BinaryIO) -> list[Command]:
        commands = []
        for line in islice(Protocol(stream.read, lambda _data: None).read_pkt_seq(), COMMANDS + 1):
            text, _, options = line.rstrip(b"\n").partition(b"\0")
            self._options += options.split()
            parts = text.decode("utf-8", "replace").split(" ")
            if len(parts) != 3 or not all(COMMIT.fullmatch(part) for part in parts[:2]):
                raise HubError(400, "A command of the push cannot be understood.")
            commands.append(Command(*parts))
        if len(commands) > COMMANDS:
            raise HubError(400, f"A push may move at most {COMMANDS} branches and tags.")
        return commands

    def _take(self, commands: list[Command], start: int) -> dict[Command, str]:
        with quarantine(self._repository, self._scratch) as store:
            if any(command.new != NOTHING for command in commands):
                store.take(self._file, start)
            with self._repository.writing():
                results = {command: self._verdict(store, command) for command in commands}
                if b"atomic" in self._options and any(results.values()):
                    return {command: found or "atomic push failed" for command, found in results.items()}
                if not all(results.values()):
                    store.keep()
                return {command: found or self._apply(command) for command, found in results.items()}

    def _verdict(self, store: Quarantine, command: Command) -> str:
        """Why a command is refused; empty if it is not."""
        kind, _, name = command.ref.removeprefix("refs/").partition("/")
        current = self._repository.raw_refs().get(command.ref, NOTHING)
        if kind not in ("heads", "tags", "pr") or not is_branch(name):
            return "only branches, tags and pull requests can be pushed"
        if current != command.old:
            return "fetch first"
        if kind != "pr" and not self._account.owns(self._repository.namespace):
            return forbidden(self._account).message
        if kind == "pr":
            try:
                discussions.check_open(self._repository, self._account, command.ref)
            except HubError as error:
                return error.message
        if command.new == NOTHING:
            return "it cannot be deleted" if command.ref == MAIN or kind == "pr" else ""
        commit = _commit(store, command.new, annotated=kind == "tags")
        return self._card(store, commit) if commit else "it does not point to a commit that is here"

    def _card(self, store: Quarantine, commit: Commit) -> str:
        """The Hub's checks of the README's metadata, which a push does not make before."""
        tree = store[commit.tree]
        if b"README.md" not in tree:
            return ""
        text = store[tree[b"README.md"][1]].data.decode("utf-8", "replace")
        errors, _ = cards.check(text, self._repository.kind[:-1])
        return f"README.md: {errors[0]}"[:300].replace("\n", " ") if errors else ""

    def _apply(self, command: Command) -> str:
        repository = self._repository
        if command.new == NOTHING:
            repository.delete_ref(command.ref)
            return ""
        try:
            repository.set_ref(command.ref, command.new)
        except HubError as error:
            return error.message
        if found := discussions.pull_request(repository, command.ref):
            known = {commit.id for commit in log(repository, command.old)}
            new = islice((commit for commit in log(repository, command.new) if commit.id not in known), EVENTS)
            for commit in reversed(list(new)):
                discussions.add_commit(repository, found, self._account.name, commit.id.decode())
        return ""

    # -- the answer ---------------------------------------------------------------------------------------------------

    def _say(self, proto: Protocol, line: str) -> None:
        if b"side-band-64k" in self._options:
            proto.write_sideband(2, f"{line}\n".encode())

    def _report(self, proto: Protocol, results: dict[Command, str]) -> None:
        if b"report-status" not in self._options:
            return
        report = b"".join(_packet(line) for line in _lines(results)) + b"0000"
        if b"side-band-64k" in self._options:
            proto.write_sideband(1, report)
            proto.write_pkt_line(None)
        else:
            proto.write(report)


def advertisement(repository: Repository) -> Iterator[bytes]:
    """What a push is told first: all refs, and what the server can do."""
    first = b"\0" + CAPABILITIES
    for name, oid in repository.raw_refs().items() or [("capabilities^{}", NOTHING)]:
        yield f"{oid} {name}".encode() + first
        first = b""


def _commit(store: Quarantine, oid: str, *, annotated: bool) -> Commit | None:
    """The commit of that id, or, if tags may be `annotated`, the one that the tag of that id is for."""
    if ObjectID(oid.encode()) not in store:
        return None
    found = store[ObjectID(oid.encode())]
    if isinstance(found, Tag) and annotated:
        found = store[found.object[1]]
    return found if isinstance(found, Commit) else None


def _lines(results: dict[Command, str]) -> Iterator[str]:
    yield "unpack ok"
    for command, reason in results.items():
        yield f"ng {command.ref} {reason}" if reason else f"ok {command.ref}"


def _packet(line: str) -> bytes:
    data = f"{line}\n".encode()
    return f"{len(data) + 4:04x}".encode() + data
