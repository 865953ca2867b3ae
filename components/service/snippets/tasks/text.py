"""Tasks that read text and judge it, by hand."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import call
from components.service.snippets.tasks.steps import Steps, StepsOf

#: What a result adds to its parameters where a text was cut.
CUT = ("truncation", "max_length")


def _classify(item: Any, used: dict[str, Any]) -> Steps:
    texts = [item[name] for name in ("text", "text_pair") if name in item] if isinstance(item, dict) else [item]
    cut = {name: used[name] for name in CUT if name in used}
    limit = "" if used.get("top_k") is None else f"[:{used['top_k']}]"
    scores = {
        "softmax": "logits.softmax(dim=-1)[0]",
        "sigmoid": "logits.sigmoid()[0]",
        "none": "logits[0]",
        None: "(logits.sigmoid() if model.config.num_labels == 1 else logits.softmax(dim=-1))[0]",
    }[used.get("function_to_apply")]
    body = [
        "# preprocess: from the text to ids, shape (batch, sequence)\n"
        f"inputs = {call('tokenizer', *texts, return_tensors='pt', **cut)}\n"
        'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])',
        "# forward: from ids to one logit for each label, shape (batch, labels)\n"
        "with torch.no_grad():\n    logits = model(**inputs).logits\nprint(logits)",
        "# postprocess: from logits to scores\n"
        f"scores = {scores}.tolist()\n"
        'result = [{"label": model.config.id2label[i], "score": s} for i, s in enumerate(scores)]\n'
        f'result = sorted(result, key=lambda one: one["score"], reverse=True){limit}\nprint(result)',
    ]
    return Steps(body)


TEXT_STEPS: dict[str, StepsOf] = {"text-classification": _classify}
