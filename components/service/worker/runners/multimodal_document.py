"""Document question answering: an answer found among a document's words, or written from its picture."""

from __future__ import annotations

from typing import Any

from transformers.utils import is_pytesseract_available

from components.service.errors import WorkbenchError
from components.service.worker.media import read_image
from components.service.worker.runners.multimodal_writer import Writer, unfit
from components.service.worker.tensors import plain

_FIELD = "parameters.word_boxes"
#: Tokens beside question and words: the begin, and what stands between and after them.
_SPECIAL = 4
_CONTEXT = 512
_FOUND = ("max_answer_len", "max_seq_len", "doc_stride", "handle_impossible_answer", "word_boxes", "top_k")


class DocumentReader(Writer):
    """Runs `DocumentQuestionAnsweringPipeline`; the output is `[{answer, score, start, end}]`, places counted in words,
    or `[{answer}]` of a model that writes (Donut)."""

    @property
    def writes(self) -> bool:
        return bool(self.loaded.model.config.model_type == "vision-encoder-decoder")

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = dict(given)
        if self.writes:
            self.without_effect(used, _FOUND, "this model reads the picture itself and writes one answer")
            most = self.loaded.pipe._prepare_generate_kwargs(used).get("max_new_tokens")
            return used if most is None else {**used, "max_new_tokens": most}
        if not self.loaded.model.config.model_type.startswith("layoutlm"):
            raise WorkbenchError(
                f"{self.loaded.name} finds no answers in documents. Choose a LayoutLM or Donut model.", field="model"
            )
        self.without_effect(used, ("max_new_tokens",), "this model finds answers and writes nothing")
        self._check_words(used)
        used.setdefault("top_k", 1)
        longest = self.context or _CONTEXT
        if used.setdefault("max_seq_len", longest) > longest:
            self.note(f"{self.loaded.name} reads at most {longest:,} tokens at once.")
            used["max_seq_len"] = longest
        return used

    def _check_words(self, used: dict[str, Any]) -> None:
        processor = self.loaded.pipe.image_processor
        if used.get("word_boxes") is not None:
            used["word_boxes"] = checked_words(used["word_boxes"])
        elif not is_pytesseract_available():
            raise WorkbenchError(
                f"{self.loaded.name} cannot read a picture: it needs the document's words with their boxes, in "
                "word_boxes. Give them, or choose a Donut model, which reads by itself.",
                field=_FIELD,
            )
        if hasattr(processor, "apply_ocr"):
            processor.apply_ocr = "word_boxes" not in used

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in parameters.items() if name in _FOUND and name != "word_boxes"}

    def read(self, item: Any) -> Any:
        words = {"word_boxes": self.parameters["word_boxes"]} if "word_boxes" in self.parameters else {}
        return {**item, "image": read_image(item["image"], self.call.settings), **words}

    def preprocess(self, item: Any) -> Any:
        if not self.writes:
            self._check_question(item["question"])
        with unfit(self):
            return super().preprocess(item)

    def _check_question(self, question: str) -> None:
        most = self.parameters["max_seq_len"]
        stride = self.parameters.get("doc_stride", min(most // 2, 256))
        with self.loaded.lock:
            length = len(self.loaded.tokenizer.tokenize(question))
        if length + stride + _SPECIAL >= most:
            raise WorkbenchError(
                f"A chunk of {most:,} tokens has no room for a question of {length:,} and {stride:,} shared with the "
                "next chunk. Shorten the question, or lower doc_stride.",
                field="parameters.doc_stride" if "doc_stride" in self.parameters else "inputs.question",
            )

    def forward(self, inputs: Any) -> Any:
        bounds = self.bounded(**self.generation(self.parameters), do_sample=False) if self.writes else {}
        outputs = []
        for chunk in inputs:
            self.check_time()
            with self._draw, unfit(self):
                outputs.append(self.loaded.pipe.forward(chunk, **self._during, **bounds))
            if not self.writes:
                self.check_finite(outputs[-1]["start_logits"])
        if self.writes:
            self.told()
        return outputs

    def output(self, made: Any) -> Any:
        if any(one["answer"] is None for one in made):
            self.note("The model wrote no answer.")
        return plain([{**one, "answer": one["answer"] or ""} for one in made])

    def note_preprocess(self, inputs: Any) -> str:
        if self.writes:
            return "The picture becomes numbers; the question is what the model begins to write with."
        chunks = f" There are {len(inputs)} chunks; the first is shown." if len(inputs) > 1 else ""
        return f"Question and words become ids, and each token is given the box of its word (bbox).{chunks}"

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        if self.writes:
            return shown | {"note": "Here forward is generate: the model is called once for each token of the answer."}
        return shown | {"note": "For each token, a logit that the answer starts there, and one that it ends there."}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        note = "The best pairs of start and end are the answers; a score is the product of both probabilities."
        return {"tensors": [], "note": "The tokens become text." if self.writes else note}


def checked_words(given: Any) -> list[list[Any]]:
    """Words and boxes as the models take them, boxes of whole numbers in 0 to 1000."""
    rule = WorkbenchError(
        'word_boxes is a list of words with boxes in thousandths, such as [["Total", [562, 732, 644, 752]]]: left, '
        "top, right, bottom, from 0 to 1000.",
        field=_FIELD,
    )
    if not isinstance(given, list) or not given:
        raise rule
    words = []
    for pair in given:
        word, box = pair if isinstance(pair, list) and len(pair) == 2 else (None, None)
        if not isinstance(word, str) or not word.strip() or not isinstance(box, list) or len(box) != 4:
            raise rule
        if any(isinstance(side, bool) or not isinstance(side, (int, float)) for side in box):
            raise rule
        left, top, right, bottom = box
        if not (0 <= left <= right <= 1000 and 0 <= top <= bottom <= 1000):
            raise rule
        words.append([word, [int(side) for side in box]])
    return words
