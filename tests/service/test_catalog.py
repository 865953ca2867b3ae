"""Finding a model and judging it before its weights are fetched, against a real embedded Hub."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from components.service import memory
from components.service.catalog import Catalog
from components.service.contents import Contents
from components.service.errors import WorkbenchError
from components.service.hub import Hub, Snapshot
from components.service.manage import Manager
from components.service.policy import custom_code, model_refusals
from components.service.settings import Settings
from components.service.sizes import GB, MB

ROOT = Path(__file__).parents[2]
CARD = "---\nlicense: mit\nlanguage: fr\nlibrary_name: transformers\n---\n# A model\n"


def weights(parameters: int, dtype: str = "F32") -> bytes:
    """A safetensors file of zeros."""
    size = parameters * {"F32": 4, "BF16": 2}[dtype]
    header = json.dumps({"w": {"dtype": dtype, "shape": [parameters], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


@pytest.fixture(scope="module")
def hub(live_hub: Any) -> Hub:
    return Hub(live_hub.settings)


@pytest.fixture(scope="module")
def catalog(hub: Hub) -> Catalog:
    return Catalog(hub)


@pytest.fixture(scope="module")
def put(hub: Hub, live_hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Publish a model of ada's: `put(name, config, {path: content}, ...)`; gives its id."""

    def publish(name: str, config: Any, files: dict[str, bytes | str] | None = None, *, private: bool = False) -> str:
        folder = tmp_path_factory.mktemp(name)
        repo = str(Manager(hub).create_repo(name, private, visitor=live_hub.ada)["repo"])
        contents = {"config.json": config if isinstance(config, str) else json.dumps(config), **(files or {})}
        uploads = []
        for number, (path, content) in enumerate({"README.md": CARD, **contents}.items()):
            (folder / str(number)).write_bytes(content if isinstance(content, bytes) else content.encode())
            uploads.append({"file": str(folder / str(number)), "path": path})
        Contents(hub).upload_files(repo, uploads, visitor=live_hub.ada)
        return repo

    return publish


@pytest.fixture(scope="module")
def masked(put: Callable[..., str]) -> str:
    """A fill-mask model of a thousand parameters in two bytes each."""
    config = {"architectures": ["BertForMaskedLM"], "model_type": "bert", "num_hidden_layers": 2}
    return put("pick-masked", config, {"model.safetensors": weights(1000, "BF16")})


@pytest.fixture(scope="module")
def classifier(put: Callable[..., str]) -> str:
    config = {"architectures": ["BertForSequenceClassification"], "id2label": {"0": "bad", "1": "good"}}
    return put("pick-classifier", config, {"model.safetensors": weights(500)})


def test_facts_are_known_before_any_weight_is_fetched(catalog: Catalog, live_hub: Any, masked: str) -> None:
    facts = catalog.model_facts(masked, visitor=live_hub.nobody)
    assert (facts["task"], facts["architecture"], facts["family"]) == ("fill-mask", "BertForMaskedLM", "encoder")
    assert (facts["parameters"], facts["dtype"], facts["license"]) == (1000, "BF16", "mit")
    assert facts["config"]["num_hidden_layers"] == 2
    assert facts["refusals"] == []
    assert facts["memory"]["weights"] == 4000
    assert facts["memory"]["needed"] == 4000 + memory.LEAST
    assert facts["fits"]
    assert not facts["cached"]
    assert not list(catalog.hub.settings.cache.rglob("pick-masked/**/*.safetensors"))


@pytest.mark.parametrize(
    ("files", "chats"),
    [
        ({"chat_template.jinja": "{{ messages }}"}, True),
        ({"tokenizer_config.json": '{"chat_template": "{{ messages }}"}'}, True),
        ({"tokenizer_config.json": '{"unk_token": "?"}'}, False),
    ],
)
def test_whether_a_model_can_be_talked_to_is_known(
    catalog: Catalog, put: Callable[..., str], live_hub: Any, files: dict[str, str], chats: bool
) -> None:
    name = f"talks-{chats}-{next(iter(files)).partition('.')[0]}"
    repo = put(name, {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2"}, files)
    assert catalog.model_facts(repo, visitor=live_hub.nobody)["chats"] is chats


def test_what_lies_in_the_cache_is_said_and_comes_first(
    catalog: Catalog, live_hub: Any, masked: str, classifier: str
) -> None:
    def listed() -> list[tuple[str, bool]]:
        rows = catalog.search_models("pick-", sort="created_at", visitor=live_hub.nobody)
        return [(row["id"], row["cached"]) for row in rows if row["id"] in (masked, classifier)]

    assert listed() == [(classifier, False), (masked, False)]
    catalog.hub.tokenizer(masked, visitor=live_hub.nobody)
    assert (masked, False) in listed()
    catalog.hub.model(masked, visitor=live_hub.nobody)
    assert listed() == [(masked, True), (classifier, False)]
    assert catalog.model_facts(masked, visitor=live_hub.nobody)["cached"]


def test_starter_models_come_first_whatever_the_order(live_hub: Any, tmp_path: Path) -> None:
    for name in ("starter/one", *(f"other/model-{number}" for number in range(4))):
        folder = tmp_path / "seed" / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"architectures": ["BertModel"], "model_type": "bert"}')
    command = [sys.executable, "-m", "components.localhub", "--root", str(tmp_path / "root"), "--with-parent"]
    with subprocess.Popen(
        [*command, "--seed", str(tmp_path / "seed")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        endpoint = process.stdout.readline().split()[-1]
        settings = replace(live_hub.settings, endpoint=endpoint, embedded=True)
        rows = Catalog(Hub(settings)).search_models(sort="created_at", limit=3, visitor=live_hub.nobody)
        elsewhere = Catalog(Hub(replace(settings, embedded=False))).search_models(visitor=live_hub.nobody)
        process.terminate()
    assert [row["starter"] for row in rows] == [True, False, False]
    assert rows[0]["id"] == "starter/one"
    assert len(elsewhere) == 5
    assert not any(row["starter"] for row in elsewhere)


def test_a_gated_model_says_what_to_do(catalog: Catalog, put: Callable[..., str], live_hub: Any) -> None:
    repo = put("pick-gated", {"architectures": ["BertModel"], "model_type": "bert"}, {"model.safetensors": weights(5)})
    catalog.hub.api.update_repo_settings(repo, gated="manual", token=live_hub.ada.token)
    facts = catalog.model_facts(repo, visitor=live_hub.bob)
    assert facts["gated"] == "manual"
    assert facts["family"] == "encoder"
    assert any("accept its conditions on its page on the Hub, then sign in" in reason for reason in facts["refusals"])
    assert catalog.model_facts(repo, visitor=live_hub.ada)["refusals"] == []


def test_a_model_that_does_not_fit_its_task_is_explained_with_others_that_do(
    catalog: Catalog, live_hub: Any, masked: str, classifier: str
) -> None:
    facts = catalog.model_facts(masked, task="sentiment-analysis", visitor=live_hub.nobody)
    assert facts["fit"] == (
        f"{masked} is a fill-mask model (BertForMaskedLM): it has no classification head, so text-classification "
        "would give chance."
    )
    assert classifier in facts["alternatives"]
    assert masked not in facts["alternatives"]
    fitting = catalog.model_facts(classifier, task="text-classification", visitor=live_hub.nobody)
    assert (fitting["fit"], fitting["alternatives"]) == (None, [])
    with pytest.raises(WorkbenchError, match="no task") as refused:
        catalog.model_facts(masked, task="mind-reading", visitor=live_hub.nobody)
    assert refused.value.field == "task"


def test_a_task_that_the_card_states_counts_more_than_the_architecture(
    catalog: Catalog, put: Callable[..., str], live_hub: Any
) -> None:
    card = "---\npipeline_tag: zero-shot-classification\n---\n"
    config = {"architectures": ["BartForSequenceClassification"], "id2label": {"0": "entailment"}}
    repo = put("pick-stated", config, {"README.md": card})
    facts = catalog.model_facts(repo, visitor=live_hub.nobody)
    assert facts["task"] == "zero-shot-classification"
    assert facts["tasks"] == ["text-classification", "zero-shot-classification"]


@pytest.mark.parametrize(
    ("files", "config", "said"),
    [
        ({}, {}, "no model.safetensors"),
        ({"pytorch_model.bin": 5}, {}, "pytorch_model.bin, a format that can run code"),
        ({"adapter_model.safetensors": 5}, {}, "adapter only"),
        ({"model-Q4.gguf": 5}, {}, "GGUF"),
        ({"onnx/model.onnx": 5}, {}, "ONNX"),
        ({"model.safetensors": 5}, {"auto_map": {"AutoModel": "x.Y"}}, "code of its own"),
        ({"model.safetensors": 5}, {"text_config": [{"auto_map": {"AutoModel": "x.Y"}}]}, "code of its own"),
        ({"model.safetensors": 5}, {"attn_implementation": "someone/kernel"}, "code of its own"),
        (
            {"model.safetensors": 5},
            {"vision_config": {"_attn_implementation_internal": {"": "a/b"}}},
            "code of its own",
        ),
        ({"model.safetensors": 5}, {"quantization_config": {"quant_method": "gptq"}}, "quantized"),
        ({"model.safetensors": 9 * GB}, {}, "Choose a smaller model"),
        ({"model.safetensors": 5, "tokenizer.json": 60 * MB}, {}, "tokenizer.json takes 60 MB"),
        ({"model.safetensors": 5} | {f"{n}.txt": 1 for n in range(300)}, {}, "301 files"),
    ],
)
def test_a_model_that_is_not_opened_says_why(files: dict[str, int], config: dict[str, Any], said: str) -> None:
    reasons = model_refusals(files, config, Settings(home=Path("."), cache=Path(".")))
    assert len(reasons) == 1
    assert said in reasons[0]
    assert reasons[0].endswith(".")


@pytest.mark.parametrize(
    "config", [None, {}, {"attn_implementation": "sdpa"}, {"_attn_implementation": "eager"}, {"auto_map": None}]
)
def test_a_configuration_without_code_is_let_through(config: Any) -> None:
    assert not custom_code(config)


def test_a_deeply_nested_configuration_is_looked_through() -> None:
    config: dict[str, Any] = {"auto_map": {"AutoModel": "x.Y"}}
    for _ in range(50_000):
        config = {"inner": config}
    assert custom_code(config)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
        ('{"a":' * 500 + "1" + "}" * 500, "not a JSON object"),
        ('"' + "x" * 6 * MB + '"', "6 MB"),
    ],
)
def test_a_broken_configuration_is_a_refusal_and_no_failure(
    catalog: Catalog, put: Callable[..., str], live_hub: Any, config: str, said: str
) -> None:
    repo = put(f"pick-broken-{len(config)}-{ord(config[0])}", config, {"model.safetensors": weights(5)})
    facts = catalog.model_facts(repo, visitor=live_hub.nobody)
    assert [reason for reason in facts["refusals"] if said in reason]
    assert facts["family"] is None


def test_a_private_model_is_known_to_its_owner_alone(
    catalog: Catalog, put: Callable[..., str], live_hub: Any, masked: str
) -> None:
    repo = put("pick-private", {"architectures": ["BertModel"]}, {"model.safetensors": weights(7)}, private=True)
    catalog.hub.model(repo, visitor=live_hub.ada)
    assert catalog.model_facts(repo, visitor=live_hub.ada)["cached"]
    with pytest.raises(WorkbenchError, match="has no ada/pick-private"):
        catalog.model_facts(repo, visitor=live_hub.bob)


def test_a_revision_is_judged_as_it_was(catalog: Catalog, put: Callable[..., str], live_hub: Any) -> None:
    repo = put("pick-revised", {"architectures": ["BertModel"]})
    first = catalog.model_facts(repo, visitor=live_hub.ada)["commit"]
    catalog.hub.api.upload_file(
        path_or_fileobj=b'{"architectures": ["GPT2LMHeadModel"]}',
        path_in_repo="config.json",
        repo_id=repo,
        token=live_hub.ada.token,
    )
    catalog.hub.forget()
    assert catalog.model_facts(repo, visitor=live_hub.ada)["family"] == "decoder"
    assert catalog.model_facts(repo, first, visitor=live_hub.ada)["family"] == "encoder"


def test_a_model_of_this_machine_has_the_same_facts(hub: Hub, live_hub: Any, tmp_path: Path) -> None:
    local = Hub(live_hub.settings)
    local.add_namespace("runs", lambda name, visitor: Snapshot(f"runs/{name}", "0" * 40, tmp_path))
    (tmp_path / "config.json").write_text('{"architectures": ["BertForMaskedLM"], "dtype": "float32"}')
    (tmp_path / "model.safetensors").write_bytes(weights(10))
    there = Catalog(local).model_facts("runs/x", task="text-classification", visitor=live_hub.ada)
    assert there.keys() == Catalog(hub).model_facts("ada/pick-masked", visitor=live_hub.ada).keys()
    assert (there["task"], there["family"], there["cached"]) == ("fill-mask", "encoder", True)
    assert "runs/x is a fill-mask model" in there["fit"]


@pytest.mark.parametrize(
    ("parameters", "size", "limit", "fits", "said"),
    [
        (1000, None, 8 * GB, True, "64 MB of memory in float32"),
        (None, 100 * MB, 8 * GB, True, "164 MB"),
        (3 * 10**9, None, 8 * GB, False, "Models of more than 8 GB are not loaded here"),
        (10**12, None, 10**15, False, "Choose a smaller model, or close other programs first"),
    ],
)
def test_memory_is_told_in_figures(parameters: int | None, size: int | None, limit: int, fits: bool, said: str) -> None:
    found = memory.memory_of(parameters, size, Settings(home=Path("."), cache=Path("."), model_bytes=limit))
    assert found is not None
    assert found.fits is fits
    assert said in found.told()
    assert memory.memory_of(None, None, Settings(home=Path("."), cache=Path("."))) is None


def test_only_models_that_fit_are_listed_when_asked(live_hub: Any, masked: str, classifier: str) -> None:
    small = Catalog(Hub(replace(live_hub.settings, model_bytes=3000)))
    rows = small.search_models("pick-", fits=True, visitor=live_hub.nobody)
    assert [row["id"] for row in rows if row["id"] in (masked, classifier)] == [classifier]
    assert {row["id"]: row["fits"] for row in small.search_models("pick-m", visitor=live_hub.nobody)} == {masked: False}
