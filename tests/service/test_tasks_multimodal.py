"""Tasks that read several things at once: what the pipelines give, seen from inside, and refused in sentences."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from task_checks import alike, check_stages

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import HUGGING_FACE, Settings
from components.service.snippets import snippet
from components.service.tasks import TASKS
from components.service.tasks.media import SAMPLES
from components.service.visitor import Visitor

WATCH, DOCUMENT, QUESTION = "video-classification", "document-question-answering", "visual-question-answering"
DESCRIBE, TALK = "image-text-to-text", "any-to-any"
VIDEO, CAT, SPEECH = {"sample": "ball.mp4"}, {"sample": "cat.png"}, {"sample": "sentence.ogg"}
INVOICE = {"image": {"sample": "invoice.png"}, "question": "What is long?"}
ASKED = {"image": CAT, "question": "is this a small fox"}
WORDS = {"word_boxes": TASKS[DOCUMENT].example().parameters["word_boxes"]}


def red() -> str:
    sink = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(sink, "PNG")
    return base64.b64encode(sink.getvalue()).decode()


def chat(*parts: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [*parts, {"type": "text", "text": "who is this"}], **more}]


SHORT = {"max_new_tokens": 6}
CASES = [
    (WATCH, "videomae", VIDEO, {}),
    (WATCH, "videomae", VIDEO, {"frame_sampling_rate": 8, "top_k": 2, "function_to_apply": "sigmoid"}),
    (DOCUMENT, "layoutlm", INVOICE, {**WORDS, "top_k": 3, "doc_stride": 8}),
    (DOCUMENT, "layoutlm", INVOICE, {"word_boxes": [["fox", [1, 2, 30, 40]]], "handle_impossible_answer": True}),
    (DOCUMENT, "donut", INVOICE, SHORT),
    (QUESTION, "vilt", ASKED, {"top_k": 3}),
    (QUESTION, "vilt", [ASKED, {**ASKED, "question": "two"}], {}),
    (QUESTION, "blip_vqa", ASKED, SHORT),
    (QUESTION, "git", ASKED, {}),
    (DESCRIBE, "blip", {"image": CAT, "text": "once upon a"}, SHORT),
    (DESCRIBE, "blip", CAT, {**SHORT, "num_beams": 2}),
    (DESCRIBE, "git", {"image": CAT, "text": "a small"}, SHORT),
    (DESCRIBE, "llava", {"image": CAT, "text": "what is this"}, {**SHORT, "temperature": 2.0, "seed": 4}),
    (DESCRIBE, "llava", {"image": CAT, "text": chat()}, SHORT),
    (TALK, "qwen_audio", {"text": "what is said", "audio": SPEECH}, SHORT),
    (TALK, "qwen_audio", "say hello", SHORT),
]
RUN = (0, 1, 2, 4, 5, 7, 8, 9, 12, 13, 14)
IDS = [f"{task}-{model}-{number}" for number, (task, model, *_) in enumerate(CASES)]
MODELS = ("videomae", "layoutlm", "donut", "vilt", "blip", "blip_vqa", "git", "llava", "qwen_audio")


@pytest.fixture(scope="module")
def models(models_folder: Path) -> Path:
    import multimodal_models

    for name in MODELS:
        getattr(multimodal_models, name)(models_folder / name)
    return models_folder


def opened(value: Any) -> Any:
    """An input with its files as transformers takes them."""
    from transformers.image_utils import load_image

    if isinstance(value, dict) and "sample" in value:
        path = str(SAMPLES / value["sample"])
        return load_image(path) if path.endswith(".png") else path
    if isinstance(value, dict):
        return {name: opened(one) for name, one in value.items()}
    return [opened(one) for one in value] if isinstance(value, list) else value


def raw(task: str, path: Path, inputs: Any, used: dict[str, Any], settings: Settings) -> Any:
    """What transformers' own pipeline, or the revived one, gives in the form of the Hub's task specification."""
    from transformers import pipeline, set_seed

    from components.service.worker.media import read_audio
    from components.service.worker.revived import pipeline_class

    pipeline_class(task)
    pipe = pipeline(task, model=str(path), device="cpu")
    set_seed(used.pop("seed", 0))
    item, chats = opened(inputs), used.pop("chat_template", False)
    if task == DOCUMENT:
        words = {"word_boxes": used.pop("word_boxes")} if "word_boxes" in used else {}
        if "top_k" not in used:
            pipe.model.generation_config.max_new_tokens = used.pop("max_new_tokens")
        return [{**one, "answer": one["answer"] or ""} for one in pipe({**item, **words}, **used)]
    if task in (WATCH, QUESTION):
        return pipe(item, **used, **({"do_sample": False} if task == QUESTION and "top_k" not in used else {}))
    item = item if isinstance(item, dict) else {("text" if task == TALK else "image"): item}
    if "audio" in item:
        rate = pipe.processor.feature_extractor.sampling_rate
        item["audio"] = read_audio({"path": item["audio"]}, rate, settings)
    asked = item.get("text", "")
    if not isinstance(asked, list):
        asked = [{"role": "user", "content": [{"type": "text", "text": asked}]}]
    media = [{"type": kind, kind: item[kind]} for kind in ("image", "audio") if kind in item]
    asked[-1]["content"] = [*media, *asked[-1]["content"]]
    plainly = {"images": item.get("image"), "text": item.get("text", "")}
    made = pipe(**({"text": asked} if chats else plainly), generate_kwargs=used, return_full_text=False)
    return [{"generated_text": one["generated_text"]} for one in made]


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
    task: str,
    model: str,
    inputs: Any,
    parameters: dict[str, Any],
) -> None:
    shown = run(task, model, inputs, parameters)
    files = {file.stem: file for file in SAMPLES.iterdir() if file.suffix in (".png", ".mp4", ".ogg")}
    for view in ("pipeline", "stages"):
        code = snippet(view, {**shown, "model": str(models / model), "commit": None, "inputs": inputs}, HUGGING_FACE)
        assert alike(run_snippet(code, **files), shown["output"]), f"{view}\n{code}"


# What passes between the steps


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "tensors"),
    [
        (WATCH, "videomae", VIDEO, {}, ("pixel_values", "logits", "scores")),
        (DOCUMENT, "layoutlm", INVOICE, {**WORDS, "doc_stride": 8}, ("bbox", "start_logits", None)),
        (DOCUMENT, "donut", INVOICE, SHORT, ("inputs", "sequences", None)),
        (QUESTION, "vilt", ASKED, {}, ("input_ids", "logits", "scores")),
        (QUESTION, "blip_vqa", ASKED, SHORT, ("pixel_values", "ids", None)),
        (DESCRIBE, "llava", {"image": CAT, "text": "what"}, SHORT, ("pixel_values", "generated_sequence", "new_ids")),
        (TALK, "qwen_audio", {"text": "what", "audio": SPEECH}, SHORT, ("input_features", None, "new_ids")),
    ],
)
def test_the_stages_lead_to_the_output(
    inference: Inference, visitor: Visitor, task: str, model: str, inputs: Any, parameters: Any, tensors: Any
) -> None:
    check_stages(inference, visitor, task, model, inputs, parameters, tensors)


def test_the_frames_that_were_looked_at_are_told(inference: Inference, visitor: Visitor) -> None:
    seen = inference.run_stages(WATCH, "local/videomae", VIDEO, {"frame_sampling_rate": 8}, visitor=visitor)
    assert "4 frames of the video, those from 0.00 to 1.94 seconds" in seen["stages"][0]["note"]


# Answers to questions, computed by hand


def test_answers_are_chosen_by_the_sigmoid_of_their_logits(
    inference: Inference, visitor: Visitor, models: Path
) -> None:
    import torch
    from transformers import AutoProcessor, ViltForQuestionAnswering

    processor = AutoProcessor.from_pretrained(models / "vilt")
    model = ViltForQuestionAnswering.from_pretrained(models / "vilt")
    with torch.no_grad():
        read = processor(images=opened(CAT), text=ASKED["question"], return_tensors="pt")
        scores = model(**read).logits[0].sigmoid()
    output = inference.run_task(QUESTION, "local/vilt", ASKED, {"top_k": 100}, visitor=visitor)["output"]
    by_hand = {model.config.id2label[place]: score for place, score in enumerate(scores.tolist())}
    assert {one["answer"]: one["score"] for one in output} == pytest.approx(by_hand)
    assert [one["score"] for one in output] == sorted(by_hand.values(), reverse=True)
    assert inference.run_task("vqa", "local/vilt", ASKED, {"top_k": 2}, visitor=visitor)["output"] == output[:2]


def test_a_written_answer_has_the_probability_of_its_tokens(
    inference: Inference, visitor: Visitor, models: Path
) -> None:
    import torch
    from transformers import AutoProcessor, GitForCausalLM

    shown = inference.run_stages(QUESTION, "local/git", ASKED, {"max_new_tokens": 3}, visitor=visitor)
    processor, model = AutoProcessor.from_pretrained(models / "git"), GitForCausalLM.from_pretrained(models / "git")
    words = processor.tokenizer(ASKED["question"], add_special_tokens=False)["input_ids"]
    ids = [processor.tokenizer.cls_token_id, *words]
    pixels = processor.image_processor(images=opened(CAT), return_tensors="pt")["pixel_values"]
    score, answer = 1.0, []
    for _ in range(3):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*ids, *answer]]), pixel_values=pixels).logits[0, -1]
        answer.append(int(logits.argmax()))
        score *= float(logits.softmax(dim=-1).max())
        if answer[-1] == model.generation_config.eos_token_id:
            break
    (output,) = shown["output"]
    assert output["answer"] == processor.tokenizer.decode(answer, skip_special_tokens=True).strip()
    assert output["score"] == pytest.approx(score, rel=1e-4)
    told = shown["stages"][2]["table"]["rows"]
    assert [token for token, _ in told] == processor.tokenizer.convert_ids_to_tokens(answer)


# Chats


def test_an_image_in_a_chat_is_the_same_as_one_beside_it(run: Callable[..., Any]) -> None:
    beside = run(DESCRIBE, "llava", {"image": CAT, "text": chat()}, SHORT)["output"]
    data = "data:image/png;base64," + base64.b64encode((SAMPLES / "cat.png").read_bytes()).decode()
    for part in (
        {"type": "image", "image": CAT},
        {"type": "image", "image": data},
        {"type": "image_url", "image_url": {"url": data}},
    ):
        assert run(DESCRIBE, "llava", {"image": CAT, "text": chat(part)}, SHORT)["output"] == beside
    assert run(DESCRIBE, "llava", {"image": {"sample": "street.png"}, "text": chat()}, SHORT)["output"] != beside


def test_a_model_that_converses_is_asked_something(run: Callable[..., Any]) -> None:
    asked = run(DESCRIBE, "llava", {"image": CAT, "text": "Describe the image."}, SHORT)
    silent = run("image-to-text", "llava", CAT, SHORT)
    assert silent["output"] == asked["output"]
    assert "Describe the image." in silent["notes"][0]


# Parameters that a model has no use for


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "words"),
    [
        (QUESTION, "vilt", ASKED, SHORT, "max_new_tokens had no effect"),
        (QUESTION, "blip_vqa", ASKED, {**SHORT, "top_k": 3}, "top_k had no effect"),
        (DOCUMENT, "donut", INVOICE, {**SHORT, **WORDS}, "word_boxes had no effect"),
        (DOCUMENT, "donut", INVOICE, SHORT, "wrote no answer"),
        (DOCUMENT, "layoutlm", INVOICE, {**WORDS, "max_seq_len": 1000, "doc_stride": 8}, "at most 64 tokens"),
        (DESCRIBE, "llava", {"image": CAT, "text": "what"}, {"max_new_tokens": 200}, "there was room for"),
        (DESCRIBE, "blip", CAT, {**SHORT, "do_sample": False, "temperature": 2.0}, "do_sample is off"),
    ],
)
def test_what_was_done_differently_is_told(
    run: Callable[..., Any], task: str, model: str, inputs: Any, parameters: dict[str, Any], words: str
) -> None:
    notes = run(task, model, inputs, parameters)["notes"]
    assert any(words in note for note in notes), notes


def test_a_long_text_of_a_list_leaves_the_next_one_its_room(run: Callable[..., Any]) -> None:
    long, short = ({"image": CAT, "text": text} for text in ("what is this " * 8, "what"))
    both = run(DESCRIBE, "llava", [long, short], {"max_new_tokens": 200})
    alone = [run(DESCRIBE, "llava", one, {"max_new_tokens": 200}) for one in (long, short)]
    assert alone[0]["parameters"]["max_new_tokens"] < alone[1]["parameters"]["max_new_tokens"]
    assert both["parameters"]["max_new_tokens"] == alone[1]["parameters"]["max_new_tokens"]
    assert both["output"] == [one["output"] for one in alone]


# Refused in sentences


def boxed(*box: Any) -> dict[str, Any]:
    return {"word_boxes": [["fox", list(box)]]}


BOXES, FRAMES = "parameters.word_boxes", "parameters.frame_sampling_rate"
URL = {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1/a.png"}}


@pytest.mark.parametrize(
    ("task", "model", "inputs", "parameters", "field", "words"),
    [
        (WATCH, "videomae", "aGVsbG8gd29ybGQ=", {}, "inputs", "no video that can be read"),
        (WATCH, "videomae", SPEECH, {}, "inputs", "no picture in this file"),
        (WATCH, "videomae", VIDEO, {"frame_sampling_rate": 100}, FRAMES, "ends after 1 of the 4 frames"),
        (WATCH, "videomae", VIDEO, {"num_frames": 64}, "inputs", "ends after 32 of the 64 frames"),
        (WATCH, "videomae", VIDEO, {"num_frames": 1000}, "parameters.num_frames", "from 1 to 128"),
        (WATCH, "videomae", VIDEO, {"num_frames": 6}, "model", "could not be run"),
        (WATCH, "vilt", VIDEO, {}, "model", "no video classification head"),
        (DOCUMENT, "layoutlm", INVOICE, {}, BOXES, "needs the document's words"),
        (DOCUMENT, "layoutlm", INVOICE, {"word_boxes": []}, BOXES, "left, top, right, bottom"),
        (DOCUMENT, "layoutlm", INVOICE, boxed(0, 0, 10), BOXES, "left, top, right, bottom"),
        (DOCUMENT, "layoutlm", INVOICE, boxed(0, 0, 10, 1001), BOXES, "from 0 to 1000"),
        (DOCUMENT, "layoutlm", INVOICE, boxed(20, 0, 10, 10), BOXES, "from 0 to 1000"),
        (DOCUMENT, "layoutlm", INVOICE, boxed(-5, 0, 10, 10), BOXES, "from 0 to 1000"),
        (DOCUMENT, "layoutlm", {**INVOICE, "question": "fox " * 70}, WORDS, "inputs.question", "no room"),
        (DOCUMENT, "layoutlm", INVOICE, {**WORDS, "doc_stride": 60}, "parameters.doc_stride", "no room"),
        (DOCUMENT, "layoutlm", {"question": "who"}, WORDS, "inputs", "image and question"),
        (DOCUMENT, "blip", INVOICE, WORDS, "model", "finds no answers in documents"),
        (QUESTION, "llava", ASKED, {}, "model", "Run it with image-text-to-text"),
        (QUESTION, "vilt", {"image": CAT, "question": ""}, {}, "inputs", "image and question"),
        (QUESTION, "vilt", {"image": red()[:40], "question": "who"}, {}, "inputs", "no image that can be opened"),
        (DESCRIBE, "blip", {"image": CAT, "text": chat()}, SHORT, "inputs.text", "does not converse"),
        (DESCRIBE, "blip", CAT, {"chat_template": True}, "parameters.chat_template", "no chat template"),
        (DESCRIBE, "llava", {"image": CAT, "text": chat(URL)}, SHORT, "inputs.text", "not fetched"),
        (
            DESCRIBE,
            "llava",
            {"image": CAT, "text": chat({"type": "image", "image": {"file": "/etc/hostname"}})},
            SHORT,
            "inputs.text",
            "no image yet",
        ),
        (
            DESCRIBE,
            "llava",
            {"image": CAT, "text": chat({"type": "image", "path": "/etc/hostname"})},
            SHORT,
            "inputs.text",
            "no image yet",
        ),
        (
            DESCRIBE,
            "llava",
            {"image": CAT, "text": chat({"type": "video"})},
            SHORT,
            "inputs.text",
            "A part of a message",
        ),
        (
            DESCRIBE,
            "llava",
            {"image": CAT, "text": chat(*[{"type": "image", "image": CAT}] * 9)},
            {},
            "inputs.text",
            "8",
        ),
        (DESCRIBE, "llava", {"image": CAT, "text": "fox " * 200}, SHORT, "inputs", "reads at most 128"),
        (
            TALK,
            "qwen_audio",
            {"text": "what", "audio": {"sample": "ball.mp4"}},
            SHORT,
            "inputs",
            "no sound in this file",
        ),
        (TALK, "blip", {"text": "what", "image": CAT}, SHORT, "model", "torchvision"),
    ],
)
def test_what_cannot_be_run_is_told_with_its_field(
    run: Callable[..., Any], task: str, model: str, inputs: Any, parameters: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(WorkbenchError) as caught:
        run(task, model, inputs, parameters)
    assert (caught.value.field, caught.value.kind) == (field, "input"), caught.value.message
    assert words in caught.value.message


def test_writing_ends_with_what_there_is_when_the_time_is_up(
    settings: Settings, hub: Hub, engine: Engine, models: Path, visitor: Visitor
) -> None:
    hurried = Inference(replace(settings, call_seconds=1e-6), hub, engine)
    for task, model, inputs in ((DESCRIBE, "blip", CAT), (TALK, "qwen_audio", "say hello")):
        result = hurried.run_task(task, f"local/{model}", inputs, {"max_new_tokens": 50}, visitor=visitor)
        assert any("time for one call was up" in note for note in result["notes"])
