"""Tasks that write text, by hand."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call, literal
from components.service.snippets.tasks.steps import Called, CallOf, Steps, StepsOf

#: What a causal model takes of what its tokenizer gives; some tokenizers give more.
READ: dict[str, Any] = {
    "input_ids": Name('inputs["input_ids"]'),
    "attention_mask": Name('inputs["attention_mask"]'),
}
_LIKELIEST = (
    "best = logits.softmax(dim=-1).topk(min(10, len(logits)))\n"
    "for probability, number in zip(best.values.tolist(), best.indices.tolist()):\n"
    '    print(f"{probability:.4f}", repr(tokenizer.decode([number])))'
)


def _generate(prompt: Any, used: dict[str, Any]) -> Steps:
    seed, stop, whole = used.pop("seed", None), used.pop("stop", None), used.pop("return_full_text", True)
    if stop:
        used |= {"stop_strings": stop, "tokenizer": Name("tokenizer")}
    seeded = "" if seed is None else call("set_seed", seed) + "\n"
    read, text = (_read_chat if isinstance(prompt, list) else _read_prompt)(prompt)
    body = [
        "# preprocess: from the prompt to ids, shape (batch, sequence)\n"
        f'{read}\nprint(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])',
        "# what the model takes for likely to come next\n"
        f"with torch.no_grad():\n    logits = {call('model', **READ, indent=4)}.logits[0, -1]\n{_LIKELIEST}",
        "# forward: generate calls the model once for each new token\n"
        f"{seeded}output_ids = {call('model.generate', **READ, **used)}\nprint(output_ids)",
        "# postprocess: from the new ids back to text\n"
        'new_ids = output_ids[:, inputs["input_ids"].shape[1] :]\n'
        "texts = tokenizer.batch_decode(new_ids, skip_special_tokens=True)\n"
        f'result = [{{"generated_text": {text if whole else "text"}}} for text in texts]\nprint(result)',
    ]
    return Steps(body, names=() if seed is None else ("set_seed",))


def read_prompt(prompt: Any) -> str:
    """The code that turns a prompt, or the messages of a chat, into `inputs`."""
    return (_read_chat if isinstance(prompt, list) else _read_prompt)(prompt)[0]


def _read_prompt(prompt: Any) -> tuple[str, str]:
    """The code that reads a prompt, and what the whole text is made of."""
    return f'prompt = {literal(prompt)}\ninputs = tokenizer(prompt, return_tensors="pt")', "prompt + text"


def _read_chat(messages: list[Any]) -> tuple[str, str]:
    """The same of a chat: a last message of the model's own is continued, after any other it begins a new one."""
    goes_on = isinstance(messages[-1], dict) and messages[-1].get("role") == "assistant"
    after = {"continue_final_message": True} if goes_on else {"add_generation_prompt": True}
    read = call("tokenizer.apply_chat_template", Name("messages"), **after, return_dict=True, return_tensors="pt")
    answer = '{"role": "assistant", "content": text}'
    if goes_on:
        answer = '{"role": "assistant", "content": messages[-1]["content"] + text}'
    kept = "messages[:-1]" if goes_on else "messages"
    return f"messages = {literal(messages)}\ninputs = {read}", f"{kept} + [{answer}]"


def _rewrite(key: str) -> StepsOf:
    """The steps of an encoder-decoder model whose output is `[{key: text}]`."""

    def steps(text: Any, used: dict[str, Any]) -> Steps:
        read, given = reading_source(text, used)
        seed, spaces = used.pop("seed", None), used.pop("clean_up_tokenization_spaces", None)
        seeded = "" if seed is None else call("set_seed", seed) + "\n"
        decoding = {} if spaces is None else {"clean_up_tokenization_spaces": spaces}
        decoded = call("tokenizer.batch_decode", Name("output_ids"), skip_special_tokens=True, **decoding)
        body = [
            f"# preprocess: from the text to ids, shape (batch, sequence)\n{read}\n"
            'print(tokenizer.convert_ids_to_tokens(inputs["input_ids"][0]), inputs["input_ids"])',
            "# the encoder reads the text once: shape (batch, sequence, hidden)\n"
            "with torch.no_grad():\n    encoded = model.get_encoder()(**inputs)\n"
            "print(encoded.last_hidden_state.shape)",
            "# forward: generate calls the decoder once for each new token\n"
            f"{seeded}output_ids = {call('model.generate', Name('**inputs'), **given, **used)}\nprint(output_ids)",
            "# postprocess: from the ids back to text\n"
            f"texts = {decoded}\n"
            f"result = [{{{literal(key)}: text}} for text in texts]\nprint(result)",
        ]
        return Steps(body, names=() if seed is None else ("set_seed",))

    return steps


def reading_source(text: Any, used: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The code that turns a text into `inputs` for an encoder, and further arguments of `generate`; what concerns the
    input alone is taken out of `used`."""
    source, target = used.pop("src_lang", None), used.pop("tgt_lang", None)
    starts = used.pop("language_by", None) == "decoder_start_token_id"
    before, most = used.pop("prefix", None) or "", used.pop("max_input_tokens", None)
    used.pop("truncation", None)
    cut = {} if most is None else {"truncation": True, "max_length": most}
    read = call("tokenizer", Name("text"), return_tensors="pt", return_token_type_ids=False, **cut)
    joined = f"{literal(before)} + {literal(text)}" if before else literal(text)
    lines = [f"text = {joined}", f"inputs = {read}"]
    if not (source and target):
        return "\n".join(lines), {}
    language = f'getattr(tokenizer, "get_lang_id", tokenizer.convert_tokens_to_ids)({literal(target)})'
    lines = [f"tokenizer.src_lang = {literal(source)}", *lines, f"language_id = {language}"]
    language_id = Name("language_id")
    if starts:  # and is not made to write first what the model's own files say
        return "\n".join(lines), {"decoder_start_token_id": language_id, "forced_bos_token_id": None}
    return "\n".join(lines), {"forced_bos_token_id": language_id}


def _called(inputs: Any, used: dict[str, Any]) -> Called:
    return Called(call("pipe", inputs, **{name: value for name, value in used.items() if name != "truncation"}))


GENERATION_STEPS: dict[str, StepsOf] = {
    "text-generation": _generate,
    "summarization": _rewrite("summary_text"),
    "translation": _rewrite("translation_text"),
    "text2text-generation": _rewrite("generated_text"),
}
GENERATION_CALLS: dict[str, CallOf] = dict.fromkeys(("summarization", "translation", "text2text-generation"), _called)
