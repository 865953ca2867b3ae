"""What a run was made with: machine and versions, as recorded in its facts. Training process only."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

PACKAGES = ("transformers", "torch", "tokenizers", "accelerate", "huggingface_hub", "scikit-learn")


def processor(device: str) -> str:
    """The name of the GPU or of the processor."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def hardware(device: str) -> dict[str, Any]:
    """Processor, cores that may be used, memory in bytes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"processor": processor(device), "cores": cores, "memory_bytes": psutil.virtual_memory().total}


def versions() -> dict[str, str]:
    """Versions of the libraries that decide the result."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
