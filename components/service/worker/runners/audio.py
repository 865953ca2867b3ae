"""Tasks that judge a sound, with labels of the model's or of one's own, and that make one of a text."""

from __future__ import annotations

import secrets
from typing import Any

import torch

from components.service.errors import WorkbenchError
from components.service.worker.media import read_audio, wav
from components.service.worker.runners.base import Runner
from components.service.worker.runners.classify import OwnLabels, score_stage
from components.service.worker.runners.generate import Draw
from components.service.worker.runners.multimodal_writer import Writer, unfit
from components.service.worker.tensors import describe


class MediaClassifier(OwnLabels):
    """Runs a pipeline that classifies sounds or videos; every label is returned where `top_k` does not say how many."""

    looks = "reads all of it at once"

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        config = self.loaded.model.config
        own = {"regression": "none", "multi_label_classification": "sigmoid"}.get(config.problem_type, "softmax")
        self.function = given.get("function_to_apply") or own
        return {"top_k": config.num_labels, **given, "function_to_apply": self.function}

    def forward(self, inputs: Any) -> Any:
        with unfit(self):
            return super().forward(inputs)


class AudioClassifier(MediaClassifier):
    """Runs `AudioClassificationPipeline`."""

    def read(self, item: Any) -> Any:
        rate = self.loaded.pipe.feature_extractor.sampling_rate
        return {"raw": read_audio(item, rate, self.call.settings), "sampling_rate": rate}

    def note_preprocess(self, inputs: Any) -> str:  # noqa: ARG002
        rate = self.loaded.pipe.feature_extractor.sampling_rate
        return f"The sound, one channel of {rate:,} samples a second, becomes what the model reads."


class ZeroShotAudioClassifier(Runner):
    """Runs `ZeroShotAudioClassificationPipeline` with CLAP, which has one space for sounds and texts."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        if not hasattr(self.loaded.model, "get_audio_features"):
            raise WorkbenchError(
                f"{self.loaded.name} has no {self.spec.head}: it cannot compare a sound with a text. Choose a CLAP "
                "model, such as laion/clap-htsat-fused.",
                field="model",
            )

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        return {"hypothesis_template": "This is a sound of {}.", **given}

    def read(self, item: Any) -> Any:
        extractor = self.loaded.pipe.feature_extractor
        sound = read_audio(item, extractor.sampling_rate, self.call.settings)
        if len(sound) > extractor.nb_max_samples:
            self.note(
                f"The sound has {len(sound) / extractor.sampling_rate:.1f} seconds, and {self.loaded.name} reads "
                f"{extractor.nb_max_samples / extractor.sampling_rate:g}: its feature extractor picks parts at random, "
                "so that scores differ from call to call."
            )
        return sound

    def preprocess(self, item: Any) -> Any:
        inputs = super().preprocess(item)
        length = inputs["text_inputs"][0]["input_ids"].shape[-1]
        if self.context is not None and length > self.context:
            raise WorkbenchError(
                f"The longest label has {length:,} tokens with the template, and {self.loaded.name} reads at most "
                f"{self.context:,}. Shorten it.",
                field="parameters.candidate_labels",
            )
        return inputs

    def forward(self, inputs: Any) -> Any:
        outputs = super().forward(inputs)
        self.check_finite(outputs["logits"])
        return outputs

    def note_preprocess(self, inputs: Any) -> str:
        return (
            f"The sound becomes a spectrogram; the {len(inputs['candidate_labels'])} labels, each in the template, ids."
        )

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": describe(outputs),
            "note": "Sound and texts become vectors of one space; a logit is how close the sound is to a label's text.",
        }

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return score_stage(outputs["logits"][0], "softmax", dict(enumerate(outputs["candidate_labels"])))


class Noise(Draw):
    """Draws the noise that some models make sound of from the call's own seed too."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.randn_like:
            return torch.empty_like(*args, **(kwargs or {})).normal_(generator=self._generator(args[0].device))
        if function is torch.randn and "generator" not in (kwargs or {}):
            kwargs = {**(kwargs or {}), "generator": self._generator(torch.device("cpu"))}
        return super().__torch_function__(function, types, args, kwargs)


class Speaker(Writer):
    """Runs `TextToAudioPipeline`; the output is `{audio, sampling_rate}`, audio as WAV of 16 bits in base64."""

    def drawing(self, seed: int) -> Draw:
        return Noise(seed)

    def resolve(self, given: dict[str, Any]) -> dict[str, Any]:
        seed = given.get("seed")
        used = super().resolve({name: value for name, value in given.items() if name != "seed" or self.writes})
        if not self.writes:
            used["seed"] = secrets.randbelow(2**32) if seed is None else seed
        return used

    def arguments(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {"generate_kwargs": self.generation(parameters)}

    def read(self, item: Any) -> Any:
        most = self.call.settings.spoken_chars
        if len(item) > most:
            raise WorkbenchError(
                f"The text has {len(item):,} characters; at most {most:,} are turned into sound here. Shorten it.",
                field="inputs",
            )
        return item

    def preprocess(self, item: Any) -> Any:
        with unfit(self):
            inputs = super().preprocess(item)
        ids = inputs.get("input_ids")
        if isinstance(ids, torch.Tensor) and not ids.shape[-1]:
            raise WorkbenchError(
                f"{self.loaded.name} knows none of the text's characters. Write it in the language and script that the "
                "model speaks.",
                field="inputs",
            )
        return inputs

    def forward(self, inputs: Any) -> Any:
        during = dict(self._during)
        if self.writes:
            bounds = self.bounded()
            if self.loaded.pipe._passes_generation_params_to_submodels:
                del bounds["logits_processor"]  # its parts bring their own
            during["generate_kwargs"] = {**during["generate_kwargs"], **bounds}
        with self._draw, unfit(self):
            outputs = self.loaded.pipe.forward(inputs, **during)
        if self.writes:
            self.told()
        return outputs

    def output(self, made: Any) -> Any:
        rate = made["sampling_rate"]
        if not rate:
            raise WorkbenchError(
                f"{self.loaded.name} does not say how many samples a second its sound has. Choose another model.",
                field="model",
            )
        sound = torch.as_tensor(made["audio"])
        self.check_finite(sound)
        return {"audio": wav(sound.numpy(), int(rate)), "sampling_rate": int(rate)}

    def note_preprocess(self, inputs: Any) -> str:  # noqa: ARG002
        return "The text becomes ids, for some models those of single characters or sounds."

    def show_forward(self, inputs: Any, outputs: Any) -> dict[str, Any]:
        how = "is called once for each new piece of sound" if self.writes else "computes the whole sound at once"
        return {**super().show_forward(inputs, outputs), "note": f"{type(self.loaded.model).__name__} {how}."}

    def show_postprocess(self, inputs: Any, outputs: Any, output: Any) -> dict[str, Any]:  # noqa: ARG002
        return {
            "tensors": [],
            "note": f"The numbers, from -1 to 1, become a sound of {output['sampling_rate']:,} samples a second.",
        }
