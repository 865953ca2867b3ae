"""A call of each endpoint, as the page of the API and MCP show it.

They stand in an order in which they can be made one after the other on the embedded Hub, as its first user.
"""

from __future__ import annotations

from typing import Any

_CARD = "---\nlicense: mit\npipeline_tag: text-classification\n---\n# Films\n"
_CARD_2 = _CARD.replace("mit", "apache-2.0")
_TEXT = "I love this film!"
_MODEL, _ENCODER, _WRITER = "starter/sentiment", "starter/encoder", "starter/stories"
_REPO = "me/try"
_CSV = "text,label\nwarm and funny,good\ndull and long,bad\na joy to watch,good\na waste of time,bad\n"
_SPEC = {"task": "text-classification", "model": _ENCODER, "data": {"dataset": "starter/reviews"}, "epochs": 1}
#: Stands for the id of a run, of a job, or of a commit.
_RUN, _JOB, _COMMIT = "r0123456789abcdef0123456789abcd", "0123456789abcdef01234567", "0123456789abcdef0123"

EXAMPLES: dict[str, dict[str, Any]] = {
    "whoami": {},
    "login": {"token": "hf_..."},
    "logout": {},
    "search_models": {"query": "sentiment", "task": "text-classification", "limit": 5},
    "model_facts": {"model": _MODEL},
    "about_model": {"model": _MODEL},
    "run_task": {"task": "text-classification", "model": _MODEL, "inputs": _TEXT},
    "run_stages": {"task": "text-classification", "model": _MODEL, "inputs": _TEXT},
    "generation_steps": {
        "task": "text-generation",
        "model": _WRITER,
        "inputs": "One day",
        "parameters": {"max_new_tokens": 3},
    },
    "score_text": {"model": _WRITER, "text": "One day a cat went home."},
    "hidden_states": {"task": "text-classification", "model": _MODEL, "inputs": _TEXT},
    "run_batch": {
        "task": "text-classification",
        "model": _MODEL,
        "rows": [_TEXT, "I hate it."],
        "gold": ["positive", "negative"],
    },
    "compare_models": {"task": "fill-mask", "models": ["starter/masks", "starter/masks-fr"], "rows": ["A [MASK]."]},
    "run_remote": {"task": "text-generation", "model": "openai/gpt-oss-20b", "inputs": "One day"},
    "tokenize": {"model": _MODEL, "text": _TEXT},
    "decode": {"model": _MODEL, "ids": [5, 6, 7]},
    "collate": {"model": _MODEL, "texts": [_TEXT, "Short."], "options": {"padding": "longest"}},
    "render_chat": {
        "model": _WRITER,
        "messages": [{"role": "user", "content": "Tell me a story."}],
        "options": {"template": "{{ messages[0].content }}"},
    },
    "search_vocabulary": {"model": _MODEL, "query": "film"},
    "compare_vocabularies": {"models": [_MODEL, _WRITER]},
    "compare_tokenizers": {"models": [_MODEL, _WRITER], "text": _TEXT},
    "snippet": {
        "view": "pipeline",
        "arguments": {"task": "text-classification", "model": _MODEL, "inputs": _TEXT},
    },
    "list_configs": {"dataset": "starter/reviews"},
    "inspect_data": {"source": {"text": _CSV}, "columns": {"text": "text", "label": "label"}},
    "rehearse_run": {"spec": _SPEC},
    "start_run": {"spec": _SPEC},
    "rerun_run": {"run_id": _RUN, "changes": {"seed": 1}},
    "stop_run": {"run_id": _RUN, "how": "best"},
    "resume_run": {"run_id": _RUN},
    "move_run": {"run_id": _RUN, "place": 1},
    "run_state": {"run_id": _RUN},
    "run_log": {"run_id": _RUN, "tail": 1000},
    "list_runs": {},
    "compare_runs": {"run_ids": [_RUN, _RUN[::-1]]},
    "try_run": {"run_id": _RUN, "texts": [_TEXT]},
    "share_run": {"run": _RUN, "repo": "me/films"},
    "publish_run": {"run": _RUN, "repo": "me/films"},
    "delete_run": {"run_id": _RUN},
    "job_hardware": {},
    "preview_job": {"spec": _SPEC, "repo": "me/films", "flavor": "cpu-basic", "hours": 0.5},
    "start_job": {"spec": _SPEC, "repo": "me/films", "flavor": "cpu-basic", "hours": 0.5},
    "list_jobs": {},
    "job_state": {"job": _JOB},
    "job_log": {"job": _JOB},
    "cancel_job": {"job": _JOB},
    "draft_card": {"run_or_model": _MODEL},
    "card_sources": {"text": _CARD, "run_or_model": _MODEL},
    "card_completeness": {"text": _CARD},
    "card_results": {"text": _CARD},
    "edit_card_results": {
        "text": _CARD,
        "rows": [{"task": "text-classification", "dataset": "starter/reviews", "metric": "accuracy", "value": 0.9}],
    },
    "read_eval_results": {
        "text": "- dataset:\n    id: starter/reviews\n    task_id: text-classification\n  value: 0.9\n"
    },
    "check_card": {"text": _CARD, "files": ["README.md"]},
    "validate_card": {"text": _CARD},
    "search_lists": {"kind": "licenses", "query": "apache"},
    "edit_card": {"text": _CARD, "changes": [{"field": "license", "value": "apache-2.0"}]},
    "diff_card": {"before": _CARD, "after": _CARD_2},
    "merge_card": {"base": _CARD, "mine": _CARD_2, "theirs": _CARD + "\nMore.\n"},
    "add_card_example": {
        "text": _CARD,
        "task": "text-classification",
        "inputs": _TEXT,
        "output": [{"label": "positive", "score": 0.99}],
    },
    "browse_hub": {"repo_type": "model", "filters": {"task": "fill-mask"}, "limit": 5},
    "search_datasets": {"query": "reviews"},
    "search_spaces": {"sdk": "gradio"},
    "list_metrics": {},
    "list_namespaces": {},
    "list_own": {"repo_type": "model"},
    "create_repo": {"repo": _REPO, "private": True},
    "push_card": {"repo": _REPO, "text": _CARD, "message": "Add a card"},
    "rebase_card": {"repo": _REPO, "text": _CARD_2, "parent_commit": _COMMIT},
    "upload_files": {
        "repo": _REPO,
        "files": [
            {"file": {"path": "/where/it/was/uploaded.txt", "meta": {"_type": "gradio.FileData"}}, "path": "a.txt"}
        ],
    },
    "repo_info": {"repo": _REPO},
    "repo_card": {"repo": _REPO},
    "list_files": {"repo": _REPO},
    "list_commits": {"repo": _REPO, "limit": 10},
    "list_refs": {"repo": _REPO},
    "list_discussions": {"repo": _REPO},
    "create_branch": {"repo": _REPO, "branch": "draft"},
    "create_tag": {"repo": _REPO, "tag": "v1", "message": "The first"},
    "delete_tag": {"repo": _REPO, "tag": "v1"},
    "delete_file": {"repo": _REPO, "path": "README.md", "revision": "draft"},
    "delete_branch": {"repo": _REPO, "branch": "draft"},
    "set_visibility": {"repo": _REPO, "private": True},
    "move_repo": {"repo": _REPO, "to": "me/tried"},
    "delete_repo": {"repo": "me/tried", "confirm": "me/tried"},
}
