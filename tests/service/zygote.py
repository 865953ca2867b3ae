"""Runs programs, each in a process of its own that has the heavy libraries imported already.

Started once as `python zygote.py`; reads one JSON line a program, `{"code", "folder"}`, forks, and answers with one
line, `{"result"}` or `{"error"}`: what the program left in `result`, as `tensors.plain` of the worker has it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from pathlib import Path

TRAINING = re.compile(r"\b(Trainer|datasets|components\.service\.runs)\b")


def preload() -> None:
    import av  # noqa: F401
    import torch
    import transformers
    from PIL import Image  # noqa: F401
    from transformers import AutoTokenizer, BertModel, GPT2LMHeadModel, pipeline  # noqa: F401

    torch.set_num_threads(1)  # a fork may not inherit a pool of threads
    transformers.logging.set_verbosity_error()


def preload_training() -> None:
    """What programs that train or read data sets import besides; others are spared it."""
    import datasets  # noqa: F401
    import peft  # noqa: F401
    import sklearn.metrics  # noqa: F401
    from transformers import Trainer  # noqa: F401


def run(code: str, folder: str) -> str:
    from components.service.worker.tensors import plain

    os.chdir(folder)
    space: dict[str, object] = {"__name__": "__main__"}
    sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - what it prints is not asked for
    try:
        exec(compile(code, "snippet.py", "exec"), space)
        return json.dumps({"result": plain(space["result"])})
    except BaseException:  # noqa: BLE001 - told to the test, whatever it is
        return json.dumps({"error": traceback.format_exc()})


def main() -> None:
    preload()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        asked = json.loads(line)
        if TRAINING.search(asked["code"]):
            preload_training()
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "w") as sink:
                sink.write(run(asked["code"], asked["folder"]))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as source:
            answer = source.read()
        os.waitpid(child, 0)
        sys.stdout.write((answer or json.dumps({"error": "The process ended without an answer."})) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
