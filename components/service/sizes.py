"""Sizes in bytes: the units that limits are set in, and how people read them. All in powers of ten, as on the Hub."""

from __future__ import annotations

KB, MB, GB = 10**3, 10**6, 10**9


def in_units(number: float) -> str:
    """A size in bytes as people read it: 2500000 is `2.5 MB`, 64000000 is `64 MB`."""
    for unit, name in ((GB, "GB"), (MB, "MB"), (KB, "kB")):
        if number >= unit:
            return f"{number / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{number:g} bytes"
