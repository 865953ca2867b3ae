"""Visual question answering as a pipeline: an image and a question in, answers out."""

from typing import Any

from transformers import GenerationConfig, Pipeline
from transformers.image_utils import load_image


class VisualQuestionAnsweringPipeline(Pipeline):
    """Answers questions about images.

    `pipe(image, question)` and `pipe({"image": image, "question": question})` give `[{"score", "answer"}]`. A model
    that chooses among answers (ViLT) gives its `top_k` best, scored by the sigmoid of their logits. One that writes
    (BLIP, GIT) gives one answer, scored by the product of the probabilities of its tokens; further arguments go to its
    `generate`.
    """

    _load_image_processor = _load_tokenizer = True
    _load_processor = _load_feature_extractor = _load_video_processor = False
    _pipeline_calls_generate = True
    _non_generation_params = ("top_k",)
    _default_generation_config = GenerationConfig(max_new_tokens=20)

    def __call__(self, image: Any, question: str | None = None, **kwargs: Any) -> Any:
        return super().__call__(image if question is None else {"image": image, "question": question}, **kwargs)

    def _sanitize_parameters(
        self, top_k: int | None = None, **generate: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        return {}, generate, {} if top_k is None else {"top_k": top_k}

    def preprocess(self, inputs: dict[str, Any]) -> dict[str, Any]:
        # GIT goes on writing after the question, so nothing may close it.
        open_end = self.model.config.model_type == "git"
        words = self.tokenizer(inputs["question"], add_special_tokens=not open_end, truncation=True)["input_ids"]
        ids = [self.tokenizer.cls_token_id, *words] if open_end else words
        prepared = self.tokenizer.pad({"input_ids": [ids]}, return_tensors="pt")
        pixels = self.image_processor(images=[load_image(inputs["image"])], return_tensors="pt").to(self.dtype)
        return {**prepared, **pixels}

    def _forward(self, inputs: dict[str, Any], **generate: Any) -> dict[str, Any]:
        if not self.model.can_generate():
            return {"logits": self.model(**inputs).logits}
        named = self._prepare_generate_kwargs(generate, num_beams=1, return_dict_in_generate=True, output_scores=True)
        made = self.model.generate(**inputs, **named)
        ids = made.sequences[0, made.sequences.shape[1] - len(made.scores) :]
        scores = [step[0].float().softmax(dim=-1)[one] for step, one in zip(made.scores, ids, strict=True)]
        return {"ids": ids, "scores": scores}

    def postprocess(self, outputs: dict[str, Any], top_k: int = 5) -> list[dict[str, Any]]:
        if "logits" not in outputs:
            score = 1.0
            for one in outputs["scores"]:
                score *= float(one)
            return [{"score": score, "answer": self.tokenizer.decode(outputs["ids"], skip_special_tokens=True).strip()}]
        best = outputs["logits"][0].float().sigmoid().topk(min(top_k, self.model.config.num_labels))
        answers = [self.model.config.id2label[one] for one in best.indices.tolist()]
        return [{"score": score, "answer": one} for score, one in zip(best.values.tolist(), answers, strict=True)]
