"""One frozen `Settings`, read once from an injected environment. Every limit of the app is a named field here."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

HUGGING_FACE = "https://huggingface.co"
MB = 1024**2
GB = 1024**3


@dataclass(frozen=True)
class Settings:
    """Where the app keeps its data, which Hub it uses, and what it allows.

    Attributes:
        home: Data folder: the embedded Hub, runs, uploads, caches. Created on first use.
        hub: `"auto"`, `"local"` or the address of a Hub, as asked for.
        endpoint: Address of the Hub in use, without a trailing slash. For `auto` and `local` it is known only once
            `app.py` has looked (`with_endpoint`).
        embedded: Whether the Hub in use is the one that the app itself started.
        public: Strangers may reach this app (a Space, or a host other than loopback): only a visitor's own token
            counts, and the limits are tight.
        host, port, share, root_path: Where the page is served.
        call_seconds: Longest time one inference call may take, in seconds.
        hub_seconds: Longest wait for one answer of the Hub, in seconds.
        worker_bytes: Memory that the inference worker may take for data, in bytes.
        cache_bytes: Loaded models that the worker keeps, in bytes of weights.
        model_bytes: Largest weights that are loaded, in bytes.
        model_files: Most files that a model repository may hold.
        json_bytes: Largest JSON or text file of a model that is downloaded, in bytes.
        text_chars: Longest text for one inference call, in characters.
        inspect_chars: Longest text for the tokenizer inspector, in characters.
        window_tokens: Most tokens that the inspector sends to the page at once.
        new_tokens: Most tokens that one generation may add.
        upload_bytes: Largest uploaded file, in bytes.
        data_rows: Most rows that a data set may have.
        card_bytes: Largest model card, in bytes.
        epochs: Most epochs of a run.
        batch_size: Largest batch of a run.
        sequence_tokens: Longest sequence a run may train on, in tokens.
        run_seconds: Longest time one run may take, in seconds.
        running_runs: Runs that train at the same time.
        queued_runs: Runs that one visitor may have waiting.
        free_disk_bytes: Disk space that must stay free, in bytes.
    """

    home: Path
    hub: str = "auto"
    endpoint: str = ""
    embedded: bool = False
    public: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    share: bool = False
    root_path: str = ""

    call_seconds: float = 120.0
    hub_seconds: float = 10.0
    worker_bytes: int = 12 * GB
    cache_bytes: int = 6 * GB
    model_bytes: int = 8 * GB
    model_files: int = 200
    json_bytes: int = 50 * MB
    text_chars: int = 100_000
    inspect_chars: int = 2_000_000
    window_tokens: int = 2_000
    new_tokens: int = 1024
    upload_bytes: int = 200 * MB
    data_rows: int = 1_000_000
    card_bytes: int = 200_000
    epochs: int = 100
    batch_size: int = 256
    sequence_tokens: int = 2048
    run_seconds: float = 7 * 24 * 3600.0
    running_runs: int = 1
    queued_runs: int = 20
    free_disk_bytes: int = 1 * GB


#: What a stranger on a public Space (2 cores, 16 GB) may use; the fields not named here stay as above.
PUBLIC_LIMITS: dict[str, float] = {
    "call_seconds": 30.0,
    "worker_bytes": 6 * GB,
    "cache_bytes": 2 * GB,
    "model_bytes": 2 * GB,
    "text_chars": 20_000,
    "new_tokens": 512,
    "upload_bytes": 20 * MB,
    "data_rows": 50_000,
    "epochs": 10,
    "batch_size": 64,
    "sequence_tokens": 512,
    "run_seconds": 3600.0,
    "queued_runs": 2,
}


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
