"""An embedded Hub beside the app: a process of its own, which is started again whenever it ends before the app does."""

from __future__ import annotations

import logging
import os
import queue
import secrets
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # no advisory locks on this platform: nobody can tell that the last server is still closing
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger("workbench")

ROOT = Path(__file__).parents[2]
USER = "me"
#: All that it inherits: no token, no secret of a Space.
ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "LD_LIBRARY_PATH", "PYTHONPATH")
#: How long the server of an app that has just ended may still have its port, in seconds.
PATIENCE = 5.0
#: A server that ends before it has lasted so long is started again only after as long a pause, in seconds.
STEADY = 2.0


class EmbeddedHub:
    """The Hub that an app serves to itself, at the same address as last time if nobody has that.

    It is being started when this is made, so that the app can go on importing, and it ends when the app does. One that
    ends by itself is started again at its address: what it had acknowledged is on disk.

    Args:
        home: The app's data folder; the Hub's own is `hub` in it.
        seed: The repositories that it has from the start.

    Attributes:
        endpoint: Its address.
        token: The token of its first user.
    """

    def __init__(self, home: Path, seed: Path) -> None:
        root = home / "hub"
        root.mkdir(parents=True, exist_ok=True)
        self.token = _kept(root / "token")
        self._port = _port(root)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._root = root
        self._seed = seed
        self._log = home / "hub.log"
        self._up: queue.SimpleQueue[bool] = queue.SimpleQueue()
        # The server ends with the thread that started it, as the system sees it: this one lasts as long as the app.
        threading.Thread(target=self._keep, name="embedded-hub", daemon=True).start()

    def wait(self) -> None:
        """Return once it answers; end the app with the reason if it does not.

        Raises:
            SystemExit: It did not start.
        """
        if not self._up.get():
            raise SystemExit(f"The embedded Hub did not start; {self._log} says why.")

    def _keep(self) -> None:
        first = True
        while True:
            began = time.monotonic()
            with self._start() as process:
                assert process.stdout is not None
                ready = process.stdout.readline().startswith("localhub ready")
                if first:
                    self._up.put(ready)
                    if not ready:
                        return
                first = False
                if ready:
                    log.info("The embedded Hub answers at %s", self.endpoint)
                status = process.wait()
            log.warning("The embedded Hub ended with status %d. It is started again.", status)
            if time.monotonic() - began < STEADY:
                time.sleep(STEADY)

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "components.localhub", "--root", str(self._root), "--port", str(self._port)]
        inherited = {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}
        with self._log.open("a") as errors:
            return subprocess.Popen(
                [*command, "--user", USER, "--seed", str(self._seed), f"--with-parent={os.getpid()}"],
                cwd=ROOT,
                env={**inherited, "LOCALHUB_TOKEN": self.token},
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                # Ctrl-C in a terminal is for the app, which may still need the Hub to end well.
                start_new_session=True,
            )


def _port(root: Path) -> int:
    """The port of last time, else any free one; kept for the next time."""
    file = root / "port"
    wanted = int(file.read_text()) if file.exists() else 0
    deadline = time.monotonic() + PATIENCE
    # An app that was killed and is started again at once finds the server of its former self still closing.
    while not (port := _free(wanted)) and _served(root) and time.monotonic() < deadline:
        time.sleep(0.05)
    port = port or _free(0)
    file.write_text(str(port))
    return port


def _free(wanted: int) -> int:
    """The port of loopback that is wanted, or any one for 0, if nobody listens there; else 0."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError:
            return 0
        return int(listener.getsockname()[1])


def _served(root: Path) -> bool:
    """Whether a server still has the folder."""
    if fcntl is None:
        return False
    with (root / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _kept(file: Path) -> str:
    """The token in `file`, made at the first start and readable by its owner alone."""
    if not file.exists() or not file.read_text().strip():
        part = file.with_suffix(".part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(f"hf_{secrets.token_hex(17)}")
        part.replace(file)
    return file.read_text().strip()
