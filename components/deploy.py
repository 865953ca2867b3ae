"""Put the app on the Hub as a Space: `python -m components.deploy OWNER/NAME`.

The Space gets the files that git tracks here, without the tests, in one commit; what is gone here goes there, too. The
Hub takes no binary file into git, so all of them are sent as large files, which git here keeps as they are.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

ROOT = Path(__file__).parent.parent
#: What a Space has no use for.
LEFT_OUT = ("tests/", ".ci/", ".gitignore")
ATTRIBUTES = ".gitattributes"
_LARGE = "filter=lfs diff=lfs merge=lfs -text"
#: ZeroGPU as the Hub names it, and a Python that it has: that of the front matter is none.
ZERO_GPU = "zero-a10g"
_ZERO_GPU_PYTHON = "3.12"


def tracked(root: Path) -> list[str]:
    """The paths that git tracks below `root` and that belong into a Space.

    Raises:
        SystemExit: `root` is no checkout.
    """
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, check=False)
    if listed.returncode:
        raise SystemExit(
            f"{root} is not a git checkout: only what git tracks is sent. Clone the project, and try again."
        )
    names = listed.stdout.decode().split("\0")
    return [name for name in names if name and not name.startswith(LEFT_OUT) and (root / name).is_file()]


def is_binary(file: Path) -> bool:
    """Whether a file is none of text, as git and the Hub see it: by a zero byte, or by bytes that are no UTF-8."""
    content = file.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError:
        return True
    return b"\0" in content[:8000]


def stage(root: Path, folder: Path, hardware: str | None = None) -> None:
    """Copy what belongs into a Space into an empty folder, with attributes that make a large file of each binary, and
    a front matter that names a Python which the hardware has."""
    names = tracked(root)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, folder / name)
    kinds = {f"*{Path(name).suffix}" if Path(name).suffix else name for name in names if is_binary(root / name)}
    (folder / ATTRIBUTES).write_text("".join(f"{kind} {_LARGE}\n" for kind in sorted(kinds)))
    if hardware == ZERO_GPU:
        readme = (folder / "README.md").read_text()
        named = re.sub(r"^python_version: .*$", f'python_version: "{_ZERO_GPU_PYTHON}"', readme, count=1, flags=re.M)
        (folder / "README.md").write_text(named)


def deploy(
    api: HfApi,
    repo: str,
    root: Path = ROOT,
    hardware: str | None = None,
    variables: dict[str, str] | None = None,
    *,
    private: bool = False,
) -> str:
    """Create the Space if it is not there, and bring it up to date; returns its address.

    Args:
        api: A client with a token that may write to the namespace.
        repo: `owner/name`.
        root: The checkout.
        hardware: What a new Space runs on, as the Hub names it; two processors if not given. ZeroGPU has to be named at
            every deployment.
        variables: What a new Space finds in its environment, for everybody to read.
        private: Whether a new Space is seen by its owner alone.
    """
    address = api.create_repo(
        repo,
        repo_type="space",
        space_sdk="gradio",
        space_hardware=hardware,
        space_variables=[{"key": name, "value": value} for name, value in (variables or {}).items()],
        private=private,
        exist_ok=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        stage(root, Path(folder), hardware)
        api.upload_folder(
            repo_id=repo,
            repo_type="space",
            folder_path=folder,
            delete_patterns="*",
            commit_message="Bring the app up to date",
        )
    return str(address)


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"{text!r} is no variable: write NAME=VALUE")
    return name, value


def main(arguments: Sequence[str] | None = None) -> int:
    """Deploy as the command line says; the token is that of `hf auth login`, or HF_TOKEN."""
    parser = argparse.ArgumentParser(prog="python -m components.deploy", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("repo", metavar="OWNER/NAME", help="the Space; created if it is not there")
    parser.add_argument("--private", action="store_true", help="a new Space is seen by its owner alone")
    parser.add_argument("--hardware", help="what a new Space runs on, such as cpu-upgrade or zero-a10g (ZeroGPU)")
    parser.add_argument(
        "--variable",
        action="append",
        default=[],
        type=_variable,
        metavar="NAME=VALUE",
        help="a variable of a new Space, such as GRADIO_MCP_SERVER=true; may be given more than once",
    )
    given = parser.parse_args(arguments)
    try:
        address = deploy(
            HfApi(), given.repo, hardware=given.hardware, variables=dict(given.variable), private=given.private
        )
    except HFValidationError:
        raise SystemExit(f"{given.repo} is no name of a Space. Give it as OWNER/NAME.") from None
    except HfHubHTTPError as error:
        raise SystemExit(f"The Hub refused: {error.server_message or error}. Sign in with: hf auth login") from None
    sys.stdout.write(f"{address}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
