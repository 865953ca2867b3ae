"""Who may write: the accounts of the embedded Hub. Only a hash of each token is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from pathlib import Path

from components.localhub.disk import write_whole
from components.localhub.names import is_namespace


@dataclass(frozen=True)
class Account:
    """A user: the namespace of that name is theirs."""

    name: str

    def owns(self, namespace: str) -> bool:
        """Whether this user may create and change repositories in `namespace`."""
        return namespace == self.name


class Accounts:
    """The users of one embedded Hub, stored in `file`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._hashes: dict[str, str] = json.loads(file.read_text("utf-8"))["users"] if file.exists() else {}

    def __contains__(self, name: object) -> bool:
        return name in self._hashes

    def add(self, name: str, token: str) -> None:
        """Add a user, or give an existing one a new token; the old token stops working.

        Raises:
            ValueError: The name cannot be a namespace, or the token is empty or not plain ASCII.
        """
        if not is_namespace(name):
            raise ValueError(f"{name!r} cannot be a user name: use letters, digits, '-', '_' and '.'.")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("A token must be plain ASCII without spaces, and not empty.")
        if self._hashes.get(name) != _digest(token):
            self._hashes = {**self._hashes, name: _digest(token)}
            write_whole(self._file, json.dumps({"users": self._hashes}, indent=1).encode(), private=True)

    def find(self, token: str) -> Account | None:
        """The user whom `token` belongs to."""
        digest = _digest(token)
        found = [name for name, known in self._hashes.items() if hmac.compare_digest(known, digest)]
        return Account(found[0]) if found else None


def _digest(token: str) -> str:
    return hashlib.sha256(b"localhub token\0" + token.encode("utf-8", "surrogatepass")).hexdigest()
