"""The Python behind the tokenizer inspector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.snippets.code import Name, call, literal, model_id, origin, program, remark
from components.service.tasks.texts import read_ids

_IMPORTS = ["from transformers import AutoTokenizer"]


def tokenize_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A text's tokens, step by step and at once.

    Args:
        arguments: `model`, `commit` (or `revision`), `text`, `text_pair` and `options` of `tokenize`.
        endpoint: The Hub in use.
    """
    options = arguments.get("options") or {}
    plain = {"add_special_tokens": False} if options.get("add_special_tokens") is False else {}
    texts = [Name("text")] + ([arguments["text_pair"]] if arguments.get("text_pair") else [])
    return program(
        endpoint,
        _IMPORTS,
        remark(arguments),
        _loading(arguments),
        f"text = {literal(arguments.get('text', ''))}",
        "# step by step\ntokens = tokenizer.tokenize(text)\nprint(tokens)\n"
        "print(tokenizer.convert_tokens_to_ids(tokens))",
        f"# at once, with what the model needs besides\nencoded = {call('tokenizer', *texts, **plain)}\n"
        'ids = encoded["input_ids"]\n'
        'result = [{"id": i, "token": t} for i, t in zip(ids, tokenizer.convert_ids_to_tokens(ids))]\n'
        "print(result)",
    )


def decode_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """Ids back to text; `arguments` are `model`, `commit` (or `revision`), `ids` and `options` of `decode`."""
    options = {name: value for name, value in (arguments.get("options") or {}).items() if value is True}
    named = {name: True for name in ("skip_special_tokens", "clean_up_tokenization_spaces") if name in options}
    return program(
        endpoint,
        _IMPORTS,
        remark(arguments),
        _loading(arguments),
        f"ids = {read_ids(arguments.get('ids'))!r}\nprint(tokenizer.convert_ids_to_tokens(ids))\n"
        f"result = {call('tokenizer.decode', Name('ids'), **named)}\nprint(repr(result))",
    )


def _loading(arguments: Mapping[str, Any]) -> str:
    return "tokenizer = " + call("AutoTokenizer.from_pretrained", model_id(arguments), **origin(arguments))


TOKEN_VIEWS = {"tokenize": tokenize_snippet, "decode": decode_snippet}
