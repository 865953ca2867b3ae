"""transformers and datasets, each in a fresh process whose Hub is the embedded one."""

import os
import subprocess
import sys

import pytest

TRANSFORMERS = """
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertConfig
from transformers import BertForSequenceClassification, BertTokenizerFast, pipeline

words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"]
tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(words)})
sizes = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
model = BertForSequenceClassification(BertConfig(vocab_size=7, **sizes)).eval()
model.push_to_hub("ada/tiny", token=TOKEN, private=True)
tokenizer.push_to_hub("ada/tiny", token=TOKEN)
again = AutoModelForSequenceClassification.from_pretrained("ada/tiny", token=TOKEN)
assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
assert AutoTokenizer.from_pretrained("ada/tiny", token=TOKEN)("good bad").input_ids == [2, 5, 6, 3]
assert pipeline("text-classification", "ada/tiny", token=TOKEN)("good")[0]["label"].startswith("LABEL_")
try:
    AutoTokenizer.from_pretrained("ada/tiny", token=False, cache_dir="elsewhere")
except OSError as error:
    print("hidden from others")
"""

DATASETS = """
from datasets import Dataset, load_dataset

reviews = load_dataset("starter/reviews", split="train")
assert reviews.column_names == ["text", "label"] and reviews["label"] == [1, 0, 1], reviews
assert load_dataset("starter/lines")["train"].num_rows == 2
Dataset.from_dict({"text": ["x", "y"], "label": [0, 1]}).push_to_hub("ada/pushed", token=TOKEN)
assert load_dataset("ada/pushed", split="train")[1] == {"text": "y", "label": 1}
print("read and written")
"""

TRAINER = """
from datasets import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
from huggingface_hub import HfApi

sizes = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=7)
rows = Dataset.from_dict({"input_ids": [[2, 5, 3], [2, 6, 3]] * 4, "labels": [1, 0] * 4})
arguments = TrainingArguments(
    "out", max_steps=2, save_steps=1, push_to_hub=True, hub_model_id="ada/trained", hub_token=TOKEN,
    hub_strategy="every_save", report_to=[], use_cpu=True, disable_tqdm=True,
)
trainer = Trainer(BertForSequenceClassification(BertConfig(**sizes)), arguments, train_dataset=rows)
trainer.train()
trainer.push_to_hub("The end")
files = HfApi(token=TOKEN).list_repo_files("ada/trained")
assert {"README.md", "config.json", "model.safetensors", "training_args.bin"} <= set(files), files
print("trained and pushed")
"""

CARD = """
from huggingface_hub import ModelCard, ModelCardData, create_repo, get_repo_discussions, metadata_update

create_repo("ada/carded", token=TOKEN)
card = ModelCard(f"---\\n{ModelCardData(license='mit', language='en').to_yaml()}\\n---\\n# Title\\n")
card.push_to_hub("ada/carded", token=TOKEN)
metadata_update("ada/carded", {"tags": ["demo"]}, token=TOKEN)
found = ModelCard.load("ada/carded", token=TOKEN)
assert (found.data.license, found.data.tags) == ("mit", ["demo"])
update = dict(token=TOKEN, overwrite=True, create_pr=True)
metadata_update("ada/carded", {"license": "apache-2.0"}, **update)
assert [found.num for found in get_repo_discussions("ada/carded", token=TOKEN)] == [1]
try:
    metadata_update("ada/carded", {"license": "No Such Licence"}, token=TOKEN, overwrite=True)
except ValueError as error:
    print("card refused" if "not valid" in str(error) else error)
"""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (TRANSFORMERS, "hidden from others"),
        (DATASETS, "read and written"),
        (TRAINER, "trained and pushed"),
        (CARD, "card refused"),
    ],
)
def test_the_library_loads_and_pushes(hub, tmp_path, script, said):
    env = {
        "PATH": os.environ["PATH"],
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "DISABLE_SAFETENSORS_CONVERSION": "1",
        "OMP_NUM_THREADS": "2",
    }
    command = [sys.executable, "-c", f"TOKEN = {hub.api().token!r}\n{script}"]
    ended = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=200)
    assert said in ended.stdout, ended.stderr[-3000:]
    for name in ("ada/tiny", "ada/pushed", "ada/trained", "ada/carded"):
        kind = "dataset" if name.endswith("pushed") else "model"
        hub.api().delete_repo(name, repo_type=kind, missing_ok=True)
