"""The part of a script that trains with `transformers.Trainer`, called as the run calls it."""

from __future__ import annotations

from typing import Any

from components.service.snippets.code import Name, call
from components.service.snippets.finetune.adapter import saving
from components.service.snippets.finetune.recipe import Plan, Recipe


def with_trainer(plan: Plan, recipe: Recipe) -> str:
    """Trains `model`, leaves the evaluation in `result`, and saves the model."""
    more: dict[str, Any] = {"preprocess_logits_for_metrics": Name(recipe.kept)} if recipe.kept else {}
    if plan.spec["patience"]:
        more["callbacks"] = Name(f"[EarlyStoppingCallback({plan.spec['patience']})]")
    kind = _kind(recipe)
    trainer = call(
        f"{kind}Trainer",
        model=Name("model"),
        args=Name("arguments"),
        train_dataset=Name("encode(train)"),
        eval_dataset=Name(f"{recipe.held}(validation)"),
        data_collator=Name("collate"),
        processing_class=Name(recipe.processor),
        compute_metrics=Name("compute_metrics"),
        **more,
    )
    made = f"\narguments = {call(f'{kind}TrainingArguments', **_arguments(plan, recipe))}\ntrainer = {trainer}"
    metrics = _METRICS_IN_ORDER.replace("GOLD", recipe.gold) if recipe.gold else _METRICS
    # Only what is called labels is counted for a step; the losses of others are means in any case.
    scaled = _SCALED if plan.spec["accumulation"] > 1 and recipe.target == "labels" else ""
    before, saved = (_WRITING, _WRITER.format(saving(plan))) if recipe.writes else ("", saving(plan))
    best = _BEST if plan.best and not plan.lora else ""
    train = _TRAIN.replace("BEST", best).replace("SAVED", saved).replace("PROCESSOR", recipe.processor)
    return f"{metrics}\n\n{before}{made}\n{scaled}{train}"


def names(plan: Plan, recipe: Recipe) -> tuple[str, ...]:
    """What is imported from transformers for it."""
    kind = _kind(recipe)
    return (f"{kind}Trainer", f"{kind}TrainingArguments", *(["EarlyStoppingCallback"] if plan.spec["patience"] else []))


def _kind(recipe: Recipe) -> str:
    """How the classes are called that generate texts in an evaluation."""
    return "Seq2Seq" if recipe.writes else ""


def _arguments(plan: Plan, recipe: Recipe) -> dict[str, Any]:
    spec = plan.spec
    by_steps = spec["evaluate"] == "steps"
    metric = "loss" if recipe.metric == "perplexity" else recipe.metric
    judged = {"metric_for_best_model": metric, "greater_is_better": recipe.greater}
    return {
        "output_dir": "checkpoints",
        "num_train_epochs": spec["epochs"],
        "per_device_train_batch_size": spec["batch_size"],
        "per_device_eval_batch_size": 2 * spec["batch_size"],
        **({"gradient_accumulation_steps": spec["accumulation"]} if spec["accumulation"] > 1 else {}),
        "learning_rate": spec["learning_rate"],
        "weight_decay": spec["weight_decay"],
        "warmup_steps": spec["warmup"],
        "lr_scheduler_type": spec["schedule"],
        "max_grad_norm": spec["clipping"],
        "seed": Name("SEED"),
        "bf16": plan.dtype == "bf16",
        **({"use_cpu": Name("not torch.cuda.is_available()")} if plan.dtype == "bf16" else {}),
        "train_sampling_strategy": "group_by_length" if recipe.grouped else "random",
        "eval_strategy": spec["evaluate"],
        **({"eval_steps": spec["every"], "save_steps": spec["every"]} if by_steps else {}),
        "save_strategy": spec["evaluate"],
        "save_total_limit": 2,
        "load_best_model_at_end": plan.best,
        **(judged if plan.best or spec["patience"] else {}),
        "logging_nan_inf_filter": False,
        "report_to": "none",
        **recipe.arguments,
    }


_METRICS = '''
def compute_metrics(prediction):
    """The figures of an evaluation; encoder-decoders give hidden states after their logits."""
    predictions = prediction.predictions
    return figures(predictions[0] if isinstance(predictions, tuple) else predictions, prediction.label_ids)'''

_METRICS_IN_ORDER = '''
def compute_metrics(prediction):
    """The figures of an evaluation, which takes examples of about one length together: here is its order."""
    order = [i for batch in trainer.get_eval_dataloader().batch_sampler for i in batch]
    return figures(prediction.predictions, [GOLD for i in order])'''

_SCALED = """
if trainer.model_accepts_loss_kwargs:
    # Some models are told how many labels a step has and give the mean of one pass all the same. Then the Trainer must
    # divide each pass by the number of passes, or the gradients are too large by it.
    row = trainer._prepare_inputs(collate(trainer.train_dataset[:1]))
    model.eval()
    with torch.no_grad():
        one, two = (model(**row, num_items_in_batch=torch.tensor(n, device=model.device)).loss for n in (1, 2))
    trainer.model_accepts_loss_kwargs = not torch.equal(one, two)
"""

_WRITING = """
writing = copy.deepcopy(model.generation_config)  # the Trainer fills the model's own with the library's defaults"""
_WRITER = """trained = {}
trained.generation_config = writing
trained"""

_BEST = """# Of models that are saved under earlier names of their weights the Trainer restores those that kept theirs.
best = type(model).from_pretrained(trainer.state.best_model_checkpoint, dtype=torch.float32)
model.load_state_dict(best.state_dict())
"""
_TRAIN = """set_seed(SEED)  # the order of the rows and dropout are drawn from it
trainer.train()
BESTresult = trainer.evaluate()
print(result)
SAVED.save_pretrained("model")
PROCESSOR.save_pretrained("model")"""
