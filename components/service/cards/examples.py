"""Widget examples: what a model was asked and what it really answered, as the Hub's model pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.cards.document import Unreadable, read_front
from components.service.cards.edit import edit
from components.service.errors import WorkbenchError
from components.service.tasks import TaskSpec, find_task

#: Labels of a result that an example keeps; scores with as many decimals.
_LABELS, _DECIMALS = 5, 4


def widget_example(task: str, inputs: Any, parameters: Mapping[str, Any], output: Any) -> dict[str, Any]:
    """An entry of a card's `widget` list, with the output that was recorded.

    Args:
        task: The task that was run.
        inputs, parameters, output: As `run_task` took and gave them.

    Raises:
        WorkbenchError: The input is a file: on the Hub an example's file has an address of its own.
            Or the output is none.
    """
    spec = find_task(task)
    if any(one.kind in ("image", "audio", "video") for one in spec.inputs):
        raise WorkbenchError(
            f"An example of {spec.title.lower()} needs its file in the model's repository. Upload it there on the Hub "
            "tab, and give its address under `src` in the card's metadata.",
            field="inputs",
        )
    example = _asked(spec, inputs)
    if labels := parameters.get("candidate_labels"):
        example |= {"candidate_labels": ", ".join(labels), "multi_class": bool(parameters.get("multi_label"))}
    try:
        answered = _answered(output)
    except (KeyError, TypeError, ValueError, OverflowError):
        raise WorkbenchError(
            f"This is no output of {spec.title.lower()}. Send what running the model gave.", field="output"
        ) from None
    return {**example, **({"output": answered} if answered else {})}


def _asked(spec: TaskSpec, inputs: Any) -> dict[str, Any]:
    if spec.name == "question-answering":
        return {"text": inputs["question"], "context": inputs["context"]}
    if spec.name == "text-classification" and isinstance(inputs, dict):
        return {"text": " ".join(inputs.values())}
    if isinstance(inputs, dict):
        return {("text" if name in ("query", "question") else name): value for name, value in inputs.items()}
    if isinstance(inputs, list):
        return {"messages": inputs}
    return {"text": inputs}


def _answered(output: Any) -> Any:
    """The output in one of the shapes that the Hub shows: labels with scores, a text, or an answer."""
    rows = output if isinstance(output, list) else [output]
    first = rows[0] if rows else None
    if not isinstance(first, dict):
        return None
    if "label" in first:
        return [{"label": row["label"], "score": _score(row)} for row in rows[:_LABELS]]
    if "token_str" in first:
        return [{"label": row["token_str"], "score": _score(row)} for row in rows[:_LABELS]]
    if "answer" in first:
        return {"answer": first["answer"], **({"score": _score(first)} if first.get("score") is not None else {})}
    for key in ("generated_text", "summary_text", "translation_text"):
        if isinstance(first.get(key), str):
            return {"text": first[key]}
    return None


def _score(row: Mapping[str, Any]) -> float:
    return round(float(row["score"]), _DECIMALS)


def with_example(text: str, example: Mapping[str, Any]) -> str:
    """The card with one more widget example; nothing else of it changes.

    Raises:
        WorkbenchError: The metadata cannot be read, or its `widget` is no list.
    """
    try:
        front = read_front(text)
    except Unreadable as error:
        raise WorkbenchError(f"{error.message} Mend line {error.line} of the card first.", field="text") from None
    known = front.values.get("widget")
    if known is not None and not isinstance(known, list):
        raise WorkbenchError("`widget` in the card's metadata must be a list. Mend it first.", field="widget")
    if known and dict(example) in known:
        raise WorkbenchError("The card has this very example already.", kind="conflict", field="widget")
    return edit(text, [{"field": f"widget[{len(known or [])}]", "value": dict(example)}])
