"""Uploads whose progress can be followed in bytes.

The Hub client takes open files beside paths. A large file is handed over as one that notes how far it has been read:
for all but small files that is how far it has been sent. A file that is already stored is not read again. Such files
take the plain HTTP road even where the Hub offers another one, which no file object can take.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd

#: Files from this size on are followed while they are sent; smaller ones travel inside the commit itself.
FOLLOWED_BYTES = 1_000_000
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Push:
    """What is asked of a push.

    Attributes:
        message: The commit's message; empty for one that says what is pushed.
        private: Whether a repository that is created can be read by its owner alone.
        update: Whether what is there may be changed: a repository that holds something, or files of the same names.
        create_pr: Propose the commit as a pull request, instead of making it.
        parent_commit: The commit that one has seen: a repository changed since then is left alone. Empty: the newest.
    """

    message: str = ""
    private: bool = True
    update: bool = False
    create_pr: bool = False
    parent_commit: str = ""


class _Followed(io.BufferedReader):
    """An open file that knows how far it has been read since `begin`."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self.size = path.stat().st_size
        self.sent = 0
        self._sending = False

    def begin(self) -> None:
        """Count from here on: what was read before was only hashed."""
        self._sending = True

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if self._sending:
            self.sent = max(self.sent, self.tell())
        return data


class Upload:
    """Files on their way into one commit."""

    def __init__(self) -> None:
        self.operations: list[CommitOperationAdd] = []
        self.bytes = 0
        self._followed: list[_Followed] = []

    def add(self, path_in_repo: str, content: Path | bytes) -> None:
        """Put a file, or a text as bytes, into the commit."""
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        self.bytes += size
        source: Any = content
        if isinstance(content, Path) and size >= FOLLOWED_BYTES:
            source = _Followed(content)
            self._followed.append(source)
        self.operations.append(CommitOperationAdd(path_in_repo, source))

    def run(self, commit: Callable[[list[CommitOperationAdd]], dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Make the commit, telling how far it is.

        Args:
            commit: Takes the operations and returns what is told at the end. It goes on to its end even if nobody
                follows any more.

        Yields:
            `{"sent", "bytes", "result"}`, the first two in bytes; `result` is None until the commit is made.
        """
        for file in self._followed:
            file.begin()
        try:
            with ThreadPoolExecutor(1) as pool:
                future = pool.submit(commit, self.operations)
                while not wait([future], timeout=_LOOK_SECONDS).done:
                    yield {"sent": sum(file.sent for file in self._followed), "bytes": self.bytes, "result": None}
                yield {"sent": self.bytes, "bytes": self.bytes, "result": future.result()}
        finally:
            for file in self._followed:
                file.close()


def finished(steps: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Follow an upload to its end, and give its result."""
    result: dict[str, Any] = {}
    for step in steps:
        result = step["result"] or result
    return result
