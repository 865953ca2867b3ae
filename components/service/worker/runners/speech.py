"""Speech recognition: logits for each moment (CTC), or tokens written one after another (Whisper and its kin)."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE

from components.service.errors import WorkbenchError
from components.service.worker.media import read_audio
from components.service.worker.runners.multimodal_writer import Writer, unfit
from components.service.worker.tensors import describe, plain

#: Seconds of sound beyond which a CTC model reads in chunks unasked: what it computes grows with the square of them.
WHOLE_SECONDS = 60.0
CHUNK_SECONDS = 30.0
#: Tokens before the first that Whisper chooses: begin, language, task, timestamps or none.
_WHISPER_PROMPT = 4
_ROWS = 200
_NAMED = ("chunk_length_s", "stride_length_s", "language", "task")


class Heard(TorchFunctionMode):
    """Inside, keeps the logits of the last `argmax` of this thread, which the pipeline throws away."""

    logits: torch.Tensor | None = None

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.Tensor.argmax:
            self.logits = args[0].detach()
        return function(*args, **(kwargs or {}))


class Recognizer(Writer):
    """Runs `AutomaticSpeechRecognitionPipeline`; the output is `{text, chunks}`, chunks only with timestamps."""

    @property
    def kind(self) -> str:
        """The pipeline's own word for how the model writes: `ctc`, `tdt`, `seq2seq`, `seq2seq_whisper`."""
        return str(self.loaded.pipe.type)

    @property
    def writes(self) -> bool:
        return self.kind != "ctc"

    @property
    def room(self) -> int | None:
        most = getattr(self.loaded.model.config, "max_target_positions", None)
        return most - _WHISPER_PROMPT if isinstance(most, int) else None

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        used = super().resolve(given)
        if self.kind == "tdt":
            self.without_effect(used, ("num_beams", "repetition_penalty"), "a transducer chooses by itself")
        if self.kind != "seq2seq_whisper":
            self.without_effect(used, ("language", "task"), "only Whisper knows them")
        elif used.get("language") or used.get("task"):
            self._check_language(used)
        if "return_timestamps" in used:
            self._resolve_timestamps(used)
        if used.get("stride_length_s", 0) > used.get("chunk_length_s", 0) / 3:
            raise WorkbenchError(
                "The parameter stride_length_s must be at most a third of chunk_length_s, which has to be given too.",
                field="parameters.stride_length_s",
            )
        self._asked = dict(used)
        return used

    @property
    def _times(self) -> bool:
        """Whether the model can say when something was said."""
        if self.kind == "seq2seq_whisper":
            return hasattr(self.loaded.model.generation_config, "no_timestamps_token_id")
        return self.kind != "seq2seq"

    def _check_language(self, used: dict[str, Any]) -> None:
        known = getattr(self.loaded.model.generation_config, "lang_to_id", None)
        if not known:
            name = "language" if used.get("language") else "task"
            raise WorkbenchError(
                f"{self.loaded.name} knows one language only: leave language and task empty.",
                field=f"parameters.{name}",
            )
        given = str(used.get("language") or "en").strip().lower()
        code = TO_LANGUAGE_CODE.get(given, given)
        if f"<|{code}|>" not in known:
            names = ", ".join(LANGUAGES.get(one.strip("<|>"), one) for one in list(known)[:100])
            raise WorkbenchError(
                f"{self.loaded.name} does not know the language {given[:40]!r}. It knows {names}.",
                field="parameters.language",
            )

    def _resolve_timestamps(self, used: dict[str, Any]) -> None:
        wanted = used["return_timestamps"]
        if wanted == "false":
            del used["return_timestamps"]
        elif not self._times:
            raise WorkbenchError(
                f"{self.loaded.name} cannot say when words were said. Leave return_timestamps empty, or choose a "
                "Whisper or a CTC model.",
                field="parameters.return_timestamps",
            )
        elif self.kind == "seq2seq_whisper" and wanted == "char":
            raise WorkbenchError(
                "Whisper times segments (true) or words (word), not characters.", field="parameters.return_timestamps"
            )
        elif self.kind != "seq2seq_whisper" and wanted == "true":
            used["return_timestamps"] = "word"
            self.note("This model knows no segments: the times are those of words.")

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        named: dict[str, Any] = {name: parameters[name] for name in _NAMED if name in parameters}
        if (wanted := parameters.get("return_timestamps")) is not None:
            named["return_timestamps"] = True if wanted == "true" else wanted
        return named | self.generation(parameters)

    def read(self, item: Any) -> Any:
        rate = self.loaded.pipe.feature_extractor.sampling_rate
        sound = read_audio(item, rate, self.call.settings)
        self._fit(len(sound) / rate)
        return {"raw": sound, "sampling_rate": rate}

    def _fit(self, seconds: float) -> None:
        """Read a long recording in the way that the model can; the next one of a list may be short again."""
        used = dict(self._asked)
        if self.kind == "seq2seq_whisper":
            longest = self.loaded.pipe.feature_extractor.chunk_length
            if seconds > longest and not {"return_timestamps", "chunk_length_s"} & set(used):
                used["return_timestamps"] = "true"
                self.note(f"Whisper reads a recording of more than {longest} seconds with timestamps only.")
        elif seconds > WHOLE_SECONDS and "chunk_length_s" not in used:
            used["chunk_length_s"] = CHUNK_SECONDS
            self.note(f"A recording of more than {WHOLE_SECONDS:.0f} seconds is read in chunks.")
        self.parameters.update(used)
        self._before, self._during, self._after = self.steps(**self.arguments(used))

    def preprocess(self, item: Any) -> Any:
        read = self.read(item)
        with self.loaded.lock, unfit(self):
            return list(self.loaded.pipe.preprocess(read, **self._before))

    def forward(self, inputs: Any) -> Any:
        self._heard = Heard()
        outputs = []
        for chunk in inputs:
            self.check_time()
            with unfit(self):
                outputs.append(self._hear(chunk) if self.kind == "ctc" else self._write(chunk))
        return outputs

    def _hear(self, chunk: Any) -> Any:
        with self._heard:
            heard = self.loaded.pipe.forward(chunk, **self._during)
        if self._heard.logits is not None:
            self.check_finite(self._heard.logits)
        return heard

    def _write(self, chunk: Any) -> Any:
        bounds = self.bounded()
        with self._draw:
            written = self.loaded.pipe.forward(chunk, **self._during, **bounds)
        self.told()
        return written

    def postprocess(self, outputs: Any) -> Any:
        with self.loaded.lock, unfit(self):
            return self.output(self.loaded.pipe.postprocess(outputs, **self._after))

    def output(self, made: Any) -> Any:
        return {name: plain(made[name]) for name in ("text", "chunks") if name in made}

    def note_preprocess(self, inputs: Any) -> str:
        rate = self.loaded.pipe.feature_extractor.sampling_rate
        chunks = f" It is read in {len(inputs)} overlapping chunks; the first is shown." if len(inputs) > 1 else ""
        return f"The sound, one channel of {rate:,} samples a second, becomes what the model reads.{chunks}"

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        shown = super().show_forward(inputs, outputs)
        if self.kind != "ctc":
            return shown | {"note": "Here forward is generate: the model is called once for each token it writes."}
        logits = describe({"logits": self._heard.logits}) if self._heard.logits is not None else []
        times = f" It was called {len(outputs)} times, once for each chunk; the logits are the last one's."
        return {
            "tensors": [*shown["tensors"], *logits],
            "note": f"{type(self.loaded.model).__name__} gives one logit for each token at each moment; the token with "
            f"the highest is kept.{times if len(outputs) > 1 else ''}",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        ids = self.first(outputs)["tokens"].reshape(-1).tolist()
        tokens = self.loaded.tokenizer.convert_ids_to_tokens(ids[:_ROWS])
        if self.kind != "ctc":
            rows = [[place, number, token] for place, (number, token) in enumerate(zip(ids, tokens, strict=False))]
            return {"tensors": [], "table": {"header": ["Position", "Id", "Token"], "rows": rows}, "note": _WRITTEN}
        step = self.loaded.pipe._align_to / self.loaded.pipe.feature_extractor.sampling_rate
        rows = [
            [round(place * step, 3), number, token]
            for place, (number, token) in enumerate(zip(ids, tokens, strict=False))
        ]
        return {"tensors": [], "table": {"header": ["Second", "Id", "Token"], "rows": rows}, "note": _COLLAPSED}


_WRITTEN = "The tokenizer turns the ids into text, special tokens left out."
_COLLAPSED = (
    "CTC: one token for each moment. Equal tokens that follow each other count as one, then the blank (the padding "
    "token) is taken out; what is left is the text."
)
