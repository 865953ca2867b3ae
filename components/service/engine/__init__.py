"""The web side of the worker process: `Engine` calls it, streams from it, and replaces it when it ends."""

from components.service.engine.engine import Engine, Lender

__all__ = ["Engine", "Lender"]
