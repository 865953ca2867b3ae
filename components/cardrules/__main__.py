"""Take the snapshots that come from the Hub's own packages anew: tasks, libraries, languages.

    npm pack @huggingface/tasks @huggingface/languages
    python -m components.cardrules tasks/package languages/package 2026-11

The first makes two archives, to be unpacked into the folders `tasks` and `languages`. Node reads the packages. Licences
and metrics have no package: `licenses.json` follows the Hub's page of licences, `metrics.json` the metrics of the
`evaluate` library; both are kept by hand.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

from components.cardrules.snapshots import FOLDER

#: ISO 639-2 has a second code for these; the Hub takes it too.
_BIBLIOGRAPHIC = {
    "alb": "sq", "arm": "hy", "baq": "eu", "bur": "my", "chi": "zh", "cze": "cs", "dut": "nl", "fre": "fr",
    "geo": "ka", "ger": "de", "gre": "el", "ice": "is", "mac": "mk", "mao": "mi", "may": "ms", "per": "fa",
    "rum": "ro", "slo": "sk", "tib": "bo", "wel": "cy",
}  # fmt: skip


def _exports(package: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """What a package exports under these names, as JSON."""
    about = json.loads((package / "package.json").read_text("utf-8"))
    code = (
        "const all = require(process.argv[1]); const found = {};"
        "for (const name of process.argv.slice(2)) found[name] = all[name];"
        "console.log(JSON.stringify(found))"
    )
    entry = str((package / about["main"]).resolve())
    done = subprocess.run(["node", "-e", code, entry, *names], capture_output=True, text=True, check=True)
    return {**json.loads(done.stdout), "source": f"{about['name']} {about['version']}"}


def _write(name: str, date: str, source: str, items: dict[str, Any], **more: Any) -> None:
    content = {"date": date, "source": source, **more, "items": items}
    (FOLDER / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n", "utf-8")


def _tasks(package: Path, date: str) -> None:
    found = _exports(package, ("PIPELINE_DATA", "MODEL_LIBRARIES_UI_ELEMENTS"))
    tasks = {
        tag: {
            "name": about["name"],
            "modality": about["modality"],
            "subtasks": {one["type"]: one["name"] for one in about.get("subtasks", [])},
        }
        for tag, about in found["PIPELINE_DATA"].items()
    }
    _write("tasks", date, found["source"], tasks)
    libraries = {key: about["prettyLabel"] for key, about in sorted(found["MODEL_LIBRARIES_UI_ELEMENTS"].items())}
    _write("libraries", date, found["source"], libraries)


def _languages(package: Path, date: str) -> None:
    found = _exports(package, ("LANGUAGES_ISO_639_1", "LANGUAGES_ISO_639_3"))
    short, long = found["LANGUAGES_ISO_639_1"], found["LANGUAGES_ISO_639_3"]
    names = {code: about["name"] for code, about in [*sorted(short.items()), *sorted(long.items())]}
    native = {code: about["nativeName"] for code, about in sorted(short.items()) if about.get("nativeName")}
    _write("languages", date, found["source"], names, native=native, bibliographic=_BIBLIOGRAPHIC)


def main() -> None:
    """Write the snapshots from the packages named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m components.cardrules", description=__doc__)
    parser.add_argument("tasks", type=Path, help="folder of the unpacked package @huggingface/tasks")
    parser.add_argument("languages", type=Path, help="folder of the unpacked package @huggingface/languages")
    parser.add_argument("date", help="year and month, such as 2026-11")
    given = parser.parse_args()
    _tasks(given.tasks, given.date)
    _languages(given.languages, given.date)


if __name__ == "__main__":
    main()
