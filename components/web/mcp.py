"""The endpoints as MCP tools: Gradio's own server, in which each caller is a visitor of their own.

Gradio answers the call of a tool by calling the app over HTTP, with one client for everybody. In public that client
would be one visitor, so that all who come by MCP would share their runs and uploads, and what belongs to a token could
not be read back. Here each caller has a client that carries what the caller is known by, and nothing else.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from typing import Any

from gradio import mcp
from gradio_client import Client
from starlette.requests import cookie_parser

#: What a visitor is known by.
_KNOWN_BY = ("authorization", "x-hf-authorization", "cookie")
#: Most clients that are kept.
_CLIENTS = 32


class Server(mcp.GradioMCPServer):
    """Gradio's MCP server with a client for each caller; those without cookie and token have one that is nobody's."""

    def __init__(self, blocks: Any) -> None:
        super().__init__(blocks)
        self._clients: OrderedDict[tuple[str, ...], Client] = OrderedDict()
        self._lock = threading.Lock()

    def _get_or_create_client(self) -> Client:
        request: Any = self.mcp_server.request_context.request
        # The call comes from this process then, and says as a proxy does whom it is for.
        address = request.client.host if request.client else ""
        known = (*(request.headers.get(name, "") for name in _KNOWN_BY), address)
        with self._lock:
            if known not in self._clients:
                self._clients[known] = self._client(*known)
            self._clients.move_to_end(known)
            while len(self._clients) > _CLIENTS:
                self._clients.popitem(last=False)
            return self._clients[known]

    def postprocess_output_data(self, data: Any, root_url: str) -> Any:  # noqa: ARG002
        """The answer as JSON, as every endpoint gives it; Gradio would write it as Python does."""
        return [self.types.TextContent(type="text", text=json.dumps(one)) for one in data]

    def _client(self, authorization: str, forwarded: str, cookie: str, address: str) -> Client:
        if self.local_url is None:
            raise RuntimeError("The app is not up yet.")
        own = {"authorization": authorization, "x-hf-authorization": forwarded, "x-forwarded-for": address}
        cookies = cookie_parser(cookie)
        client = Client(
            self.local_url,
            token=False,  # type: ignore[arg-type]  # otherwise it would take the login of this machine
            download_files=False,
            verbose=False,
            analytics_enabled=False,
            headers={"x-gradio-user": "mcp"} | {name: value for name, value in own.items() if value},
            httpx_kwargs={"cookies": cookies},
            _skip_components=False,
        )
        # The app gave this client a cookie for a guest, which would be one guest for all who have none.
        client.cookies = cookies
        return client


def serve_mcp() -> None:
    """Let Gradio make servers of this kind; it has no setting for it."""
    mcp.GradioMCPServer = Server  # type: ignore[misc]
