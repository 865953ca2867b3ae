"""Summarization as a pipeline: a long text in, a short one out."""

from typing import Any

from transformers import GenerationConfig, Pipeline


class SummarizationPipeline(Pipeline):
    """Shortens a text with an encoder-decoder model.

    `pipe(text, **parameters)` gives `[{"summary_text": ...}]`. The parameters are those of `model.generate`, and
    `prefix`, put before the text; `max_input_tokens`, where the text is cut; `clean_up_tokenization_spaces`.
    """

    _load_tokenizer = True
    _load_processor = _load_image_processor = _load_feature_extractor = _load_video_processor = False

    def own(self) -> dict[str, Any]:
        """The prefix and the parameters of `generate` that the model's configuration gives for the task."""
        tasks = getattr(self.model.config, "task_specific_params", None) or {}
        known = {"prefix", *vars(GenerationConfig())}
        return {name: value for name, value in tasks.get("summarization", {}).items() if name in known}

    def _sanitize_parameters(
        self,
        prefix: str | None = None,
        max_input_tokens: int | None = None,
        clean_up_tokenization_spaces: bool | None = None,
        **generate_parameters: Any,
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        before = {"prefix": prefix, "max_input_tokens": max_input_tokens}
        after = {"clean_up_tokenization_spaces": clean_up_tokenization_spaces}
        # What is not given here may have been given when the pipeline was made.
        return (
            {name: value for name, value in before.items() if value is not None},
            generate_parameters,
            {name: value for name, value in after.items() if value is not None},
        )

    def preprocess(self, text: str, prefix: str | None = None, max_input_tokens: int | None = None) -> Any:
        prefix = self.own().get("prefix", "") if prefix is None else prefix
        cut = {} if max_input_tokens is None else {"truncation": True, "max_length": max_input_tokens}
        return self.tokenizer(prefix + text, return_tensors="pt", return_token_type_ids=False, **cut)

    def _forward(self, inputs: Any, **generate_parameters: Any) -> dict[str, Any]:
        own = {name: value for name, value in self.own().items() if name != "prefix"}
        output_ids = self.model.generate(**inputs, **{**own, **generate_parameters})
        batch, length = inputs["input_ids"].shape[0], output_ids.shape[-1]
        return {"output_ids": output_ids.reshape(batch, -1, length)}

    def postprocess(self, outputs: dict[str, Any], **decoding: Any) -> list[dict[str, str]]:
        texts = self.tokenizer.batch_decode(outputs["output_ids"][0], skip_special_tokens=True, **decoding)
        return [{"summary_text": text} for text in texts]
