"""The Python behind the tokenizer inspector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.errors import WorkbenchError
from components.service.settings import Settings
from components.service.snippets.code import Name, call, literal, model_id, origin, program, remark
from components.service.tokens.checks import (
    CHAT,
    COLLATE,
    COMPARE,
    DECODE,
    SEARCH,
    TOKENIZE,
    read_id_rows,
    read_options,
)

_IMPORTS = ["from transformers import AutoTokenizer"]


def tokenize_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A text's tokens, step by step and at once.

    Args:
        arguments: `model`, `commit` (or `revision`), `text`, `text_pair` and `options` of `tokenize`.
        endpoint: The Hub in use.
    """
    options = read_options(arguments.get("options"), TOKENIZE)
    plain = {} if options["add_special_tokens"] else {"add_special_tokens": False}
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


_STAGES = """\
# the parts of a fast tokenizer, one by one (added tokens, such as [SEP], are cut out of the text before)
backend = tokenizer.backend_tokenizer
normalized = backend.normalizer.normalize_str(text) if backend.normalizer else text
print(normalized)
words = [normalized]
if backend.pre_tokenizer:
    words = [word for word, _ in backend.pre_tokenizer.pre_tokenize_str(normalized)]
print(words)
tokens = [token for word in words for token in backend.model.tokenize(word)]
print([token.value for token in tokens])
ids = [token.id for token in tokens]"""

_CHECK = """\
# the same in one call, where special tokens can be put around it
print(ids == tokenizer(text, add_special_tokens=False)["input_ids"])
print(tokenizer.convert_ids_to_tokens(tokenizer(text)["input_ids"]))
result = ids"""


def token_stages_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """The stages that a text passes; `arguments` as of `tokenize`, and `fast` as its answer states it."""
    in_python = "# this tokenizer is written in Python and does all of its splitting in one step\n" + (
        "tokens = tokenizer.tokenize(text)\nprint(tokens)\nids = tokenizer.convert_tokens_to_ids(tokens)"
    )
    return program(
        endpoint,
        _IMPORTS,
        remark(arguments),
        _loading(arguments),
        f"text = {literal(arguments.get('text', ''))}",
        in_python if arguments.get("fast") is False else _STAGES,
        _CHECK,
    )


_MERGES = """\
# the merges that the BPE learned, the first of which goes first
merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
ranks = {tuple(merge.split(" ") if isinstance(merge, str) else merge): rank for rank, merge in enumerate(merges)}
# merging begins with the characters, marked as the vocabulary marks them; one without an entry is written otherwise
model = tokenizer.backend_tokenizer.model
prefix, suffix = model.continuing_subword_prefix or "", model.end_of_word_suffix or ""
symbols = []
for at, letter in enumerate(word):
    symbol = prefix * (at > 0) + letter + suffix * (at == len(word) - 1)
    octets = [f"<0x{byte:02X}>" for byte in symbol.encode()]
    if model.token_to_id(symbol) is not None:
        symbols.append(symbol)
    elif model.byte_fallback and all(model.token_to_id(octet) is not None for octet in octets):
        symbols += octets
    elif model.unk_token and not (model.fuse_unk and symbols[-1:] == [model.unk_token]):
        symbols.append(model.unk_token)
result = [list(symbols)]
while len(symbols) > 1:
    rank, at = min((ranks.get(pair, len(ranks)), at) for at, pair in enumerate(zip(symbols, symbols[1:])))
    if rank == len(ranks):
        break
    symbols[at : at + 2] = [symbols[at] + symbols[at + 1].removeprefix(prefix)]
    result.append(list(symbols))
    print(rank, symbols)
print(result)"""


def merges_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A word's merges, one by one; `arguments` are `model`, `commit` (or `revision`) and `word`, as the pre-tokenizer
    gives it."""
    word = f"word = {literal(str(arguments.get('word', '')))}"
    return program(endpoint, ["import json", "", *_IMPORTS], remark(arguments), _loading(arguments), word, _MERGES)


def decode_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """Ids back to text; `arguments` are `model`, `commit` (or `revision`), `ids` and `options` of `decode`."""
    options = read_options(arguments.get("options"), DECODE)
    named = {name: True for name, value in options.items() if value}
    rows = read_id_rows(arguments.get("ids"), Settings.token_ids)
    several = isinstance(arguments.get("ids"), list) and isinstance(arguments["ids"][0], list)
    ids = f"ids = {(rows if several else rows[0])!r}"
    shown = (
        f"for row in ids:\n    print(tokenizer.convert_ids_to_tokens(row))\n"
        f"result = {call('tokenizer.batch_decode', Name('ids'), **named)}"
        if several
        else f"print(tokenizer.convert_ids_to_tokens(ids))\nresult = {call('tokenizer.decode', Name('ids'), **named)}"
    )
    return program(endpoint, _IMPORTS, remark(arguments), _loading(arguments), f"{ids}\n{shown}\nprint(repr(result))")


def collate_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A batch of texts; `arguments` are `model`, `commit` (or `revision`), `texts` and `options` of `collate`."""
    options = read_options(arguments.get("options"), COLLATE)
    texts = arguments.get("texts") or []
    lines = [f"texts = {literal(texts)}"]
    if options["pad_with"]:
        lines.append("tokenizer.pad_token = tokenizer.eos_token  # it has none of its own")
    if options["truncation_side"]:
        lines.append(f"tokenizer.truncation_side = {literal(options['truncation_side'])}")
    passed_over = ("pad_with", "truncation_side")
    given = {
        name: value
        for name, value in options.items()
        if name not in passed_over and value != read_options(None, COLLATE)[name]
    }
    named = {"padding": options["padding"], **given}
    if options["padding"] != "do_not_pad":
        named["return_tensors"] = "pt"
    pairs = isinstance(texts, list) and texts and isinstance(texts[0], list)
    columns = (
        [Name("[first for first, _ in texts]"), Name("[second for _, second in texts]")] if pairs else [Name("texts")]
    )
    listed = '.tolist()\nprint(encoded["input_ids"].shape)' if "return_tensors" in named else ""
    lines.append(
        f"encoded = {call('tokenizer', *columns, **named)}\n"
        "for name, values in encoded.items():\n    print(name, values)"
    )
    lines.append(f'result = encoded["input_ids"]{listed}')
    return program(endpoint, _IMPORTS, remark(arguments), _loading(arguments), "\n".join(lines))


def chat_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """A rendered chat and its ids; `arguments` are `model`, `commit` (or `revision`), `messages` and `options` of
    `render_chat`."""
    options = read_options(arguments.get("options"), CHAT)
    lines = [f"messages = {literal(arguments.get('messages') or [])}"]
    named: dict[str, Any] = {}
    for name, key in (("template", "chat_template"), ("tools", "tools"), ("documents", "documents")):
        if options[name]:
            lines.append(f"{key} = {literal(options[name])}")
            named[key] = Name(key)
    if options["add_generation_prompt"]:
        named["add_generation_prompt"] = True
    rendered = call("tokenizer.apply_chat_template", Name("messages"), tokenize=False, **named)
    ids = call("tokenizer.apply_chat_template", Name("messages"), tokenize=True, return_dict=True, **named)
    lines.append(f"rendered = {rendered}\nprint(rendered)")
    lines.append(f'ids = {ids}["input_ids"]\nprint(tokenizer.convert_ids_to_tokens(ids))')
    lines.append('result = {"rendered": rendered, "ids": ids}')
    return program(endpoint, _IMPORTS, remark(arguments), _loading(arguments), "\n".join(lines))


_TESTS = {
    "contains": "any(query in form for form in (token, text))",
    "prefix": "any(form.startswith(query) for form in (token, text, text.lstrip(' ')))",
    "suffix": "any(form.endswith(query) for form in (token, text))",
    "exact": "query in (token, text, text.lstrip(' '))",
    "regex": "any(re.search(query, form) for form in (token, text))",
    "id": "number == int(query)",
}
_READS = '''\
def reads(tokenizer, token):
    """What a token stands for, with the space before it; itself where it is a part of a character."""
    if token.startswith("▁"):  # a space, which decoding leaves out at the beginning of a text
        return token.replace("▁", " ")
    ids = tokenizer.convert_tokens_to_ids([token])
    text = tokenizer.decode(ids, clean_up_tokenization_spaces=False)
    return token if "\\ufffd" in text else text.removeprefix("##")'''


def search_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """Entries of a vocabulary; `arguments` are `model`, `commit` (or `revision`), `query` and `options` of
    `search_vocabulary`."""
    options = read_options(arguments.get("options"), SEARCH)
    kept = f"\n    if {_TESTS[options['mode']]}" if arguments.get("query") else ""
    left_out = [name for name in ("ignore_case", "script", "only", "min_length", "max_length") if options[name]]
    imports = ["import re", "", *_IMPORTS] if options["mode"] == "regex" and kept else _IMPORTS
    return program(
        endpoint,
        imports,
        remark(arguments),
        _loading(arguments),
        _READS,
        f"query = {literal(str(arguments.get('query') or ''))}\n"
        + (f"# not applied here: {', '.join(left_out)}\n" if left_out else "")
        + "entries = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])\n"
        "entries = [(token, number, reads(tokenizer, token)) for token, number in entries]\n"
        f'result = [\n    {{"id": number, "token": token}}\n    for token, number, text in entries{kept}\n]\n'
        "print(result)",
    )


def compare_vocabularies_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """What two vocabularies share; `arguments` are `models` (or the answer's `vocabularies`, with their commits) and
    `matched_by`."""
    loaded = [_loading(one, name) for one, name in zip(_models(arguments), ("first", "second"), strict=False)]
    by_token = arguments.get("matched_by") != "text"
    key = "token" if by_token else "reads(tokenizer, token).removeprefix(' ') or ' '"
    return program(
        endpoint,
        _IMPORTS,
        "\n".join(loaded),
        "" if by_token else _READS,
        f"def keys(tokenizer):\n    return {{{key} for token in tokenizer.get_vocab()}}",
        "one, two = keys(first), keys(second)\n"
        'result = {"shared": len(one & two), "only_first": len(one - two), "only_second": len(two - one)}\n'
        "print(result)",
    )


def compare_tokenizers_snippet(arguments: Mapping[str, Any], endpoint: str) -> str:
    """Several tokenizers on one text; `arguments` are `models` (or the answer's `tokenizers`, with their commits),
    `text` and `options` of `compare_tokenizers`."""
    options = read_options(arguments.get("options"), COMPARE)
    models = [(model_id(one), origin(one).get("revision")) for one in _models(arguments)]
    special = literal(options["add_special_tokens"])
    return program(
        endpoint,
        _IMPORTS,
        f"models = {models!r}  # each with its revision\ntext = {literal(arguments.get('text', ''))}\nresult = {{}}",
        "for model, revision in models:\n"
        '    tokenizer = AutoTokenizer.from_pretrained(model, revision=revision or "main")\n'
        f'    ids = tokenizer(text, add_special_tokens={special})["input_ids"]\n'
        '    back = tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True)\n'
        '    result[model] = {"tokens": len(ids), "same_text_comes_back": back == text}\n'
        "    print(model, tokenizer.convert_ids_to_tokens(ids))\nprint(result)",
    )


def _models(arguments: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The models compared, each with its commit where it is known."""
    given = arguments.get("tokenizers") or arguments.get("vocabularies") or arguments.get("models")
    if not isinstance(given, list) or not given:
        raise WorkbenchError("There are no models to compare.", field="models")
    return [one if isinstance(one, Mapping) else {"model": one} for one in given]


def _loading(arguments: Mapping[str, Any], name: str = "tokenizer") -> str:
    return f"{name} = " + call("AutoTokenizer.from_pretrained", model_id(arguments), **origin(arguments))


TOKEN_VIEWS = {
    "tokenize": tokenize_snippet,
    "token_stages": token_stages_snippet,
    "merges": merges_snippet,
    "decode": decode_snippet,
    "collate": collate_snippet,
    "render_chat": chat_snippet,
    "search_vocabulary": search_snippet,
    "compare_vocabularies": compare_vocabularies_snippet,
    "compare_tokenizers": compare_tokenizers_snippet,
}
