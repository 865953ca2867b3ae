"""Any arguments to any endpoint end in an answer or in a sentence: seeded here, at length with `FUZZ=100000`.

The endpoints, and the names of their parameters, are the app's own list, called as the app calls them, over a real
worker and a real embedded Hub.
"""

from __future__ import annotations

import inspect
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fuzzing import CLASSIFIER, GENERATOR, argument, uploads
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from components.api import endpoints, exposed, uploads_only
from components.service.errors import SORRY, WorkbenchError
from components.service.hub import Snapshot
from components.service.workbench import Workbench, open_workbench

ROOT = Path(__file__).parents[2]
#: How many calls are made; with more than the seeded ones they are other ones each time.
CALLS = int(os.environ.get("FUZZ", "2000"))
SEEDED = "FUZZ" not in os.environ
COOKIE = "guest-of-the-fuzz"
NEVER = ("Traceback (most", "site-packages", str(ROOT), "hf_ada", "hf_bob", COOKIE)


@dataclass(frozen=True, repr=False)
class Target:
    """The endpoints of a public app in this process, and what may stand in none of their answers."""

    calls: dict[str, Callable[..., Any]]
    parameters: dict[str, list[str]]
    uploads: Path
    never: tuple[str, ...]


@pytest.fixture(scope="module")
def target(
    live_hub: Any, hub: Any, tmp_path_factory: pytest.TempPathFactory, tiny_classifier: Path, tiny_generator: Path
) -> Iterator[Target]:
    home = tmp_path_factory.mktemp("fuzzed")
    # Limits that are soon reached, so that they are, and so that no call takes long.
    tight = replace(
        live_hub.settings, home=home, public=True, call_seconds=20.0, text_chars=2000, new_tokens=8, batch_rows=20,
        upload_bytes=100_000, data_rows=50, inspect_chars=4000, batch_cells=4000,
    )  # fmt: skip
    bench = open_workbench(tight)
    bench.hub.add_namespace("local", lambda name, visitor: _there(hub.local(f"local/{name}", visitor)))
    _fill(bench, live_hub)
    listed = endpoints(bench)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(home / "gradio"))
        yield Target(
            {name: exposed(function, bench, uploads_only) for name, function in listed.items()},
            {name: [one for one in inspect.signature(function).parameters if one != "visitor"]
             for name, function in listed.items()},
            home / "gradio",
            (*NEVER, str(home.parent)),
        )  # fmt: skip
    bench.close()


def _there(snapshot: Snapshot) -> Snapshot:
    if snapshot.id not in (CLASSIFIER, GENERATOR):
        raise WorkbenchError("There is no such model.", kind="not_found")
    return snapshot


def _fill(bench: Workbench, live_hub: Any) -> None:
    """What is there to be found: a repository of Ada's, a data set, and a private model of Bob's."""
    for name, kind, visitor, private in (
        ("ada/kept", "model", live_hub.ada, False),
        ("ada/rows", "dataset", live_hub.ada, False),
        ("bob/hidden", "model", live_hub.bob, True),
    ):
        bench.manager.create_repo(name, private, kind, visitor=visitor)
    bench.hub.api.upload_file(
        repo_id="ada/rows", repo_type="dataset", path_in_repo="train.csv", path_or_fileobj=b"text,label\na,b\nc,d\n",
        token=live_hub.ada.token,
    )  # fmt: skip


def test_every_parameter_of_the_api_has_right_values_to_spoil(target: Target) -> None:
    for endpoint, names in target.parameters.items():
        for name in names:
            argument(endpoint, name)


def fuzzed(test: Callable[..., None]) -> Callable[..., None]:
    """The test over as many examples as are asked for."""
    return settings(
        max_examples=CALLS,
        derandomize=SEEDED,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )(test)


# What the Hub remarks on a card that it takes, the Hub's client says in a warning.
@pytest.mark.filterwarnings("ignore:Warnings while validating metadata:UserWarning")
@fuzzed
@given(data=st.data())
def test_any_arguments_end_in_an_answer_or_a_sentence(
    target: Target, caplog: pytest.LogCaptureFixture, data: st.DataObject
) -> None:
    endpoint = data.draw(st.sampled_from(sorted(target.calls)), "endpoint")
    given_ = [data.draw(argument(endpoint, name), name) for name in target.parameters[endpoint]]
    if "source" in target.parameters[endpoint] and data.draw(st.booleans()):
        given_[0] = data.draw(uploads(target.uploads), "upload")
    token = data.draw(st.sampled_from(["", "hf_ada", "hf_wrong"]), "token")
    caplog.clear()
    said = outcome(target.calls[endpoint], given_, token)
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert not logged, (logged, caplog.text[-3000:])
    sent = json.dumps(given_, default=str)
    for text in (said, caplog.text):
        assert not [one for one in target.never if one in text and one not in sent], said


def outcome(call: Callable[..., Any], arguments: list[Any], token: str) -> str:
    """What comes back as text; a refusal has to be a sentence."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    request = gr.Request(headers=headers, cookies={"workbench_guest": COOKIE})
    try:
        return json.dumps(call(*arguments, request))
    except gr.Error as error:
        said = str(error.message)
        assert said != SORRY
        assert said.rstrip()[-1:] in (".", "?", ")", ":"), said
        assert len(said) < 3000, said
        return said
