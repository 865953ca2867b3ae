"""What counts at a start: flags before the environment, the environment before the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.service.settings import HUGGING_FACE, PUBLIC_LIMITS, Settings, read_settings

SPACE = {"SPACE_ID": "ada/space"}
CASES: list[tuple[dict[str, str], dict[str, Any], dict[str, Any]]] = [
    ({}, {}, {"hub": "auto", "endpoint": HUGGING_FACE, "host": "127.0.0.1", "port": None, "public": False}),
    ({}, {}, {"mcp": False, "root_path": "", "share": False, "zero_gpu": False, "space_hosts": ()}),
    ({"HF_ENDPOINT": "http://hub.lab/"}, {}, {"endpoint": "http://hub.lab"}),
    ({"HF_ENDPOINT": "http://hub.lab"}, {"hub": "http://other/"}, {"endpoint": "http://other", "hub": "http://other/"}),
    ({"HF_ENDPOINT": ""}, {"hub": "local"}, {"endpoint": HUGGING_FACE, "hub": "local"}),
    ({"HF_HOME": "/models"}, {}, {"cache": Path("/models/hub")}),
    ({"HF_HOME": "/models", "HF_HUB_CACHE": "/kept"}, {}, {"cache": Path("/kept")}),
    ({"XDG_CACHE_HOME": "/caches"}, {}, {"cache": Path("/caches/huggingface/hub")}),
    ({"XDG_CACHE_HOME": "/caches", "HF_HOME": "/models"}, {}, {"cache": Path("/models/hub")}),
    ({"HF_HUB_OFFLINE": "1"}, {}, {"hub": "local"}),
    ({"TRANSFORMERS_OFFLINE": "ON"}, {}, {"hub": "local"}),
    ({"HF_HUB_OFFLINE": "0"}, {}, {"hub": "auto"}),
    ({"HF_HUB_OFFLINE": "1"}, {"hub": "auto"}, {"hub": "auto"}),
    ({"WORKBENCH_HOME": "/work/here"}, {}, {"home": Path("/work/here")}),
    ({"WORKBENCH_HOME": "/work/here"}, {"home": "/work/there"}, {"home": Path("/work/there")}),
    ({"GRADIO_SERVER_NAME": "::1", "GRADIO_SERVER_PORT": "80"}, {}, {"host": "::1", "port": 80, "public": False}),
    ({"GRADIO_SERVER_NAME": "0.0.0.0"}, {}, {"public": True, "upload_bytes": PUBLIC_LIMITS["upload_bytes"]}),
    ({"GRADIO_SERVER_NAME": "0.0.0.0"}, {"host": "localhost"}, {"public": False, "upload_bytes": 200_000_000}),
    ({"GRADIO_SERVER_PORT": "80"}, {"port": "81"}, {"port": 81}),
    ({}, {"host": "example.org"}, {"public": True}),
    ({}, {"share": True}, {"public": True, "share": True}),
    ({"GRADIO_ROOT_PATH": "/a"}, {}, {"root_path": "/a"}),
    ({"GRADIO_ROOT_PATH": "/a"}, {"root_path": "/b"}, {"root_path": "/b"}),
    ({"GRADIO_MCP_SERVER": "True"}, {}, {"mcp": True}),
    ({"GRADIO_MCP_SERVER": "false"}, {}, {"mcp": False}),
    ({"GRADIO_MCP_SERVER": "false"}, {"mcp": True}, {"mcp": True}),
    (SPACE, {}, {"host": "0.0.0.0", "public": True, "zero_gpu": False}),
    ({**SPACE, "SPACES_ZERO_GPU": "true"}, {}, {"zero_gpu": True}),
    ({**SPACE, "SPACE_HOST": "a.hf.space, own.org"}, {}, {"space_hosts": ("a.hf.space", "own.org")}),
]


@pytest.mark.parametrize(("environ", "flags", "expected"), CASES)
def test_flags_count_before_the_environment_and_that_before_the_defaults(
    environ: dict[str, str], flags: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = read_settings(environ, flags)
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("environ", "flags", "named"),
    [
        ({}, {"hub": "hub.lab"}, "--hub must be auto, local or an address"),
        ({"GRADIO_SERVER_PORT": "eighty"}, {}, "eighty"),
        ({}, {"port": "70000"}, "70000"),
        ({"WORKBENCH_REMOTE": "gpu"}, {}, "WORKBENCH_REMOTE"),
        ({"WORKBENCH_PRECISION": "int4"}, {}, "WORKBENCH_PRECISION"),
    ],
)
def test_a_setting_that_cannot_be_is_named(environ: dict[str, str], flags: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read_settings(environ, flags)


def test_settings_that_are_printed_hold_no_token() -> None:
    assert "hf_secret" not in repr(Settings(home=Path("/"), cache=Path("/"), machine_token="hf_secret"))
