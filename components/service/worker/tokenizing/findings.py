"""What commonly goes wrong between a chat and its tokens: two beginnings, no end, control tokens in what was said."""

from __future__ import annotations

from typing import Any


def chat_findings(
    tokenizer: Any,
    messages: list[dict[str, Any]],
    ids: list[int],
    twice: list[int],
    options: dict[str, Any],
    prompt: str,
) -> list[dict[str, Any]]:
    """`[{level, code, message, fix}]`.

    Args:
        ids: Of the rendered text, with nothing put around it: what the model is meant to read.
        twice: Of the rendered text as `tokenizer(text)` makes them, with its own special tokens around.
        prompt: What the generation prompt added.
    """
    found = [_two_beginnings(tokenizer, ids, twice), *_no_end(tokenizer, messages, ids, prompt)]
    if options["add_generation_prompt"] and not prompt:
        found.append(
            _finding(
                "info",
                "no_generation_prompt",
                "The generation prompt changes nothing: this template has none, or always writes it.",
                "Look at the end of the rendered text: the model goes on from there.",
            )
        )
    found += _control_tokens(tokenizer, messages)
    return [finding for finding in found if finding is not None]


def _two_beginnings(tokenizer: Any, ids: list[int], twice: list[int]) -> dict[str, Any] | None:
    bos = tokenizer.bos_token_id
    if bos is None:
        return None
    if ids[:2] == [bos, bos]:
        return _finding(
            "error",
            "double_bos",
            f"The rendered text itself begins with {tokenizer.bos_token} twice.",
            "Remove one of them from the template or from the first message.",
        )
    if twice[:2] == [bos, bos]:
        return _finding(
            "warning",
            "double_bos",
            f"The template writes {tokenizer.bos_token}, and the tokenizer puts another one before it: "
            "tokenizer(rendered) begins with it twice, which the model never saw in training.",
            "Use apply_chat_template(messages, tokenize=True), or tokenizer(rendered, add_special_tokens=False).",
        )
    if ids[:1] != [bos] and twice[:1] == [bos]:
        return _finding(
            "info",
            "no_bos",
            f"The template writes no {tokenizer.bos_token}, though this tokenizer puts one before plain texts.",
            "Most often that is meant so. Check the model's documentation if its answers are odd.",
        )
    return None


def _no_end(tokenizer: Any, messages: list[dict[str, Any]], ids: list[int], prompt: str) -> list[dict[str, Any]]:
    """Whether the last message, where the assistant said it, is closed by the token that ends a text."""
    if prompt or messages[-1]["role"] != "assistant" or tokenizer.eos_token_id is None:
        return []
    special = set(tokenizer.added_tokens_decoder)
    tail = ids[-4:]
    if tokenizer.eos_token_id in tail:
        return []
    closing = [tokenizer.convert_ids_to_tokens(number) for number in tail if number in special]
    if closing:
        return [
            _finding(
                "info",
                "other_eos",
                f"The last answer is closed by {closing[-1]}, but the end-of-text token of this tokenizer is "
                f"{tokenizer.eos_token}.",
                f"Generation must stop at {closing[-1]} too: look for it under eos_token_id in generation_config.json.",
            )
        ]
    return [
        _finding(
            "warning",
            "no_eos",
            f"The last answer is not closed by {tokenizer.eos_token} or another special token. A model that is "
            "fine-tuned on such text does not learn to stop.",
            "Add the end-of-text token to the template after each answer.",
        )
    ]


def _control_tokens(tokenizer: Any, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Special tokens that somebody wrote into a message, where they act as if the template had."""
    special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special and token.content]
    found = []
    for number, message in enumerate(messages, 1):
        said = _texts(message.get("content"))
        written = [token for token in special if any(token in text for text in said)]
        if written:
            found.append(
                _finding(
                    "warning",
                    "control_token",
                    f"Message {number} holds {written[0]}, which the tokenizer reads as the special token: who writes "
                    "it can end a turn or begin another in somebody else's name.",
                    "Remove it, or use apply_chat_template(..., sanitize_control_tokens=True).",
                )
            )
    return found


def _texts(content: Any) -> list[str]:
    """What a message says, in one text or in several parts."""
    parts = content if isinstance(content, list) else [content]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return [text for text in texts if isinstance(text, str)]


def unused_findings(
    messages: list[dict[str, Any]], options: dict[str, Any], template: str, rendered: str
) -> list[dict[str, Any]]:
    """What was given and does not reach the model as it was meant: tools, documents, and parts of messages."""
    found = [
        _finding(
            "warning",
            f"unused_{name}",
            f"The template does not read {name}: those that are given change nothing.",
            "Choose a model whose template knows them, or put them into a message.",
        )
        for name in ("tools", "documents")
        if options[name] and name not in template
    ]
    for number, message in enumerate(messages, 1):
        content = message.get("content")
        if isinstance(content, list) and content and str(content) in rendered:
            kinds = [f"[{part.get('type', 'part')}]" if isinstance(part, dict) else "[part]" for part in content[:8]]
            found.append(
                _finding(
                    "warning",
                    "parts_as_text",
                    f"Message {number} is made of parts, {' '.join(kinds)}, and the template writes them as a list of "
                    "Python, brackets and quotes included: the model reads no picture, but that text.",
                    "Give the message a plain text, or choose a model whose template knows parts.",
                )
            )
    return found


def _finding(level: str, code: str, message: str, fix: str) -> dict[str, Any]:
    return {"level": level, "code": code, "message": message, "fix": fix}
