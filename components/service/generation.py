"""Under the hood of language models: how a text was written, how likely one is, what a head adds to a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.settings import Settings
from components.service.tasks import TaskSpec, find_task
from components.service.tasks.texts import check_text
from components.service.visitor import Visitor

_SCORING = ("text-generation", "fill-mask")
_READABLE = ("text", "chat", "texts", "json")
#: Most steps at which another token may be taken in one call: each goes through the whole text again.
_FORCED = 50


class Generation:
    """What a language model does at each step. Worked out by the model itself at each call, never remembered.

    Args:
        settings: `shown_steps`, `scored_tokens`, and the limits of `Inference`.
        hub: Where models come from.
        engine: Where they run.
    """

    def __init__(self, settings: Settings, hub: Hub, engine: Engine) -> None:
        self._settings = settings
        self._engine = engine
        self._inference = Inference(settings, hub, engine)

    def generation_steps(
        self,
        task: str,
        model: str = "",
        inputs: Any = None,
        parameters: dict[str, Any] | None = None,
        revision: str | None = None,
        forced: list[dict[str, int]] | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """Write a text and show, for each new token, what the model held for likely.

        Args:
            task: A task that writes text: `text-generation`, `summarization`, `translation`, `text2text-generation`.
            model: A model's id; empty for the task's default on the Hub in use.
            inputs: One text, or one chat.
            parameters: As of `run_task`; one text is followed, so there is one beam.
            revision: A branch, tag or commit; empty for the newest.
            forced: Other tokens to take, as `[{"step": 3, "id": 17}]`: all before comes out as it was, then the text
                goes on from there.
            visitor: Whose rights count.

        Returns:
            `{steps, text, reason, prompt_tokens, explanation}` and the facts of `run_task`. A step is `{position,
            chosen, alternatives, entropy}`: `chosen` is `{id, token, text, special, probability, after, logprob,
            rank}`, `alternatives` the ten likeliest tokens, `entropy` in bits. `probability` is the model's own,
            `after` what the parameters make of it, from which the token was chosen. `explanation` says in sentences
            what the parameters ask for.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        spec = find_task(task)
        if not spec.streams:
            raise WorkbenchError(f"{spec.title} writes no text, token after token.", field="task")
        arguments, facts = self._inference.prepare(task, model, inputs, parameters, revision, visitor, alone=True)
        used = arguments["parameters"]
        for name in ("num_beams", "num_return_sequences"):
            if used.get(name, 1) > 1:
                raise WorkbenchError(f"The steps are those of one text: set {name} to 1.", field=f"parameters.{name}")
            used[name] = 1
        made = self._engine.call("generation_steps", {**arguments, "forced": _forced(forced)}, visitor=visitor)
        return {**made, **facts, "explanation": explain(made["parameters"])}

    def score_text(
        self,
        model: str = "",
        text: str = "",
        revision: str | None = None,
        task: str = "text-generation",
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """How likely a text is to a language model: its loss, token by token.

        Args:
            model: A model's id; empty for the task's default on the Hub in use.
            text: The text, of two tokens at least; the first `scored_tokens` of the settings count.
            revision: A branch, tag or commit; empty for the newest.
            task: `text-generation` for a causal model, which foretells each token from those before it; `fill-mask` for
                a masked one, which foretells each from all others (pseudo-likelihood, Salazar et al. 2020).
            visitor: Whose rights count.

        Returns:
            `{kind, tokens, loss, perplexity, scored}` and the facts of `run_task`. A token is `{position, id, token,
            text, special}` and, where it was scored, `{loss, logprob, probability, rank, best}`. The loss, in nats, is
            the mean over `scored` tokens; of a causal model it is what `labels=input_ids` gives. `perplexity` is its
            exponential, None where that is no finite number.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        spec = find_task(task)
        if spec.name not in _SCORING:
            raise WorkbenchError(f"A text is scored by a model for {' or '.join(_SCORING)}.", field="task")
        checked = check_text(text, self._settings.text_chars, "text")
        arguments, facts = self._located(spec, model, revision, visitor)
        return {**self._engine.call("score_text", {**arguments, "text": checked}, visitor=visitor), **facts}

    def hidden_states(
        self,
        task: str,
        model: str = "",
        inputs: str | list[str] = "",
        revision: str | None = None,
        labels: list[Any] | str | None = None,
        *,
        visitor: Visitor,
    ) -> dict[str, Any]:
        """One or two texts through a model without its head, as `AutoModel` has it, and with it: from the same weights.

        Args:
            task: Whose head counts; any task whose input is text.
            model: A model's id; empty for the task's default on the Hub in use.
            inputs: A text, or a list of two, the shorter of which is padded.
            revision: A branch, tag or commit; empty for the newest.
            labels: What to count the loss against: a label for each text (classification), `"inputs"` for the ids
                themselves (text generation, fill-mask), or a text to write for each (encoder-decoders).
            visitor: Whose rights count.

        Returns:
            `{tokens, inputs, without_head, with_head, loss}` and the facts of `run_task`. `tokens` has the rows of each
            text with their attention; `inputs` the tensors that the model reads; `without_head` and `with_head` are
            `{class, modules, tensors}`: last_hidden_state, shape (batch, sequence, hidden), beside the logits. Modules
            are `{name, class, parameters}`, of the head only those that it adds.

        Raises:
            WorkbenchError: With the field that has to be mended.
        """
        spec = find_task(task)
        if not all(one.kind in _READABLE for one in spec.inputs):
            raise WorkbenchError(f"{spec.title} reads more than text; choose a task that reads text.", field="task")
        texts = inputs if isinstance(inputs, list) else [inputs]
        if not 1 <= len(texts) <= 2:
            raise WorkbenchError("One or two texts are read at once.", field="inputs")
        checked = [check_text(text, self._settings.text_chars, "inputs") for text in texts]
        arguments, facts = self._located(spec, model, revision, visitor)
        given = {"texts": checked, "labels": _given_labels(labels, len(checked), self._settings)}
        return {**self._engine.call("hidden_states", {**arguments, **given}, visitor=visitor), **facts}

    def _located(
        self, spec: TaskSpec, model: str, revision: str | None, visitor: Visitor
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        snapshot = self._inference.snapshot(spec, model, revision, visitor)
        where = {"task": spec.name, "path": str(snapshot.path), "model": snapshot.id}
        facts = {"task": spec.name, "model": snapshot.id, "commit": snapshot.commit}
        return {**where, "seconds": self._settings.call_seconds}, facts


def _forced(given: Any) -> list[tuple[int, int]]:
    """Steps and the tokens to take there, in order."""
    rule = WorkbenchError(
        'Tokens to take are a list such as [{"step": 3, "id": 17}], steps and ids counted from 0, each step once; '
        f"at most {_FORCED} of them.",
        field="forced",
    )
    if not isinstance(given, (list, type(None))) or len(given or []) > _FORCED:
        raise rule
    taken: dict[int, int] = {}
    for one in given or []:
        step, number = (_whole(one.get(name)) for name in ("step", "id")) if isinstance(one, Mapping) else (None, None)
        if step is None or number is None or step in taken:
            raise rule
        taken[step] = number
    return sorted(taken.items())


def _whole(value: Any) -> int | None:
    """A whole number from 0, also where JSON writes it as 3.0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**31 or value != int(value):
        return None
    return int(value)


def _given_labels(labels: Any, texts: int, settings: Settings) -> Any:
    if labels is None or labels == "" or labels == "inputs":
        return labels or None
    if not isinstance(labels, list) or len(labels) != texts:
        raise WorkbenchError('Labels are a list with one for each text, or "inputs".', field="labels")
    for label in labels:
        if type(label) is not int:
            check_text(label, settings.text_chars, "labels")
    return labels


def explain(parameters: Mapping[str, Any]) -> list[str]:
    """What parameters of generation ask for together, in sentences, from those that a result states as used."""
    return [_strategy(parameters), *_choosing(parameters), *_shaping(parameters), *_lengths(parameters)]


def _strategy(used: Mapping[str, Any]) -> str:
    beams = used.get("num_beams") or 1
    if used.get("do_sample"):
        drawn = f"Sampling: each token is drawn at random by its probability, with seed {used.get('seed', 'of chance')}"
        return f"{drawn}, along {beams} beams." if beams > 1 else f"{drawn}; another seed gives another text."
    if beams > 1:
        return (
            f"Beam search: the {beams} texts that are likeliest as a whole are followed at once, and the best is kept."
        )
    return "Greedy: at each step the likeliest token is taken, so the same input always gives the same text."


def _choosing(used: Mapping[str, Any]) -> list[str]:
    if not used.get("do_sample"):
        return []
    temperature = used.get("temperature") or 1.0
    change = (
        "flattens the probabilities: rare tokens come more often"
        if temperature > 1
        else "sharpens them towards the likeliest"
    )
    told = [f"Temperature {temperature:g} {change}."] if temperature != 1 else []
    if used.get("top_k"):
        told.append(f"Only the {used['top_k']} likeliest tokens may be drawn.")
    if (used.get("top_p") or 1) < 1:
        told.append(f"Only the likeliest tokens that together reach a probability of {used['top_p']:g} may be drawn.")
    if (used.get("typical_p") or 1) < 1:
        told.append(f"Only tokens that are about as surprising as expected, up to {used['typical_p']:g}, may be drawn.")
    return told


def _shaping(used: Mapping[str, Any]) -> list[str]:
    told = []
    penalty = used.get("repetition_penalty") or 1
    if penalty != 1:
        told.append(f"Tokens that came before are made {'less' if penalty > 1 else 'more'} likely, by {penalty:g}.")
    if used.get("no_repeat_ngram_size"):
        told.append(f"No run of {used['no_repeat_ngram_size']} tokens may come twice.")
    if (used.get("num_beams") or 1) > 1 and used.get("length_penalty") not in (None, 0):
        favoured = "longer" if used["length_penalty"] > 0 else "shorter"
        told.append(f"Length penalty {used['length_penalty']:g} favours {favoured} texts.")
    if (used.get("num_beams") or 1) > 1 and used.get("early_stopping"):
        told.append("The search ends as soon as as many texts are complete as there are beams.")
    return told


def _lengths(used: Mapping[str, Any]) -> list[str]:
    most, fewest, stop = used.get("max_new_tokens"), used.get("min_new_tokens"), used.get("stop")
    told = [
        f"The text ends at the model's end token{', or after ' + format(most, ',') + ' new tokens' if most else ''}."
    ]
    if fewest:
        told.append(f"It cannot end before {fewest:,} new tokens.")
    if stop:
        told.append(f"It also ends after {' or '.join(map(repr, stop))}.")
    return told
