"""What the app looks at before it imports what takes long: where it can listen, and which proxies are for it."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

import app as entry
from components.service.settings import Settings

HERE = Settings(home=Path("/"), cache=Path("/"))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_the_app_may_listen_at_a_name_of_this_machine(host: str) -> None:
    entry.check_address(replace(HERE, host=host))


def test_a_port_that_is_taken_and_a_host_of_nobody_are_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(SystemExit, match=rf"cannot listen at 127.0.0.1, port {port} \(Address already in use\)"):
            entry.check_address(replace(HERE, port=port))
    entry.check_address(replace(HERE, port=port))
    with pytest.raises(SystemExit, match=r"cannot listen at nobody.invalid, port any .*--host"):
        entry.check_address(replace(HERE, host="nobody.invalid"))


@pytest.mark.parametrize(
    ("environ", "spared"),
    [
        ({}, None),
        ({"NO_PROXY": "hub.lab"}, "hub.lab"),
        ({"HTTP_PROXY": "http://proxy.lab:3128"}, "localhost,127.0.0.1,::1"),
        ({"https_proxy": "http://proxy.lab:3128", "no_proxy": "hub.lab"}, "hub.lab,localhost,127.0.0.1,::1"),
        ({"ALL_PROXY": "http://proxy.lab:3128", "NO_PROXY": "*"}, "*"),
    ],
)
def test_proxies_are_for_the_internet_alone(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], spared: str | None
) -> None:
    with monkeypatch.context() as there:
        for scheme in ("http", "https", "all", "no"):
            for name in (f"{scheme}_proxy", f"{scheme}_proxy".upper()):
                there.setenv(name, "")
                there.delenv(name)
        for name, value in environ.items():
            there.setenv(name, value)
        entry.ask_this_machine_directly()
        found = {entry.os.environ.get(name) for name in ("no_proxy", "NO_PROXY")} - {None}
    assert found == ({spared} if spared else set())
