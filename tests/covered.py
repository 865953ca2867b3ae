"""How much of the service its tests and the app's run through: `python -m tests.covered [arguments of pytest]`.

The worker and the training process are measured, too. They inherit no variable of the environment and are killed when
they are done, so each process of this virtual environment counts by itself while the command runs, through a `.pth`
file that is taken away at the end, and writes what it has counted once a second.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import coverage

ROOT = Path(__file__).parent.parent
#: Least share of the lines of the service, in percent.
GOAL = 90
HOOK = """
import atexit, threading, time
import coverage

def begin(folder, source):
    counted = coverage.Coverage(data_file=folder + "/lines", data_suffix=True, source=[source], config_file=False)
    counted.set_option("run:disable_warnings", ["no-data-collected"])
    counted.start()
    atexit.register(counted.save)

    def keep():
        while True:
            time.sleep(1)
            try:
                counted.save()
            except coverage.CoverageException:  # where a test bounds its files: it is counted later
                continue

    threading.Thread(target=keep, daemon=True).start()
"""


def main(arguments: list[str]) -> int:
    """Run the tests of the service and the app, print the lines that none reached, and say whether the goal holds."""
    packages = Path(sysconfig.get_path("purelib"))
    hook, start = packages / "workbench_counted.py", packages / "workbench_counted.pth"
    with tempfile.TemporaryDirectory() as folder:
        service = str(ROOT / "components" / "service")
        hook.write_text(HOOK)
        start.write_text(f"import workbench_counted; workbench_counted.begin({folder!r}, {service!r})\n")
        try:
            tests = arguments or ["tests/service", "tests/app"]
            done = subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], cwd=ROOT, check=False)
        finally:
            start.unlink()
            hook.unlink()
        counted = coverage.Coverage(data_file=f"{folder}/lines", source=[service], config_file=False)
        counted.combine([folder])
        share = counted.report(show_missing=True, skip_covered=True)
    return done.returncode or int(share < GOAL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
