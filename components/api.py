"""The named endpoints: each is a function of the service, with its own arguments and its own documentation.

An endpoint takes and returns plain JSON. It is reached with `gradio_client`, with plain HTTP at `/gradio_api/call/...`
and as an MCP tool. What the service adds to its arguments here is only the visitor, found from the request.
"""

from __future__ import annotations

import functools
import inspect
import logging
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from components.api_docs import document, said_of
from components.service.errors import SORRY, WorkbenchError, tellable
from components.service.metrics import list_metrics
from components.service.visitor import Visitor
from components.service.workbench import Workbench
from components.web.visitors import visitor_of

log = logging.getLogger("workbench")

#: What a type is called in a sentence.
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "an object",
    list: "a list",
    Sequence: "a list",
    types.NoneType: "null",
}


def endpoints(bench: Workbench) -> dict[str, Callable[..., Any]]:
    """Every endpoint by its name."""

    def make_snippet(view: str, arguments: dict[str, Any] | None = None) -> dict[str, Any]:
        """Python that reproduces a view: `{"code"}`.

        Args:
            view: `pipeline`, `stages`, `tokenize`, `decode`, `finetune` ...
            arguments: What the view was made from, as its own endpoint takes it.
        """
        return {"code": bench.snippet(view, arguments or {})}

    def check_card(text: str, files: list[str] | None = None) -> dict[str, Any]:
        """Problems of a model card: `{"problems": [{"level", "line", "field", "message", "fix", "remedy"}]}`.

        Args:
            text: The whole card, front matter included.
            files: The paths of the files in its repository, if they are known: links to others are told as dead.
        """
        return {"problems": bench.cards.check(text, files)}

    def login(token: str) -> dict[str, Any]:
        """Who a token belongs to, as of `whoami`. Nothing is kept: send the token as a bearer with each call.

        Args:
            token: An access token of the Hub in use.
        """
        return bench.hub.whoami(Visitor("", token.strip() or False))

    return {
        "whoami": bench.hub.whoami,
        "login": login,
        "logout": bench.hub.sign_out,
        "snippet": make_snippet,
        "inspect_data": bench.data.inspect,
        "list_configs": bench.data.list_configs,
        "draft_card": bench.cards.draft,
        "card_sources": bench.cards.card_sources,
        "card_completeness": bench.cards.card_completeness,
        "card_results": bench.cards.card_results,
        "edit_card_results": bench.cards.edit_card_results,
        "read_eval_results": bench.cards.read_eval_results,
        "check_card": check_card,
        "validate_card": bench.cards.validate,
        "search_lists": bench.cards.search_lists,
        "edit_card": bench.cards.edit_card,
        "diff_card": bench.cards.diff_card,
        "merge_card": bench.cards.merge_card,
        "add_card_example": bench.cards.add_example,
        "publish_run": bench.publisher.publish_run,
        "push_card": bench.publisher.push_card,
        "rebase_card": bench.publisher.rebase_card,
        "share_run": bench.sharing.share_run,
        **_run_endpoints(bench),
        **_model_endpoints(bench),
        **_token_endpoints(bench),
        **_hub_endpoints(bench),
    }


def _model_endpoints(bench: Workbench) -> dict[str, Callable[..., Any]]:
    """What one does with a model in the playground: find it, know it, run it."""
    return {
        "search_models": bench.catalog.search_models,
        "model_facts": bench.catalog.model_facts,
        "about_model": bench.about.about_model,
        "run_task": bench.inference.run_task,
        "run_stages": bench.inference.run_stages,
        "generation_steps": bench.generation.generation_steps,
        "score_text": bench.generation.score_text,
        "hidden_states": bench.generation.hidden_states,
        "run_batch": bench.batch.run_batch,
        "compare_models": bench.compare.compare_models,
        "run_remote": bench.remote.run_task,
    }


def _run_endpoints(bench: Workbench) -> dict[str, Callable[..., Any]]:
    """What one does with fine-tuning runs, on this machine or as jobs elsewhere."""
    runs, jobs = bench.runs, bench.jobs
    return {
        "rehearse_run": runs.rehearse,
        "start_run": runs.start,
        "rerun_run": runs.rerun,
        "stop_run": runs.stop,
        "resume_run": runs.resume,
        "move_run": runs.move,
        "run_state": runs.state,
        "run_log": runs.log,
        "list_runs": runs.list,
        "compare_runs": runs.compare,
        "delete_run": runs.delete,
        "try_run": runs.try_run,
        "job_hardware": jobs.job_hardware,
        "preview_job": jobs.preview_job,
        "start_job": jobs.start_job,
        "list_jobs": jobs.list_jobs,
        "job_state": jobs.job_state,
        "job_log": jobs.job_log,
        "cancel_job": jobs.cancel_job,
    }


def _token_endpoints(bench: Workbench) -> dict[str, Callable[..., Any]]:
    """What one does with a tokenizer."""
    return {
        "tokenize": bench.tokens.tokenize,
        "decode": bench.tokens.decode,
        "collate": bench.tokens.collate,
        "render_chat": bench.tokens.render_chat,
        "search_vocabulary": bench.tokens.search_vocabulary,
        "compare_vocabularies": bench.tokens.compare_vocabularies,
        "compare_tokenizers": bench.tokens.compare_tokenizers,
    }


def _hub_endpoints(bench: Workbench) -> dict[str, Callable[..., Any]]:
    """What one does on the Hub in use: look, and look after what is one's own."""
    catalog, repositories, contents, manager = bench.catalog, bench.repositories, bench.contents, bench.manager
    return {
        "browse_hub": catalog.browse_hub,
        "search_datasets": catalog.search_datasets,
        "search_spaces": catalog.search_spaces,
        "list_metrics": list_metrics,
        "repo_info": repositories.repo_info,
        "repo_card": repositories.repo_card,
        "list_files": repositories.list_files,
        "list_commits": repositories.list_commits,
        "list_refs": repositories.list_refs,
        "list_discussions": repositories.list_discussions,
        "list_namespaces": manager.list_namespaces,
        "list_own": manager.list_own,
        "create_repo": manager.create_repo,
        "upload_files": contents.upload_files,
        "delete_file": contents.delete_file,
        "create_branch": manager.create_branch,
        "delete_branch": manager.delete_branch,
        "create_tag": manager.create_tag,
        "delete_tag": manager.delete_tag,
        "set_visibility": manager.set_visibility,
        "move_repo": manager.move_repo,
        "delete_repo": manager.delete_repo,
    }


def add_endpoints(bench: Workbench) -> None:
    """Add every endpoint to the Blocks being built."""
    for name, function in endpoints(bench).items():
        # Code is written about files, also those that a run has kept, and none of them is opened.
        made = exposed(function, bench, names_only if name == "snippet" else uploads_only)
        gr.api(document(made, name, said_of(name, function)), api_name=name)


def exposed(function: Callable[..., Any], bench: Workbench, files: Callable[[Any], Any]) -> Callable[..., Any]:
    """The function as an endpoint: its `visitor` comes from the request, its failures are sentences.

    Args:
        files: Reads the files of an argument: `uploads_only` or `names_only`.
    """
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    takes_visitor = "visitor" in signature.parameters
    public = [parameter for name, parameter in signature.parameters.items() if name != "visitor"]

    @functools.wraps(function)
    def endpoint(*values: Any) -> Any:
        *given, request = values
        with told():
            arguments = {
                parameter.name: of_its_type(parameter, hints.get(parameter.name, Any), files(value))
                for parameter, value in zip(public, given, strict=True)
            }
            if takes_visitor:
                arguments["visitor"] = visitor_of(bench.hub, request)
            return function(**arguments)

    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    endpoint.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[p.replace(annotation=hints.get(p.name, Any)) for p in public]
        + [request.replace(annotation=gr.Request)],
        return_annotation=hints.get("return", Any),
    )
    endpoint.__annotations__ = {p.name: hints.get(p.name, Any) for p in public} | {
        "request": gr.Request,
        "return": hints.get("return", Any),
    }
    del endpoint.__wrapped__  # type: ignore[attr-defined]
    return endpoint


def of_its_type(parameter: inspect.Parameter, hint: Any, value: Any) -> Any:
    """The argument, if it is of the type that its endpoint says, or its default for null.

    What is inside of an object or a list is for the endpoint to judge.

    Raises:
        WorkbenchError: It is of another type.
    """
    if value is None and parameter.default is not inspect.Parameter.empty:
        return parameter.default
    kinds = _parts(hint)
    if Any in kinds or any(_is_a(value, kind) for kind in kinds):
        return value
    expected = " or ".join(_KINDS[kind] for kind in kinds)
    raise WorkbenchError(
        f"The argument {parameter.name} has to be {expected}, as its documentation says.", field=parameter.name
    )


def _is_a(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of a type: true is no number, and a whole number is a number too."""
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, (int, float) if kind is float else kind)


def _parts(hint: Any) -> list[Any]:
    """The types that a value may have, without what is inside of them."""
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return [typing.get_origin(kind) or kind for kind in kinds]


class told:
    """A block whose failures reach the visitor as sentences, and whose defects reach the log alone."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        if error is None or isinstance(error, gr.Error) or not isinstance(error, Exception):
            return
        if (said := tellable(error)) is not None:
            raise gr.Error(said.message, print_exception=False) from None
        log.error("A defect", exc_info=error)
        raise gr.Error(SORRY, print_exception=False) from None


def uploads_only(value: Any) -> Any:
    """The argument with each uploaded file as its path and name.

    Raises:
        WorkbenchError: It names a file that was not uploaded.
    """
    return _with_files(value, _uploaded)


def names_only(value: Any) -> Any:
    """The argument with each file as its path and name, for what opens none of them."""
    return _with_files(value, str)


def _with_files(value: Any, place: Callable[[Any], str]) -> Any:
    if isinstance(value, list):
        return [_with_files(item, place) for item in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("files"), list):
        given = [
            _with_files(item if isinstance(item, dict) and "file" in item else {"file": item}, place)
            for item in value["files"]
        ]
        names = value.get("names") or [item["name"] for item in given]
        return {**value, "files": [item["file"] for item in given], "names": names}
    if "file" not in value:
        return {key: _with_files(item, place) for key, item in value.items()}
    file = value["file"]
    there, called = (file.get("path"), file.get("orig_name")) if isinstance(file, dict) else (file, None)
    path = place(there)
    return {**value, "file": path, "name": value.get("name") or called or Path(path).name}


def _uploaded(given: Any) -> str:
    path = Path(str(given)).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
        raise WorkbenchError("This is not a file that was uploaded here. Upload it first.", field="file")
    return str(path)
