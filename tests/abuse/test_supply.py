"""What comes with the app: every package pinned to what was tested, and no code that runs what it reads."""

from __future__ import annotations

import ast
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
FILES = sorted([ROOT / "app.py", *(ROOT / "components").rglob("*.py")])
#: Below these are holes that are known: code run from a checkpoint, an index that climbs out, a request to any address,
#: a cookie that can be forged.
FLOORS = {
    "torch": "2.10",
    "accelerate": "1.15",
    "gradio": "6.20",
    "datasets": "5.2",
    "transformers": "5.3",
    "pillow": "12.1",
}


def requirements(name: str) -> dict[str, str]:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-"))]
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([0-9][\w.]*)", line) for line in lines]
    assert all(found), [line for line, one in zip(lines, found, strict=True) if not one]
    return {one[1].lower().replace("_", "-"): one[2] for one in found if one}


@pytest.mark.parametrize("name", ["requirements.txt", "tests/requirements.txt"])
def test_every_package_is_pinned_to_what_is_tested(name: str) -> None:
    for package, pinned in requirements(name).items():
        assert Version(version(package)).public == pinned, package


def test_no_package_is_older_than_a_hole_that_is_known() -> None:
    pinned = requirements("requirements.txt")
    assert {name for name, floor in FLOORS.items() if Version(pinned[name]) < Version(floor)} == set()


def _calls(file: Path) -> list[tuple[str, dict[str, ast.expr]]]:
    """Every call of a file: what is called, as it stands there, and its named arguments."""
    calls = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
    return [(ast.unparse(one.func), {word.arg: word.value for word in one.keywords if word.arg}) for one in calls]


def _false(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and value.value is False


def test_nothing_unpickles_runs_code_of_a_repository_or_a_shell() -> None:
    found = []
    for file in FILES:
        text = file.read_text()
        found += [f"{file.name}: imports {name}" for name in ("pickle", "dill", "joblib", "marshal", "shelve")
                  if re.search(rf"^\s*(import|from) {name}\b", text, re.M)]  # fmt: skip
        for called, named in _calls(file):
            trusting = "trust_remote_code" in named and not _false(named["trust_remote_code"])
            unsafe = called.endswith("torch.load") and not (
                isinstance(named.get("weights_only"), ast.Constant) and ast.unparse(named["weights_only"]) == "True"
            )
            shell = "shell" in named or called in (
                "os.system",
                "os.popen",
                "eval",
                "exec",
                "yaml.load",
                "jinja2.Template",
            )
            found += [f"{file.name}: {called}"] if trusting or unsafe or shell else []
    assert found == []
