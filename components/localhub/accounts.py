"""Who may do what: users with their tokens, and organizations with their members. Only hashes of tokens are kept."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.localhub.disk import write_whole
from components.localhub.names import is_namespace

try:
    import fcntl
except ImportError:  # no advisory locks on this platform: the user sees to it that one command runs at a time
    fcntl = None  # type: ignore[assignment]

#: What a token allows: a read token never changes anything.
TOKEN_ROLES = ("read", "write")
#: What a member of an organization may do there: a reader sees its private repositories, the others also write.
MEMBER_ROLES = ("read", "write", "admin")


@dataclass(frozen=True)
class Account:
    """A user as known by one of their tokens.

    Attributes:
        name: Their name; the namespace of that name is theirs.
        role: The token's role, one of `TOKEN_ROLES`.
        organizations: Organizations they belong to, and their role there.
    """

    name: str
    role: str = "write"
    organizations: dict[str, str] = field(default_factory=dict)

    @property
    def may_write(self) -> bool:
        """Whether the token may change anything at all."""
        return self.role == "write"

    def belongs(self, namespace: str) -> bool:
        """Whether this user sees the private repositories in `namespace`."""
        return namespace == self.name or namespace in self.organizations

    def owns(self, namespace: str) -> bool:
        """Whether this user, with this token, may create and change repositories in `namespace`."""
        inside = namespace == self.name or self.organizations.get(namespace) in ("write", "admin")
        return inside and self.may_write


class Accounts:
    """The users and organizations of one embedded Hub, stored in `file`; a change made by another process counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read: tuple[int, int] | None = None
        self._users: dict[str, dict[str, str]] = {}
        self._organizations: dict[str, dict[str, str]] = {}
        self._refresh()

    def __contains__(self, name: object) -> bool:
        self._refresh()
        return name in self._users or name in self._organizations

    @property
    def users(self) -> dict[str, list[str]]:
        """All users, and the roles they have tokens for."""
        self._refresh()
        return {name: sorted(hashes) for name, hashes in sorted(self._users.items())}

    @property
    def organizations(self) -> dict[str, dict[str, str]]:
        """All organizations, and their members' roles."""
        self._refresh()
        return {name: dict(members) for name, members in sorted(self._organizations.items())}

    def add(self, name: str, token: str, role: str = "write") -> None:
        """Add a user, or give an existing one a new token; their old token of that role stops working.

        Raises:
            ValueError: The name is not allowed or taken, the role is unknown, the token is empty or not plain ASCII.
        """
        _check_name(name)
        _check_role(role, TOKEN_ROLES)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise ValueError("A token must be plain ASCII without spaces, and not empty.")
        digest = _digest(token)
        with self._changing():
            if name in self._organizations:
                raise ValueError(f"{name} is an organization already.")
            if self.find(token) not in (None, self._account(name, role)):
                raise ValueError("That token is in use already: choose another.")
            self._users[name] = {**self._users.get(name, {}), role: digest}

    def remove(self, name: str) -> None:
        """Forget a user or an organization. What they pushed stays, and is nobody's.

        Raises:
            ValueError: There is none of that name.
        """
        with self._changing():
            if self._users.pop(name, None) is None and self._organizations.pop(name, None) is None:
                raise ValueError(f"There is no user or organization called {name}.")
            for members in self._organizations.values():
                members.pop(name, None)

    def set_member(self, organization: str, user: str, role: str | None) -> None:
        """Give a user a role in an organization, which is made if it is new; None takes the user out.

        Raises:
            ValueError: The name is a user's, or there is no such user, member or role.
        """
        _check_name(organization)
        if role is not None:
            _check_role(role, MEMBER_ROLES)
        with self._changing():
            if organization in self._users:
                raise ValueError(f"{organization} is a user already.")
            if user not in self._users:
                raise ValueError(f"There is no user called {user}.")
            if role is not None:
                self._organizations.setdefault(organization, {})[user] = role
            elif self._organizations.get(organization, {}).pop(user, None) is None:
                raise ValueError(f"{user} is not a member of {organization}.")

    def find(self, token: str) -> Account | None:
        """The user whom `token` belongs to."""
        self._refresh()
        digest = _digest(token)
        known = [(name, role, kept) for name, hashes in self._users.items() for role, kept in hashes.items()]
        found = [(name, role) for name, role, kept in known if hmac.compare_digest(kept, digest)]
        return self._account(*found[0]) if found else None

    def _account(self, name: str, role: str) -> Account:
        theirs = {key: members[name] for key, members in self._organizations.items() if name in members}
        return Account(name, role, theirs)

    def _refresh(self) -> None:
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            return
        mark = (stat.st_mtime_ns, stat.st_ino)
        if mark == self._read:
            return
        kept: dict[str, Any] = json.loads(self._file.read_text("utf-8"))
        # The first version kept one hash a user.
        self._users = {
            name: {"write": tokens} if isinstance(tokens, str) else tokens for name, tokens in kept["users"].items()
        }
        self._organizations = kept.get("organizations", {})
        self._read = mark

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change the file's content; other processes that change it wait."""
        with self._file.with_suffix(".lock").open("w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            self._refresh()
            before = self._text()
            try:
                yield
            except ValueError:
                self._read = None
                raise
            if self._text() != before or not self._file.exists():
                write_whole(self._file, self._text().encode(), private=True)

    def _text(self) -> str:
        return json.dumps({"users": self._users, "organizations": self._organizations}, indent=1)


def _check_name(name: str) -> None:
    if not is_namespace(name):
        raise ValueError(f"{name!r} cannot be a user name: use letters, digits, '-', '_' and '.'.")


def _check_role(role: str, roles: tuple[str, ...]) -> None:
    if role not in roles:
        raise ValueError(f"{role!r} is not a role: use {' or '.join(roles)}.")


def _digest(token: str) -> str:
    return hashlib.sha256(b"localhub token\0" + token.encode("utf-8", "surrogatepass")).hexdigest()
