"""How a text was written, how likely one is, and what a head adds: the views of the generation service."""

from __future__ import annotations

import math
from typing import Any

from components.widgets.html import escape, facts, notice, percent, table
from components.widgets.stages import tensors_view

#: A click on a token shows what else was likely there; one on an alternative is told to the page, with step and id.
PICKING = """element.addEventListener("click", (event) => {
  const taken = event.target.closest("button[data-step]");
  if (taken) trigger("select", { step: Number(taken.dataset.step), id: Number(taken.dataset.id) });
  const token = event.target.closest("button[data-show]");
  if (!token) return;
  const open = token.getAttribute("aria-expanded") !== "true";
  for (const one of element.querySelectorAll("button[data-show]"))
    one.setAttribute("aria-expanded", String(open && one === token));
  for (const one of element.querySelectorAll("[data-choices]"))
    one.hidden = !open || one.dataset.choices !== token.dataset.show;
});"""
_SHARES = (0.5, 0.2, 0.05)
_REASONS = {
    "end": "It ended with the model's end token or a stop text.",
    "length": "It ended at the most new tokens that were asked for.",
    "time": "The time for one call was up.",
}


def steps_view(made: dict[str, Any], prompt: str, forced: list[dict[str, int]]) -> str:
    """The result of `generation_steps`: each token with the alternatives it was chosen among, which can be taken."""
    taken = {one["step"] for one in forced}
    tokens = "".join(_token(number, step, number in taken) for number, step in enumerate(made["steps"]))
    choices = "".join(_choices(number, step) for number, step in enumerate(made["steps"]))
    told = "".join(f"<li>{escape(sentence)}</li>" for sentence in made["explanation"])
    mean = sum(step["entropy"] for step in made["steps"]) / max(1, len(made["steps"]))
    stated = facts(
        [
            ("New tokens", len(made["steps"])),
            ("Tokens of the prompt", made["prompt_tokens"]),
            ("Mean entropy", f"{mean:.2f} bits"),
            ("End", _REASONS.get(made["reason"], made["reason"])),
        ]
    )
    notes = "".join(notice(note, "warning") for note in made.get("notes") or [])
    written = f'<div class="wb-steps"><span class="wb-prompt">{escape(prompt)}</span>{tokens}</div>'
    return f'<ul class="wb-told">{told}</ul>{written}{choices}{_legend()}{stated}{notes}'


def _token(number: int, step: dict[str, Any], taken: bool) -> str:
    chosen = step["chosen"]
    mark = " wb-taken" if taken else ""
    return (
        f'<button type="button" class="wb-p{_level(chosen["probability"])}{mark}" data-show="{number}" '
        f'aria-expanded="false" title="{escape(_said(number, step))}">{escape(_visible(chosen["text"]))}</button>'
    )


def _said(number: int, step: dict[str, Any]) -> str:
    chosen = step["chosen"]
    after = chosen.get("after")
    drawn = f", {_percent(after)} after the parameters" if after is not None and after != chosen["probability"] else ""
    return (
        f"Step {number + 1}: {_percent(chosen['probability'])}{drawn}, rank {chosen['rank']}, "
        f"entropy {step['entropy']:.2f} bits"
    )


def _choices(number: int, step: dict[str, Any]) -> str:
    rows = "".join(
        f'<button type="button" data-step="{number}" data-id="{one["id"]}"'
        f"{' aria-current=true' if one['id'] == step['chosen']['id'] else ''}>"
        f"<code>{escape(_visible(one['text']))}</code><b>{escape(_percent(one['probability']))}</b></button>"
        for one in step["alternatives"]
    )
    said = f"{_said(number, step)}. Take another token and go on from there:"
    return f'<div class="wb-choices" data-choices="{number}" hidden><p>{escape(said)}</p>{rows}</div>'


def _legend() -> str:
    keys = ("50 % or more", "20 % or more", "5 % or more", "less")
    items = "".join(f'<li><i class="wb-p{level}"></i>{text}</li>' for level, text in enumerate(keys))
    return f'<ul class="wb-key-list" aria-label="Probability of the token that was taken">{items}</ul>'


def _level(probability: float) -> int:
    return sum(probability < share for share in _SHARES)


def _percent(share: float) -> str:
    return percent(share, 1)


def _visible(text: str) -> str:
    """A token's text with its line ends and lone spaces to be seen."""
    shown = text.replace("\n", "⏎").replace("\t", "⇥")
    return shown if shown.strip() else shown.replace(" ", "␣") or "(nothing)"


def score_view(scored: dict[str, Any]) -> str:
    """The result of `score_text`: the text with each token as dark as it was unexpected, and the figures."""
    perplexity = scored["perplexity"]
    stated = facts(
        [
            ("Loss", f"{scored['loss']:.4f} nats a token"),
            ("Perplexity", f"{perplexity:,.2f}" if perplexity is not None else "beyond any number"),
            ("Tokens that count", scored["scored"]),
            ("Kind", scored["kind"]),
        ]
    )
    strip = "".join(_scored(token) for token in scored["tokens"])
    rows = [
        (
            token["position"],
            _visible(token["text"]),
            _decimals(token.get("loss")),
            _percent(token["probability"]) if "probability" in token else None,
            token.get("rank"),
            _best(token.get("best")),
        )
        for token in scored["tokens"][:500]
    ]
    header = ["Position", "Token", "Loss", "Probability", "Rank", "What was likeliest"]
    listed = table(header, rows, numeric=(0, 2, 3, 4), label="Tokens with their loss")
    notes = "".join(notice(note) for note in scored.get("notes") or [])
    return f'{stated}<div class="wb-text wb-scored">{strip}</div>{_legend()}{listed}{notes}'


def _scored(token: dict[str, Any]) -> str:
    if "loss" not in token:
        said = "No loss: nothing stands before it" if token["position"] == 0 else "Not counted"
        return f'<span class="wb-unscored" title="{said}">{escape(_visible(token["text"]))}</span>'
    said = f"loss {token['loss']:.3f}, probability {_percent(token['probability'])}, rank {token['rank']}"
    level = _level(token["probability"])
    return f'<span class="wb-p{level}" tabindex="0" title="{said}">{escape(_visible(token["text"]))}</span>'


def _decimals(value: float | None) -> str | None:
    return None if value is None or not math.isfinite(value) else f"{value:.4f}"


def _best(best: Any) -> str | None:
    return _visible(str(best.get("text", ""))) if isinstance(best, dict) else None if best is None else str(best)


def heads_view(seen: dict[str, Any]) -> str:
    """The result of `hidden_states`: the same ids through the model without its head, and with it."""
    masks = [
        table(
            ["Position", "Id", "Token", "Mask"],
            [(one["position"], one["id"], one["token"], one.get("attention")) for one in rows[:200]],
            numeric=(0, 1, 3),
            label=f"Tokens of text {number}",
        )
        for number, rows in enumerate(seen["tokens"], 1)
    ]
    loss = seen.get("loss")
    return (
        f'<section class="wb-stage"><h2>The ids that go in</h2>{tensors_view(seen["inputs"], "The ids that go in")}'
        f'<div class="wb-beside">{"".join(masks)}</div></section>'
        + _side("Without a head: AutoModel", seen["without_head"], "Its hidden states: one vector for each token.")
        + _side("With its head", seen["with_head"], "The head turns those vectors into the task's own figures.")
        + (facts([("Loss against the labels", f"{loss:.4f}")]) if loss is not None else "")
        + "".join(notice(note, "warning") for note in seen.get("notes") or [])
    )


def _side(title: str, side: dict[str, Any], note: str) -> str:
    rows = [(one["name"], one["class"], f"{one['parameters']:,}") for one in side["modules"][:60]]
    modules = table(["Module", "Class", "Parameters"], rows, numeric=(2,), label=f"Modules of {side['class']}")
    folded = f'<details class="wb-fold"><summary>Its modules</summary>{modules}</details>'
    return (
        f'<section class="wb-stage"><h2>{escape(title)} <small>{escape(side["class"])}</small></h2>'
        f"<p>{escape(note)}</p>{tensors_view(side['tensors'], title)}{folded}</section>"
    )
