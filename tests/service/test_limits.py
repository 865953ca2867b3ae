"""The limits: each is a field of `Settings` with its unit, and the guide has all of them as they are."""

from __future__ import annotations

import dataclasses
import inspect
import re
from pathlib import Path

import pytest

from components.service.settings import PUBLIC_LIMITS, Settings, read_settings
from components.service.sizes import in_units

ROOT = Path(__file__).parents[2]
#: Fields that say where the app is and what it is, and bound nothing.
PLACES = {
    "home", "cache", "hub", "endpoint", "embedded", "machine_token", "public", "host", "port", "share", "root_path",
    "space_hosts", "mcp", "remote", "zero_gpu", "precision",
}  # fmt: skip
LIMITS = [one.name for one in dataclasses.fields(Settings) if one.name not in PLACES]


def described() -> dict[str, str]:
    """What the docstring of `Settings` says of each field."""
    attributes = inspect.getdoc(Settings).partition("Attributes:")[2]
    found = re.findall(r"^ {4}([\w, ]+): ((?:.|\n {8})+)", attributes, re.M)
    return {name: re.sub(r"\s+", " ", text) for names, text in found for name in names.split(", ")}


def value(name: str, limit: float) -> str:
    """A limit as the guide writes it."""
    return in_units(int(limit)) if name.endswith("_bytes") else f"{limit:,g}" if limit < 1e6 else f"{int(limit):,}"


def rows() -> list[str]:
    """The rows of the guide's table."""
    own = Settings(home=Path("/"), cache=Path("/"))
    said = described()
    return [
        f"| `{name}` | {said[name]} | {value(name, getattr(own, name))} | "
        f"{value(name, PUBLIC_LIMITS.get(name, getattr(own, name)))} |"
        for name in LIMITS
    ]


def test_the_guide_has_every_limit_with_its_meaning_and_its_two_values() -> None:
    table = (ROOT / "README.md").read_text().partition("<!-- limits -->")[2].partition("<!-- end of limits -->")[0]
    assert [line for line in table.splitlines() if line.startswith("| `")] == rows()


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_has_a_unit_and_is_no_wider_in_public(name: str) -> None:
    text, own = described()[name], getattr(Settings(home=Path("/"), cache=Path("/")), name)
    assert 0 < PUBLIC_LIMITS.get(name, own) <= own
    unit = next((one for one in ("seconds", "bytes", "chars", "pixels", "tokens") if name.endswith(f"_{one}")), "")
    assert {"chars": "characters"}.get(unit, unit) in text.lower()
    assert text.endswith(".")


def test_the_limits_fit_a_space_of_two_cores_and_16_gb() -> None:
    public = read_settings({"SPACE_ID": "ada/space"}, {})
    assert public.public
    assert public.worker_bytes + public.trainer_bytes <= 14 * 1024**3
    assert public.cache_bytes + public.model_bytes <= public.worker_bytes
    assert public.running_runs == 1
    assert public.runs_bytes + public.free_disk_bytes < 50 * 1024**3


def test_one_visitor_s_calls_leave_room_for_those_of_others() -> None:
    public = read_settings({"SPACE_ID": "ada/space"}, {})
    assert public.visitor_calls < public.calls_at_once
    assert public.visitor_worker_calls < public.worker_calls
    assert public.visitor_calls + public.nameless_calls < public.waiting_calls
