"""Code that runs the model as it was trained and judged: with a pipeline where there is one, and by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from components.service.cards.facts import Recorded
from components.service.snippets.code import Name, call, literal
from components.service.tasks.text import MASKS

#: Tokens of an answer, as in evaluation (`runs.spans.LONGEST`).
ANSWER = 30
_TEXT = "This is a text."


def usage(run: Recorded) -> str:
    """Programs that run once the model is in its repository."""
    piped, by_hand = _USAGE[run.task](run)
    if not piped:
        return _fenced(by_hand)
    return f"{_fenced(piped)}\n\nThe same with what prepares the inputs, and the model:\n\n{_fenced(by_hand)}"


def _fenced(program: str) -> str:
    return f"```python\n{program}\n```"


def _sample(run: Recorded) -> Any:
    samples = run.spec.get("samples") or []
    return samples[0] if samples else None


def _text(run: Recorded, otherwise: str = _TEXT) -> str:
    """The first text that the run was shown, else an example."""
    sample = _sample(run)
    text = sample.get("text") if isinstance(sample, dict) else sample
    return text if isinstance(text, str) and text.strip() else otherwise


def _piped(run: Recorded, called: str, before: str = "", **options: Any) -> str:
    made = call("pipeline", run.task, model=run.repo, **options)
    return f"from transformers import pipeline\n\npipe = {made}\n{before}print({called})"


def _loaded(run: Recorded, auto: str, *lines: str, part: str = "tokenizer", names: str = "torch") -> str:
    """A program that loads model and tokenizer (or image processor), and then does what its lines say."""
    loader = {"tokenizer": "AutoTokenizer", "image_processor": "AutoImageProcessor"}[part]
    imports = "".join(f"import {name}\n" if "." not in name else f"from {name.replace('.', ' import ')}\n"
                      for name in names.split())  # fmt: skip
    loading = (
        f"from transformers import {', '.join(sorted((auto, loader)))}\n\n"
        f"{part} = {loader}.from_pretrained({literal(run.repo)})\n"
        f"model = {auto}.from_pretrained({literal(run.repo)})\n"
    )
    return imports + loading + "\n".join(lines)


_NO_GRAD = "with torch.no_grad():"
_NAMED = "print({model.config.id2label[i]: score for i, score in enumerate(scores.tolist())})"


def _cut(run: Recorded, what: Any = True) -> dict[str, Any]:
    """How a text is cut, as it was in training."""
    limit = run.facts.get("max_length")
    return {"truncation": what, **({"max_length": limit} if limit else {}), "return_tensors": "pt"}


def _classify(run: Recorded) -> tuple[str, str]:
    text, texts = _text(run), [_text(run)]
    if {**run.spec.get("columns", {}), **run.facts.get("columns", {})}.get("text_pair"):
        sample = _sample(run)
        second = sample.get("text_pair") if isinstance(sample, dict) else None
        texts.append(second or "This is the second text.")
    given = text if len(texts) == 1 else {"text": texts[0], "text_pair": texts[1]}
    scores = {"single": "softmax(dim=-1)[0]", "multi": "sigmoid()[0]"}.get(run.kind)
    inputs = f"inputs = {call('tokenizer', *texts, **_cut(run))}"
    last = (f"    scores = model(**inputs).logits.{scores}", _NAMED)
    if scores is None:
        last = ("    number = model(**inputs).logits[0, 0]", "print(number.item())")
    every: dict[str, Any] = {"top_k": None} if run.kind == "multi" else {}
    return (
        _piped(run, call("pipe", given, **every)),
        _loaded(run, "AutoModelForSequenceClassification", inputs, _NO_GRAD, *last),
    )


def _tag(run: Recorded) -> tuple[str, str]:
    text = _text(run, "Ada Lovelace was born in London.")
    return (
        # The first token of a word has its tag, as in training.
        _piped(run, call("pipe", text), aggregation_strategy="first"),
        _loaded(
            run,
            "AutoModelForTokenClassification",
            f"inputs = {call('tokenizer', text, truncation=True, return_tensors='pt')}",
            _NO_GRAD,
            "    best = model(**inputs).logits[0].argmax(dim=-1)",
            "for token, number in zip(inputs.tokens(), best.tolist()):",
            "    print(token, model.config.id2label[number])",
        ),
    )


_NULL = "null = encoding.ids.index(tokenizer.cls_token_id) if tokenizer.cls_token_id in encoding.ids else 0"


def _answer(run: Recorded) -> tuple[str, str]:
    sample = _sample(run)
    asked = sample if isinstance(sample, dict) else {}
    question = asked.get("question") or "Where was Ada Lovelace born?"
    context = asked.get("context") or "Ada Lovelace was born in London in 1815."
    none = bool(run.facts.get("unanswered"))
    inside = "# begin and end lie in the text" + (", or on the first token, if there is no answer" if none else "")
    chosen = (
        "first, last = divmod(int(scores.argmax()), len(begins))",
        "start, end = encoding.offsets[first][0], encoding.offsets[last][1]",
    )
    said = "print(context[start:end])"
    if none:
        said = 'print(context[start:end] if scores.max() > begins[null] + ends[null] else "no answer")'
    return "", _loaded(
        run,
        "AutoModelForQuestionAnswering",
        f"question = {literal(question)}\ncontext = {literal(context)}",
        f"inputs = {call('tokenizer', Name('question'), Name('context'), **_cut(run, 'only_second'))}",
        "encoding = inputs.encodings[0]",
        _NO_GRAD,
        "    outputs = model(**inputs)",
        f"begins, ends = outputs.start_logits[0], outputs.end_logits[0]\n{inside}",
        *((_NULL,) if none else ()),
        "outside = torch.tensor([one != 1 for one in encoding.sequence_ids])",
        "scores = begins[:, None] + ends[None, :]",
        f"allowed = torch.ones_like(scores).triu().tril({ANSWER - 1}).bool()  # at most {ANSWER} tokens",
        "scores[outside] = scores[:, outside] = scores[~allowed] = -torch.inf",
        *chosen,
        said,
    )


def _go_on(run: Recorded) -> tuple[str, str]:
    text = _text(run, "Hello!" if run.chats else "Once upon a time")
    auto, new = "AutoModelForCausalLM", "max_new_tokens=40"
    if not run.chats:
        return _piped(run, call("pipe", text, max_new_tokens=40)), _loaded(
            run,
            auto,
            f"inputs = {call('tokenizer', text, return_tensors='pt')}",
            f"ids = model.generate(**inputs, {new})",
            "print(tokenizer.decode(ids[0], skip_special_tokens=True))",
            names="",
        )
    messages = f"messages = {literal([{'role': 'user', 'content': text}])}"
    prompt = 'messages, add_generation_prompt=True, return_dict=True, return_tensors="pt"'
    return _piped(run, f"pipe(messages, {new})", f"{messages}\n"), _loaded(
        run,
        auto,
        messages,
        f"inputs = tokenizer.apply_chat_template(\n    {prompt}\n)",
        f"ids = model.generate(**inputs, {new})",
        'print(tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True))',
        names="",
    )


def _fill(run: Recorded) -> tuple[str, str]:
    text = _text(run)
    mask = next((mask for mask in MASKS if mask in text), None)
    if mask is None:
        text, mask = "Paris is the [MASK] of France.", "[MASK]"

    def masked(tokenizer: str) -> str:
        return f"text = {literal(text)}.replace({literal(mask)}, {tokenizer}.mask_token)\n"

    return _piped(run, "pipe(text)", masked("pipe.tokenizer")), _loaded(
        run,
        "AutoModelForMaskedLM",
        masked("tokenizer") + f"inputs = {call('tokenizer', Name('text'), return_tensors='pt')}",
        _NO_GRAD,
        "    logits = model(**inputs).logits[0]",
        'place = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)',
        "print([tokenizer.decode([number]) for number in logits[place].topk(5).indices.tolist()])",
    )


def _write(run: Recorded) -> tuple[str, str]:
    text = f"{run.facts.get('prefix') or ''}{_text(run)}"
    source = (run.facts.get("languages") or [None])[0]
    told: tuple[str, ...] = ()
    if run.facts.get("first_token") and source:
        told = (f"tokenizer.src_lang = {literal(source)}",)
    return "", _loaded(
        run,
        "AutoModelForSeq2SeqLM",
        *told,
        f"inputs = {call('tokenizer', text, **_cut(run), return_token_type_ids=False)}",
        "ids = model.generate(**inputs)",
        "print(tokenizer.decode(ids[0], skip_special_tokens=True))",
        names="",
    )


def _see(run: Recorded) -> tuple[str, str]:
    return _piped(run, 'pipe("image.png")'), _loaded(
        run,
        "AutoModelForImageClassification",
        'image = Image.open("image.png").convert("RGB")',
        'inputs = image_processor(images=image, return_tensors="pt")',
        _NO_GRAD,
        "    scores = model(**inputs).logits.softmax(dim=-1)[0]",
        _NAMED,
        part="image_processor",
        names="torch PIL.Image",
    )


#: For each task the program with its pipeline (empty where transformers has none), and the one by hand.
_USAGE: dict[str, Callable[[Recorded], tuple[str, str]]] = {
    "text-classification": _classify,
    "token-classification": _tag,
    "question-answering": _answer,
    "text-generation": _go_on,
    "fill-mask": _fill,
    "summarization": _write,
    "translation": _write,
    "image-classification": _see,
}
