"""The app as a person starts it, which also tells, when asked by a signal, what its web process holds.

python -m tests.bench.inside FILE [the app's own flags]

At each SIGUSR2 it writes to FILE how many objects of each type it has, and how many entries its long containers have.
"""

from __future__ import annotations

import gc
import json
import runpy
import signal
import sys
from collections import Counter, OrderedDict, deque
from pathlib import Path
from typing import Any

from tests.bench.machine import ROOT

#: A container that is longer than this is named.
LONG = 500


def told() -> dict[str, dict[str, int]]:
    """`objects` by type, and `containers`: the entries of all long ones of a kind with a first entry of that kind."""
    gc.collect()
    objects = gc.get_objects()
    kinds = Counter(f"{type(one).__module__}.{type(one).__qualname__}" for one in objects)
    longest: Counter[str] = Counter()
    for one in objects:
        if type(one) in (dict, list, set, deque, OrderedDict) and len(one) > LONG:
            first = next(iter(one))
            such = f", such as {first[:40]!r}" if isinstance(first, str) else ""
            longest[f"{type(one).__name__} of {type(first).__name__}{such}"] += len(one)
    return {"objects": dict(kinds.most_common(400)), "containers": dict(longest)}


def main() -> None:
    """Run `app.py` with the flags that follow the file."""
    file = Path(sys.argv[1])

    def tell(*_: Any) -> None:
        part = file.with_suffix(".part")
        part.write_text(json.dumps(told()))
        part.replace(file)

    signal.signal(signal.SIGUSR2, tell)
    sys.argv = ["app.py", *sys.argv[2:]]
    runpy.run_path(str(ROOT / "app.py"), run_name="__main__")


if __name__ == "__main__":
    main()
