"""LoRA: what is trained, what stays, and that adapter and merged weights are one model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from service_models import bert_config, classifier, generator, wordpiece
from transformers import (
    AutoModelForCausalLM,
    AutoModelForImageClassification,
    AutoModelForMaskedLM,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    LlamaConfig,
    LlamaForCausalLM,
    ResNetConfig,
    ResNetModel,
    RobertaConfig,
    RobertaForMaskedLM,
    T5Config,
    T5ForConditionalGeneration,
    Trainer,
    TrainingArguments,
    ViTConfig,
    ViTModel,
)

from components.service.errors import WorkbenchError
from components.service.runs import lora
from components.service.runs.spec import RunSpec

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
IDS = torch.tensor([[2, 9, 17, 30, 3], [2, 40, 8, 11, 3]])
TEXT = {"input_ids": IDS}


def spec(task: str, **changes: Any) -> RunSpec:
    return RunSpec(task=task, model="someone/base", data={"text": "-"}, method="lora", lora_dropout=0.0, **changes)


def bases(folder: Path) -> dict[str, Path]:
    """Tiny models by name; those without a head have one made when a task asks for it."""
    torch.manual_seed(0)
    classifier(folder / "bert-classifier")
    generator(folder / "gpt2")
    BertModel(bert_config(wordpiece()), add_pooling_layer=False).save_pretrained(folder / "bert")
    RobertaForMaskedLM(RobertaConfig(vocab_size=300, **SMALL)).save_pretrained(folder / "roberta")
    DistilBertModel(DistilBertConfig(vocab_size=300, dim=32, n_layers=2, n_heads=2, hidden_dim=64)).save_pretrained(
        folder / "distilbert"
    )
    LlamaForCausalLM(LlamaConfig(vocab_size=300, **SMALL)).save_pretrained(folder / "llama")
    T5ForConditionalGeneration(
        T5Config(vocab_size=300, d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2, decoder_start_token_id=0)
    ).save_pretrained(folder / "t5")
    ViTModel(ViTConfig(image_size=32, patch_size=16, **SMALL), add_pooling_layer=False).save_pretrained(folder / "vit")
    ResNetModel(ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1])).save_pretrained(folder / "resnet")
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return bases(tmp_path_factory.mktemp("bases"))


BERT = ["dense", "key", "query", "value"]
#: task, model, its Auto class, inputs, layers with an adapter, modules trained whole
CASES = {
    "new head": (
        "text-classification",
        "bert",
        AutoModelForSequenceClassification,
        {**TEXT, "labels": torch.tensor([0, 1])},
        BERT,
        ["bert.pooler", "classifier"],
    ),
    "head that fits": (
        "text-classification",
        "bert-classifier",
        AutoModelForSequenceClassification,
        {**TEXT, "labels": torch.tensor([0, 2])},
        BERT,
        ["classifier"],
    ),
    "head of several parts": (
        "text-classification",
        "distilbert",
        AutoModelForSequenceClassification,
        {**TEXT, "labels": torch.tensor([0, 1])},
        ["k_lin", "lin1", "lin2", "out_lin", "q_lin", "v_lin"],
        ["classifier", "pre_classifier"],
    ),
    "head of its own class": (
        "token-classification",
        "roberta",
        AutoModelForTokenClassification,
        {**TEXT, "labels": torch.ones_like(IDS)},
        BERT,
        ["classifier"],
    ),
    "spans": (
        "question-answering",
        "bert",
        AutoModelForQuestionAnswering,
        {**TEXT, "start_positions": torch.tensor([1, 2]), "end_positions": torch.tensor([2, 3])},
        BERT,
        ["qa_outputs"],
    ),
    "tied output": (
        "text-generation",
        "gpt2",
        AutoModelForCausalLM,
        {**TEXT, "labels": IDS},
        ["c_attn", "c_fc", "c_proj"],
        [],
    ),
    "own output": (
        "text-generation",
        "llama",
        AutoModelForCausalLM,
        {**TEXT, "labels": IDS},
        ["down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"],
        [],
    ),
    "head partly tied": (
        "fill-mask",
        "bert",
        AutoModelForMaskedLM,
        {**TEXT, "labels": IDS},
        BERT,
        ["cls.predictions.transform"],
    ),
    "encoder and decoder": (
        "summarization",
        "t5",
        AutoModelForSeq2SeqLM,
        {**TEXT, "labels": IDS},
        ["k", "o", "q", "v", "wi", "wo"],
        [],
    ),
    "pictures": (
        "image-classification",
        "vit",
        AutoModelForImageClassification,
        {"pixel_values": torch.arange(3 * 32 * 32.0).reshape(1, 3, 32, 32) / 3072, "labels": torch.tensor([1])},
        None,
        ["classifier"],
    ),
}


def load(auto_class: Any, path: Path) -> Any:
    torch.manual_seed(0)
    return auto_class.from_pretrained(path, dtype=torch.float32, use_safetensors=True)


def train(model: Any, inputs: dict[str, Any], steps: int = 5) -> None:
    optimizer = torch.optim.AdamW([one for one in model.parameters() if one.requires_grad], lr=0.05)
    model.train()
    for _ in range(steps):
        model(**inputs).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()


@pytest.mark.parametrize("name", CASES)
def test_adapter_and_merged_weights_give_the_same_logits_and_the_base_stays(
    name: str, models: dict[str, Path], tmp_path: Path
) -> None:
    task, base, auto_class, inputs, adapted, whole = CASES[name]
    model = load(auto_class, models[base])
    before = {key: value.clone() for key, value in model.state_dict().items()}
    wrapped = lora.wrap(model, spec(task))
    untrained = wrapped.eval()(**inputs)
    train(wrapped, inputs)
    trained = wrapped(**inputs)
    first, logits = ((out[1] if task != "question-answering" else out.start_logits) for out in (untrained, trained))
    assert not torch.allclose(first, logits, atol=1e-3)

    told = lora.facts(wrapped)
    assert told["trained_whole"] == whole
    assert adapted is None or told["adapted"] == adapted
    assert 0 < told["trained_parameters"] < sum(one.numel() for one in model.parameters())
    frozen = dict(wrapped.get_base_model().named_parameters())
    kept = {key.replace(".base_layer", "").replace(".original_module", ""): one for key, one in frozen.items()}
    for key, value in before.items():
        if key in kept:
            assert torch.equal(kept[key], value), key

    model.config.name_or_path = "someone/base"
    lora.save_merged(wrapped, tmp_path / "model", tmp_path / "adapter", task)
    assert {path.name for path in (tmp_path / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    merged = auto_class.from_pretrained(tmp_path / "model", use_safetensors=True).eval()
    with warnings.catch_warnings():  # peft asks a model under a name that transformers has changed
        warnings.simplefilter("ignore", FutureWarning)
        again = PeftModel.from_pretrained(load(auto_class, models[base]), str(tmp_path / "adapter")).eval()
    for other in (merged, again):
        found = other(**inputs)
        found = found[1] if task != "question-answering" else found.start_logits
        torch.testing.assert_close(found, logits, atol=1e-4, rtol=1e-4)
    assert merged.state_dict().keys() == before.keys()
    assert again.peft_config["default"].base_model_name_or_path == "someone/base"


def test_a_model_without_linear_layers_is_told_to_be_trained_in_full(models: dict[str, Path]) -> None:
    model = load(AutoModelForImageClassification, models["resnet"])
    with pytest.raises(WorkbenchError, match="method to full") as told:
        lora.wrap(model, spec("image-classification"))
    assert told.value.field == "method"


def trainer(models: dict[str, Path], folder: Path, epochs: int, base: str = "bert") -> Trainer:
    model = lora.wrap(load(AutoModelForSequenceClassification, models[base]), spec("text-classification"))
    rows = [{"input_ids": [2, 5 + i % 7, 20 + i % 2, 3], "labels": i % 2} for i in range(16)]
    arguments = TrainingArguments(
        output_dir=str(folder),
        use_cpu=True,
        num_train_epochs=epochs,
        per_device_train_batch_size=4,
        learning_rate=0.02,
        lr_scheduler_type="constant",
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
    )
    return Trainer(model, arguments, train_dataset=rows, eval_dataset=rows[:5])


def test_training_goes_on_from_a_checkpoint_that_holds_the_adapter_alone(
    models: dict[str, Path], tmp_path: Path
) -> None:
    whole = trainer(models, tmp_path / "whole", 2)
    whole.train()
    begun = trainer(models, tmp_path / "parts", 1)
    begun.train()
    (checkpoint,) = (tmp_path / "parts").glob("checkpoint-*")
    names = {path.name for path in checkpoint.iterdir()}
    assert "adapter_model.safetensors" in names
    assert not names & {"model.safetensors", "adapter_model.bin", "pytorch_model.bin"}
    rest = trainer(models, tmp_path / "parts", 2)
    rest.train(resume_from_checkpoint=str(checkpoint))
    wanted = {name: one for name, one in whole.model.named_parameters() if one.requires_grad}
    for name, one in rest.model.named_parameters():
        if one.requires_grad:
            torch.testing.assert_close(one, wanted[name], msg=name)


def test_the_best_evaluation_is_gone_back_to(models: dict[str, Path], tmp_path: Path) -> None:
    best = trainer(models, tmp_path, 4)
    best.train()
    losses = [entry["eval_loss"] for entry in best.state.log_history if "eval_loss" in entry]
    assert best.evaluate()["eval_loss"] == pytest.approx(min(losses), abs=1e-6)
