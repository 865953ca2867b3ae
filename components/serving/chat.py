"""Chat completions in the form of OpenAI's API, at once or as a stream."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.tasks import TASKS
from components.service.tasks.inputs import check_input
from components.service.workbench import Workbench
from components.serving.http import events, in_thread, visitor

TASK = "text-generation"
#: What is taken as it is, under the task's own name of it.
_SAME = ("temperature", "top_p", "seed", "top_k", "repetition_penalty", "typical_p", "do_sample", "min_new_tokens")
#: What belongs to the request and says nothing about the text.
_BESIDE = (
    *("model", "messages", "stream", "stream_options", "logprobs", "top_logprobs", "user", "tool_choice"),
    *("metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"),
)
#: What is only refused where it asks for something: each with the values that ask for nothing.
_UNABLE: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "tools": ([],),
    "tool_prompt": ("",),
    "logit_bias": ([], {}),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "response_format": ({"type": "text"},),
    "parallel_tool_calls": (True, False),
}
_MOST_TOP = 20
_REASONS = {"end": "stop", "stop": "stop", "length": "length", "time": "length"}


async def complete(bench: Workbench, request: Request, model: str, payload: dict[str, Any]) -> Response:
    """Answer one chat."""
    who = await visitor(bench.hub, request)
    parameters = read(payload, bench.settings)
    top = payload.get("top_logprobs") or 0
    if type(top) is not int or not 0 <= top <= _MOST_TOP:
        raise WorkbenchError(f"top_logprobs must be from 0 to {_MOST_TOP}.", field="parameters.top_logprobs")
    messages = check_input(TASKS[TASK], _messages(payload.get("messages")), bench.settings)
    items = bench.inference.stream_tokens(TASK, model, messages, parameters, top, visitor=who)
    one = _Completion(model, payload, parameters.get("stop", []))
    if payload.get("stream") is True:
        return await events(items, one.render, "[DONE]")
    return JSONResponse(await in_thread(one.whole, items))


def read(payload: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The task's parameters, from those of a chat completion.

    Tokens are drawn where a temperature above 0, or another parameter of sampling, is given; the answer may be as long
    as the server allows where `max_tokens` does not say.

    Raises:
        WorkbenchError: One is unknown, or asks for what is not done here.
    """
    for name, idle in _UNABLE.items():
        if payload.get(name) is not None and payload[name] not in idle:
            raise WorkbenchError(f"{name} is not done here. Leave it out.", field=f"parameters.{name}")
    known = {*_SAME, *_BESIDE, *_UNABLE, "max_tokens", "max_completion_tokens", "stop"}
    if strange := set(payload) - known:
        name = min(strange)
        raise WorkbenchError(
            f"A chat completion has no parameter {name[:80]!r}. It knows {', '.join(sorted(known))}.",
            field=f"parameters.{name[:80]}",
        )
    parameters = {name: payload[name] for name in _SAME if payload.get(name) is not None}
    if parameters.get("temperature") == 0:
        parameters = {**parameters, "temperature": None, "do_sample": False}
    lengths = (payload.get("max_completion_tokens"), payload.get("max_tokens"))
    longest = next((length for length in lengths if length is not None), settings.new_tokens)
    stop = payload.get("stop") or []
    parameters |= {"max_new_tokens": longest, "return_full_text": False}
    return {**parameters, **({"stop": [stop] if isinstance(stop, str) else stop} if stop else {})}


def _messages(given: Any) -> Any:
    """The messages with their contents as text; parts of text are joined."""
    if not isinstance(given, list) or not given:
        raise WorkbenchError(
            'The body needs "messages", such as [{"role": "user", "content": "Hello"}].', field="messages"
        )
    return [
        {**message, "content": _content(message.get("content"))} if isinstance(message, dict) else message
        for message in given
    ]


def _content(content: Any) -> Any:
    if not isinstance(content, list):
        return "" if content is None else content
    if not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in content):
        raise WorkbenchError("Only text is read in a chat here; send images to image-text-to-text.", field="messages")
    return "".join(part["text"] for part in content)


class _Completion:
    """One completion: what all its chunks share, and the text that waits for whether a stop text begins in it."""

    def __init__(self, model: str, payload: dict[str, Any], stops: list[str]) -> None:
        self._stops = stops
        self._likely = payload.get("logprobs") is True
        options = payload.get("stream_options")
        self._usage = isinstance(options, dict) and options.get("include_usage") is True
        self._held = ""
        self._stopped = False
        self._head = {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "created": int(time.time()),
            "model": model,
            "system_fingerprint": "transformers-workbench",
        }

    def whole(self, items: Iterator[dict[str, Any]]) -> dict[str, Any]:
        """The completion at once."""
        text, likely = "", []
        for item in items:
            text += self._cut(item)
            if "done" not in item:
                likely.append(_likelihood(item))
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": text},
            "logprobs": {"content": likely} if self._likely else None,
            "finish_reason": _REASONS[item["reason"]],
        }
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": _usage(item)}

    def render(self, item: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The chunks that come with an item of the stream."""
        text = self._cut(item)
        if "done" not in item:
            yield self._chunk(text, [_likelihood(item)])
            return
        if text:
            yield self._chunk(text, [])
        yield self._chunk("", [], _REASONS[item["reason"]])
        if self._usage:
            yield {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(item)}

    def _chunk(self, text: str, likely: list[dict[str, Any]], reason: str | None = None) -> dict[str, Any]:
        choice = {
            "index": 0,
            "delta": {"role": "assistant", "content": text},
            "logprobs": {"content": likely} if self._likely else None,
            "finish_reason": reason,
        }
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice], "usage": None}

    def _cut(self, item: dict[str, Any]) -> str:
        """The text that an item adds for sure: none from a stop text on, and not yet what may begin one."""
        if self._stopped:
            return ""
        text = self._held + ("" if "done" in item else item["text"])
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:
            self._stopped = True
            return text[: min(found)]
        keep = 0 if "done" in item else max((_begun(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of `text` may be the begin of `stop`."""
    return next((size for size in range(min(len(stop), len(text)), 0, -1) if text.endswith(stop[:size])), 0)


def _likelihood(item: dict[str, Any]) -> dict[str, Any]:
    top = [{"token": one["text"], "logprob": one["logprob"], "bytes": None} for one in item["top"]]
    return {"token": item["text"], "logprob": item["logprob"], "bytes": None, "top_logprobs": top}


def _usage(end: dict[str, Any]) -> dict[str, int]:
    prompt, new = end["prompt_tokens"], end["tokens"]
    return {"prompt_tokens": prompt, "completion_tokens": new, "total_tokens": prompt + new}
