"""Transformers Workbench: run a model, look inside it, fine-tune it, document it, share it.

    python app.py [--hub auto|local|URL] [--host HOST] [--port PORT] [--share] [--root-path PATH] [--mcp]
                  [--home FOLDER]

This file turns the command line into settings, finds or starts the Hub, and serves the page. Before anything else is
imported it sets the switches that the Hub's client libraries read once, when they are imported.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import time
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import IO

from components.localhub.beside import EmbeddedHub
from components.service.settings import HUGGING_FACE, Settings, read_settings

try:
    import fcntl
except ImportError:  # no advisory locks on this platform: the user sees to it that one app uses a data folder
    fcntl = None  # type: ignore[assignment]

SEED = Path(__file__).parent / "components" / "starter" / "repos"
ANSWER_SECONDS = 2.0
#: How long an app that is being stopped may still have the data folder, in seconds.
PATIENCE = 5.0
VARIABLES = """variables in the environment that have no flag:
  HF_TOKEN             the machine's own login at the Hub, used on one's own machine alone
  HF_HUB_OFFLINE=1, TRANSFORMERS_OFFLINE=1
                       the embedded Hub where no --hub is given, without asking for another
  HF_HOME, HF_HUB_CACHE, XDG_CACHE_HOME
                       where the cache of a Hub other than the embedded one is, as the Hub's client has it
  WORKBENCH_PRECISION  fp32 for all models, or bf16 where the answer is scores; otherwise what was measured quicker
  WORKBENCH_REMOTE     a server that speaks the Inference API, for models that are too large for this machine
A flag counts before its variable, and that before the default."""


def arguments(argv: list[str] | None = None) -> dict[str, object]:
    """The flags given on the command line; None where one is not given."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n")[0],
        epilog=VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--hub",
        help="auto (the default): the Hub of HF_ENDPOINT or huggingface.co, or the embedded one if that does not "
        "answer within two seconds; local: the embedded one; or the address of a Hub",
    )
    parser.add_argument("--host", help="address to listen on (GRADIO_SERVER_NAME; 127.0.0.1, and 0.0.0.0 on a Space)")
    parser.add_argument("--port", help="port to listen on (GRADIO_SERVER_PORT; the first free one from 7860)")
    parser.add_argument("--share", action="store_true", default=None, help="also serve through a public Gradio link")
    parser.add_argument(
        "--root-path", help="path under which a proxy shows the app, such as /workbench (GRADIO_ROOT_PATH)"
    )
    parser.add_argument(
        "--mcp", action="store_true", default=None, help="also serve MCP tools (GRADIO_MCP_SERVER=true)"
    )
    parser.add_argument("--home", help="data folder (WORKBENCH_HOME; ~/.transformers-workbench)")
    return vars(parser.parse_args(argv))


def hub_answers(endpoint: str) -> bool:
    """Whether a Hub answers at this address within two seconds."""
    try:
        with urllib.request.urlopen(f"{endpoint}/api/models?limit=1", timeout=ANSWER_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except (OSError, ValueError):
        return False


def claim(home: Path) -> IO[str]:
    """The data folder for this app alone, as long as the file that is returned is open: two would train each run twice.

    Raises:
        SystemExit: Another app has it, or it cannot be written.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        file = (home / "lock").open("w")
    except OSError as error:
        raise SystemExit(
            f"The data folder {home} cannot be written ({error.strerror}). Name another with --home."
        ) from None
    deadline = time.monotonic() + PATIENCE
    while fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise SystemExit(
                    f"Another app uses the data folder {home}. Stop it, or give this one another with --home."
                ) from None
            time.sleep(0.1)
    return file


def check_address(settings: Settings) -> None:
    """Nothing, where the server can listen: otherwise the app ends before it has imported all that it needs.

    Raises:
        SystemExit: The port is taken, or the host is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(settings.host.strip("[]"), settings.port or 0, type=socket.SOCK_STREAM)
        family, kind, _, _, address = found[0]
        with socket.socket(family, kind) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        raise SystemExit(
            f"The app cannot listen at {settings.host}, port {settings.port or 'any'} ({error.strerror}). "
            "Give another --port or --host, or stop what listens there."
        ) from None


def ask_this_machine_directly() -> None:
    """Leave the proxies that the environment names to the Internet: the app, its Hub and MCP ask each other."""
    named = urllib.request.getproxies_environment()
    spared = named.pop("no", "")
    if named and spared != "*":
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = f"{spared},localhost,127.0.0.1,::1".lstrip(",")


def find_hub(settings: Settings) -> tuple[Settings, EmbeddedHub | None]:
    """The settings with the Hub in use: the one asked for, or the embedded one, which is being started."""
    if settings.hub not in ("auto", "local") or (settings.hub == "auto" and hub_answers(settings.endpoint)):
        return settings, None
    hub = EmbeddedHub(settings.home, SEED)
    found = replace(
        settings,
        endpoint=hub.endpoint,
        embedded=True,
        cache=settings.home / "cache" / "hub",
        machine_token=None if settings.public else hub.token,
    )
    return found, hub


def set_switches(settings: Settings) -> None:
    """Set what huggingface_hub, transformers and gradio read from the environment when they are imported."""
    os.environ |= {
        "HF_ENDPOINT": settings.endpoint,
        "HF_HUB_OFFLINE": "0",  # the Hub in use is asked, which is on this machine where there is no network
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DISABLE_SAFETENSORS_CONVERSION": "1",
        "GRADIO_ANALYTICS_ENABLED": "False",
        # Otherwise Gradio remembers 10,000 calls, and sums all of them up again after each.
        "GRADIO_ANALYTICS_MAX_EVENTS": "1",
        "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9),
    }
    if settings.endpoint != HUGGING_FACE:
        os.environ["HF_HUB_DISABLE_XET"] = "1"  # only huggingface.co has the Xet storage


def main() -> None:
    """Start the app and serve until it is stopped."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for client in ("httpx", "httpx2", "mcp"):
        logging.getLogger(client).setLevel(logging.WARNING)
    try:
        settings = read_settings(os.environ, arguments())
    except ValueError as error:
        raise SystemExit(str(error)) from None
    ask_this_machine_directly()
    claimed = claim(settings.home)
    check_address(settings)
    settings, hub = find_hub(settings)
    set_switches(settings)

    from huggingface_hub import get_token

    from components.web.imports import import_gradio

    import_gradio(mcp=settings.mcp)
    from components.page import serve

    if not settings.public and not settings.embedded:
        settings = replace(settings, machine_token=get_token())
    if hub is not None:
        hub.wait()
    with claimed:
        serve(settings)


if __name__ == "__main__":
    main()
