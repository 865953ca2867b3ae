"""Chats as token ids, by the chat template of the model's own tokenizer, and which of them are learned from.

A template is a stranger's program: the library runs it in a sandbox, and here it has a time limit. What people wrote is
tokenized as plain text (`sanitize_control_tokens`), so no message can pose as the next turn.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jinja2 import TemplateError

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming

#: Seconds that a template may take: for any number of chats, and for each of them; ordinary ones take a thousandth.
SECONDS, SECONDS_EACH = 10.0, 0.05
#: What the loss passes over.
IGNORED = -100
_TOLD_CHARS = 200

Messages = Sequence[dict[str, Any]]


class Chats:
    """Renders chats for one tokenizer.

    Args:
        tokenizer: With its chat template.
        name: The model's name, for people.
        learn: `all` tokens are learned from, or those of the `assistant`.

    Attributes:
        left_out: How many chats could not be used, by the reason.

    Raises:
        WorkbenchError: The tokenizer has no chat template.
    """

    def __init__(self, tokenizer: Any, name: str, learn: str = "all") -> None:
        if not tokenizer.chat_template:
            raise WorkbenchError(
                f"The tokenizer of {name} has no chat template, so it cannot say how a chat is written. Choose a chat "
                "model, whose name often ends in -it, -Instruct or -Chat, or train on a column of texts.",
                field="model",
            )
        self.tokenizer = tokenizer
        self.name = name
        self.learn = learn
        self.left_out: Counter[str] = Counter()
        self._marks = False

    def encode(self, chats: Sequence[Messages], limit: int) -> list[dict[str, Any]]:
        """`{input_ids, labels}` of each chat that can be learned from, cut to `limit` tokens; see `left_out`.

        Raises:
            WorkbenchError: None can be, or the template takes too long.
        """
        with self._watched(len(chats)):
            found = [example for chat in chats if (example := self._example(chat, limit)) is not None]
        if chats and not found:
            raise self._nothing(chats)
        return found

    def prompt(self, messages: Messages) -> list[int]:
        """Token ids of a chat up to where the assistant answers.

        Raises:
            WorkbenchError: The template refuses it.
        """
        with self._watched(1):
            try:
                return self._render(messages, add_generation_prompt=True)
            except TemplateError as error:
                raise WorkbenchError(
                    f"The chat template of {self.name} refuses this message: “{_words(error)}”.", field="samples"
                ) from None

    def _example(self, chat: Messages, limit: int) -> dict[str, Any] | None:
        try:
            ids = self._render(chat)[:limit]
            mask = self._said(chat, ids) if self.learn == "assistant" else [1] * len(ids)
        except TemplateError as error:
            self.left_out[f"the chat template refuses them (“{_words(error)}”)"] += 1
            return None
        if mask is None:
            self.left_out["their text holds tokens by which the template marks who speaks"] += 1
            return None
        labels = [one if learned else IGNORED for one, learned in zip(ids, mask, strict=True)]
        # The first token is predicted from nothing.
        if all(label == IGNORED for label in labels[1:]):
            self.left_out[f"nothing to learn is among the first {limit} tokens"] += 1
            return None
        return {"input_ids": ids, "labels": labels}

    def _render(self, chat: Messages, **options: Any) -> list[int]:
        ids: list[int] = self.tokenizer.apply_chat_template(
            list(chat), tokenize=True, return_dict=True, sanitize_control_tokens=True, **options
        )["input_ids"]
        return ids

    def _said(self, chat: Messages, ids: list[int]) -> list[int] | None:
        """1 for each token of the assistant's, by the template's own `generation` blocks.

        The library cannot give that together with plain text for control tokens: `None` where it would matter.
        """
        marked = self.tokenizer.apply_chat_template(
            list(chat), tokenize=True, return_dict=True, return_assistant_tokens_mask=True
        )
        if marked["input_ids"][: len(ids)] != ids:
            return None
        mask: list[int] = marked["assistant_masks"]
        self._marks = self._marks or any(mask)
        return mask[: len(ids)]

    def _nothing(self, chats: Sequence[Messages]) -> WorkbenchError:
        speaks = any(message["role"] == "assistant" for chat in chats for message in chat)
        if self.learn == "assistant" and speaks and not self._marks:
            return WorkbenchError(
                f"The chat template of {self.name} does not mark what the assistant says (it has no generation block "
                "around it), so its words alone cannot be learned from. Set learn to all, or choose a model whose "
                "template marks them.",
                field="learn",
            )
        reasons = "; ".join(f"{count:,} because {reason}" for reason, count in self.left_out.items())
        return WorkbenchError(f"None of the chats can be learned from: {reasons}.", field="columns.messages")

    @contextmanager
    def _watched(self, chats: int) -> Iterator[None]:
        slow = WorkbenchError(
            f"The chat template of {self.name} takes too long. Choose another model, or fewer and shorter chats.",
            field="model",
        )
        failed = f"The chat template of {self.name} failed on these chats. Choose another model, or train on texts."
        with blaming(failed, field="model"), _within(SECONDS + SECONDS_EACH * chats, slow):
            yield


@contextmanager
def _within(seconds: float, late: WorkbenchError) -> Iterator[None]:
    """Raise `late` once the block has taken so long. Only a process's main thread can be interrupted so; the worker's
    calls, which run in others, have a deadline of their own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(*_: Any) -> None:
        raise late

    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler)


def _words(error: TemplateError) -> str:
    return " ".join(str(error).split())[:_TOLD_CHARS]
