"""The lines that the house is built along: who may import whom, and what the web process stays free of."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMPONENTS = ROOT / "components"
HEAVY = {"torch", "transformers", "datasets", "accelerate", "tokenizers", "sklearn"}


def imported(file: Path) -> set[str]:
    """Every module that a file imports, wherever it does, as full names."""
    package = file.relative_to(ROOT).with_suffix("").parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def files_of(*folders: str) -> list[Path]:
    return [file for folder in folders for file in sorted((COMPONENTS / folder).rglob("*.py"))]


def reaches(file: Path, *packages: str) -> list[str]:
    return sorted(
        name for name in imported(file) for package in packages if name == package or name.startswith(f"{package}.")
    )


@pytest.mark.parametrize("file", files_of("service"), ids=lambda file: str(file.relative_to(COMPONENTS)))
def test_the_service_knows_no_page(file: Path) -> None:
    above = ("gradio", "components.tabs", "components.widgets", "components.page", "components.api")
    assert reaches(file, *above, "components.localhub", "components.starter") == []


@pytest.mark.parametrize("file", files_of("tabs", "widgets"), ids=lambda file: str(file.relative_to(COMPONENTS)))
def test_tabs_and_widgets_leave_models_to_the_service(file: Path) -> None:
    assert reaches(file, *HEAVY, "huggingface_hub") == []


@pytest.mark.parametrize("file", files_of("widgets"), ids=lambda file: file.name)
def test_widgets_know_no_tab(file: Path) -> None:
    assert reaches(file, "components.tabs", "components.page") == []


@pytest.mark.parametrize("file", files_of("cardrules"), ids=lambda file: file.name)
def test_the_rules_of_cards_stand_alone(file: Path) -> None:
    above = [f"components.{part.name}" for part in COMPONENTS.iterdir() if part.is_dir() and part.name != "cardrules"]
    assert reaches(file, *above, "components.page", "components.api", "gradio", "huggingface_hub", *HEAVY) == []


@pytest.mark.parametrize("file", files_of("localhub"), ids=lambda file: file.name)
def test_the_embedded_hub_stands_alone(file: Path) -> None:
    assert reaches(file, "components.service", "gradio", "huggingface_hub", *HEAVY) == []


def test_the_web_process_imports_nothing_heavy(tmp_path: Path) -> None:
    code = f"""
import json, sys
from pathlib import Path
stubs = []
sys.addaudithook(lambda event, said: event == "open" and str(said[0]).endswith(".pyi") and stubs.append(str(said[0])))
from components.web.imports import import_gradio
import_gradio(mcp=False)
from components.service.settings import Settings
from components.service.workbench import open_workbench
from components.page import build_page
bench = open_workbench(Settings(home=Path({str(tmp_path)!r}), cache=Path({str(tmp_path)!r}), endpoint="http://127.0.0.1:9"))
build_page(bench)
bench.close()
print(json.dumps([*stubs, *sorted({{name.partition(".")[0] for name in sys.modules}} & {HEAVY | {"mcp"}!r})]))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring."""
    said = ast.get_docstring(function, clean=False) or ""
    return (function.end_lineno or 0) - function.lineno + 1 - len(said.splitlines())


def test_a_file_is_no_drawer_and_a_function_fits_a_screen() -> None:
    files = {str(file.relative_to(ROOT)): file.read_text() for file in [*files_of("."), ROOT / "app.py"]}
    assert [name for name, text in files.items() if len(text.splitlines()) > 400] == []
    functions = {
        f"{name}: {one.name}": lines_of(one)
        for name, text in files.items()
        for one in ast.walk(ast.parse(text))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > 60} == {}
