"""Tasks that read several things at once, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.audio import listed, read_sound, scores_of
from components.service.snippets.tasks.steps import LOAD_IMAGE, Called, CallOf, Steps, StepsOf, file_name, part, reading

_SOUND_IMPORTS = ("import av", "import numpy")

_READ_FRAMES = '''def read_frames(file, wanted):
    """The frames with these numbers, as arrays of RGB, shape (height, width, 3)."""
    frames = []
    with av.open(file) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number in wanted:
                frames.append(frame.to_ndarray(format="rgb24"))
            if number >= max(wanted):
                break
    return frames'''


def _watch(item: Any, used: dict[str, Any]) -> Steps:
    count, step = used.get("num_frames", Name("model.config.num_frames")), used.get("frame_sampling_rate", 1)
    body = [
        _READ_FRAMES + "\n",
        "# preprocess: from some frames to numbers, shape (batch, frames, channels, height, width)\n"
        f"wanted = numpy.linspace(0, {count} * {step} - 1, num={count}, dtype=int).tolist()\n"
        f"frames = read_frames({literal(file_name(item, 'video'))}, wanted)\n"
        'inputs = image_processor(frames, return_tensors="pt")\nprint(inputs["pixel_values"].shape)',
        "# forward: one logit for each label, shape (batch, labels)\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits\nprint(logits)",
        scores_of(used),
    ]
    return Steps(body, parts={"image_processor": "AutoImageProcessor"}, imports=_SOUND_IMPORTS)


# Questions about images


def _asked(item: Any, used: Mapping[str, Any] | None = None) -> Name:
    """The object of image and question that a pipeline takes."""
    words = (used or {}).get("word_boxes")
    boxes = "" if words is None else f', "word_boxes": {literal(words)}'
    image = f"load_image({literal(file_name(part(item, 'image'), 'image'))})"
    return Name(f'{{"image": {image}, "question": {literal(part(item, "question"))}{boxes}}}')


def _call_with_question(inputs: Any, used: dict[str, Any]) -> Called:
    named = {name: value for name, value in used.items() if name != "word_boxes"}
    asked = Name(listed(inputs, lambda item: _asked(item, used)))
    return Called(call("pipe", asked, **named), imports=(LOAD_IMAGE,))


def _call_answerer(inputs: Any, used: dict[str, Any]) -> Called:
    # What chooses among answers has a top_k, what writes one has none.
    return _call_with_question(inputs, used if "top_k" in used else {**used, "do_sample": False})


def _call_document(inputs: Any, used: dict[str, Any]) -> Called:
    if "top_k" in used:
        return _call_with_question(inputs, {name: value for name, value in used.items() if name != "max_new_tokens"})
    # The pipeline hands no arguments of a call to `generate`: the model's own generation settings count.
    most = used.get("max_new_tokens")
    before = f"pipe.model.generation_config.max_new_tokens = {most}" if most else ""
    called = _call_with_question(inputs, {})
    return Called(called.line, before=before, after=_NO_ANSWER, imports=called.imports)


_NO_ANSWER = 'result = [{"answer": one["answer"] or ""} for one in result]'


def _answer(item: Any, used: dict[str, Any]) -> Steps:
    parts = {"tokenizer": "AutoTokenizer", "image_processor": "AutoImageProcessor"}
    image, question = part(item, "image"), literal(part(item, "question"))
    pixels = 'image_processor(images=[image], return_tensors="pt")'
    if "top_k" in used:
        body = [
            f"# preprocess: from image and question to numbers and ids\n{reading('image', image, 'image')}\n"
            f'words = tokenizer({question}, truncation=True)["input_ids"]\n'
            'inputs = {**tokenizer.pad({"input_ids": [words]}, return_tensors="pt"), **' + pixels + "}\n"
            "print(tokenizer.convert_ids_to_tokens(words))",
            "# forward: one logit for each answer that the model knows\n"
            "with torch.no_grad():\n    logits = model(**inputs).logits[0]",
            f"# postprocess: from logits to scores\nbest = logits.sigmoid().topk(min({used.get('top_k', 5)}, "
            "model.config.num_labels))\n"
            "answers = [model.config.id2label[i] for i in best.indices.tolist()]\n"
            'result = [{"score": score, "answer": one} for score, one in zip(best.values.tolist(), answers)]\n'
            "print(result)",
        ]
        return Steps(body, parts=parts, imports=(LOAD_IMAGE,))
    made = call(
        "model.generate", Name("**inputs"), **used, do_sample=False, return_dict_in_generate=True, output_scores=True
    )
    body = [
        f"# preprocess: from image and question to numbers and ids; GIT goes on writing after the question\n"
        f"{reading('image', image, 'image')}\n"
        'open_end = model.config.model_type == "git"\n'
        f'words = tokenizer({question}, add_special_tokens=not open_end, truncation=True)["input_ids"]\n'
        "ids = [tokenizer.cls_token_id, *words] if open_end else words\n"
        'inputs = {**tokenizer.pad({"input_ids": [ids]}, return_tensors="pt"), **' + pixels + "}",
        f"# forward: generate calls the model once for each token of the answer\nmade = {made}\n"
        "new_ids = made.sequences[0, made.sequences.shape[1] - len(made.scores) :]\nprint(new_ids)",
        "# postprocess: the score is the product of the tokens' probabilities\nscore = 1.0\n"
        "for step, one in zip(made.scores, new_ids):\n    score *= float(step[0].softmax(dim=-1)[one])\n"
        'result = [{"score": score, "answer": tokenizer.decode(new_ids, skip_special_tokens=True).strip()}]\n'
        "print(result)",
    ]
    return Steps(body, parts=parts, imports=(LOAD_IMAGE,))


def _read_document(item: Any, used: dict[str, Any]) -> Steps:
    """With the pipeline's own three steps for models that find answers: chunks and spans are a program of their own."""
    if "top_k" not in used:
        return _write_answer(item, used)
    before = {name: used[name] for name in ("max_seq_len", "doc_stride") if name in used}
    after = {name: used[name] for name in ("top_k", "max_answer_len", "handle_impossible_answer") if name in used}
    made = call("pipeline", "document-question-answering", model=Name("model"), tokenizer=Name("tokenizer"))
    body = [
        f"pipe = {made}",
        "# preprocess: from question and words to chunks of ids, each with the box of its word\n"
        f"document = {_asked(item, used)}\nchunks = list({call('pipe.preprocess', Name('document'), **before)})\n"
        'print([tokenizer.convert_ids_to_tokens(chunk["input_ids"][0]) for chunk in chunks])',
        "# forward: for each token, a logit that the answer starts there, and one that it ends there\n"
        "outputs = [pipe.forward(chunk) for chunk in chunks]",
        "# postprocess: the best pairs of start and end\n"
        f"result = {call('pipe.postprocess', Name('outputs'), **after)}\nprint(result)",
    ]
    return Steps(body, names=("pipeline",), imports=(LOAD_IMAGE,))


def _write_answer(item: Any, used: dict[str, Any]) -> Steps:
    prompt = f"<s_docvqa><s_question>{part(item, 'question')}</s_question><s_answer>"
    named = {name: used[name] for name in ("max_new_tokens",) if name in used}
    made = call("model.generate", Name("pixels"), decoder_input_ids=Name("prompt"), do_sample=False, **named)
    body = [
        f"# preprocess: the picture becomes numbers, the question what the model begins to write with\n"
        f"{reading('image', part(item, 'image'), 'image')}\n"
        'pixels = image_processor(images=image, return_tensors="pt")["pixel_values"]\n'
        f'prompt = tokenizer({literal(prompt)}, add_special_tokens=False, return_tensors="pt").input_ids',
        f"# forward: generate calls the model once for each token of the answer\nids = {made}",
        "# postprocess: what stands in the tags of the answer\n"
        'text = tokenizer.batch_decode(ids)[0].replace(tokenizer.eos_token, "").replace(tokenizer.pad_token, "")\n'
        'found = re.search(r"<s_answer>(.*)</s_answer>", re.sub(r"<.*?>", "", text, count=1).strip())\n'
        'result = [{"answer": found.group(1).strip() if found else ""}]\nprint(result)',
    ]
    parts = {"tokenizer": "AutoTokenizer", "image_processor": "AutoImageProcessor"}
    return Steps(body, parts=parts, imports=("import re", LOAD_IMAGE))


# Text about images and sounds


def _opened(kind: str, value: Any, otherwise: str) -> str:
    name = literal(file_name(value, otherwise))
    return f"load_image({name})" if kind == "image" else f"read_sound({name}, rate)"


def _media(item: Any) -> dict[str, Any]:
    return {kind: item[kind] for kind in ("image", "audio") if kind in item}


def _is_one(item: Any) -> bool:
    return isinstance(item, Mapping) and not {"file", "sample"} & set(item) and bool({"text", "image"} & set(item))


def _object(item: Any, only: str) -> dict[str, Any]:
    return dict(item) if _is_one(item) else {only: item}


def _messages(item: dict[str, Any]) -> str:
    """A chat as an expression, images and sounds opened by their names."""
    beside = [f'{{"type": "{kind}", "{kind}": {_opened(kind, value, kind)}}}' for kind, value in _media(item).items()]
    text = item.get("text") or "Describe the image."
    if not isinstance(text, list):
        return f'[{{"role": "user", "content": [{", ".join([*beside, _text(text)])}]}}]'
    numbers = iter(range(1, 100))
    contents = [[_part(one, numbers) for one in _parts(message["content"])] for message in text]
    if beside and next(numbers) == 1:
        last = max(place for place, message in enumerate(text) if message["role"] == "user")
        contents[last] = [*beside, *contents[last]]
    rows = [
        f'{{"role": {literal(message["role"])}, "content": [{", ".join(parts)}]}}'
        for message, parts in zip(text, contents, strict=True)
    ]
    return "[\n    " + ",\n    ".join(rows) + ",\n]"


def _text(text: Any) -> str:
    return f'{{"type": "text", "text": {literal(str(text))}}}'


def _parts(content: Any) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _part(one: Mapping[str, Any], numbers: Any) -> str:
    if one.get("type") == "text":
        return _text(one.get("text", ""))
    kind = "audio" if "audio" in str(one.get("type")) else "image"
    return f'{{"type": "{kind}", "{kind}": {_opened(kind, one.get(kind), f"{kind}-{next(numbers)}")}}}'


def _helpers(item: dict[str, Any], rate: str) -> tuple[str, tuple[str, ...]]:
    """What opens the images and sounds of an input, and what that imports."""
    written = _messages(item)
    imports = (LOAD_IMAGE,) if "load_image(" in written else ()
    if "read_sound(" not in written:
        return "", imports
    return f"{read_sound()}\n\n\nrate = {rate}", (*_SOUND_IMPORTS, *imports)


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    """Images and sounds as arguments, where there is no chat."""
    opened = {kind: _opened(kind, value, kind) for kind, value in _media(item).items()}
    return {"images" if kind == "image" else kind: Name(f"[{one}]") for kind, one in opened.items()}


def _call_chat(only: str) -> CallOf:
    def called(inputs: Any, used: dict[str, Any]) -> Called:
        item = _object(inputs[0] if isinstance(inputs, list) and inputs else inputs, only)
        chat = used.pop("chat_template", False) or isinstance(item.get("text"), list)
        before, imports = _helpers(item, "pipe.processor.feature_extractor.sampling_rate")
        named: dict[str, Any] = {"generate_kwargs": used, "return_full_text": False}
        if chat:
            line = call("pipe", text=Name("messages"), **named)
            before = "\n\n".join(filter(None, [before, f"messages = {_messages(item)}"]))
        else:
            line = call("pipe", **_plain(item), text=item.get("text", ""), **named)
        after = 'result = [{"generated_text": one["generated_text"]} for one in result]'
        return Called(line, before=before, after=after, imports=imports)

    return called


def _converse(only: str) -> StepsOf:
    def steps(given: Any, used: dict[str, Any]) -> Steps:
        item, seed = _object(given, only), used.pop("seed", None)
        chat = used.pop("chat_template", False) or isinstance(item.get("text"), list)
        before, imports = _helpers(item, "processor.feature_extractor.sampling_rate")
        open_end = chat and isinstance(item.get("text"), list) and item["text"][-1]["role"] == "assistant"
        asked: dict[str, Any] = {"continue_final_message" if open_end else "add_generation_prompt": True}
        more: dict[str, Any] = {"tokenize": True, "return_dict": True, "return_tensors": "pt"}
        if chat:
            inputs = call("processor.apply_chat_template", Name("messages"), **asked, **more)
            prepared = f"messages = {_messages(item)}\ninputs = {inputs}"
        else:
            prepared = f"inputs = {call('processor', **_plain(item), text=item.get('text', ''), return_tensors='pt')}"
        seeded = "" if seed is None else call("set_seed", seed) + "\n"
        body = [
            before,
            f"# preprocess: from text, images and sounds to ids and numbers\n{prepared}\n"
            "print({name: tensor.shape for name, tensor in inputs.items()})",
            "# forward: generate calls the model once for each new token\n"
            f"{seeded}ids = {call('model.generate', Name('**inputs'), **used)}\nprint(ids)",
            "# postprocess: from ids to text, without what was asked\n"
            "texts = processor.batch_decode(ids, skip_special_tokens=True)\n"
            'asked = processor.batch_decode(inputs["input_ids"], skip_special_tokens=True)[0]\n'
            "begin = texts[0].find(asked)\n"
            "begin = begin + len(asked) if 0 <= begin <= 2 else 0\n"
            'result = [{"generated_text": text[begin:]} for text in texts]\nprint(result)',
        ]
        names = () if seed is None else ("set_seed",)
        return Steps([one for one in body if one], {"processor": "AutoProcessor"}, names, imports)

    return steps


MULTIMODAL_STEPS: dict[str, StepsOf] = {
    "video-classification": _watch,
    "document-question-answering": _read_document,
    "visual-question-answering": _answer,
    "image-text-to-text": _converse("image"),
    "any-to-any": _converse("text"),
}
MULTIMODAL_CALLS: dict[str, CallOf] = {
    "document-question-answering": _call_document,
    "visual-question-answering": _call_answerer,
    "image-text-to-text": _call_chat("image"),
    "any-to-any": _call_chat("text"),
}
