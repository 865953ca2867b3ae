"""Families whose batches are made of examples of about one length, so that little is padded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from components.service.errors import WorkbenchError
from components.service.runs.families.base import Family, sequence_limit
from components.service.runs.families.examples import token_lengths
from components.service.runs.families.remembering import RememberingTrainer

#: Rows shown as the worst errors, and the characters of each that are kept.
WORST, WORST_CHARS = 20, 500


class Grouped(Family):
    """Tokenized examples, padded batch by batch, whose evaluation can be traced back to its rows."""

    grouped = True

    def trainer(self, **options: Any) -> RememberingTrainer:
        """The Trainer, which keeps of an evaluation only what `reduced` gives."""
        self._trainer = super().trainer(preprocess_logits_for_metrics=self.reduced, **options)
        return self._trainer

    @staticmethod
    def reduced(predictions: Any, labels: Any) -> Any:  # noqa: ARG004 - the Trainer's hook
        """What is kept of a batch's predictions: the logits. Encoder-decoders give hidden states after them."""
        return predictions[0] if isinstance(predictions, tuple) else predictions

    def in_order(self, values: np.ndarray) -> np.ndarray:
        """What the Trainer gives for each validation example, in the order of the rows; it evaluates by length."""
        sampler = self._trainer._get_eval_sampler(self._trainer.eval_dataset)
        if sampler is None:
            return values
        ordered = np.empty_like(values)
        ordered[list(sampler)] = values
        return ordered

    def limit(self, tokenizer: Any, config: Any, longest: int, *, pair: bool = False) -> int:
        """Tokens of a sequence, with a padding token settled.

        Raises:
            WorkbenchError: The tokenizer cannot pad, or nothing is left beside its special tokens.
        """
        if tokenizer.pad_token is None:
            if tokenizer.eos_token is None:
                raise WorkbenchError(
                    f"The tokenizer of {self.spec.model} has neither a padding nor an end-of-text token, so rows of "
                    "different lengths cannot be put together. Choose another model.",
                    field="model",
                )
            tokenizer.pad_token = tokenizer.eos_token
        config.pad_token_id = tokenizer.pad_token_id
        limit = sequence_limit(tokenizer, config, self.spec.max_length, longest)
        needed = tokenizer.num_special_tokens_to_add(pair=pair) + 1 + pair
        if limit < needed:
            raise WorkbenchError(
                f"A sequence of {limit} tokens has no room beside the special tokens of this model: it needs at least "
                f"{needed}. Raise max_length.",
                field="max_length",
            )
        return limit


def length_facts(examples: Sequence[dict[str, Any]], limit: int, *, cut: bool = True) -> dict[str, Any]:
    """What is recorded of the lengths of the training examples, in tokens; `cut`: longer rows end at the limit."""
    lengths = np.sort(token_lengths(examples))
    at_limit = {"at_limit": float((lengths >= limit).mean())} if cut else {}
    middle, longest, total = (int(one) for one in (lengths[len(lengths) // 2], lengths[-1], lengths.sum()))
    return {
        "max_length": limit,
        "tokens": {"median": middle, "longest": longest, "total": total},
        **at_limit,
    }


def worst(losses: np.ndarray, wrong: np.ndarray) -> list[int]:
    """Places of the rows with a wrong answer, the highest loss first, at most `WORST`."""
    return [int(i) for i in np.argsort(-losses, kind="stable") if wrong[i]][:WORST]
