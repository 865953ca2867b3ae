"""Calls of what is not there, and with arguments that are none: Gradio takes them for defects of its own.

It answers them with status 500 and writes a traceback for each, with which anybody could fill the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from fastapi.exceptions import RequestValidationError
from gradio.route_utils import FnIndexInferError
from httpx import InvalidURL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from components.service.errors import SORRY, tellable

log = logging.getLogger("workbench")

#: Where calls begin: what is raised there is about the call. Its work is done later, or under the endpoint's own care.
_CALLS = ("/gradio_api/call/", "/gradio_api/run/", "/gradio_api/api/", "/gradio_api/queue/join")
_NOTHING = "There is no such call here. The page's footer leads to the list of all."
_ARGUMENTS = "The arguments do not fit the call. The page's footer leads to the list of all calls with their arguments."


async def _answer(request: Request, error: Exception) -> Response:
    if (said := tellable(error)) is not None:  # the disk, as an uploaded file arrives
        return JSONResponse({"error": said.message}, 507)
    if isinstance(error, OSError) or not request.url.path.startswith(_CALLS):
        log.error("A defect", exc_info=error)
        return JSONResponse({"error": SORRY}, 500)
    if isinstance(error, TypeError):
        return JSONResponse({"error": _ARGUMENTS}, 400)
    return JSONResponse({"error": _NOTHING}, 404)


async def _unread(_request: Request, _error: Exception) -> Response:
    # FastAPI would repeat what it could not read, which may be what cannot be sent.
    return JSONResponse({"error": _ARGUMENTS, "detail": _ARGUMENTS}, 422)


async def _addressed(_request: Request, _error: Exception) -> Response:
    # A proxy is believed what the app's own address is, and anybody can say that they are one.
    return JSONResponse({"error": "The host of this request is none."}, 400)


async def _closed(_request: Request) -> Response:
    return JSONResponse({"error": _NOTHING}, 404)


#: Addresses of Gradio's that this page has no use for, and what whoever asks there would get.
CLOSED = [
    # All that a session holds is written to a file, which stays for good.
    Route("/gradio_api/deep_link", _closed),
    # A video is cut by ffmpeg, in this process's name and without a limit.
    Route("/gradio_api/process_recording", _closed, methods=["GET", "POST"]),
    # A part of the page that has functions of its own, of which this page has none; it keeps what files come.
    Route("/gradio_api/component_server{rest:path}", _closed, methods=["GET", "POST"]),
    # The app fetches what stands at any address of the Internet.
    Route("/gradio_api/file=http{rest:path}", _closed),
    Route("/gradio_api/file/http{rest:path}", _closed),
]

#: What answers which exception, as Starlette takes it.
HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    RequestValidationError: _unread,
    InvalidURL: _addressed,
    FnIndexInferError: _answer,
    KeyError: _answer,
    OSError: _answer,
    TypeError: _answer,
}


class Ended:
    """ASGI middleware: a stream about nothing ends after its message.

    Gradio ends it by an exception on top, for which the server would write a traceback.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            await send({"type": "http.response.body", "body": b""})
