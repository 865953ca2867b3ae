"""What comes with the app: every package pinned to what was tested, and no code that runs what it reads."""

from __future__ import annotations

import ast
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).parents[2]
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


#: Pickles the modules of a model that it has loaded itself, in memory and for its own process: nothing that came from
#: elsewhere.
OWN_PICKLES = ROOT / "components" / "service" / "worker" / "structure.py"
_PICKLING = re.compile(r"^\s*(import|from) (pickle|dill|joblib|marshal|shelve)\b", re.M)
#: Calls that run what they are given, or that fetch what a stranger's file names.
NEVER = ("os.system", "os.popen", "eval", "exec", "yaml.load", "jinja2.Template", "load_dataset", "from_template")


def _dangers(file: Path) -> list[str]:
    text = file.read_text()
    found = [f"imports {one[2]}" for one in _PICKLING.finditer(text)]
    for call in (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)):
        called, named = ast.unparse(call.func), {word.arg: word.value for word in call.keywords}
        trusting = "trust_remote_code" in named and ast.unparse(named["trust_remote_code"]) != "False"
        unpickling = called.endswith("torch.load") and ast.unparse(named.get("weights_only", call.func)) != "True"
        running = "shell" in named or called in NEVER or called.endswith((".load_dataset", ".from_template"))
        found += [f"calls {called}"] if trusting or unpickling or running else []
    return found


def test_nothing_unpickles_runs_code_of_a_repository_or_a_shell() -> None:
    files = [ROOT / "app.py", *(ROOT / "components").rglob("*.py")]
    found = {file: dangers for file in files if (dangers := _dangers(file))}
    assert found.pop(OWN_PICKLES) == ["imports pickle"]
    assert found == {}


@pytest.mark.parametrize(
    "line",
    ["import pickle", "torch.load(f)", "torch.load(f, weights_only=False)", "run('x', shell=True)", "os.system('x')",
     "AutoModel.from_pretrained(p, trust_remote_code=yes)", "datasets.load_dataset(name)", "eval(text)"],
)  # fmt: skip
def test_what_would_be_dangerous_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.py").write_text(line)
    assert _dangers(tmp_path / "a.py")
