"""Gradio's import, without what nobody who uses the app needs: it takes less than half the time.

Whenever Gradio is imported it parses the source of every component, and renders and writes a stub beside it, for
editors that complete names; it has no setting for that. And it imports the library of MCP wherever that is installed.
Later it takes apart the signature of a component's class for each component of the page, several times.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_STUBS = "gradio.component_meta"


class _WithoutStubs:
    """Finds the module that writes stubs, and has it note signatures in their place."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == _STUBS else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def without(module: Any) -> None:
            execute(module)
            module.create_or_modify_pyi = _note_signature

        spec.loader.exec_module = without  # type: ignore[method-assign]
        return spec


def _note_signature(component: type, *_events: Any) -> None:
    """Leave the signature of a class of components where `inspect` looks for it first (PEP 362)."""
    if (make := vars(component).get("__init__")) is not None:
        for function in (make, make.__wrapped__):
            function.__signature__ = inspect.signature(function)


def import_gradio(*, mcp: bool) -> None:
    """Import Gradio, before anything else does.

    Args:
        mcp: Whether it is to serve MCP. Without, it goes on as where the library of MCP is not installed.
    """
    absent = {} if mcp or "mcp" in sys.modules else {"mcp": None}
    sys.modules |= absent  # type: ignore[arg-type]  # None is how Python knows a module that cannot be imported
    sys.meta_path.insert(0, _WithoutStubs)
    try:
        importlib.import_module("gradio")
    finally:
        sys.meta_path.remove(_WithoutStubs)
        for name in absent:
            del sys.modules[name]
