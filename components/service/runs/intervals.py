"""How far a figure could be off by chance: 95 % intervals. Training process and worker only."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import sparse

#: Resamples drawn, and the most units that they are drawn from: more rows than that are drawn in groups.
DRAWS, UNITS = 500, 2000


def wilson(right: float, total: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a proportion (Wilson, 1927), which holds for small counts and near 0 and 1."""
    if not total:
        return (0.0, 1.0)
    p = right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total))
    return (max(0.0, middle - half), min(1.0, middle + half))


def bootstrap(
    statistics: Any, figures: Callable[[np.ndarray], Mapping[str, np.ndarray]]
) -> dict[str, tuple[float, float]]:
    """The interval of each figure over resamples of the rows (percentile bootstrap; Efron, 1979), seeded.

    Args:
        statistics: What each row adds to the sums that the figures are made of: (rows, sums), an array or a sparse one.
        figures: From such sums, (draws, sums), each figure by its name, (draws,).
    """
    rows = statistics.shape[0]
    units = min(rows, UNITS)
    if rows > units:
        places = (np.arange(rows) % units, np.arange(rows))
        statistics = sparse.csr_array((np.ones(rows), places), shape=(units, rows)) @ statistics
    draws = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), size=DRAWS)
    sums = np.asarray((statistics.T @ draws.T).T, dtype=float)
    return {name: _band(values) for name, values in figures(sums).items()}


def _band(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, (2.5, 97.5))
    return float(low), float(high)


def at_least_wilson(value: float, band: tuple[float, float], total: int) -> tuple[float, float]:
    """A band no narrower than that of a proportion among `total`: where all is right, resamples differ in nothing."""
    low, high = wilson(value * total, total)
    return min(low, band[0]), max(high, band[1])


def named(bands: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """`{NAME_low, NAME_high}` of every figure."""
    return {f"{name}_{side}": band[i] for name, band in bands.items() for i, side in enumerate(("low", "high"))}


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Element by element, 0 where there is nothing to divide by."""
    result = np.zeros(np.shape(above))
    np.divide(above, below, out=result, where=below != 0)
    return result
