"""Calls of what is not there, and with arguments that are none: Gradio takes them for defects of its own.

It answers them with status 500 and writes a traceback for each, with which anybody could fill the log.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from gradio.route_utils import FnIndexInferError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

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


async def _closed(_request: Request) -> Response:
    return JSONResponse({"error": _NOTHING}, 404)


#: An address of Gradio's that this page has no use for: whoever asks there has all that a session holds written to a
#: file, which stays for good.
CLOSED = [Route("/gradio_api/deep_link", _closed)]

#: What answers which exception, as Starlette takes it.
HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    FnIndexInferError: _answer,
    KeyError: _answer,
    OSError: _answer,
    TypeError: _answer,
}
