"""Run an embedded Hub: `python -m components.localhub --root DIR --user NAME --token TOKEN`.

Further users, read-only tokens and organizations: `python -m components.localhub accounts --root DIR --help`.
"""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

import uvicorn

from components.localhub import accounts_command
from components.localhub.parent import follow_parent
from components.localhub.server import create_app

LOOPBACK = ("127.0.0.1", "localhost")
PATIENCE = 60.0
_AFTER = """\
Point a client at it with HF_ENDPOINT=http://127.0.0.1:PORT and HF_HUB_DISABLE_XET=1 in the environment, set before
huggingface_hub is imported. Anyone who reaches the server may read its public repositories; only users with a token
may write, and only below their own name and their organizations'. Add users, read-only tokens and organizations, also
while it runs, with: python -m components.localhub accounts --root DIR add-user NAME (see accounts --help).
"""


class Server(uvicorn.Server):
    """Says on stdout when it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets=sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"localhub ready http://{shown}:{port}\n")
            sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """The command line."""
    command = argparse.ArgumentParser(
        prog="python -m components.localhub",
        description="Serve the Hugging Face Hub's HTTP protocol from a folder on this machine.",
        epilog=_AFTER,
    )
    command.add_argument("--root", type=Path, required=True, metavar="DIR", help="folder to keep everything in")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    command.add_argument("--port", type=int, default=0, metavar="N", help="port; 0, the default, picks a free one")
    command.add_argument("--user", metavar="NAME", help="the account that may write, added if it is new")
    command.add_argument(
        "--token", help="that account's token (default: the environment's LOCALHUB_TOKEN); only its hash is kept"
    )
    command.add_argument(
        "--seed",
        type=Path,
        metavar="FOLDER",
        help="publish FOLDER/models/NAMESPACE/NAME/... and FOLDER/datasets/NAMESPACE/NAME/... at the start",
    )
    command.add_argument(
        "--with-parent",
        type=int,
        nargs="?",
        const=0,
        metavar="PID",
        help="stop when the process that started this one ends; with its id, also if it has ended already",
    )
    command.add_argument(
        "--test", action="store_true", help="for tests: a log under /test/requests, faults under /test/faults, for all"
    )
    return command


def main(arguments: list[str] | None = None) -> int:
    """Serve until stopped; gives the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["accounts"]:
        return accounts_command.main(given[1:])
    command = parser()
    options = command.parse_args(given)
    token = options.token or os.environ.get("LOCALHUB_TOKEN")
    if options.user and not token:
        command.error("--user needs a --token, or LOCALHUB_TOKEN in the environment")
    if options.seed and not options.seed.is_dir():
        command.error("--seed must be a folder")
    try:
        hosts = LOOPBACK if options.host in LOOPBACK else None
        app = create_app(
            options.root,
            user=options.user,
            token=token,
            seed=options.seed,
            hosts=hosts,
            test=options.test,
            # An app that is killed and started again at once finds the server of its former self still closing.
            patience=0.0 if options.with_parent is None else PATIENCE,
        )
        listener = _listen(options.host, options.port)
    except (RuntimeError, ValueError, OSError) as error:
        command.exit(1, f"localhub cannot start: {error}\n")
    server = Server(
        uvicorn.Config(
            app,
            log_level="warning",
            lifespan="on",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=3,
        )
    )
    if options.with_parent is not None:
        follow_parent(server, options.with_parent)
    server.run(sockets=[listener])
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns off Nagle's algorithm: else every small answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    return listener


if __name__ == "__main__":
    sys.exit(main())
