"""Question answering: where in a text the answer begins and ends."""

from __future__ import annotations

from typing import Any

from components.service.errors import WorkbenchError
from components.service.worker.runners.base import Runner
from components.service.worker.runners.limits import limited, token_ids
from components.service.worker.tensors import describe, token_rows

#: What the pipeline takes where nobody says: tokens at once, and shared by two chunks.
_SEQUENCE, _STRIDE = 384, 128
_MOST_ROWS = 200


class Answerer(Runner):
    """Runs the revived `QuestionAnsweringPipeline`. One answer comes as an object, several as a list of them."""

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        if not self.loaded.tokenizer.is_fast:
            raise WorkbenchError(
                f"The tokenizer of {self.loaded.name} does not say where its tokens stand in the text, so no answer "
                "can be cut out of it. Choose a model with a tokenizer.json.",
                field="model",
            )
        used = {"top_k": 1, "max_answer_len": 15, "handle_impossible_answer": False, "align_to_words": True, **given}
        asked = used.get("max_seq_len", _SEQUENCE)
        used["max_seq_len"] = asked if self.context is None else min(asked, self.context)
        if used["max_seq_len"] < given.get("max_seq_len", 0):
            self.note(f"{self.loaded.name} reads at most {self.context:,} tokens: max_seq_len was lowered to that.")
        used.setdefault("doc_stride", min(used["max_seq_len"] // 2, _STRIDE))
        self._stride = given.get("doc_stride")
        return used

    def preprocess(self, item: Any) -> Any:
        with limited(self) as tokenizer:
            self.note_unknown(token_ids(tokenizer, item["question"], item["context"]))
            self._fit(tokenizer, item["question"])
            return list(self.loaded.pipe.preprocess(item, **self._before))

    def _fit(self, tokenizer: Any, question: str) -> None:
        """Leave room for the text beside the question, and share no more of it between chunks than there is."""
        most = self.parameters["max_seq_len"]
        length = len(token_ids(tokenizer, question)) - tokenizer.num_special_tokens_to_add()
        length = min(length, self.parameters.get("max_question_len", length))
        room = most - length - tokenizer.num_special_tokens_to_add(pair=True)
        if room < 1:
            raise WorkbenchError(
                f"The question has {length:,} tokens, and only {most:,} are read at once (max_seq_len), the text "
                "included. Shorten the question, or set max_question_len.",
                field="inputs.question",
            )
        if self._stride is not None and self._stride >= room:
            raise WorkbenchError(
                f"The parameter doc_stride must be under {room:,}, the tokens of the text that are read at once.",
                field="parameters.doc_stride",
            )
        if self._stride is None:
            # For this question: another one of the same list may leave more room.
            self.parameters["doc_stride"] = self._before["doc_stride"] = min(most // 2, _STRIDE, room - 1)

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        for one in outputs:
            self.check_finite(one["start_logits"])
            self.check_finite(one["end_logits"])
        return outputs

    def output(self, made: Any) -> Any:
        if made == []:
            self.note("The text holds no token that could be an answer.")
        return super().output(made)

    def note_preprocess(self, inputs: Any) -> str:
        chunks = (
            f" The text is too long to be read at once: it is read in {len(inputs)} chunks that share "
            f"{self.parameters['doc_stride']} tokens; the first is shown."
            if len(inputs) > 1
            else ""
        )
        return f"The tokenizer joins question and text into one sequence, shape (batch, sequence).{chunks}"

    def show_preprocess(self, inputs: Any) -> dict[str, Any]:
        first = {name: inputs[0][name] for name in self.loaded.tokenizer.model_input_names if name in inputs[0]}
        return {
            "tensors": describe({**first, "in_context": inputs[0]["in_context"]}),
            "tokens": token_rows(self.loaded.tokenizer, first["input_ids"][0].tolist()),
            "note": self.note_preprocess(inputs),
        }

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        times = f" It was called {len(outputs)} times, once for each chunk." if len(outputs) > 1 else ""
        return {
            "tensors": describe({name: outputs[0][name] for name in ("start_logits", "end_logits")}),
            "note": f"{type(self.loaded.model).__name__} gives each token two logits: the answer begins here, and it "
            f"ends here.{times}",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        starts, ends, null = self.loaded.pipe.probabilities(outputs[0])
        tokens = self.loaded.tokenizer.convert_ids_to_tokens(outputs[0]["input_ids"][0].tolist())
        own = [place for place, inside in enumerate(outputs[0]["in_context"]) if inside]
        rows = [[tokens[place], float(starts[place]), float(ends[place])] for place in own[:_MOST_ROWS]]
        without = f" That there is none has {null:.3g}." if self.parameters["handle_impossible_answer"] else ""
        several = " Each chunk's probabilities add up to 1 by themselves." if len(outputs) > 1 else ""
        return {
            "tensors": describe({"start": starts, "end": ends}),
            "table": {"header": ["Token", "Begins the answer", "Ends the answer"], "rows": rows},
            "note": "softmax over the text's tokens; an answer's score is the probability of its begin times that of "
            f"its end, and those of the same answer are added.{without}{several}",
        }
