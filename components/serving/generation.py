"""Text generation as Text Generation Inference serves it: at once, with details, or token by token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from components.service.errors import WorkbenchError
from components.service.tasks import TASKS
from components.service.tasks.inputs import is_batch
from components.service.workbench import Workbench
from components.serving.http import events, in_thread, read_json, visitor
from components.serving.tasks import inputs_of

TASK = "text-generation"
#: Switches of such servers that change nothing where they are off.
_SWITCHES = ("details", "decoder_input_details", "watermark")
_REASONS = {"end": "eos_token", "stop": "stop_sequence", "length": "length", "time": "length"}
_MOST_TOP = 5


async def run(bench: Workbench, request: Request, model: str) -> Response:
    """Generate text for one request. Unlike the task itself, it leaves the prompt out where nobody asks for it."""
    who = await visitor(bench.hub, request)
    payload = await read_json(request, bench.settings)
    inputs, given = inputs_of(TASKS[TASK], payload)
    details = given.pop("details", None) is True
    top = given.pop("top_n_tokens", None) or 0
    if type(top) is not int or not 0 <= top <= _MOST_TOP:
        raise WorkbenchError(f"top_n_tokens must be from 0 to {_MOST_TOP}.", field="parameters.top_n_tokens")
    parameters = {name: value for name, value in given.items() if value or name not in _SWITCHES}
    parameters = {"return_full_text": False, **{name: value for name, value in parameters.items() if value is not None}}
    stream = payload.get("stream") is True
    if not stream and not details:
        result = await in_thread(bench.inference.run_task, TASK, model, inputs, parameters, visitor=who)
        return JSONResponse(result["output"])
    if is_batch(TASKS[TASK], inputs):
        raise WorkbenchError("Details and streams are given for one text at a time.", field="inputs")
    items = bench.inference.stream_tokens(TASK, model, inputs, parameters, top, visitor=who)
    if stream:
        return await events(items, _Events(top).render)
    return JSONResponse(await in_thread(_detailed, items, top))


def _token(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("id", "text", "logprob", "special")}


def _text(end: dict[str, Any]) -> Any:
    return end["output"][0]["generated_text"]


def _details(end: dict[str, Any]) -> dict[str, Any]:
    return {
        "finish_reason": _REASONS[end["reason"]],
        "generated_tokens": end["tokens"],
        "seed": end["parameters"].get("seed"),
    }


def _detailed(items: Iterator[dict[str, Any]], top: int) -> list[dict[str, Any]]:
    """The whole answer with its tokens."""
    *tokens, end = items
    details = {**_details(end), "prefill": [], "tokens": [_token(one) for one in tokens]}
    if top:
        details["top_tokens"] = [[_token(likely) for likely in one["top"]] for one in tokens]
    return [{"generated_text": _text(end), "details": details}]


class _Events:
    """Renders a stream: an event for each token, the last of which has the whole text and how it ended."""

    def __init__(self, top: int) -> None:
        self._top = top
        self._index = 0
        self._waiting: dict[str, Any] | None = None

    def render(self, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The events that are complete with this item."""
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            if "done" in item:
                told = {**_details(item), "input_length": item["prompt_tokens"]}
                waiting |= {"generated_text": _text(item), "details": told}
            yield waiting
        if "done" in item:
            return
        self._index += 1
        self._waiting = {"index": self._index, "token": _token(item), "generated_text": None, "details": None}
        if self._top:
            self._waiting["top_tokens"] = [_token(likely) for likely in item["top"]]
