"""The command line for accounts: `python -m components.localhub accounts --root DIR add-user NAME ...`."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

from components.localhub.accounts import MEMBER_ROLES, TOKEN_ROLES, Accounts

_AFTER = """\
A user has at most one token of each role. Changes count at once, also for a server that is running. A user's own
namespace and those of the organizations where they are write or admin are theirs to write to.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m components.localhub accounts",
        description="Manage the users and organizations of an embedded Hub.",
        epilog=_AFTER,
    )
    command.add_argument("--root", type=Path, required=True, metavar="DIR", help="the Hub's folder")
    actions = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("list", help="show users with their token roles, organizations with their members")
    add = actions.add_parser("add-user", help="add a user, or give one a new token")
    add.add_argument("name")
    add.add_argument("--role", choices=TOKEN_ROLES, default="write", help="what the token allows (default: write)")
    add.add_argument("--token", help="the token; without one, a new one is made and printed once")
    remove = actions.add_parser("remove", help="forget a user or an organization; their repositories stay")
    remove.add_argument("name")
    member = actions.add_parser("add-member", help="add a user to an organization, which is made if it is new")
    member.add_argument("organization")
    member.add_argument("name")
    member.add_argument("--role", choices=MEMBER_ROLES, default="write", help="role there (default: write)")
    member = actions.add_parser("remove-member", help="take a user out of an organization")
    member.add_argument("organization")
    member.add_argument("name")
    return command


def main(arguments: list[str] | None = None) -> int:
    """Do one thing to the accounts; gives the exit status."""
    command = parser()
    options = command.parse_args(arguments)
    try:
        options.root.mkdir(parents=True, exist_ok=True)
        for line in _lines(Accounts(options.root / "accounts.json"), options):
            sys.stdout.write(f"{line}\n")
    except (ValueError, OSError) as error:
        command.exit(1, f"{error}\n")
    return 0


def _lines(accounts: Accounts, options: argparse.Namespace) -> Iterator[str]:
    if options.action == "list":
        for name, roles in accounts.users.items():
            yield f"user {name}: {', '.join(roles)}"
        for name, members in accounts.organizations.items():
            yield f"organization {name}: {', '.join(f'{user} ({role})' for user, role in members.items())}"
    elif options.action == "add-user":
        token = options.token or f"hf_{secrets.token_hex(17)}"
        accounts.add(options.name, token, options.role)
        yield f"{options.name} has a {options.role} token" + ("" if options.token else f": {token}")
    elif options.action == "remove":
        accounts.remove(options.name)
        yield f"{options.name} is forgotten"
    else:
        role = getattr(options, "role", None)
        accounts.set_member(options.organization, options.name, role)
        yield f"{options.name} is {role or 'no longer'} in {options.organization}"
