"""Summarization, translation, text-to-text: an encoder reads a text, a decoder writes another."""

from __future__ import annotations

from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.worker.runners.generate import Generator
from components.service.worker.tensors import describe

_KEYS = {"summarization": "summary_text", "translation": "translation_text"}
#: What the old pipelines wrote at most where a model says nothing.
_NEW_TOKENS = 256
#: How configurations call the longest text that a decoder writes; those that name none have no such limit.
_DECODER_POSITIONS = ("max_decoder_position_embeddings", "max_position_embeddings")
#: What a language of tokens is told to `generate` by: what the decoder starts from, or what is written first.
_START, _FIRST = "decoder_start_token_id", "forced_bos_token_id"
#: The pair that transformers' own translation pipeline took first, for a model that knows several.
_FIRST_PAIR = "translation_en_to_fr"


class TextToText(Generator):
    """Runs a revived pipeline around an encoder-decoder model: `[{"summary_text": text}]` for summarization.

    What the model's configuration sets for the task (`task_specific_params`) counts where the caller says nothing,
    and is stated among the parameters.
    """

    _languages: tuple[str | None, str | None] | tuple[()] = ()

    @property
    def key(self) -> str:  # type: ignore[override]
        return _KEYS.get(self.spec.name, "generated_text")

    def own(self) -> dict[str, Any]:
        return {**super().own(), **self.loaded.pipe.own(*self._languages)}

    def new_tokens(self) -> int:
        own = self.own()
        most = int(own.get("max_new_tokens") or own.get("max_length", _NEW_TOKENS + 1) - 1)
        return min(most, self._room() or most)

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        settings = self.loaded.model.generation_config
        if settings.decoder_start_token_id is None and settings.bos_token_id is None:
            raise WorkbenchError(
                f"The files of {self.loaded.name} do not say with which token its decoder begins "
                "(decoder_start_token_id). Choose another model.",
                field="model",
            )
        room = self._room()
        if room is not None and given.get("max_new_tokens", 0) > room:
            given = {**given, "max_new_tokens": room}
            self.note(f"{self.loaded.name} writes at most {room:,} tokens.")
        used = super().resolve(given)
        own = self.own()
        if own.get("prefix"):
            used.setdefault("prefix", own["prefix"])
        if own.get("min_length", 0) > 1:  # which counts the token that the decoder begins with
            used.setdefault("min_new_tokens", min(own["min_length"] - 1, used["max_new_tokens"]))
        return used

    def _room(self) -> int | None:
        """Most new tokens that the decoder has positions for, after the one that it begins with."""
        config = self.loaded.model.config
        found = [getattr(config, name, None) for name in _DECODER_POSITIONS]
        return next((size - 1 for size in found if isinstance(size, int) and size > 1), None)

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in parameters.items() if name not in {"seed", "truncation"}}

    def preprocess(self, item: Any) -> Any:
        inputs = super().preprocess(item)
        length = inputs["input_ids"].shape[-1]
        if self.context is None or length <= self.context:
            return inputs
        long = f"The text has {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}"
        if self.parameters.get("truncation") == "do_not_truncate":
            raise WorkbenchError(f"{long}. Shorten it, or let it be cut.", field="inputs")
        self.note(f"{long}: the rest was left out.")
        self.parameters["max_input_tokens"] = self._before["max_input_tokens"] = self.context
        return super().preprocess(item)

    def begin(self, inputs: Any) -> int:  # noqa: ARG002
        return 1

    def written(self, outputs: Any) -> torch.Tensor:
        sequences: torch.Tensor = outputs["output_ids"][0]
        return sequences

    def for_generate(self, inputs: Any) -> dict[str, Any]:
        own = {name: value for name, value in self.loaded.pipe.own(*self._languages).items() if name != "prefix"}
        read = {name: value for name, value in inputs.items() if name != "own"}
        return {**own, **inputs.get("own", {}), **read, **self._during}

    def note_preprocess(self, inputs: Any) -> str:  # noqa: ARG002
        before = self.parameters.get("prefix")
        told = f" The model expects {before!r} before the text." if before else ""
        return f"The tokenizer turns the text into ids for the encoder: shape (batch, sequence).{told}"

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        encoder, logits = self._first_step(inputs, outputs)
        added = outputs["output_ids"].shape[-1] - 1
        shown = {"encoder_last_hidden_state": encoder, "next_token_logits": logits, **outputs}
        return {
            "tensors": describe(shown),
            "next_tokens": self.likeliest(logits[0]),
            "note": "The encoder reads the text once and gives one vector for each of its tokens, shape (batch, "
            f"sequence, hidden). Here forward is generate: it called the decoder once for each of the {added} new "
            "tokens, and each of them looks at all these vectors. The probabilities of the first new token are from "
            "one more step, before any parameter of generation is applied.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return self.show_new(outputs, 1)

    def _first_step(self, inputs: Any, outputs: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The encoder's hidden states, and the logits after the token that the decoder begins with."""
        model = self.loaded.model
        read = {name: inputs[name].to(model.device) for name in ("input_ids", "attention_mask")}
        with torch.no_grad():
            encoded = model.get_encoder()(**read)
            logits = model(
                attention_mask=read["attention_mask"],
                encoder_outputs=encoded,
                decoder_input_ids=self.written(outputs)[:1, :1].to(model.device),
            ).logits[:, -1]
        return encoded.last_hidden_state, logits


class Translator(TextToText):
    """Translation, in the three ways in which models are told the languages: not at all, where they know one pair; by
    words before the text (T5, Marian with several targets); by tokens (mBART, M2M100, NLLB)."""

    _language_by = ""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        given = dict(given)
        if self.loaded.pipe.has_language_tokens():
            self._check_tokens(given)
        elif "prefix" not in given:
            self._choose_prefix(given)
        return super().resolve(given)

    def preprocess(self, item: Any) -> Any:
        inputs = super().preprocess(item)
        if self.loaded.pipe.has_language_tokens():
            self._language_by = _START if inputs["own"][_FIRST] is None else _FIRST
        return inputs

    def stated(self) -> dict[str, Any]:
        return {**super().stated(), **({"language_by": self._language_by} if self._language_by else {})}

    def note_preprocess(self, inputs: Any) -> str:
        told = super().note_preprocess(inputs)
        if not self._language_by:
            return told
        token = self.loaded.tokenizer.convert_ids_to_tokens(inputs["own"][self._language_by])
        how = "the decoder starts from" if self._language_by == _START else "the new text has to begin with"
        return f"{told} The tokenizer marks its language with a token, and {how} {token!r}."

    def _check_tokens(self, given: dict[str, Any]) -> None:
        """Refuse languages that are missing or unknown to a model whose languages are tokens."""
        tokenizer = self.loaded.tokenizer
        named = set(tokenizer.special_tokens_map.values()) if tokenizer.special_tokens_map else set()
        table = getattr(tokenizer, "lang_code_to_id", None)
        known = sorted(table or {token for token in tokenizer.all_special_tokens if token not in named})
        for name, role in (("src_lang", "the language of the text"), ("tgt_lang", "the language to translate to")):
            if given.get(name) not in known:
                raise WorkbenchError(
                    f"{self.loaded.name} has to be told {role}, by one of its own codes: {_some(known)}.",
                    field=f"parameters.{name}",
                )

    def _choose_prefix(self, given: dict[str, Any]) -> None:
        """Turn the languages into the words that the model expects before the text, and drop them."""
        pipe = self.loaded.pipe
        source, target = given.pop("src_lang", None), given.pop("tgt_lang", None)
        pairs = sorted(pipe.pairs())
        targets = sorted(token[2:-2] for token in self.loaded.tokenizer.get_vocab() if _is_target(token))
        if targets and target not in targets:
            raise WorkbenchError(
                f"{self.loaded.name} has to be told the language to translate to, by one of its own codes: "
                f"{_some(targets)}.",
                field="parameters.tgt_lang",
            )
        if pairs and not (source or target):
            source, target = _languages(_FIRST_PAIR if _FIRST_PAIR in pairs else pairs[0])
            if len(pairs) > 1:
                self.note(
                    f"{self.loaded.name} knows {', '.join(' to '.join(_languages(pair)) for pair in pairs)}; as no "
                    f"languages were given, it translates {source} to {target}. Set src_lang and tgt_lang."
                )
        if pairs and f"translation_{source}_to_{target}" not in pairs:
            raise WorkbenchError(
                f"{self.loaded.name} does not translate {source or 'any language'} to {target or 'any language'}. It "
                f"knows {', '.join(' to '.join(_languages(pair)) for pair in pairs)}. Set src_lang and tgt_lang.",
                field="parameters.src_lang",
            )
        self._languages = (source, target)
        before = pipe.own_prefix(source, target)
        if before:
            given["prefix"] = before
        elif (source or target) and not pairs:
            self.note(f"{self.loaded.name} translates one pair of languages: src_lang and tgt_lang had no effect.")


def _is_target(token: str) -> bool:
    return token.startswith(">>") and token.endswith("<<")


def _languages(pair: str) -> tuple[str, str]:
    """`translation_en_to_fr` as the two codes."""
    source, _, target = pair.removeprefix("translation_").partition("_to_")
    return source, target


def _some(codes: list[str]) -> str:
    return ", ".join(codes[:40]) + (f" and {len(codes) - 40} more" if len(codes) > 40 else "")
