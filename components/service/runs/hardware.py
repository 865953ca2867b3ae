"""What a run is made with: machine, memory and versions, as recorded in its facts. Training process only."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

PACKAGES = ("transformers", "torch", "tokenizers", "accelerate", "huggingface_hub", "scikit-learn")
_CGROUP = Path("/sys/fs/cgroup")
#: glibc's numbers for the size from which a block is given back to the system at once, and for what is given back of
#: the rest (malloc.h), and the largest value that they take.
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _LARGEST = -3, -1, 2**31 - 1


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


def memory() -> int:
    """Memory in use: of the GPU where there is one, else of this process, in bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.memory_reserved())
    return int(psutil.Process().memory_info().rss)


def peak_memory() -> int:
    """The most memory that was in use: of the GPU where there is one, else of this process, in bytes."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def memory_at_hand() -> int:
    """Memory that a run could still take, in bytes: of the GPU, or of the machine or the container it is in."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[0])
    free = psutil.virtual_memory().available
    try:
        most, used = (int((_CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no container, or one without a limit, which reads "max"
        return int(free)
    return int(min(free, most - used))


def limit_memory(most: float) -> None:
    """Let this process take no more than so many bytes for data, nor more than there is: what goes beyond is refused.

    A refusal ends the run with a sentence; without it the system would kill some process, not always the right one. A
    GPU's driver reserves too much for such a limit.
    """
    if sys.platform == "win32" or torch.cuda.is_available():
        return
    used = psutil.Process().memory_info()
    allowed = int(min(most, memory_at_hand() + getattr(used, "data", used.vms)))
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (allowed if hard == resource.RLIM_INFINITY else min(allowed, hard), hard))


def keep_memory() -> None:
    """Let freed memory stay with this process, where the C library is glibc.

    Each step takes and frees the same large blocks; got from the system anew, each page of them is cleared first. Kept,
    a step of MiniLM took 8 % less processor time, with the same result.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGEST)
        mallopt(_TRIM_THRESHOLD, _LARGEST)
