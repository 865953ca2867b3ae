"""Run a model where it is too large for this machine: through `huggingface_hub.InferenceClient`, as the visitor.

The call is made with the visitor's own token and on their own account; the machine's login is never used in its place.
"""

from __future__ import annotations

import base64
import inspect
import io
import re
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError, InferenceTimeoutError, TextGenerationError
from PIL import Image

from components.service.errors import Kind, WorkbenchError
from components.service.hub import Hub
from components.service.settings import Settings
from components.service.tasks import InputSpec, TaskSpec, find_task, with_languages
from components.service.tasks.inputs import check_inputs, is_batch
from components.service.visitor import Visitor

#: What an answer's status means: the kind of failure, and what is told before the server's own words.
_STATUSES: dict[int, tuple[Kind, str]] = {
    400: ("input", "The server did not take this"),
    401: ("forbidden", "The server does not accept your token"),
    402: ("forbidden", "Your account has no credits left for this"),
    403: ("forbidden", "Your token may not do this; it needs the right to call inference providers"),
    404: ("not_found", "No server runs this model"),
    413: ("input", "The input is too large for the server"),
    422: ("input", "The server did not take this"),
    429: ("busy", "You have sent many requests, and the server asks you to wait"),
    503: ("busy", "The server is loading the model or has too much to do; try again in a minute"),
    504: ("timeout", "The server took too long"),
}
_WORDS = 300
_SECRET = re.compile(r"hf_[A-Za-z0-9]{4,}")
#: The client's names for inputs that it calls otherwise than the task does.
_NAMES = {"source_sentence": "sentence", "sentences": "other_sentences"}
#: The client's methods that are named otherwise than the task.
_METHODS = {"text-to-audio": "text_to_speech", "image-text-to-text": "image_to_text"}
_MEDIA = ("image", "audio", "video")
#: Tasks of whose answer, a list, the client gives the first.
_LISTS = ("summarization", "translation", "image-text-to-text")


class Remote:
    """Runs tasks on inference providers, or on the server that `settings.remote` names."""

    def __init__(self, settings: Settings, hub: Hub) -> None:
        self._settings = settings
        self._hub = hub

    def run_task(
        self,
        task: str,
        model: str = "",
        inputs: Any = None,
        parameters: dict[str, Any] | None = None,
        provider: str = "auto",
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Run a task on one input, elsewhere.

        Args:
            task, inputs, parameters: As of `Inference.run_task`, for one input; a parameter that the servers do not
                know is refused.
            model: An id on huggingface.co; it is not fetched.
            provider: A provider's name, such as `hf-inference`, or `auto` for the first that has the model.

        Returns:
            `{output, task, model, commit, seconds, where, parameters, notes}`; `output` as of `Inference.run_task`,
            `where` says who ran it, and `commit` is None: servers do not tell which revision they have.

        Raises:
            WorkbenchError: Nobody is signed in, the Hub in use is the embedded one, or the server refused.
        """
        spec = find_task(task)
        name, _revision = self._hub.read_id(model)
        if not isinstance(provider, str) or not re.fullmatch(r"[a-z0-9-]{1,40}", provider):
            raise WorkbenchError("A provider is given by its name, such as hf-inference.", field="provider")
        if is_batch(spec, inputs):
            raise WorkbenchError("One input at a time is sent to a server.", field="inputs")
        checked = check_inputs(spec, inputs, self._settings)
        given = spec.check_parameters(with_languages(task, parameters), self._settings)
        client = self._client(spec, name, provider, visitor)
        begun = time.perf_counter()
        with _told(name, visitor):
            output = _run(client, spec, checked, given)
        return {
            "output": output,
            "task": spec.name,
            "model": name,
            "commit": None,
            "seconds": time.perf_counter() - begun,
            "where": self._where(provider),
            "parameters": given,
            "notes": [],
        }

    def _where(self, provider: str) -> str:
        remote = self._settings.remote
        return f"server {urlsplit(remote).netloc}" if remote else f"provider {provider}"

    def _client(self, spec: TaskSpec, model: str, provider: str, visitor: Visitor) -> InferenceClient:
        """A client that acts as the visitor; without a token the library would take the machine's."""
        if not self._settings.remote and self._settings.embedded:
            raise WorkbenchError(
                "Inference providers belong to huggingface.co, and the app runs on its embedded Hub. Start it with "
                "--hub https://huggingface.co to use them.",
                kind="forbidden",
                field="model",
            )
        if not visitor.token:
            raise WorkbenchError(
                "Sign in first: a model is run elsewhere with your own token, on your own account.", kind="forbidden"
            )
        if self._settings.remote:
            address = f"{self._settings.remote.rstrip('/')}/{spec.name}/{model}"
            return InferenceClient(model=address, token=visitor.token, timeout=self._settings.call_seconds)
        return InferenceClient(
            model=model, provider=cast(Any, provider), token=visitor.token, timeout=self._settings.call_seconds
        )


def _run(client: InferenceClient, spec: TaskSpec, inputs: Any, parameters: dict[str, Any]) -> Any:
    if spec.name == "text-generation":
        return _generate(client, inputs, parameters)
    method = getattr(client, _METHODS.get(spec.name, spec.name.replace("-", "_")), None)
    if method is None:
        raise WorkbenchError(f"Servers do not offer {spec.title.lower()}. Run it here.", field="task")
    _check_known(method, parameters)
    if isinstance(inputs, dict) and not {"data", "path"} & set(inputs):
        there = [one for one in spec.inputs if one.name in inputs]
        _check_taken(method, there)
        values = {_NAMES.get(one.name, one.name): _sent(one.kind, inputs[one.name]) for one in there}
        made = method(**values, **parameters)
    else:
        made = method(_sent(spec.inputs[0].kind, inputs), **parameters)
    output = _plain(made)
    if spec.output == "audio":
        return {"audio": output, "sampling_rate": _rate(made)}
    return [output] if spec.name in _LISTS else output


def _generate(client: InferenceClient, inputs: Any, parameters: dict[str, Any]) -> Any:
    """A prompt's continuation, or a chat's next message, in the form that the pipeline has."""
    full = parameters.get("return_full_text", True)
    if isinstance(inputs, str):
        given = {**parameters, "return_full_text": False}
        _check_known(client.text_generation, given)
        text = client.text_generation(inputs, **given)
        return [{"generated_text": f"{inputs}{text}" if full else text}]
    given = {name: value for name, value in parameters.items() if name not in ("return_full_text", "max_new_tokens")}
    _check_known(client.chat_completion, given)
    if "max_new_tokens" in parameters:
        given["max_tokens"] = parameters["max_new_tokens"]
    reply = client.chat_completion(inputs, **given).choices[0].message.content
    return [{"generated_text": [*inputs, {"role": "assistant", "content": reply}] if full else reply}]


def _check_known(method: Callable[..., Any], parameters: dict[str, Any]) -> None:
    known = inspect.signature(method).parameters
    for name in parameters:
        if name not in known:
            raise WorkbenchError(f"Servers do not know the parameter {name}. Leave it out.", field=f"parameters.{name}")


def _check_taken(method: Callable[..., Any], inputs: list[InputSpec]) -> None:
    known = inspect.signature(method).parameters
    for one in inputs:
        if _NAMES.get(one.name, one.name) not in known:
            raise WorkbenchError(
                f"Servers do not take the {one.title.lower()}. Leave it out.", field=f"inputs.{one.name}"
            )


def _sent(kind: str, value: Any) -> Any:
    """An input as the client takes it: a file as its bytes."""
    if kind not in _MEDIA:
        return value
    return base64.b64decode(value["data"]) if "data" in value else Path(value["path"]).read_bytes()


def _plain(value: Any) -> Any:
    """What the client gives as JSON values; fields that a server left out are left out."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Image.Image):
        sink = io.BytesIO()
        value.save(sink, "PNG")
        return base64.b64encode(sink.getvalue()).decode()
    return value.tolist() if hasattr(value, "tolist") else value


def _rate(sound: bytes) -> int | None:
    """Samples a second of a WAV file; None of any other."""
    try:
        with wave.open(io.BytesIO(sound)) as opened:
            return int(opened.getframerate())
    except (wave.Error, EOFError):
        return None


@contextmanager
def _told(model: str, visitor: Visitor) -> Iterator[None]:
    """A block whose failures are sentences; no token, and no address, is in them."""
    try:
        yield
    except InferenceTimeoutError:
        raise WorkbenchError("The server took too long. Use a shorter input, or try again.", kind="timeout") from None
    except HfHubHTTPError as error:
        raise _refused(error, model, visitor) from None
    except TextGenerationError as error:
        raise WorkbenchError(f"The server did not take this: {_words(str(error), visitor)}") from None
    except (ValueError, StopIteration) as error:
        said = _words(str(error), visitor) or "no provider has it"
        raise WorkbenchError(f"{model} cannot be run by this provider: {said}", field="provider") from None
    except httpx2.HTTPError:
        raise WorkbenchError("The server does not answer. Try again later.", kind="hub") from None


def _refused(error: HfHubHTTPError, model: str, visitor: Visitor) -> WorkbenchError:
    status = error.response.status_code
    kind, said = _STATUSES.get(status, ("hub", f"The server failed (status {status})"))
    try:
        own = error.response.json()["error"]
    except (ValueError, KeyError, TypeError, httpx2.StreamError):
        own = ""
    words = _words(own, visitor) if isinstance(own, str) else ""
    return WorkbenchError(f"{said}: {words}" if words else f"{said} ({model}).", kind=kind)


def _words(text: str, visitor: Visitor) -> str:
    """A server's own words, cut short, without anything that is a token."""
    text = text.replace(str(visitor.token), "[token]") if visitor.token else text
    return _SECRET.sub("[token]", " ".join(text.split()))[:_WORDS]
