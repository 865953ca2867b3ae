"""Tasks that write text, by hand."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.steps import Steps, StepsOf


def _generate(prompt: Any, used: dict[str, Any]) -> Steps:
    seed, stop, whole = used.pop("seed", None), used.pop("stop", None), used.pop("return_full_text", True)
    if stop:
        used |= {"stop_strings": stop, "tokenizer": Name("tokenizer")}
    asked: dict[str, Any] = {
        "input_ids": Name('inputs["input_ids"]'),
        "attention_mask": Name('inputs["attention_mask"]'),
    }
    seeded = "" if seed is None else call("set_seed", seed) + "\n"
    text = "prompt + text" if whole else "text"
    body = [
        "# preprocess: from the prompt to ids, shape (batch, sequence)\n"
        f'prompt = {literal(prompt)}\ninputs = tokenizer(prompt, return_tensors="pt")\n'
        'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])',
        "# what the model takes for likely to come next\n"
        f"with torch.no_grad():\n    logits = {call('model', **asked, indent=4)}.logits[0, -1]\n"
        "best = logits.softmax(dim=-1).topk(min(10, len(logits)))\n"
        "for probability, number in zip(best.values.tolist(), best.indices.tolist()):\n"
        '    print(f"{probability:.4f}", repr(tokenizer.decode([number])))',
        "# forward: generate calls the model once for each new token\n"
        f"{seeded}output_ids = {call('model.generate', **asked, **used)}\nprint(output_ids)",
        "# postprocess: from the new ids back to text\n"
        'new_ids = output_ids[:, inputs["input_ids"].shape[1] :]\n'
        "texts = tokenizer.batch_decode(new_ids, skip_special_tokens=True)\n"
        f'result = [{{"generated_text": {text}}} for text in texts]\nprint(result)',
    ]
    return Steps(body, names=() if seed is None else ("set_seed",))


GENERATION_STEPS: dict[str, StepsOf] = {"text-generation": _generate}
