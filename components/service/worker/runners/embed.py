"""Vectors of texts: the hidden states of a model without a head, and how near two sentences are by them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.revived.sentence_similarity import pool
from components.service.worker.runners.base import Runner
from components.service.worker.runners.limits import note_cut, token_ids
from components.service.worker.tensors import describe, plain

_POOLED = {
    "none": "the vectors of all tokens are kept",
    "mean": "the mean of the tokens' vectors is the text's vector",
    "cls": "the vector of the first token is the text's vector",
    "last": "the vector of the last token is the text's vector",
    "max": "the largest of each number over all tokens makes the text's vector",
}


class Embedder(Runner):
    """Runs `FeatureExtractionPipeline`, which gives shape (batch, sequence, hidden); pooled it is (batch, hidden)."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        self._numbers = 0
        return {"pooling": "none", "normalize": False, "truncate": True, "truncation_direction": "right", **given}

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002
        return {}

    def preprocess(self, item: Any) -> Any:
        tokenizer = self.loaded.tokenizer
        with self.loaded.lock:
            ids = token_ids(tokenizer, item)
            cut = self._cut(len(ids))
            side = tokenizer.truncation_side
            tokenizer.truncation_side = self.parameters["truncation_direction"]
            try:
                inputs = self.loaded.pipe.preprocess(item, **self._before, **cut)
            finally:
                tokenizer.truncation_side = side
        self.note_unknown(ids)
        return inputs

    def _cut(self, length: int) -> dict[str, Any]:
        if self.context is None or length <= self.context:
            return {}
        if not self.parameters["truncate"]:
            raise WorkbenchError(
                f"The text has {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}. Shorten it, "
                "or let it be cut (truncate).",
                field="inputs",
            )
        note_cut(self, length)
        self.parameters |= {"truncation": True, "max_length": self.context}
        return {"truncation": True, "max_length": self.context}

    def forward(self, inputs: Any) -> Any:
        with blaming(
            f"{self.loaded.name} does not make hidden states of a text alone: it needs other inputs too. Choose "
            "another model, such as an encoder.",
            field="model",
        ):
            outputs = super().forward(inputs)
        hidden = outputs[0]
        if not isinstance(hidden, torch.Tensor) or hidden.dim() != 3:
            raise WorkbenchError(
                f"{self.loaded.name} gives no vector for each token. Choose another model, such as an encoder.",
                field="model",
            )
        self.check_finite(hidden)
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        vectors = self._vectors(outputs[0])
        self._numbers += vectors.numel()
        most = self.call.settings.vector_numbers
        if self._numbers > most:
            raise WorkbenchError(
                f"The vectors hold {self._numbers:,} numbers so far; at most {most:,} are sent in one result. Use "
                "fewer or shorter texts, or a pooling.",
                field="inputs",
            )
        return plain(vectors)

    def _vectors(self, hidden: torch.Tensor) -> torch.Tensor:
        vectors = hidden
        if self.parameters["pooling"] != "none":
            vectors = pool(hidden, torch.ones(hidden.shape[:2], dtype=torch.long), self.parameters["pooling"])
        return torch.nn.functional.normalize(vectors, dim=-1) if self.parameters["normalize"] else vectors

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        hidden = next(iter(outputs.values()))
        return {
            "tensors": describe(outputs),
            "note": f"{type(self.loaded.model).__name__} has no head: it gives each token {hidden.shape[-1]:,} "
            "numbers, its hidden states, shape (batch, sequence, hidden).",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        vectors = self._vectors(next(iter(outputs.values())))
        scaled = ", and each vector is made 1 long" if self.parameters["normalize"] else ""
        return {
            "tensors": describe({"vectors": vectors}),
            "note": f"No head, so nothing is judged: {_POOLED[self.parameters['pooling']]}{scaled}.",
        }


class Comparer(Runner):
    """Runs the revived `SentenceSimilarityPipeline`, with the pooling that the model's own files name."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        folder = Path(self.loaded.model.name_or_path)
        modules, settings = _read(folder / "modules.json", []), _read(folder / "sentence_bert_config.json", {})
        limits = [self.context, settings.get("max_seq_length") if isinstance(settings, dict) else None]
        known = [limit for limit in limits if type(limit) is int and limit > 2]
        cut = {"max_length": min(known)} if known else {}
        return {"pooling": given.get("pooling") or self._own_pooling(folder, modules), **cut}

    def _own_pooling(self, folder: Path, modules: Any) -> str:
        """The pooling of a model of the sentence-transformers library; the mean where no file says."""
        kinds = {_kind(one): one.get("path") for one in modules if isinstance(one, dict)} if modules else {}
        extra = set(kinds) - {"transformer", "pooling", "normalize"}
        if extra:
            self.note(f"{self.loaded.name} adds layers ({', '.join(sorted(extra))}) that are not applied here.")
        if "pooling" not in kinds:
            return "mean"
        named = _read(folder / "1_Pooling" / "config.json", {}) if kinds["pooling"] == "1_Pooling" else {}
        found = _pooling(named)
        if found is None:
            self.note(f"How {self.loaded.name} pools its tokens' vectors is not known here, so their mean is taken.")
        return found or "mean"

    def preprocess(self, item: Any) -> Any:
        tokenizer, most = self.loaded.tokenizer, self.parameters.get("max_length", math.inf)
        if tokenizer.pad_token is None and tokenizer.eos_token is None:
            raise WorkbenchError(
                f"The tokenizer of {self.loaded.name} has neither a padding nor an end token. Choose another model.",
                field="model",
            )
        with self.loaded.lock:
            texts = [token_ids(tokenizer, text) for text in (item["source_sentence"], *item["sentences"])]
            chunks = list(self.loaded.pipe.preprocess(item, **self._before))
        for ids in texts:
            self.note_unknown(ids)
        if (longest := max(map(len, texts))) > most:
            self.note(
                f"A sentence has {longest:,} tokens, and at most {most:,} are read by {self.loaded.name}: the rest was "
                "left out."
            )
        return chunks

    def forward(self, inputs: Any) -> Any:
        with blaming(
            f"{self.loaded.name} does not make hidden states of a text alone: it needs other inputs too. Choose "
            "another model, such as an encoder.",
            field="model",
        ):
            outputs = super().forward(inputs)
        for one in outputs:
            self.check_finite(one["vectors"])
        return outputs

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        times = f" It was called {len(outputs)} times; the first is shown." if len(outputs) > 1 else ""
        return {
            "tensors": describe({"vectors": outputs[0]["vectors"]}),
            "note": f"{type(self.loaded.model).__name__} has no head: it gives each token a vector, and "
            f"{_POOLED[self.parameters['pooling']]}, shape (sentences, hidden).{times}",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        vectors = torch.cat([one["vectors"] for one in outputs]).float()
        return {
            "tensors": describe({"lengths": vectors.norm(dim=-1), "similarities": torch.tensor(output)}),
            "note": "Each vector is made 1 long; the product of two is the cosine of the angle between them: 1 for the "
            "same direction, 0 for none in common. The first vector is that of the sentence compared with.",
        }


def _read(file: Path, otherwise: Any) -> Any:
    """A JSON file of the model, or `otherwise` where there is none."""
    with blaming(f"The file {file.name} of this model is broken. Choose another model.", field="model"):
        return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else otherwise


def _kind(module: dict[str, Any]) -> str:
    return str(module.get("type", "")).rpartition(".")[2].lower()


def _pooling(config: Any) -> str | None:
    """The one pooling that a `1_Pooling/config.json` names, if it is one that is known here."""
    if not isinstance(config, dict):
        return None
    names = {"cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max", "lasttoken": "last"}
    modes = [key.removeprefix("pooling_mode_") for key, on in config.items() if "pooling_mode_" in key and on is True]
    if config.get("pooling_mode") in names.values() or config.get("pooling_mode") == "lasttoken":
        return {"lasttoken": "last"}.get(config["pooling_mode"], config["pooling_mode"])
    return names.get(modes[0]) if len(modes) == 1 else None
