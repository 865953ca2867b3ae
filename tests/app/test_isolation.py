"""Nobody reads what is another's: over every endpoint of the app's own list, by id, by path, by cache, by call.

Ada, who is signed in, has a private model, a private data set, a run and an upload, has used them all, so that every
cache is warm, and has had an error. Bob, who is signed in too, and a guest then ask for each of them in every way that
there is. What is hers and what never was must end in the same answer.
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from components.service.runs.groundwork import owner_key
from components.service.runs.spec import RunSpec
from components.service.runs.store import RunFolder, write_json
from components.service.settings import Settings
from components.service.visitor import Visitor

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "components/starter/repos"
#: In everything of Ada's, and in nothing else.
CANARY = "quokka7f1e"
BOB = "hf_" + secrets.token_hex(17)
TASK, STORY = "text-classification", "text-generation"
ROWS = "text,label\n" + "".join(f"{CANARY} {'good' if i % 2 else 'bad'} {i},{i % 2}\n" for i in range(40))


@dataclass(frozen=True)
class Things:
    """What a visitor may have: names of repositories and runs, a job, the paths of uploads."""

    model: str
    data: str
    run: str
    table: str
    image: str
    job: str = "f" * 24

    def spec(self, **changes: Any) -> dict[str, Any]:
        return {"task": TASK, "model": self.model, "data": {"dataset": self.data}, "epochs": 1, **changes}


#: Arguments that name what is Ada's; for an endpoint with several ways, each of them.
ASKED: dict[str, Callable[[Things], list[list[Any]]]] = {
    "model_facts": lambda t: [[t.model]],
    "about_model": lambda t: [[t.model]],
    "run_task": lambda t: [
        [TASK, t.model, "I love it"],
        ["image-classification", "starter/pictures", {"file": t.image, "name": "a.png"}],
    ],
    "run_stages": lambda t: [[TASK, t.model, "I love it"]],
    "generation_steps": lambda t: [[STORY, t.model, "Once"]],
    "score_text": lambda t: [[t.model, "Once upon"]],
    "hidden_states": lambda t: [[TASK, t.model, "I love it"]],
    "run_batch": lambda t: [
        [TASK, t.model, ["I love it"]],
        [TASK, "starter/sentiment", {"file": t.table}],
        [TASK, "starter/sentiment", {"dataset": t.data}],
    ],
    "compare_models": lambda t: [
        [TASK, [t.model, f"{t.model}@main"], ["I love it"]],
        [TASK, ["starter/sentiment", "starter/sentiment@main"], {"file": t.table}],
    ],
    "run_remote": lambda t: [[TASK, t.model, "I love it"]],
    "tokenize": lambda t: [[t.model, "I love it"]],
    "decode": lambda t: [[t.model, [5, 6, 7]]],
    "collate": lambda t: [[t.model, ["I love it"]]],
    "render_chat": lambda t: [[t.model, [{"role": "user", "content": "Hello"}]]],
    "search_vocabulary": lambda t: [[t.model, "a"]],
    "compare_vocabularies": lambda t: [[[t.model, "starter/sentiment"], "a"]],
    "compare_tokenizers": lambda t: [[[t.model, "starter/sentiment"], "I love it"]],
    "inspect_data": lambda t: [
        [{"dataset": t.data}],
        [{"file": t.table}],
        [{"files": [t.image], "names": ["a.png"]}],
        [{"text": "text,label\na,b\nc,d\n"}, None, None, t.model],
    ],
    "list_configs": lambda t: [[t.data]],
    "draft_card": lambda t: [[t.model], [t.run]],
    "card_sources": lambda t: [["# A card\n", t.model], ["# A card\n", f"runs/{t.run}"]],
    "publish_run": lambda t: [[t.run, "taken"]],
    "share_run": lambda t: [[t.run, "taken"]],
    "push_card": lambda t: [[t.model, "# Taken\n"], [t.model, "# Taken\n", "", "", True]],
    "rebase_card": lambda t: [[t.model, "# Mine\n", "a" * 40]],
    "rehearse_run": lambda t: [[t.spec()], [t.spec(model="starter/encoder", data={"file": t.table})]],
    "start_run": lambda t: [[t.spec()], [t.spec(model="starter/encoder", data={"file": t.table})]],
    "rerun_run": lambda t: [[t.run, {"seed": 1}]],
    "stop_run": lambda t: [[t.run, "discard"]],
    "resume_run": lambda t: [[t.run]],
    "move_run": lambda t: [[t.run, 1]],
    "run_state": lambda t: [[t.run]],
    "run_log": lambda t: [[t.run, 1000]],
    "compare_runs": lambda t: [[[t.run, t.run]]],
    "delete_run": lambda t: [[t.run]],
    "try_run": lambda t: [[t.run, ["a text"]]],
    "preview_job": lambda t: [[t.spec(), "mine"]],
    "start_job": lambda t: [[t.spec(), "mine"]],
    "job_state": lambda t: [[t.job]],
    "job_log": lambda t: [[t.job, 0]],
    "cancel_job": lambda t: [[t.job]],
    "repo_info": lambda t: [[t.model], [t.data, "dataset"]],
    "repo_card": lambda t: [[t.model], [t.data, "dataset"]],
    "list_files": lambda t: [[t.model], [t.data, None, "dataset"]],
    "list_commits": lambda t: [[t.model], [t.data, "dataset"]],
    "list_refs": lambda t: [[t.model], [t.data, "dataset"]],
    "list_discussions": lambda t: [[t.model], [t.data, "dataset"]],
    "upload_files": lambda t: [[t.model, []], ["mine", [{"file": t.table, "path": "a.csv"}]]],
    "delete_file": lambda t: [[t.model, "config.json"]],
    "create_branch": lambda t: [[t.model, "taken"]],
    "delete_branch": lambda t: [[t.model, "kept"]],
    "create_tag": lambda t: [[t.model, "taken"]],
    "delete_tag": lambda t: [[t.model, "kept"]],
    "set_visibility": lambda t: [[t.model, False]],
    "move_repo": lambda t: [[t.model, "taken"]],
    "delete_repo": lambda t: [[t.model, t.model]],
}
#: Lists of what is one's own or everybody's: hers are not in them, whatever is searched for.
LISTS: dict[str, list[Any]] = {
    "whoami": [],
    "logout": [],
    "list_runs": [],
    "list_jobs": [],
    "list_own": ["model", "me"],
    "list_namespaces": [],
    "search_models": [CANARY],
    "search_datasets": [CANARY],
    "search_spaces": [CANARY],
    "browse_hub": ["model", CANARY],
}
#: What takes nothing but what is sent with it, and knows nothing of anybody.
PLAIN = {
    "login", "snippet", "card_completeness", "card_results", "edit_card_results", "read_eval_results", "check_card",
    "validate_card", "search_lists", "edit_card", "diff_card", "merge_card", "add_card_example", "list_metrics",
    "create_repo", "job_hardware",
}  # fmt: skip


@pytest.fixture(scope="module")
def bob_is_there(public: Any) -> None:
    command = [sys.executable, "-m", "components.localhub", "accounts", "--root", str(public.home / "hub")]
    subprocess.run([*command, "add-user", "bob", "--token", BOB], cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="module")
def ada(public: Any, caller: Any) -> Any:
    return caller(public, (public.home / "hub" / "token").read_text())


@pytest.fixture(scope="module")
def strangers(public: Any, caller: Any, bob_is_there: None) -> dict[str, Any]:
    return {"bob": caller(public, BOB), "a guest": caller(public)}


@pytest.fixture(scope="module")
def hers(public: Any, ada: Any, tmp_path_factory: pytest.TempPathFactory) -> Things:
    """What Ada has, after she has used all of it."""
    hub = HfApi(endpoint=ada.call("whoami")["hub"], token=ada.token)
    model = shutil.copytree(SEEDS / "models/starter/sentiment", tmp_path_factory.mktemp("hers") / "model")
    (model / "README.md").write_text(f"---\nlicense: mit\npipeline_tag: {TASK}\n---\n# {CANARY}\n")
    names = f"me/{CANARY}-model", f"me/{CANARY}-data"
    for name, kind in zip(names, ("model", "dataset"), strict=True):
        hub.create_repo(name, repo_type=kind, private=True)
        hub.create_branch(name, branch="kept", repo_type=kind)
        hub.create_tag(name, tag="kept", repo_type=kind)
    hub.upload_folder(repo_id=names[0], folder_path=model)
    hub.upload_file(repo_id=names[1], repo_type="dataset", path_or_fileobj=ROWS.encode(), path_in_repo="train.csv")
    image = (ROOT / "components/service/samples/cat.png").read_bytes()
    table, picture = ada.upload(f"{CANARY}.csv", ROWS.encode()), ada.upload("cat.png", image + CANARY.encode())
    run = finished_run(public.home / "runs" / ("r" + "5e" * 15), model)
    return Things(names[0], names[1], run, table, picture)


def finished_run(path: Path, model: Path) -> str:
    """A run of Ada's as its process left it; gives its id."""
    folder = RunFolder(path)
    folder.path.mkdir(parents=True)
    spec = {"task": TASK, "model": "starter/encoder", "revision": "a" * 40, "name": CANARY, "data": {"text": ROWS}}
    folder.owner.write_text(owner_key(Visitor("user:me")))
    folder.log.write_text(f"{CANARY}\n")
    shutil.copytree(model, folder.model)
    for status in ("queued", "preparing", "running"):
        folder.append("status", status=status)
    folder.append("results", commit="b" * 40, step=5)
    folder.append("status", status="finished")
    write_json(folder.inputs, {"model": str(model), "data": {}})
    write_json(folder.spec, RunSpec.from_dict(spec, Settings(home=path, cache=path)).to_dict())
    return folder.id


def unknown(things: Things) -> Things:
    """Names of the same form and length that never were anybody's."""
    other = {name: value.replace(CANARY, "never0zzzz") for name, value in vars(things).items()}
    for name in ("table", "image"):
        folder = Path(other[name]).parent
        other[name] = str(folder.with_name("e" * len(folder.name)) / Path(other[name]).name)
    never = things.run[0] + "0" * (len(things.run) - 1)
    return Things(**{**other, "run": never, "model": other["model"].replace(things.run, never)})


def every_way(things: Things) -> list[tuple[str, list[Any], list[Any]]]:
    """Each endpoint with arguments that name what is hers, and with the same of what never was.

    Where a run stands for a model, only the ways that take a model are of interest.
    """
    never = unknown(things)
    ways = [
        (endpoint, way, other)
        for endpoint, ask in ASKED.items()
        for way, other in zip(ask(things), ask(never), strict=True)
    ]
    return [one for one in ways if not things.model.startswith("runs/") or things.model in json.dumps(one[1])]


def as_of_unknown(answer: Any, things: Things) -> str:
    """An answer with the names that were asked for taken out."""
    text = json.dumps(answer, sort_keys=True)
    never = unknown(things)
    for name in vars(things):
        for value in (getattr(things, name), getattr(never, name)):
            text = text.replace(value, name)
    return text


def test_every_endpoint_of_the_app_has_its_case(ada: Any) -> None:
    assert {*ASKED, *LISTS, *PLAIN} == set(ada.endpoints)
    assert not set(ASKED) & set(LISTS) | set(LISTS) & PLAIN | set(ASKED) & PLAIN


#: What she can do with hers, each with a word of the answer: what is refused to others is there, and in the caches.
OWN: list[tuple[str, Callable[[Things], list[Any]], str]] = [
    ("run_task", lambda t: [TASK, t.model, "I love it"], "positive"),
    ("tokenize", lambda t: [t.model, "I love it"], "love"),
    ("model_facts", lambda t: [t.model], "BertForSequenceClassification"),
    ("repo_card", lambda t: [t.model], CANARY),
    ("inspect_data", lambda t: [{"dataset": t.data}], CANARY),
    ("inspect_data", lambda t: [{"file": t.table}], CANARY),
    ("run_batch", lambda t: [TASK, "starter/sentiment", {"file": t.table}], CANARY),
    ("draft_card", lambda t: [t.model], CANARY),
    ("run_state", lambda t: [t.run], CANARY),
    ("run_log", lambda t: [t.run, 1000], "bytes"),
    ("list_runs", lambda t: [], CANARY),
    ("list_own", lambda t: ["model", "me"], CANARY),
    ("search_models", lambda t: [CANARY], CANARY),
    ("run_task", lambda t: [STORY, t.model, "I love it"], "head"),
]


def test_she_herself_can_use_what_is_hers(ada: Any, hers: Things) -> None:
    for endpoint, arguments, word in OWN:
        assert word in json.dumps(ada.call(endpoint, *arguments(hers))), endpoint


@pytest.mark.parametrize("who", ["bob", "a guest"])
def test_what_is_hers_is_to_others_as_if_it_were_not(who: str, strangers: Any, hers: Things, ada: Any) -> None:
    stranger = strangers[who]
    asked = [one for thing in (hers, replace(hers, model=f"runs/{hers.run}")) for one in every_way(thing)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda one: [stranger.call(one[0], *arguments) for arguments in one[1:]], asked))
    for (foreign, absent), (endpoint, way, _) in zip(answers, asked, strict=True):
        assert as_of_unknown(foreign, hers) == as_of_unknown(absent, hers), (endpoint, way)
        assert CANARY not in as_of_unknown(foreign, hers), (endpoint, way)
    assert ada.call("run_state", hers.run)["id"] == hers.run
    assert {branch["name"] for branch in ada.call("list_refs", hers.model)["branches"]} == {"main", "kept"}


@pytest.mark.parametrize("who", ["bob", "a guest"])
@pytest.mark.parametrize("endpoint", LISTS)
def test_no_list_names_what_is_hers(who: str, endpoint: str, strangers: Any, hers: Things) -> None:
    said = json.dumps(strangers[who].call(endpoint, *LISTS[endpoint]))
    assert CANARY not in said
    assert hers.run not in said


@pytest.mark.parametrize("who", ["bob", "a guest"])
def test_no_address_leads_to_what_is_hers(who: str, public: Any, strangers: Any, hers: Things, ada: Any) -> None:
    stranger = strangers[who].http
    task, refused = f"/inference/{TASK}", {"inputs": "I love it"}
    assert ada.http.get(f"/gradio_api/file={hers.table}").text == ROWS
    home, digest = public.home, Path(hers.table).parent.name
    for path in (
        f"/gradio_api/file={hers.table}",
        f"/gradio_api/file/{hers.table}",
        f"/gradio_api/file={hers.table}/../{Path(hers.table).name}",
        f"/gradio_api/file={hers.table.replace(digest, ''.join(f'%{ord(one):02x}' for one in digest))}",
        *(f"/gradio_api/file={file}" for file in (home / "runs" / hers.run).iterdir()),
        *(f"/gradio_api/file={home / name}" for name in ("app.log", "hub.log", "worker.log", "hub/token")),
        *(f"/gradio_api/file={file}" for file in (home / "cache").rglob("README.md")),
    ):
        answer = stranger.get(path)
        assert answer.status_code in (403, 404), path
        assert ROWS not in answer.text, path
    assert ada.http.post(f"{task}/{hers.model}", json=refused).status_code == 200
    for model in (hers.model, f"runs/{hers.run}"):
        assert stranger.post(f"{task}/{model}", json=refused).status_code == 404


def test_the_results_and_the_errors_of_a_call_are_the_caller_s(strangers: Any, hers: Things, ada: Any) -> None:
    for arguments in (["draft_card", hers.model], ["run_task", STORY, hers.model, "Once"]):
        event = ada.send(*arguments)
        never = "0" * len(event)
        for stranger in strangers.values():
            foreign = stranger.read(arguments[0], event)
            assert foreign == stranger.read(arguments[0], never)
            assert CANARY not in str(foreign)
        assert CANARY in str(ada.read(arguments[0], event))


def test_a_session_is_its_browser_s(strangers: Any, hers: Things, ada: Any) -> None:
    session = "session-of-ada"
    joined = {"data": [hers.model, None, None], "session_hash": session, "fn_index": ada.number("draft_card")}
    assert ada.http.post("/gradio_api/queue/join", json=joined).status_code == 200
    for stranger in strangers.values():
        assert CANARY not in stranger.told("/gradio_api/queue/data", session_hash=session)
    assert CANARY in ada.told("/gradio_api/queue/data", session_hash=session)


def escaped(path: str) -> bytes:
    return f'{{"file": "{"".join(f"{chr(92)}u{ord(one):04x}" for one in path)}"}}'.encode()


#: Ways to write the path of an upload in the body of a call.
HIDDEN: dict[str, Callable[[str], bytes]] = {
    "plain": lambda path: json.dumps({"file": path}).encode(),
    "as Gradio sends it": lambda path: json.dumps({"file": {"path": path, "orig_name": "a.csv"}}).encode(),
    "escaped": escaped,
    "roundabout": lambda path: json.dumps({"file": path.replace("/gradio/", "/gradio/./../gradio/")}).encode(),
}


@pytest.mark.parametrize("coding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("way", HIDDEN)
def test_the_path_of_her_upload_is_no_input_of_others(
    way: str, coding: str, strangers: Any, hers: Things, ada: Any
) -> None:
    body = b'{"data": [%s, null, null, null, null, null, null]}' % HIDDEN[way](hers.table)
    body = body.decode().encode(coding)
    assert CANARY in str(ada.send_raw("inspect_data", body))
    for stranger in strangers.values():
        assert "not a file that was uploaded here" in str(stranger.send_raw("inspect_data", body))


@pytest.mark.parametrize("view", ["finetune", "finetune_loop"])
def test_a_script_tells_of_a_runs_own_file_and_opens_none(view: str, ada: Any, hers: Things) -> None:
    for path in ("data/rows.csv", hers.table):
        data = {"file": path, "name": "films.csv"}
        spec = {"task": "text-classification", "model": "starter/sentiment", "data": data}
        told = ada.call("snippet", view, {"spec": spec, "labels": ["bad", "good"]})
        assert "films.csv" in told["code"]
        assert CANARY not in told["code"]


def test_who_uploads_the_same_file_has_it_too(strangers: Any, ada: Any) -> None:
    rows = ROWS.replace(CANARY, secrets.token_hex()).encode()
    path = ada.upload("both.csv", rows)
    assert "not a file that was uploaded here" in str(strangers["bob"].call("inspect_data", {"file": path}))
    assert strangers["bob"].upload("both.csv", rows) == path
    assert "columns" in strangers["bob"].call("inspect_data", {"file": path})
    assert "not a file that was uploaded here" in str(strangers["a guest"].call("inspect_data", {"file": path}))
