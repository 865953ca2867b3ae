"""Tasks that hear or speak: what the library's own pipelines give, seen from inside, and refused in sentences."""

from __future__ import annotations

import base64
import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
from task_checks import alike, check_stages

from components.service.errors import WorkbenchError
from components.service.inference import Inference
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.tasks.media import SAMPLES
from components.service.visitor import Visitor

HEAR, CLASSIFY = "automatic-speech-recognition", "audio-classification"
ZERO_SHOT, SPEAK = "zero-shot-audio-classification", "text-to-audio"
SPEECH, MELODY = {"sample": "sentence.ogg"}, {"sample": "melody.ogg"}
TEMPLATE = "hypothesis_template"
LABELS = {"candidate_labels": ["a fox", "music"], "hypothesis_template": "I love {}."}


def tone(seconds: float = 0.4, rate: int = 16_000, width: int = 2, channels: int = 1) -> str:
    """A WAV file in base64: a tone that rises, the same in all channels."""
    time = numpy.arange(int(seconds * rate)) / rate
    whole = (numpy.sin(2000 * time * (1 + time)) * 0.4 * 2 ** (8 * width - 1)).astype("<i4")
    data = numpy.repeat(whole[:, None], channels, 1).astype("<i4").tobytes()
    raw = numpy.frombuffer(data, numpy.uint8).reshape(-1, 4)[:, :width].tobytes()
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(raw)
    return base64.b64encode(sink.getvalue()).decode()


CASES = [
    (CLASSIFY, "audio_classifier", MELODY, {}),
    (CLASSIFY, "audio_classifier", tone(), {"top_k": 2, "function_to_apply": "sigmoid"}),
    (CLASSIFY, "audio_classifier", [SPEECH, MELODY], {"function_to_apply": "none"}),
    (ZERO_SHOT, "clap", tone(), LABELS),
    (ZERO_SHOT, "clap", [tone(), tone(0.7)], {"candidate_labels": ["a fox"]}),
    (HEAR, "ctc", SPEECH, {}),
    (HEAR, "ctc", SPEECH, {"return_timestamps": "char"}),
    (HEAR, "ctc", SPEECH, {"return_timestamps": "word"}),
    (HEAR, "ctc", SPEECH, {"chunk_length_s": 2.0, "stride_length_s": 0.5, "return_timestamps": "word"}),
    (HEAR, "ctc", [SPEECH, MELODY], {}),
    (HEAR, "whisper", SPEECH, {"max_new_tokens": 12}),
    (HEAR, "whisper", SPEECH, {"max_new_tokens": 12, "num_beams": 1, "language": "german", "task": "translate"}),
    (HEAR, "whisper", SPEECH, {"max_new_tokens": 12, "num_beams": 2, "return_timestamps": True}),
    (HEAR, "whisper", SPEECH, {"max_new_tokens": 12, "num_beams": 1, "temperature": 2.0, "seed": 3}),
    (SPEAK, "speaker", "the fox said hello", {"seed": 5}),
    (SPEAK, "musicgen", "the fox said hello", {"seed": 5, "max_new_tokens": 20}),
    (SPEAK, "musicgen", "the fox", {"do_sample": False, "max_new_tokens": 8}),
]
#: The cases whose snippets are run: each kind of model, each form of its output.
RUN = (1, 3, 5, 7, 8, 10, 12, 13, 14, 15)
IDS = [f"{task}-{model}-{number}" for number, (task, model, *_) in enumerate(CASES)]


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    import audio_models

    for name in ("audio_classifier", "clap", "ctc", "whisper", "speaker", "musicgen"):
        getattr(audio_models, name)(models_folder / name)
    audio_models.whisper(models_folder / "whisper_en", languages=False)
    return models_folder


def raw(task: str, path: Path, item: Any, used: dict[str, Any], settings: Settings) -> Any:
    """What transformers' own pipeline gives, in the form of the Hub's task specification."""
    from transformers import pipeline, set_seed

    from components.service.tasks.media import check_media
    from components.service.worker.media import read_audio, wav
    from components.service.worker.tensors import plain

    pipe = pipeline(task, model=str(path), device="cpu")
    set_seed(used.pop("seed", 0))
    if task == SPEAK:
        made = pipe(item, generate_kwargs=used)
        return {"audio": wav(made["audio"], made["sampling_rate"]), "sampling_rate": made["sampling_rate"]}
    rate = pipe.feature_extractor.sampling_rate

    def heard(one: Any) -> Any:
        sound = read_audio(check_media(one, "audio", settings, "inputs"), rate, settings)
        return sound if task == ZERO_SHOT else {"raw": sound, "sampling_rate": rate}

    if used.get("return_timestamps") == "true":
        used["return_timestamps"] = True
    return plain(pipe([heard(one) for one in item] if isinstance(item, list) else heard(item), **used))


@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), CASES, ids=IDS)
def test_the_output_is_the_raw_pipelines(
    run: Callable[..., Any],
    models: Path,
    settings: Settings,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    shown = run(task, model, inputs, parameters)
    assert shown["output"] == raw(task, models / model, inputs, dict(shown["parameters"]), settings)


@pytest.mark.parametrize(("task", "model", "inputs", "parameters"), [CASES[n] for n in RUN], ids=[IDS[n] for n in RUN])
def test_both_snippets_give_what_was_shown(
    run: Callable[..., Any],
    models: Path,
    run_snippet: Callable[..., Any],
    tmp_path: Path,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    shown = run(task, model, inputs, parameters)
    files = {"speech": SAMPLES / "sentence.ogg"}
    if isinstance(inputs, str) and task != SPEAK:
        files = {"audio": tmp_path / "audio"}
        files["audio"].write_bytes(base64.b64decode(inputs))
    for view in ("pipeline", "stages"):
        code = snippet(view, {**shown, "model": str(models / model), "commit": None, "inputs": inputs}, HUGGING_FACE)
        assert alike(run_snippet(code, **files), shown["output"]), f"{view}\n{code}"


def test_a_snippet_for_a_list_gives_the_list(
    run: Callable[..., Any], models: Path, run_snippet: Callable[..., Any]
) -> None:
    shown = run(SPEAK, "speaker", ["the fox", "hello there"], {"seed": 1})
    asked = {**shown, "model": str(models / "speaker"), "commit": None, "inputs": ["the fox", "hello there"]}
    assert run_snippet(snippet("pipeline", asked, HUGGING_FACE)) == shown["output"]
    assert len(shown["output"]) == 2


# What passes between the steps


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "tensors"),
    [
        (CLASSIFY, "audio_classifier", MELODY, {}, ("input_values", "logits", "scores")),
        (ZERO_SHOT, "clap", tone(), LABELS, ("input_features", "logits", "scores")),
        (HEAR, "ctc", SPEECH, {"chunk_length_s": 2.0}, ("input_values", "logits", None)),
        (HEAR, "whisper", SPEECH, {"max_new_tokens": 5}, ("input_features", "tokens", None)),
        (SPEAK, "speaker", "the fox", {"seed": 1}, ("input_ids", "tensor", None)),
    ],
)
def test_the_stages_lead_to_the_output(
    inference: Inference, visitor: Visitor, task: str, model: str, inputs: Any, parameters: Any, tensors: Any
) -> None:
    check_stages(inference, visitor, task, model, inputs, parameters, tensors)


def test_the_moments_of_ctc_collapse_to_its_text(inference: Inference, visitor: Visitor) -> None:
    seen = inference.run_stages(HEAR, "local/ctc", tone(), visitor=visitor)
    rows = seen["stages"][2]["table"]["rows"]
    kept = [token for place, (_, _, token) in enumerate(rows) if not place or token != rows[place - 1][2]]
    assert "".join(token for token in kept if token != "<pad>").replace("|", " ").strip() == seen["output"]["text"]
    assert [row[0] for row in rows[:3]] == [0, 0.005, 0.01]


def test_a_classifier_gives_every_label_best_first(run: Callable[..., Any]) -> None:
    output = run(CLASSIFY, "audio_classifier", MELODY)["output"]
    scores = [one["score"] for one in output]
    assert {one["label"] for one in output} == {"music", "speech", "noise"}
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)


def test_speech_is_a_wav_file_whose_seed_is_told(run: Callable[..., Any]) -> None:
    first = run("text-to-speech", "speaker", "the fox said hello")
    with wave.open(io.BytesIO(base64.b64decode(first["output"]["audio"]))) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        assert file.getnframes() > 0
    assert run(SPEAK, "speaker", "the fox said hello", first["parameters"])["output"] == first["output"]
    assert run(SPEAK, "speaker", "the fox said hello", {"seed": 8})["output"] != first["output"]


# Parameters that a model has no use for, and sounds that it reads in another way


@pytest.mark.parametrize(
    ("model", "inputs", "parameters", "used", "words"),
    [
        ("ctc", SPEECH, {"num_beams": 3, "language": "en"}, {}, "num_beams had no effect"),
        ("ctc", SPEECH, {"language": "en"}, {}, "only Whisper knows them"),
        ("ctc", SPEECH, {"return_timestamps": True}, {"return_timestamps": "word"}, "no segments"),
        ("ctc", tone(61, 8000), {}, {"chunk_length_s": 30.0}, "in chunks"),
        ("whisper", SPEECH, {"max_new_tokens": 1000}, {"max_new_tokens": 60}, "at most 60"),
        ("whisper", tone(31, 8000), {"max_new_tokens": 3}, {"return_timestamps": "true"}, "with timestamps only"),
    ],
)
def test_what_was_done_differently_is_told(
    run: Callable[..., Any], model: str, inputs: Any, parameters: dict[str, Any], used: dict[str, Any], words: str
) -> None:
    given = {"num_beams": 1, **parameters} if model == "whisper" else parameters
    result = run(HEAR, model, inputs, given)
    assert any(words in note for note in result["notes"]), result["notes"]
    assert used.items() <= result["parameters"].items()


def test_a_short_recording_after_a_long_one_is_read_as_by_itself(run: Callable[..., Any]) -> None:
    asked = {"num_beams": 1, "max_new_tokens": 3}
    long, short = run(HEAR, "whisper", [tone(31, 8000), tone(rate=8000)], asked)["output"]
    assert "chunks" in long
    assert short == run(HEAR, "whisper", tone(rate=8000), asked)["output"]


def test_a_sound_longer_than_clap_hears_is_told(run: Callable[..., Any]) -> None:
    assert "picks parts at random" in run(ZERO_SHOT, "clap", SPEECH, LABELS)["notes"][0]


# Refused in sentences


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "field", "words"),
    [
        (CLASSIFY, "audio_classifier", "", {}, "inputs", "no audio yet"),
        (CLASSIFY, "audio_classifier", 7, {}, "inputs", "no audio yet"),
        (CLASSIFY, "audio_classifier", "http://127.0.0.1/a.wav", {}, "inputs", "not fetched"),
        (CLASSIFY, "audio_classifier", {"sample": "../settings.py"}, {}, "inputs", "no sample"),
        (CLASSIFY, "audio_classifier", encoded(b"hello, world"), {}, "inputs", "no sound that can be read"),
        (CLASSIFY, "audio_classifier", tone(0), {}, "inputs", "sound is empty"),
        (CLASSIFY, "audio_classifier", {"sample": "ball.mp4"}, {}, "inputs", "no sound in this file"),
        (CLASSIFY, "audio_classifier", tone(601, 200), {}, "inputs", "longer than the 600 seconds"),
        (CLASSIFY, "audio_classifier", SPEECH, {"top_k": 0}, "parameters.top_k", "from 1"),
        (CLASSIFY, "clap", SPEECH, {}, "model", "no audio classification head"),
        (CLASSIFY, "nan", SPEECH, {}, "model", "no finite numbers"),
        (ZERO_SHOT, "clap", SPEECH, {}, "parameters.candidate_labels", "needs candidate labels"),
        (ZERO_SHOT, "clap", SPEECH, {"candidate_labels": [""]}, "parameters.candidate_labels", "list of texts"),
        (
            ZERO_SHOT,
            "clap",
            SPEECH,
            {**LABELS, "hypothesis_template": "a"},
            "parameters.hypothesis_template",
            "{} in it once",
        ),
        (
            ZERO_SHOT,
            "clap",
            SPEECH,
            {**LABELS, "hypothesis_template": "{:>999999999}"},
            "parameters.hypothesis_template",
            "no other braces",
        ),
        (ZERO_SHOT, "clap", SPEECH, {"candidate_labels": ["a " * 90]}, "parameters.candidate_labels", "Shorten it"),
        (ZERO_SHOT, "audio_classifier", SPEECH, LABELS, "model", "no tokenizer"),
        (HEAR, "ctc", SPEECH, {"stride_length_s": 1.0}, "parameters.stride_length_s", "a third"),
        (HEAR, "ctc", SPEECH, {"chunk_length_s": 0.0}, "parameters.chunk_length_s", "from 0.5"),
        (HEAR, "whisper", SPEECH, {"return_timestamps": "char"}, "parameters.return_timestamps", "not characters"),
        (HEAR, "whisper", SPEECH, {"return_timestamps": "often"}, "parameters.return_timestamps", "one of"),
        (HEAR, "whisper", SPEECH, {"language": "Klingon"}, "parameters.language", "It knows german, english"),
        (HEAR, "whisper_en", SPEECH, {"language": "en"}, "parameters.language", "one language only"),
        (HEAR, "audio_classifier", SPEECH, {}, "model", "no head that writes"),
        (HEAR, "nan_ctc", SPEECH, {}, "model", "no finite numbers"),
        (SPEAK, "speaker", "你好", {}, "inputs", "none of the text's characters"),
        (SPEAK, "speaker", "a" * 2001, {}, "inputs", "at most 2,000"),
        (SPEAK, "speaker", "a", {"seed": -1}, "parameters.seed", "from 0"),
        (SPEAK, "nan_speaker", "the fox", {}, "model", "could not be run"),
        (SPEAK, "ctc", "a", {}, "model", "no decoder that makes sound"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_field(
    run: Callable[..., Any],
    broken: Path,
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
    field: str,
    words: str,
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, inputs, parameters)
    assert (caught.value.field, caught.value.kind) == (field, "input"), caught.value.message
    assert words in caught.value.message


@pytest.fixture(scope="module")
def broken(models: Path) -> Path:
    """Models whose weights are no numbers."""
    import shutil

    import torch
    from safetensors.torch import load_file, save_file

    for name, source in (("nan", "audio_classifier"), ("nan_ctc", "ctc"), ("nan_speaker", "speaker")):
        shutil.copytree(models / source, models / name)
        file = models / name / "model.safetensors"
        weights = {key: torch.full_like(one, float("nan")) for key, one in load_file(file).items()}
        save_file(weights, file, metadata={"format": "pt"})
    return models


def test_parameters_of_generate_may_come_in_an_object_as_the_hub_writes_them(run: Callable[..., Any]) -> None:
    flat = run(HEAR, "whisper", SPEECH, {"max_new_tokens": 5, "num_beams": 1})
    nested = run(HEAR, "whisper", SPEECH, {"generation_parameters": {"max_new_tokens": 5, "num_beams": 1}})
    assert (nested["output"], nested["parameters"]) == (flat["output"], flat["parameters"])
    with pytest.raises(WorkbenchError, match="must be an object") as caught:
        run(HEAR, "whisper", SPEECH, {"generation_parameters": 5})
    assert caught.value.field == "parameters.generation_parameters"
