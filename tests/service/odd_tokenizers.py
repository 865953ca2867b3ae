"""Tokenizers with odd parts, as strangers build them: for what the common kinds of `tokenizer_models` leave out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tokenizer_models import BYTES, MIXED, SPECIAL, words
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

_WORD = Regex(r"(?i:'s|'t|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
#: Added tokens that take spaces with them, stand alone only, begin alike, or are looked for in normalized text.
_ADDED = [
    AddedToken("the", single_word=True),
    AddedToken(" small ", lstrip=True, rstrip=True),
    AddedToken("read", normalized=False),
    AddedToken("<L>", lstrip=True, normalized=True, special=True),
    AddedToken("<mask>", rstrip=True, normalized=False, special=True),
    AddedToken("<mask>x", normalized=False, special=True),
]


def _bpe(normalizer: Any, pre_tokenizer: Any, added: list[AddedToken] | None = None, **settings: Any) -> Tokenizer:
    """A BPE that is trained on a few lines, with more settings of its model than the trainer takes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, pre_tokenizer
    byte_level = "ByteLevel" in str(pre_tokenizer)
    marks = {name: mark for name, mark in settings.items() if name.startswith(("continuing", "end_of"))}
    trainer = trainers.BpeTrainer(
        vocab_size=700,
        special_tokens=[*SPECIAL, *(BYTES if "byte_fallback" in settings else [])],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if byte_level else [],
        show_progress=False,
        **marks,
    )
    tokenizer.train_from_iterator(MIXED, trainer)
    state = json.loads(tokenizer.to_str())
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in SPECIAL]
    state["model"] |= settings
    tokenizer = Tokenizer.from_str(json.dumps(state))
    tokenizer.decoder = decoders.ByteLevel() if byte_level else None
    tokenizer.add_tokens(added or [])
    return tokenizer


def _llama_3() -> Tokenizer:
    split = pre_tokenizers.Split(_WORD, "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return _bpe(None, pre_tokenizers.Sequence([split, byte_level]), _ADDED, ignore_merges=True)


def _gemma() -> Tokenizer:
    split = pre_tokenizers.Split(" ", "merged_with_previous")
    fallback = {"byte_fallback": True, "fuse_unk": True, "unk_token": "<unk>"}
    return _bpe(normalizers.Replace(" ", "▁"), split, _ADDED, **fallback)


def _marked() -> Tokenizer:
    """Marks on both ends of a word, which its byte pieces spell out, too."""
    marks = {"continuing_subword_prefix": "##", "end_of_word_suffix": "</w>"}
    return _bpe(None, pre_tokenizers.Whitespace(), unk_token="<unk>", byte_fallback=True, **marks)


def _contiguous() -> Tokenizer:
    split = pre_tokenizers.Split(Regex("[aeiou]"), "contiguous", invert=True)
    digits = pre_tokenizers.Digits(individual_digits=True)
    return _bpe(None, pre_tokenizers.Sequence([split, digits, pre_tokenizers.Punctuation("merged_with_next")]))


def _shrinking() -> Tokenizer:
    gone = [normalizers.Strip(), normalizers.Replace(Regex("[aeiou]+|^b+"), ""), normalizers.StripAccents()]
    split = pre_tokenizers.Split("t", "removed")
    return _bpe(
        normalizers.Sequence(gone), pre_tokenizers.Sequence([split, pre_tokenizers.Metaspace()]), unk_token="<unk>"
    )


def _growing() -> Tokenizer:
    more = [normalizers.NFKD(), normalizers.Replace("ß", "sss"), normalizers.Lowercase(), normalizers.Prepend("»")]
    return _bpe(normalizers.Sequence(more), pre_tokenizers.ByteLevel(), _ADDED)


def _saved() -> Tokenizer:
    """Truncation and padding are part of the file."""
    tokenizer = words().backend_tokenizer
    tokenizer.enable_truncation(5, stride=2)
    tokenizer.enable_padding(length=12, pad_token="<unk>")
    return tokenizer


ODD: dict[str, Callable[[], Tokenizer]] = {
    "llama-3": _llama_3,
    "gemma": _gemma,
    "marked": _marked,
    "contiguous": _contiguous,
    "shrinking": _shrinking,
    "growing": _growing,
    "saved": _saved,
}

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
_JOINED = ["<unk>", *_LETTERS, *(f"{letter}@@" for letter in _LETTERS)]
#: Folder -> the class of a tokenizer that is written in Python, and its files.
IN_PYTHON: dict[str, tuple[str, dict[str, str]]] = {
    "hashes": ("ProphetNetTokenizer", {"prophetnet.tokenizer": "\n".join(_PIECES)}),
    "joined": (
        "CTRLTokenizer",
        {
            "vocab.json": json.dumps({token: number for number, token in enumerate(_JOINED)}),
            "merges.txt": "#version\nz z\n",
        },
    ),
    "speech": (
        "Wav2Vec2CTCTokenizer",
        {"vocab.json": json.dumps({t: n for n, t in enumerate(["<pad>", "<s>", "</s>", "<unk>", "|", *_LETTERS])})},
    ),
}


def save_odd(folder: Path) -> None:
    """Save all of them, each in a folder of its name."""
    for name, build in ODD.items():
        PreTrainedTokenizerFast(tokenizer_object=build(), unk_token="<unk>").save_pretrained(folder / name)
    for name, (tokenizer, files) in IN_PYTHON.items():
        (folder / name).mkdir()
        settings = {"tokenizer_config.json": json.dumps({"tokenizer_class": tokenizer}), "config.json": "{}"}
        for file, content in {**files, **settings}.items():
            (folder / name / file).write_text(content)
