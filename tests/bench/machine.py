"""What a measurement was made on."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import date
from importlib.metadata import version
from pathlib import Path

import psutil

# The Hub's client reads these when it is imported; the embedded Hub has no Xet storage. Each benchmark's process
# inherits them.
os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("gradio", "torch", "transformers", "tokenizers", "huggingface_hub", "datasets")
_INSTRUCTIONS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def busy() -> float:
    """The share of the processor that is taken at the moment, before anything of ours runs."""
    return psutil.cpu_percent(interval=1.0) / 100


def facts() -> dict[str, str]:
    """The commit, the machine and the versions, as names and words."""
    return {
        "date": date.today().isoformat(),
        "commit": _commit(),
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
    }


def _commit() -> str:
    """The commit that was measured, and whether files were changed since."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    return f"{commit}, with changes that were not committed" if _git("status", "--porcelain") else commit


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _processor() -> str:
    """Its name, and those instructions that decide how quick number types are."""
    lines = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in lines.items()}
    known = set(facts.get("flags", "").split())
    has = [name for name in _INSTRUCTIONS if name in known]
    return f"{facts.get('model name', platform.machine())} ({', '.join(has) or 'no vector instructions named'})"
