"""Each benchmark in a process of its own, so that none inherits another one's memory, threads or warm caches."""

from __future__ import annotations

import importlib
import traceback
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.bench.table import Curve, Row


@dataclass(frozen=True)
class Measured:
    """What one benchmark told, or how it broke."""

    rows: list[Row] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    broken: str = ""


def run_apart(name: str, rounds: int) -> Measured:
    """The benchmark of this name, in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_run, name, rounds).result()


def _run(name: str, rounds: int) -> Measured:
    try:
        module = importlib.import_module(f"tests.bench.{name}")
        rows = module.measure(rounds) if hasattr(module, "measure") else []
        return Measured(rows, module.curves(rounds) if hasattr(module, "curves") else [])
    except Exception:  # noqa: BLE001  whatever breaks one benchmark, the others are still told
        return Measured(broken=traceback.format_exc())
