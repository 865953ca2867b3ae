"""How a translator is told its languages: by tokens (mBART, M2M100, NLLB), by words before the text (T5, Marian with
several targets), or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from components.service.errors import WorkbenchError
from components.service.runs.spec import RunSpec
from components.service.runs.values import language_of
from components.service.worker.revived.translation import NAMES, ends_with

#: Settings of `generate`: what the decoder starts from, and what it is made to write first.
START, FIRST = "decoder_start_token_id", "forced_bos_token_id"
_PAIR = re.compile(r"translation_(.+)_to_(.+)")
_ROLES = {"source_language": "the language of the texts", "target_language": "the language to translate to"}


class Languages:
    """The languages of a run, as its model knows them.

    Args:
        spec: Says them, or the names of its columns do, such as `translation.en`.
        columns: The column of each role.
        tokenizer, config: The model's.

    Attributes:
        source, target: The model's own codes; `None` where it needs none and none is known.
        prefix: What is put before each text.
        first: Name of the token that a translation begins with, if there is one.
        begin: Its id by the name of the setting that `generate` takes it by: the token that the decoder is given to
            start from (mBART), or the first one that it writes.

    Raises:
        WorkbenchError: The model has to be told a language and was not, or does not know it.
    """

    def __init__(self, spec: RunSpec, columns: Mapping[str, str], tokenizer: Any, config: Any) -> None:
        self.source = spec.source_language or language_of(columns.get("text"))
        self.target = spec.target_language or language_of(columns.get("target"))
        self.prefix, self.first = "", None
        self.begin: dict[str, int] = {}
        pairs = _pairs(config)
        marks = [token for token in tokenizer.get_vocab() if token.startswith(">>") and token.endswith("<<")]
        targets = sorted(mark[2:-2] for mark in marks)
        if hasattr(tokenizer, "set_src_lang_special_tokens"):
            known = _codes(tokenizer)
            self.source = _known(self.source, known, "source_language", spec)
            self.target = _known(self.target, known, "target_language", spec)
            tokenizer.src_lang, tokenizer.tgt_lang = self.source, self.target
            to_id = getattr(tokenizer, "get_lang_id", tokenizer.convert_tokens_to_ids)
            language = int(to_id(self.target))
            self.first = tokenizer.convert_ids_to_tokens(language)
            self.begin = {START if ends_with(tokenizer, language, config) else FIRST: language}
        elif targets:
            self.target = _known(self.target, targets, "target_language", spec)
            self.prefix = f">>{self.target}<< "
        elif len(pairs) == 1 and not (spec.source_language or spec.target_language):
            (self.source, self.target), self.prefix = next(iter(pairs.items()))
        elif "t5" in config.model_type and (pairs or (self.source and self.target)):
            for role, code in (("source_language", self.source), ("target_language", self.target)):
                if not code:
                    raise _untold(spec, role, sorted({code for pair in pairs for code in pair}))
            names = [NAMES.get(str(code), str(code)) for code in (self.source, self.target)]
            self.prefix = pairs.get((str(self.source), str(self.target)), "translate {} to {}: ".format(*names))

    def keep(self, config: Any) -> None:
        """Have the model's configuration say the words that it was trained with, and no others."""
        if self.prefix and not self.prefix.startswith(">>"):
            config.task_specific_params = {f"translation_{self.source}_to_{self.target}": {"prefix": self.prefix}}


def _pairs(config: Any) -> dict[tuple[str, str], str]:
    """The words that a configuration gives for pairs of languages."""
    tasks = getattr(config, "task_specific_params", None) or {}
    found = {}
    for name, own in tasks.items():
        if match := _PAIR.fullmatch(name):
            found[match[1], match[2]] = str((own or {}).get("prefix", ""))
    return found


def _codes(tokenizer: Any) -> list[str]:
    """The codes of a tokenizer whose languages are tokens."""
    named = set((tokenizer.special_tokens_map or {}).values())
    table = getattr(tokenizer, "lang_code_to_id", None)
    return sorted(table or {token for token in tokenizer.all_special_tokens if token not in named})


def _known(code: str | None, known: Sequence[str], role: str, spec: RunSpec) -> str:
    """The model's own code: the same, or the only one that begins with it (`en` for `en_XX`)."""
    if code in known:
        return str(code)
    alike = [one for one in known if code and re.split(r"[_-]", one)[0] == code]
    if len(alike) != 1:
        raise _untold(spec, role, known)
    return alike[0]


def _untold(spec: RunSpec, role: str, known: Sequence[str]) -> WorkbenchError:
    listed = ", ".join(known[:40]) + (f" and {len(known) - 40} more" if len(known) > 40 else "")
    return WorkbenchError(
        f"{spec.model} has to be told {_ROLES[role]}, by one of its own codes: {listed}. Set {role}.", field=role
    )
