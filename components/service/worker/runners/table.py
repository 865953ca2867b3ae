"""Table question answering: which cells of a table hold the answer, and what is to be done with them."""

from __future__ import annotations

from typing import Any

import pandas
import torch

from components.service.errors import WorkbenchError
from components.service.worker.blame import blaming
from components.service.worker.runners.base import Runner
from components.service.worker.tensors import describe, flatten, token_rows

_MOST_ROWS = 200
#: Where TAPAS (Herzig et al. 2020) says of each token whether it is in the table, and in which column and row, from 1.
_SEGMENT, _COLUMN, _ROW = 0, 1, 2


class TableAnswerer(Runner):
    """Runs `TableQuestionAnsweringPipeline` with TAPAS models."""

    def read(self, item: Any) -> dict[str, Any]:
        return {"query": item["query"], "table": pandas.DataFrame(item["table"], dtype=object)}

    def preprocess(self, item: Any) -> Any:
        config, table = self.loaded.model.config, item["table"]
        sizes = getattr(config, "type_vocab_sizes", [0, 0, 0])
        columns, rows = len(table), len(next(iter(table.values())))
        most = sizes[_COLUMN] - 1
        if columns > most:
            raise WorkbenchError(
                f"The table has {columns:,} columns; {self.loaded.name} reads at most {most:,}.", field="inputs.table"
            )
        with blaming(
            f"The question and the table's heading are too long for {self.loaded.name}, or its tokenizer does not take "
            "them. Shorten them.",
            field="inputs.table",
        ):
            inputs = super().preprocess(item)
        self._check_length(inputs["input_ids"].shape[-1])
        read = int(inputs["token_type_ids"][0, :, _ROW].max())
        if read < rows:
            self.note(
                f"{self.loaded.name} reads {read:,} of the {rows:,} rows: the others do not fit and were left out."
            )
        self.note_unknown(inputs["input_ids"][0][inputs["attention_mask"][0].bool()].tolist())
        return inputs

    def _check_length(self, length: int) -> None:
        if self.context is not None and length > self.context:
            raise WorkbenchError(
                f"Question and table have {length:,} tokens, and {self.loaded.name} reads at most {self.context:,}. "
                "Shorten the table, or let its last rows be left out (truncation).",
                field="inputs.table",
            )

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        for tensor in flatten(outputs["outputs"]).values():
            self.check_finite(tensor)
        return outputs

    def postprocess(self, outputs: Any) -> Any:
        with blaming(f"The config.json of {self.loaded.name} does not name its aggregations.", field="model"):
            answer = super().postprocess(outputs)
        if not answer["cells"]:
            self.note("No cell of the table has a probability over one half: the model finds no answer in it.")
        return answer

    def show_preprocess(self, inputs: Any) -> dict[str, Any]:
        return {
            "tensors": describe({name: value for name, value in inputs.items() if name != "table"}),
            "tokens": token_rows(self.loaded.tokenizer, inputs["input_ids"][0].tolist()),
            "note": "The tokenizer writes the question, then the table cell by cell; token_type_ids, shape (batch, "
            "sequence, 7), tell for each token its column and row, and how its number ranks.",
        }

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": describe({"outputs": outputs["outputs"]}),
            "note": f"{type(self.loaded.model).__name__} gives each token one logit, whether its cell belongs to the "
            "answer" + (", and one for each aggregation." if self.loaded.pipe.aggregate else "."),
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        values = list(flatten(outputs["outputs"]).values())
        cells = _cells(inputs["token_type_ids"][0], values[0][0].float().sigmoid())
        table = inputs["table"]
        rows = [
            [str(table.iat[row, column]), str(table.columns[column]), row + 1, probability]
            for (row, column), probability in cells.items()
        ]
        shown: dict[str, Any] = {
            "tensors": [],
            "table": {"header": ["Cell", "Column", "Row", "Probability"], "rows": rows[:_MOST_ROWS]},
            "note": "sigmoid turns the logits into probabilities; a cell's is the mean of its tokens', and cells over "
            "one half are the answer.",
        }
        if self.loaded.pipe.aggregate:
            logits = values[1][0].float()
            names = self.loaded.model.config.aggregation_labels
            shown["scores"] = [
                {"label": names[index], "logit": logit, "score": score}
                for index, (logit, score) in enumerate(zip(logits.tolist(), logits.softmax(-1).tolist(), strict=True))
            ]
        return shown


def _cells(types: torch.Tensor, probabilities: torch.Tensor) -> dict[tuple[int, int], float]:
    """The mean probability of each cell's tokens by row and column, from 0."""
    found: dict[tuple[int, int], list[float]] = {}
    for kind, probability in zip(types.tolist(), probabilities.tolist(), strict=True):
        if kind[_SEGMENT] == 1 and kind[_COLUMN] > 0 and kind[_ROW] > 0:
            found.setdefault((kind[_ROW] - 1, kind[_COLUMN] - 1), []).append(probability)
    return {place: sum(parts) / len(parts) for place, parts in sorted(found.items())}
