"""A small tokenizer of each kind, trained on a few lines, in folders as `from_pretrained` reads them."""

from __future__ import annotations

import json
from pathlib import Path

from service_models import TEXTS, byte_level
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import ByT5Tokenizer, CanineTokenizer, PreTrainedTokenizerFast

SPECIAL = ["<unk>", "<s>", "</s>"]
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]
MIXED = [*TEXTS, "你好,世界。", "naïve café déjà vu ½", "мир и труд", "שלום עולם", "12 345 678"]

#: ChatML with the blocks that mark what the assistant said.
CHAT = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}{% generation %}{{ message.content }}<|im_end|>{% endgeneration %}"
    "{% else %}{{ message.content }}<|im_end|>{% endif %}\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def unigram() -> PreTrainedTokenizerFast:
    """As T5 and XLM-R: spaces are marked, the likeliest cut is taken."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(MIXED, trainer)
    return _wrapped(tokenizer)


def fallback() -> PreTrainedTokenizerFast:
    """As Llama 2: no pre-tokenizer, the normalizer marks spaces, unknown characters become bytes."""
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=[*SPECIAL, *BYTES], show_progress=False)
    trained.train_from_iterator(TEXTS, trainer)
    model = json.loads(trained.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = Tokenizer(
        models.BPE(vocab=model["vocab"], merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)]
    )
    return _wrapped(tokenizer)


def suffix() -> PreTrainedTokenizerFast:
    """As GPT-1 and CLIP: lower case, and a mark where a word ends."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.BPEDecoder(suffix="</w>")
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=SPECIAL, end_of_word_suffix="</w>", show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return _wrapped(tokenizer)


def words() -> PreTrainedTokenizerFast:
    """Whole words, and unknown ones."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(TEXTS, trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False))
    return _wrapped(tokenizer)


def chat() -> PreTrainedTokenizerFast:
    """A byte-level BPE with added tokens of every sort, a begin-of-text token and a chat template."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|begin|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(MIXED, trainer)
    tokenizer.add_tokens([AddedToken("<think>", normalized=False), AddedToken("fox", single_word=True), "reading"])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, rstrip=True, special=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|begin|> $A", pair="<|begin|> $A $B:1", special_tokens=[("<|begin|>", 0)]
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<|begin|>", eos_token="<|im_end|>", mask_token="<mask>"
    )
    made.chat_template = CHAT
    return made


def _wrapped(tokenizer: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", bos_token="<s>", eos_token="</s>")


#: The folder of each and the kind that it is.
KINDS = {
    "classifier": "WordPiece",
    "generator": "byte-level BPE",
    "unigram": "Unigram",
    "fallback": "BPE with byte fallback",
    "suffix": "BPE",
    "words": "word",
    "chat": "byte-level BPE",
    "byte": "byte",
    "character": "character",
}


def save_all(folder: Path) -> None:
    """Save every kind but the first two, which come with tiny models."""
    for build in (unigram, fallback, suffix, words, chat):
        build().save_pretrained(folder / build.__name__)
    ByT5Tokenizer().save_pretrained(folder / "byte")
    CanineTokenizer().save_pretrained(folder / "character")


def byte_level_with_leftovers() -> PreTrainedTokenizerFast:
    """A byte-level BPE with entries that were kept free, one that no merge makes, and a long one."""
    settings = json.loads(byte_level().backend_tokenizer.to_str())
    vocabulary = settings["model"]["vocab"]
    for token in ("[unused0]", "<|reserved_special_token_3|>", "zzzz", f"{'a' * 64}!"):
        vocabulary[token] = len(vocabulary)
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(settings)))


def _costly_regex() -> PreTrainedTokenizerFast:
    tokenizer = words().backend_tokenizer
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("(a+)+$"), "isolated")
    return _wrapped(tokenizer)


def _without_unknown() -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel({"a": 0}, unk_token="[UNK]"))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer)


#: What a stranger's tokenizer may do: hold the worker up, or contradict itself.
HOSTILE = {"regex": _costly_regex, "no unknown token": _without_unknown}
