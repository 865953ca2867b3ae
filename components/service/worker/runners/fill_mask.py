"""Fill-mask: which tokens may stand where the mask stands."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.tasks.text import MASKS
from components.service.worker.runners.base import Runner
from components.service.worker.runners.limits import note_cut
from components.service.worker.tensors import describe, token_rows

_TOP_K = 5
_CANDIDATES = 10


class MaskFiller(Runner):
    """Runs `FillMaskPipeline`. A text with one mask gives a list of fills, one with several a list of such lists.

    The mask may be written as BERT's or RoBERTa's models have it; it becomes the model's own.
    """

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        # A model gives one logit for each entry of its vocabulary, and no more can be asked for.
        size = self.loaded.model.config.get_text_config().vocab_size
        return {**given, "top_k": min(given.get("top_k", _TOP_K), size)}

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        for target in parameters.get("targets", ()):
            self._check_target(target)
        return parameters

    def _check_target(self, target: str) -> None:
        """Say where a target is not scored as it stands: the pipeline takes its first token."""
        tokenizer, name = self.loaded.tokenizer, self.loaded.name
        with self.loaded.lock:
            known = target in tokenizer.get_vocab()
            ids = tokenizer(target, add_special_tokens=False)["input_ids"]
        if known:
            return
        if not ids:
            raise WorkbenchError(
                f"{name} has no token for the target {target!r}. Leave it out.", field="parameters.targets"
            )
        if len(ids) > 1 or ids[0] == tokenizer.unk_token_id:
            read = tokenizer.convert_ids_to_tokens(ids[0])
            self.note(f"{target!r} is no single token that {name} knows: {read!r} was scored in its place.")

    def steps(self, **given: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        with self.loaded.lock:  # targets are tokenized here
            return super().steps(**given)

    def read(self, item: Any) -> str:
        text, own = str(item), self.loaded.tokenizer.mask_token
        for mask in MASKS:
            if mask != own and mask in text:
                text = text.replace(mask, own)
                self.note(f"{mask} was replaced by {own}, the mask of {self.loaded.name}.")
        if own not in text:
            raise WorkbenchError(
                f"There is no mask in the text. Write {own} where a word is to be found.", field="inputs"
            )
        return text

    def preprocess(self, item: Any) -> Any:
        text, tokenizer = self.read(item), self.loaded.tokenizer
        with self.loaded.lock:
            inputs = tokenizer(text, return_tensors="pt", verbose=False)
            self.note_unknown(inputs["input_ids"][0].tolist())
            length = inputs["input_ids"].shape[-1]
            if self.context is not None and length > self.context:
                note_cut(self, length)
                cut = {"truncation": True, "max_length": self.context}
                self.parameters |= cut
                inputs = tokenizer(text, return_tensors="pt", **cut)
        if not bool((inputs["input_ids"] == tokenizer.mask_token_id).any()):
            raise WorkbenchError(
                "No mask is left among the tokens that the model reads. Put it nearer to the text's begin.",
                field="inputs",
            )
        return inputs

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        self.check_finite(outputs["logits"])
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        with self.loaded.lock:  # the sequences are decoded here
            return super().postprocess(outputs)

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        size = outputs["logits"].shape[-1]
        return {
            "tensors": describe({"logits": outputs["logits"]}),
            "note": f"{type(self.loaded.model).__name__} gives every position one logit for each of the {size:,} "
            "tokens of its vocabulary, shape (batch, sequence, vocabulary).",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        masks = (outputs["input_ids"][0] == self.loaded.tokenizer.mask_token_id).nonzero()[:, 0]
        logits = outputs["logits"][0, masks].float()
        probabilities = logits.softmax(-1)
        best = probabilities[0].topk(min(_CANDIDATES, logits.shape[-1]))
        rows = token_rows(self.loaded.tokenizer, best.indices.tolist())
        several = f" There are {len(masks)} masks: each is filled as if the others stayed." if len(masks) > 1 else ""
        only = (
            " Only the targets' probabilities are kept; they need not add up to 1."
            if "targets" in (self.parameters)
            else ""
        )
        return {
            "tensors": describe({"mask_positions": masks, "probabilities": probabilities}),
            "scores": [
                {"label": row["token"], "logit": logits[0, row["id"]].item(), "score": probability}
                for row, probability in zip(rows, best.values.tolist(), strict=True)
            ],
            "note": "softmax turns the logits at the mask into a probability for each token; the likeliest are "
            f"shown.{several}{only}",
        }
