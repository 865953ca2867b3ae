"""Tasks that hear or speak, by hand."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.steps import Called, CallOf, Steps, StepsOf, file_name

_IMPORTS = ("import av", "import numpy")
_EXTRACTOR = {"feature_extractor": "AutoFeatureExtractor"}
_RATE = "feature_extractor.sampling_rate"

_READ_SOUND = '''def read_sound(file, rate):
    """The mean of all channels, float32, `rate` samples a second."""
    resampler = av.AudioResampler(format="fltp", rate=rate)
    with av.open(file) as container:
        frames = [*container.decode(audio=0), None]
        parts = [part for frame in frames for part in resampler.resample(frame)]
    return numpy.concatenate([part.to_ndarray().mean(axis=0) for part in parts])'''

_TO_WAV = '''def to_wav(sound, rate):
    """A sound in -1 to 1 as WAV of 16 bits, in base64."""
    whole = (numpy.clip(numpy.atleast_2d(sound), -1, 1) * 32767).round().astype("<i2")
    sink = io.BytesIO()
    with wave.open(sink, "wb") as file:
        file.setnchannels(len(whole))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.T.tobytes())
    return {"audio": base64.b64encode(sink.getvalue()).decode(), "sampling_rate": rate}'''
_WAV_IMPORTS = ("import base64", "import io", "import wave", "import numpy")


def read_sound() -> str:
    """The text of a function that reads a sound."""
    return _READ_SOUND


def listed(inputs: Any, one: Any) -> str:
    """An expression for each of a list of inputs, or for one; `one` writes it of one input."""
    if isinstance(inputs, list):
        return f"[{', '.join(one(item) for item in inputs)}]"
    return str(one(inputs))


def _sound(item: Any) -> str:
    return f"read_sound({literal(file_name(item, 'audio'))}, rate)"


def _heard(inputs: Any) -> Name:
    return Name(listed(inputs, lambda item: f'{{"raw": {_sound(item)}, "sampling_rate": rate}}'))


_BEFORE = f"{_READ_SOUND}\n\n\nrate = pipe.feature_extractor.sampling_rate"


def _call_with_sound(inputs: Any, used: dict[str, Any]) -> Called:
    return Called(call("pipe", _heard(inputs), **used), before=_BEFORE, imports=_IMPORTS)


def _call_recognizer(inputs: Any, used: dict[str, Any]) -> Called:
    return _call_with_sound(inputs, _recognizing(used))


def _call_zero_shot(inputs: Any, used: dict[str, Any]) -> Called:
    return Called(call("pipe", Name(listed(inputs, _sound)), **used), before=_BEFORE, imports=_IMPORTS)


def _recognizing(used: dict[str, Any]) -> dict[str, Any]:
    wanted = {"true": True, "false": None}.get(str(used.get("return_timestamps")), used.get("return_timestamps"))
    named = {name: value for name, value in used.items() if name != "return_timestamps"}
    return {**named, "return_timestamps": wanted} if wanted else named


def _extracted(item: Any, given: str = "sound", **more: Any) -> str:
    """The lines that read a sound and prepare it."""
    extract = call("feature_extractor", Name(given), sampling_rate=Name(_RATE), return_tensors="pt", **more)
    return (
        "# preprocess: from the sound to what the model reads\n"
        f"sound = read_sound({literal(file_name(item, 'audio'))}, {_RATE})\n"
        f"inputs = {extract}\nprint({{name: tensor.shape for name, tensor in inputs.items()}})"
    )


def scores_of(used: dict[str, Any]) -> str:
    """The lines from `logits`, shape (1, labels), to labels with scores, best first."""
    scores = {"sigmoid": "logits.sigmoid()[0]", "none": "logits[0]"}.get(
        used.get("function_to_apply", ""), "logits.softmax(dim=-1)[0]"
    )
    return (
        "# postprocess: from logits to scores\n"
        f"best = {scores}.topk(min({used.get('top_k', 5)}, model.config.num_labels))\n"
        "result = [\n"
        '    {"score": score, "label": model.config.id2label[i]}\n'
        "    for score, i in zip(best.values.tolist(), best.indices.tolist())\n"
        "]\nprint(result)"
    )


def _classify(item: Any, used: dict[str, Any]) -> Steps:
    body = [
        _READ_SOUND + "\n",
        _extracted(item),
        "# forward: one logit for each label, shape (batch, labels)\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits\nprint(logits)",
        scores_of(used),
    ]
    return Steps(body, parts=_EXTRACTOR, imports=_IMPORTS)


def _zero_shot(item: Any, used: dict[str, Any]) -> Steps:
    template = used.get("hypothesis_template", "This is a sound of {}.")
    body = [
        _READ_SOUND + "\n",
        _extracted(item, "[sound]"),
        f"labels = {literal(used.get('candidate_labels', []))}\n"
        f"texts = [{literal(template)}.format(label) for label in labels]\n"
        'ids = tokenizer(texts, padding=True, return_tensors="pt")',
        "# forward: how close the sound is to each text, shape (batch, labels)\n"
        "with torch.no_grad():\n    logits = model(**ids, **inputs).logits_per_audio\nprint(logits)",
        "# postprocess: from logits to scores that add up to 1\n"
        "scores = logits[0].softmax(dim=0).tolist()\n"
        'result = [{"score": score, "label": label} for score, label in zip(scores, labels)]\n'
        'result = sorted(result, key=lambda one: -one["score"])\nprint(result)',
    ]
    return Steps(body, parts={**_EXTRACTOR, "tokenizer": "AutoTokenizer"}, imports=_IMPORTS)


def _recognize(item: Any, used: dict[str, Any]) -> Steps:
    parts = {**_EXTRACTOR, "tokenizer": "AutoTokenizer"}
    named = _recognizing(used)
    writes = "do_sample" in named
    if "chunk_length_s" in named or (writes and "return_timestamps" in named):
        return _recognize_in_chunks(item, named, parts)
    seed = named.pop("seed", None)
    body = [_READ_SOUND + "\n", _extracted(item, return_attention_mask=True)]
    body += _write(seed, named) if writes else _spell(named.get("return_timestamps"))
    return Steps(body, parts=parts, imports=_IMPORTS, names=() if seed is None else ("set_seed",))


def _write(seed: Any, named: dict[str, Any]) -> list[str]:
    # A pipeline that works in chunks reads its inputs with a DataLoader, which draws one number first.
    seeded = "" if seed is None else f"{call('set_seed', seed)}\ntorch.empty((), dtype=torch.int64).random_()\n"
    return [
        "# forward: generate calls the model once for each token that it writes\n"
        f"{seeded}made = {call('model.generate', Name('**inputs'), **named)}\n"
        'ids = made["sequences"] if isinstance(made, dict) else made\nprint(ids)',
        "# postprocess: from ids to text\n"
        'result = {"text": tokenizer.decode(ids[0], skip_special_tokens=True)}\nprint(result)',
    ]


def _spell(timestamps: Any) -> list[str]:
    body = [
        "# forward: one logit for each token at each moment, shape (batch, moments, vocabulary)\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits\nids = logits.argmax(dim=-1)[0]\nprint(ids)",
        "# postprocess: equal neighbours count once, then the blanks are taken out\n"
        'result = {"text": tokenizer.decode(ids, skip_special_tokens=False)}',
    ]
    if timestamps:
        step = f"model.config.inputs_to_logits_ratio / {_RATE}"
        asked = call(
            "tokenizer.decode", Name("ids"), skip_special_tokens=False, **{f"output_{timestamps}_offsets": True}
        )
        body[-1] += (
            f"\nstep = {step}  # seconds from one moment to the next\n"
            f'spelt = {asked}["{timestamps}_offsets"]\n'
            'ends = ("start_offset", "end_offset")\nresult["chunks"] = [\n'
            f'    {{"text": one["{timestamps}"], "timestamp": [one[end] * step for end in ends]}}\n'
            "    for one in spelt\n]"
        )
    body[-1] += "\nprint(result)"
    return body


def _recognize_in_chunks(item: Any, named: dict[str, Any], parts: dict[str, str]) -> Steps:
    """With the pipeline's own three steps: how it puts chunks together and times words is a program of its own."""
    seed = named.pop("seed", None)
    before = {name: named.pop(name) for name in ("chunk_length_s", "stride_length_s") if name in named}
    after = {name: named[name] for name in ("return_timestamps",) if name in named}
    given: dict[str, Any] = {one: Name(one) for one in ("model", *parts)}
    made = call("pipeline", "automatic-speech-recognition", **given)
    seeded = "" if seed is None else f"{call('set_seed', seed)}\ntorch.empty((), dtype=torch.int64).random_()\n"
    body = [
        f"{_READ_SOUND}\n\n\npipe = {made}",
        "# preprocess: from the sound to chunks of what the model reads\n"
        f"sound = read_sound({literal(file_name(item, 'audio'))}, {_RATE})\n"
        f'sound = {{"raw": sound, "sampling_rate": {_RATE}}}\n'
        f"chunks = list({call('pipe.preprocess', Name('sound'), **before)})\nprint(len(chunks))",
        "# forward: each chunk by itself\n"
        f"{seeded}outputs = [{call('pipe.forward', Name('chunk'), **named)} for chunk in chunks]",
        "# postprocess: what neighbours share is counted once\n"
        f"result = {call('pipe.postprocess', Name('outputs'), **after)}\nprint(result)",
    ]
    names = ("pipeline",) if seed is None else ("pipeline", "set_seed")
    return Steps(body, parts=parts, names=names, imports=_IMPORTS)


def _call_speaker(inputs: Any, used: dict[str, Any]) -> Called:
    asked: dict[str, Any] = {"generate_kwargs": used} if used else {}
    one = 'to_wav({0}["audio"], {0}["sampling_rate"])'
    several = f"[{one.format('one')} for one in result]"
    return Called(
        call("pipe", inputs, **asked),
        before=_TO_WAV + "\n",
        after=f"result = {several if isinstance(inputs, list) else one.format('result')}",
        imports=_WAV_IMPORTS,
    )


def _speak(item: Any, used: dict[str, Any]) -> Steps:
    seed = used.pop("seed", None)
    seeded = "" if seed is None else call("set_seed", seed) + "\n"
    writes = "do_sample" in used
    part, rate = "processor" if writes else "tokenizer", "model.config.sampling_rate"
    forward = f"{seeded}with torch.no_grad():\n    sound = model(**inputs)[0]"
    if writes:
        made = call("model.generate", Name("**inputs"), **used)
        forward = f"{seeded}made = {made}\nsound = made if isinstance(made, torch.Tensor) else made[0]"
        rate = 'getattr(model.config, "sampling_rate", None) or model.generation_config.sample_rate'
    body = [
        _TO_WAV + "\n",
        f'# preprocess: from the text to ids\ninputs = {part}(text=[{literal(item)}], return_tensors="pt")\n'
        'print(inputs["input_ids"])',
        f"# forward: from ids to a sound\n{forward}\nprint(sound.shape)",
        f"# postprocess: from numbers to a WAV file\nrate = {rate}\n"
        "result = to_wav(sound.float().numpy().squeeze(), rate)\nprint(result)",
    ]
    parts = {part: "AutoProcessor" if writes else "AutoTokenizer"}
    return Steps(body, parts=parts, names=() if seed is None else ("set_seed",), imports=_WAV_IMPORTS)


AUDIO_STEPS: dict[str, StepsOf] = {
    "automatic-speech-recognition": _recognize,
    "audio-classification": _classify,
    "zero-shot-audio-classification": _zero_shot,
    "text-to-audio": _speak,
}
AUDIO_CALLS: dict[str, CallOf] = {
    "automatic-speech-recognition": _call_recognizer,
    "audio-classification": _call_with_sound,
    "zero-shot-audio-classification": _call_zero_shot,
    "text-to-audio": _call_speaker,
}
