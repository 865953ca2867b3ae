"""The code that changes a card does on the embedded Hub what the editor does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, ModelCard

from components.service.errors import WorkbenchError
from components.service.snippets import snippet

TEXT = "---\nlicense: mit\nwidget:\n- text: a film\n---\n# Films\n\n## Citation\n\nOld.\n\n## Uses\n\nAll.\n"
CHANGES = [
    {"field": "license", "value": "apache-2.0"},
    {"field": "widget[0].text", "value": 'He said "no"'},
    {"field": "language", "value": ["en", "de"]},
    {"section": "Citation", "text": "New.\n\n### Papers\n\nNone."},
    {"section": "Glossary", "text": "Words."},
]


def test_a_card_is_loaded_changed_and_pushed(live_hub: Any, tmp_path: Path) -> None:
    api = HfApi(endpoint=live_hub.settings.endpoint, token="hf_ada")
    api.create_repo("ada/card")
    head = api.upload_file(repo_id="ada/card", path_or_fileobj=TEXT.encode(), path_in_repo="README.md").oid
    given = {"repo": "ada/card", "changes": CHANGES, "message": "Tell more", "parent_commit": head}
    code = snippet("card", given, live_hub.settings.endpoint)
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "HF_TOKEN": "hf_ada"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    content = Path(api.hf_hub_download("ada/card", "README.md", local_dir=tmp_path)).read_text()
    card = ModelCard(content)
    assert (card.data.license, card.data.language) == ("apache-2.0", ["en", "de"])
    assert card.data["widget"] == [{"text": 'He said "no"'}]
    assert card.text.split("# Films")[1] == (
        "\n\n## Citation\n\nNew.\n\n### Papers\n\nNone.\n\n## Uses\n\nAll.\n\n## Glossary\n\nWords.\n"
    )
    assert api.list_repo_commits("ada/card")[0].title == "Tell more"


def test_without_changes_a_licence_is_set_and_a_proposal_is_said() -> None:
    code = snippet("card", {"repo": "me/films", "create_pr": True}, "https://huggingface.co")
    compile(code, "snippet", "exec")
    assert 'card.data["license"] = "apache-2.0"' in code
    assert "create_pr=True" in code
    assert "HF_ENDPOINT" not in code


def test_results_are_left_to_what_does_not_merge_them() -> None:
    code = snippet("card", {"changes": [{"field": "model-index[0].name", "value": "A"}]}, "https://huggingface.co")
    compile(code, "snippet", "exec")
    assert "EvalResult" in code


@pytest.mark.parametrize(
    "changes",
    [5, "x", {"a": 1}, [5], [{}], [{"field": "a["  , "value": 1}], [{"field": 5, "value": 1}],
     [{"section": 5, "text": "a"}], [{"section": "A", "text": 5}], [{"field": "a", "value": 1, "b": 2}], [{}] * 60],
)  # fmt: skip
def test_changes_of_another_form_are_refused(changes: Any) -> None:
    with pytest.raises(WorkbenchError):
        snippet("card", {"changes": changes}, "https://huggingface.co")


@pytest.mark.parametrize("value", ['"); import os; os.system("ls', "\n", "'''", "\\", "{x}", "\u202e"])
def test_values_stay_values(value: str) -> None:
    changes = [{"field": "license", "value": value}, {"section": f"A {value}".strip(), "text": value}]
    code = snippet("card", {"repo": value, "changes": changes, "message": value}, "https://huggingface.co")
    names = compile(code, "snippet", "exec").co_names
    assert set(names) <= {"re", "huggingface_hub", "ModelCard", "load", "card", "data", "text", "write_under",
                          "push_to_hub", "commit", "str", "result", "print"}  # fmt: skip
