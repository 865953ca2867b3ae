"""The journey where no other host can be reached: what is asked of one all the same, the system itself counts.

A network namespace of its own has the loopback interface alone. Whatever the app, its workers, trainers and the
embedded Hub send elsewhere, a question to a name server included, fails there for want of a route, and is counted.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

#: Runs in the namespace: brings loopback up, walks, and tells what was counted before, after, and after one attempt.
WALK = """
import fcntl, json, socket, struct, subprocess, sys

def counted():
    lines = [line.split() for line in open("/proc/net/snmp")]
    told = {names[0] + name: int(value) for names, values in zip(lines[::2], lines[1::2])
            for name, value in zip(names[1:], values[1:])}
    six = dict(line.split() for line in open("/proc/net/snmp6"))
    return told["Ip:OutNoRoutes"] + told["Udp:NoPorts"] + int(six["Ip6OutNoRoutes"]) + int(six["Udp6NoPorts"])

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 0x41))  # SIOCSIFFLAGS: up and running
before = counted()
command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-m", "", *sys.argv[1:]]
walked = subprocess.run(command, capture_output=True, text=True)
after = counted()
with socket.socket() as attempt:
    attempt.connect_ex(("192.0.2.1", 443))
print(json.dumps({"status": walked.returncode, "said": walked.stdout[-3000:], "sent": after - before,
                  "noticed": counted() - after}))
"""


@pytest.mark.long
def test_no_host_but_this_machine_is_asked_while_the_journey_is_walked() -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("This system lets nobody make a network namespace of their own.")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*alone, sys.executable, "-c", WALK, "tests/app/test_journey.py"],
        cwd=ROOT, env=environ, capture_output=True, text=True, check=True, timeout=280,
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["status"] == 0, told["said"]
    assert told["noticed"] == 1, "an attempt to reach another host is counted"
    assert told["sent"] == 0
