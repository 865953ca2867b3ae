"""What the worker can be asked to do, and what each call is handed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from components.service.settings import Settings

if TYPE_CHECKING:
    from components.service.worker.models import Models

#: Each call's name and the function that answers it, imported when first asked for.
CALLS: dict[str, str] = {
    "run_task": "components.service.worker.run:run_task",
    "run_stages": "components.service.worker.stages:run_stages",
    "run_batch": "components.service.worker.batch:run_batch",
    "stream_tokens": "components.service.worker.served:stream_tokens",
    "stream_task": "components.service.worker.stream:stream_task",
    "generation_steps": "components.service.worker.steps:generation_steps",
    "score_text": "components.service.worker.score:score_text",
    "hidden_states": "components.service.worker.hidden:hidden_states",
    "tokenize": "components.service.worker.tokenizing.tokens:tokenize",
    "decode": "components.service.worker.tokenizing.decoding:decode",
    "collate": "components.service.worker.tokenizing.collate:collate",
    "render_chat": "components.service.worker.tokenizing.chat:render_chat",
    "search_vocabulary": "components.service.worker.tokenizing.search:search_vocabulary",
    "compare_vocabularies": "components.service.worker.tokenizing.comparison:compare_vocabularies",
    "compare_tokenizers": "components.service.worker.tokenizing.comparison:compare_tokenizers",
    "about_model": "components.service.worker.about:about_model",
    "inspect_data": "components.service.worker.data:inspect_data",
    "list_configs": "components.service.worker.layout:list_configs",
    "choose_files": "components.service.worker.layout:choose_files",
    "try_run": "components.service.worker.predict:try_run",
}


@dataclass(frozen=True)
class Call:
    """One call in the worker.

    Attributes:
        settings: The app's limits.
        models: The loaded models.
        emit: Sends one JSON value of a stream at once; a handler may return a generator instead.
        cancelled: Set when nobody waits for the answer any more.
    """

    settings: Settings
    models: Models
    emit: Callable[[Any], None]
    cancelled: threading.Event = field(default_factory=threading.Event)


def handler(target: str) -> Callable[..., Any]:
    """The function that `target`, "module:function", names."""
    module, _, function = target.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
