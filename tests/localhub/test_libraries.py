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


@pytest.mark.parametrize(("script", "said"), [(TRANSFORMERS, "hidden from others"), (DATASETS, "read and written")])
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
    for name in ("ada/tiny", "ada/pushed"):
        kind = "dataset" if name.endswith("pushed") else "model"
        hub.api().delete_repo(name, repo_type=kind, missing_ok=True)
