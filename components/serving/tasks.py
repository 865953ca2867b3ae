"""`POST /inference/{task}/{model id}` for all tasks but text generation: one request, one answer."""

from __future__ import annotations

import base64
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from components.service.errors import WorkbenchError
from components.service.tasks import TaskSpec, find_task
from components.service.tasks.inputs import is_batch
from components.service.workbench import Workbench
from components.serving.http import in_thread, parse, read_body, visitor

_MEDIA = ("image", "audio", "video")
#: Keys of a body that are neither inputs nor parameters.
_IGNORED = ("options", "stream", "model")
#: Tasks whose answer is a list even of one input.
_LISTS = ("summarization", "translation", "text2text-generation", "image-text-to-text")


async def run(bench: Workbench, request: Request, task: str, model: str) -> Response:
    """Run one task for one request."""
    spec = find_task(task)
    who = await visitor(bench.hub, request)
    inputs, parameters = read(spec, await read_body(request, bench.settings), request.headers.get("content-type", ""))
    result = await in_thread(bench.inference.run_task, task, model, inputs, parameters, visitor=who)
    return answer(spec, inputs, result["output"], request.headers.get("accept", ""))


def read(spec: TaskSpec, body: bytes, content_type: str) -> tuple[Any, dict[str, Any]]:
    """Inputs and parameters of a body: JSON, or the bytes of an image, a sound or a video as they are."""
    if spec.inputs[0].kind in _MEDIA and not _is_json(body, content_type):
        return base64.b64encode(body).decode(), {}
    return inputs_of(spec, parse(body))


def inputs_of(spec: TaskSpec, payload: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Inputs and parameters of a body's JSON.

    Feature extraction has its parameters beside the inputs; visual question answering has its question there, beside
    an image; table question answering sends the model's address along.
    """
    if "inputs" not in payload:
        raise WorkbenchError('The body needs "inputs".', field="inputs")
    parameters = payload.get("parameters") or {}
    if not isinstance(parameters, dict):
        raise WorkbenchError("Parameters must be an object of names and values.", field="parameters")
    inputs = payload["inputs"]
    beside = {name: value for name, value in payload.items() if name not in ("inputs", "parameters", *_IGNORED)}
    if beside and set(beside) <= {one.name for one in spec.inputs}:
        inputs, beside = {spec.inputs[0].name: inputs, **beside}, {}
    known = {one.name for one in spec.parameters}
    given = {name: value for name, value in parameters.items() if name != "model" or name in known}
    return inputs, {**beside, **given}


def _is_json(body: bytes, content_type: str) -> bool:
    return content_type.startswith("application/json") or body[:1] == b"{"


def answer(spec: TaskSpec, inputs: Any, output: Any, accept: str = "") -> Response:
    """An output as the Hub sends it.

    Images and sounds are sent as files, unless JSON is asked for; a text's labels stand in a list for each text, one of
    them included.
    """
    as_json = "application/json" in accept
    if spec.output == "image" and isinstance(output, str) and not as_json:
        return Response(base64.b64decode(output), media_type="image/png")
    if spec.output == "audio" and isinstance(output, dict) and not as_json:
        return Response(base64.b64decode(output["audio"]), media_type="audio/wav")
    single = not is_batch(spec, inputs)
    if single and (spec.name == "text-classification" or (spec.name in _LISTS and isinstance(output, dict))):
        output = [output]
    return JSONResponse(output)
