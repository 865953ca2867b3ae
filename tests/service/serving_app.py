"""The routes of the Inference API on a port of loopback."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import uvicorn
from starlette.applications import Starlette

from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import Settings
from components.serving import inference_routes


@contextmanager
def serving(settings: Settings, hub: Hub, inference: Inference) -> Iterator[str]:
    """Serve the service; gives the address under which tasks are."""
    bench = SimpleNamespace(settings=settings, hub=hub, inference=inference)
    config = uvicorn.Config(Starlette(routes=inference_routes(bench)), port=0, log_level="error")  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)  # uvicorn tells nobody else
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/inference"
    server.should_exit = True
    thread.join(20)
