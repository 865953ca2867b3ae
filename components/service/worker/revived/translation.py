"""Translation as a pipeline: a text in one language in, the same in another out."""

from typing import Any

from transformers import GenerationConfig, Pipeline

#: What T5 calls the languages that it was trained on.
NAMES = {"en": "English", "fr": "French", "de": "German", "ro": "Romanian"}
#: Models that may learn a text from its last token on: it is what their decoder starts from.
ROUND = ("mbart", "plbart")


def ends_with(tokenizer: Any, language: int, config: Any) -> bool:
    """Whether a text to write ends with the token of its language, which is that of `tokenizer.tgt_lang`."""
    return config.model_type in ROUND and tokenizer(text_target="")["input_ids"][-1:] == [language]


class TranslationPipeline(Pipeline):
    """Translates a text with an encoder-decoder model.

    `pipe(text, src_lang=..., tgt_lang=..., **parameters)` gives `[{"translation_text": ...}]`. The languages are
    named as the model names them (`fr_XX`, `fra_Latn`, `fr`), and a model of one pair needs none. The other parameters
    are those of `model.generate`, and `prefix`, put before the text; `max_input_tokens`, where the text is cut;
    `clean_up_tokenization_spaces`.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_feature_extractor = _load_video_processor = False

    def pairs(self) -> dict[str, dict[str, Any]]:
        """What the model's configuration gives for each pair of languages, as `{"translation_en_to_fr": {...}}`."""
        tasks = getattr(self.model.config, "task_specific_params", None) or {}
        known = {"prefix", *vars(GenerationConfig())}
        return {
            pair: {name: value for name, value in own.items() if name in known}
            for pair, own in tasks.items()
            if pair.startswith("translation")
        }

    def own(self, src_lang: str | None = None, tgt_lang: str | None = None) -> dict[str, Any]:
        """The prefix and the parameters of `generate` that the model's configuration gives for two languages."""
        pairs = self.pairs()
        only = list(pairs) if len(pairs) == 1 else []
        name = f"translation_{src_lang}_to_{tgt_lang}" if src_lang and tgt_lang else "".join(only)
        return pairs.get(name, {})

    def has_language_tokens(self) -> bool:
        """Whether languages are tokens of their own, as in mBART, M2M100 and NLLB."""
        return hasattr(self.tokenizer, "set_src_lang_special_tokens")

    def language_id(self, language: str) -> int:
        """The token that stands for a language."""
        to_id = getattr(self.tokenizer, "get_lang_id", self.tokenizer.convert_tokens_to_ids)
        return int(to_id(language))

    def told(self, language: str) -> dict[str, int | None]:
        """The arguments of `generate` that tell the language to write: what the decoder starts from, where a text ends
        with its language (the first mBART), else what is written first."""
        token = self.language_id(language)
        self.tokenizer.tgt_lang = language
        if ends_with(self.tokenizer, token, self.model.config):
            return {"decoder_start_token_id": token, "forced_bos_token_id": None}
        return {"forced_bos_token_id": token}

    def own_prefix(self, src_lang: str | None = None, tgt_lang: str | None = None) -> str:
        """What tells the model the languages where they are no tokens of their own."""
        if f">>{tgt_lang}<<" in self.tokenizer.get_vocab():  # Marian models that write several languages
            return f">>{tgt_lang}<< "
        if src_lang and tgt_lang and "t5" in self.model.config.model_type:
            ours = f"translate {NAMES.get(src_lang, src_lang)} to {NAMES.get(tgt_lang, tgt_lang)}: "
        else:
            ours = ""
        return str(self.own(src_lang, tgt_lang).get("prefix", ours))

    def _sanitize_parameters(
        self,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        prefix: str | None = None,
        max_input_tokens: int | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        **generate_parameters: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        languages = {"src_lang": src_lang, "tgt_lang": tgt_lang}
        before = {**languages, "prefix": prefix, "max_input_tokens": max_input_tokens}
        after = {"clean_up_tokenization_spaces": clean_up_tokenization_spaces}
        # What is not given here may have been given when the pipeline was made.
        return (
            {name: value for name, value in before.items() if value is not None},
            generate_parameters,
            {name: value for name, value in after.items() if value is not None},
        )

    def preprocess(
        self,
        text: str,
        src_lang: str | None = None,
        tgt_lang: str | None = None,
        prefix: str | None = None,
        max_input_tokens: int | None = None,
    ) -> dict[str, Any]:
        own = {name: value for name, value in self.own(src_lang, tgt_lang).items() if name != "prefix"}
        if self.has_language_tokens() and src_lang and tgt_lang:
            self.tokenizer.src_lang = src_lang
            own |= self.told(tgt_lang)
        elif prefix is None:
            prefix = self.own_prefix(src_lang, tgt_lang)
        cut = {} if max_input_tokens is None else {"truncation": True, "max_length": max_input_tokens}
        inputs = self.tokenizer((prefix or "") + text, return_tensors="pt", return_token_type_ids=False, **cut)
        return {**inputs, "own": own}

    def _forward(self, inputs: dict[str, Any], **generate_parameters: Any) -> dict[str, Any]:
        own = inputs.pop("own")
        output_ids = self.model.generate(**inputs, **{**own, **generate_parameters})
        batch, length = inputs["input_ids"].shape[0], output_ids.shape[-1]
        return {"output_ids": output_ids.reshape(batch, -1, length)}

    def postprocess(self, outputs: dict[str, Any], **decoding: Any) -> list[dict[str, str]]:
        texts = self.tokenizer.batch_decode(outputs["output_ids"][0], skip_special_tokens=True, **decoding)
        return [{"translation_text": text} for text in texts]
