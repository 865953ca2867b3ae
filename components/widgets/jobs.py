"""Jobs on Hugging Face's machines: what would be sent, and how one stands."""

from __future__ import annotations

from typing import Any

from components.widgets.html import duration, escape, facts, notice

_LINES = 200


def job_line(machine: dict[str, Any]) -> str:
    """A machine in a list: what it is, and what an hour of it costs."""
    price = machine["usd_per_hour"]
    parts = [machine["title"], machine["gpu"], f"{price:.2f} $ an hour" if price is not None else None]
    return " · ".join(part for part in parts if part)


def preview_view(made: dict[str, Any]) -> str:
    """The answer of `/preview_job`."""
    cost = made["most_usd"]
    stated = facts(
        [
            ("Hardware", made["flavor"]),
            ("Ends after", duration(made["timeout_seconds"])),
            ("Costs at the most", f"{cost:.2f} $" if cost is not None else "not told by the Hub"),
            ("Model goes to", made["repo"]),
            ("Image", made["image"]),
            ("Secrets", ", ".join(made["secrets"])),
        ]
    )
    command = made["command"]
    text = command if isinstance(command, str) else " ".join(map(str, command))
    return f'{stated}<pre class="wb-json" tabindex="0">{escape(text)}</pre>'


def job_view(job: dict[str, Any], lines: list[str]) -> str:
    """A job as of `/job_state`, with the end of its log."""
    stated = facts(
        [
            ("Job", job["job"]),
            ("Status", job["status"]),
            ("Hardware", job["flavor"]),
            ("Time", duration(job["seconds"])),
            ("Model", job["model"]),
        ]
    )
    log = "\n".join(lines[-_LINES:])
    shown = f'<pre class="wb-json wb-log" tabindex="0">{escape(log)}</pre>' if log else ""
    link = f'<p class="wb-lead"><a href="{escape(job["address"])}" target="_blank" rel="noopener">On the Hub</a></p>'
    return (
        stated + (notice(job["message"]) if job["message"] else "") + (link if _is_web(job["address"]) else "") + shown
    )


def _is_web(address: Any) -> bool:
    return isinstance(address, str) and address.startswith(("https://", "http://"))
