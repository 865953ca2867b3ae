"""One frozen `Settings`, read once from an injected environment. Every limit of the app is a named field here."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.service.sizes import GB, MB

HUGGING_FACE = "https://huggingface.co"
PRECISIONS = ("auto", "fp32", "bf16")


@dataclass(frozen=True)
class Settings:
    """Where the app keeps its data, which Hub it uses, and what it allows.

    Attributes:
        home: Data folder: the embedded Hub, runs, uploads, caches. Created on first use.
        cache: Cache folder for what everybody may read on the Hub in use, laid out as the Hub client does.
        hub: `"auto"`, `"local"` or the address of a Hub, as asked for.
        endpoint: Address of the Hub in use, without a trailing slash. With `auto` it is the one configured until
            `app.py` has looked whether it answers.
        embedded: Whether the Hub in use is the one that the app itself started.
        machine_token: The login of one's own machine at the Hub in use; never set in public.
        public: Strangers may reach this app (a Space, or a host other than loopback): only a visitor's own token
            counts, and the limits are tight.
        host, port, share, root_path: Where the page is served.
        mcp: The endpoints are MCP tools, too.
        precision: What models are run in on a processor: `"fp32"`; `"bf16"` where the answer is scores; or
            `"auto"`, bf16 for such answers of large models where the processor was measured quicker in it.
        space_hosts: The names that a Space is reached by, its own domains included.
        calls_at_once: Calls of one endpoint that are worked on side by side.
        waiting_calls: Calls that may wait, of all visitors together.
        visitor_calls: Calls that one visitor may have waiting or being worked on.
        nameless_calls: Calls that callers with neither a cookie nor a token may have waiting or being worked on, all of
            them together.
        address_calls: Calls that may wait or be worked on of all visitors from one address on the Internet.
        call_seconds: Longest time one inference call may take, in seconds.
        queue_seconds: Longest time one inference call may wait for its turn, in seconds.
        worker_calls: Inference calls that run side by side.
        visitor_worker_calls: Inference calls of one visitor that run side by side; more of them wait.
        address_worker_calls: Inference calls from one address that run side by side; more of them wait.
        hub_seconds: Longest wait for one answer of the Hub, in seconds.
        worker_bytes: Memory that the inference worker may take for data, in bytes.
        cache_bytes: Loaded models that the worker keeps, in bytes of weights.
        model_bytes: Largest weights that are loaded, in bytes.
        model_files: Most files that a model repository may hold.
        json_bytes: Largest JSON or text file of a model that is downloaded, in bytes.
        config_bytes: Largest config.json that is shown, in bytes.
        text_chars: Longest text for one inference call, in characters.
        texts: Most texts of one inference call.
        vector_numbers: Most numbers of the vectors of one inference call.
        media_bytes: Largest image, sound or video of one inference call, in bytes.
        image_pixels: Largest image, in pixels.
        dense_pixels: Largest image that is answered pixel by pixel (masks, depth), in pixels; others are reduced.
        enlarge_pixels: Largest image that a model may enlarge, in pixels.
        media_seconds: Longest sound or video, in seconds.
        video_pixels: Most pixels of the frames that are read of one video, all together.
        spoken_chars: Longest text that is turned into sound at once, in characters.
        batch_rows: Most rows of one batch.
        batch_seconds: Longest time one batch may take, in seconds; what is done by then is returned.
        batch_bytes: Most that the results of one batch may take, in bytes of JSON.
        remote: Address of a server that speaks the Inference API at /TASK/MODEL, such as another Workbench's
            /inference; empty for the inference providers of huggingface.co.
        compared_models: Most models that answer the same rows side by side.
        inspect_chars: Longest text for the tokenizer inspector, in characters.
        window_tokens: Most tokens that the inspector sends to the page at once.
        batch_cells: Most tokens, padding included, of a batch in the inspector.
        token_ids: Most token ids that are decoded at once.
        messages: Most messages of one conversation.
        template_seconds: Longest time a chat template may take, in seconds, its tokenizer's loading included.
        new_tokens: Most tokens that one generation may add.
        shown_steps: Most new tokens whose probabilities are shown at once.
        scored_tokens: Most tokens of a text whose loss, or whose hidden states, are shown at once.
        upload_bytes: Largest uploaded file, in bytes.
        hourly_upload_bytes: Most that one visitor, and one address, may upload within an hour, in bytes.
        data_rows: Most rows that a data set may have.
        data_images: Most image files of a data set.
        card_bytes: Largest model card, in bytes.
        epochs: Most epochs of a run.
        batch_size: Largest batch of a run.
        sequence_tokens: Longest sequence a run may train on, in tokens.
        run_seconds: Longest time one run may take, in seconds.
        running_runs: Runs that train at the same time.
        visitor_runs: Runs of one visitor that train at the same time.
        queued_runs: Runs that one visitor may have waiting.
        address_queued_runs: Runs from one address that may wait.
        waiting_runs: Runs that may wait, of all visitors together.
        trainer_bytes: Memory that one run may take for data, in bytes; never more than is free.
        rehearsal_seconds: Longest time a rehearsal of a run may take, in seconds.
        runs_bytes: Disk space that the runs of one visitor may take, all together, in bytes.
        samples: Most samples that a run, or what it trained, is tried on at once.
        compared_runs: Most runs that are put side by side.
        log_bytes: Most of a run's log that is shown at once, in bytes.
        free_disk_bytes: Disk space that must stay free, in bytes.
        fetched_bytes: Disk space of what a public app fetches from the Hub, in bytes; what was unused for longest goes.
        lent_bytes: Weights from which on a model computes on the GPU that ZeroGPU lends, in bytes.
        zero_gpu: The app runs on ZeroGPU, which lends a GPU for a minute at a time: no run is trained there.
    """

    home: Path
    cache: Path
    hub: str = "auto"
    endpoint: str = HUGGING_FACE
    embedded: bool = False
    machine_token: str | None = field(default=None, repr=False)
    public: bool = False
    host: str = "127.0.0.1"
    port: int | None = None
    share: bool = False
    root_path: str = ""
    mcp: bool = False
    precision: str = "auto"
    space_hosts: tuple[str, ...] = ()

    calls_at_once: int = 32
    waiting_calls: int = 256
    visitor_calls: int = 256
    nameless_calls: int = 256
    address_calls: int = 256
    call_seconds: float = 120.0
    queue_seconds: float = 60.0
    worker_calls: int = 4
    visitor_worker_calls: int = 256
    address_worker_calls: int = 256
    hub_seconds: float = 10.0
    worker_bytes: int = 12 * GB
    cache_bytes: int = 6 * GB
    model_bytes: int = 8 * GB
    model_files: int = 200
    json_bytes: int = 50 * MB
    config_bytes: int = 5 * MB
    text_chars: int = 100_000
    texts: int = 256
    vector_numbers: int = 4_000_000
    media_bytes: int = 50 * MB
    image_pixels: int = 50_000_000
    dense_pixels: int = 2_000_000
    enlarge_pixels: int = 262_144
    media_seconds: float = 600.0
    video_pixels: int = 200_000_000
    spoken_chars: int = 2_000
    batch_rows: int = 10_000
    batch_seconds: float = 600.0
    batch_bytes: int = 64 * MB
    remote: str = ""
    compared_models: int = 4
    inspect_chars: int = 4_000_000
    window_tokens: int = 2_000
    batch_cells: int = 1_000_000
    token_ids: int = 100_000
    messages: int = 256
    template_seconds: float = 20.0
    new_tokens: int = 1024
    shown_steps: int = 100
    scored_tokens: int = 1024
    upload_bytes: int = 200 * MB
    hourly_upload_bytes: int = 1000 * GB
    data_rows: int = 1_000_000
    data_images: int = 10_000
    card_bytes: int = 200_000
    epochs: int = 100
    batch_size: int = 256
    sequence_tokens: int = 2048
    run_seconds: float = 7 * 24 * 3600.0
    running_runs: int = 1
    visitor_runs: int = 4
    queued_runs: int = 20
    address_queued_runs: int = 200
    waiting_runs: int = 200
    trainer_bytes: int = 256 * GB
    rehearsal_seconds: float = 600.0
    runs_bytes: int = 200 * GB
    samples: int = 32
    compared_runs: int = 8
    log_bytes: int = 1 * MB
    free_disk_bytes: int = 1 * GB
    fetched_bytes: int = 1000 * GB
    lent_bytes: int = 500 * MB
    zero_gpu: bool = False


#: What a stranger on a public Space (2 cores, 16 GB) may use; the fields not named here stay as above.
PUBLIC_LIMITS: dict[str, Any] = {
    "visitor_calls": 16,
    "nameless_calls": 64,
    "address_calls": 24,
    "visitor_worker_calls": 2,
    "address_worker_calls": 3,
    "call_seconds": 30.0,
    "worker_bytes": 6 * GB,
    "cache_bytes": 2 * GB,
    "model_bytes": 2 * GB,
    "text_chars": 20_000,
    "vector_numbers": 1_000_000,
    "inspect_chars": 2_000_000,
    "batch_cells": 200_000,
    "template_seconds": 10.0,
    "new_tokens": 512,
    "shown_steps": 50,
    "scored_tokens": 512,
    "media_bytes": 10 * MB,
    "image_pixels": 20_000_000,
    "dense_pixels": 1_000_000,
    "enlarge_pixels": 65_536,
    "media_seconds": 60.0,
    "video_pixels": 80_000_000,
    "spoken_chars": 500,
    "batch_rows": 1_000,
    "batch_seconds": 60.0,
    "batch_bytes": 16 * MB,
    "upload_bytes": 20 * MB,
    "hourly_upload_bytes": 1 * GB,
    "data_rows": 50_000,
    "data_images": 1_000,
    "epochs": 10,
    "batch_size": 64,
    "sequence_tokens": 512,
    "run_seconds": 3600.0,
    "visitor_runs": 1,
    "queued_runs": 2,
    "address_queued_runs": 10,
    "waiting_runs": 40,
    "trainer_bytes": 8 * GB,
    "rehearsal_seconds": 180.0,
    "runs_bytes": 4 * GB,
    "fetched_bytes": 20 * GB,
}


def is_loopback(host: str) -> bool:
    """Whether a server bound to `host` can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_settings(environ: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """The settings of one start.

    Args:
        environ: `WORKBENCH_HOME`, `WORKBENCH_REMOTE`, `WORKBENCH_PRECISION`, `HF_ENDPOINT`, `HF_HUB_OFFLINE`,
            `TRANSFORMERS_OFFLINE`, `HF_HOME`, `HF_HUB_CACHE`, `XDG_CACHE_HOME`, `GRADIO_SERVER_NAME`,
            `GRADIO_SERVER_PORT`, `GRADIO_ROOT_PATH`, `GRADIO_MCP_SERVER` and, on a Space, `SPACE_ID`, `SPACE_HOST` and
            `SPACES_ZERO_GPU`.
        flags: `hub`, `host`, `port`, `share`, `home`, `root_path`, `mcp` from the command line; None where not given.

    Raises:
        ValueError: A value is not of its kind; the text names the key.
    """
    given = {key: value for key, value in flags.items() if value is not None}
    on_space = bool(environ.get("SPACE_ID"))
    host = given.get("host") or environ.get("GRADIO_SERVER_NAME") or ("0.0.0.0" if on_space else "127.0.0.1")
    share = bool(given.get("share", False))
    offline = _yes(environ.get("HF_HUB_OFFLINE") or environ.get("TRANSFORMERS_OFFLINE"))
    hub = given.get("hub") or ("local" if offline else "auto")
    if hub not in ("auto", "local") and not hub.startswith(("http://", "https://")):
        raise ValueError(f"--hub must be auto, local or an address that begins with http, not {hub!r}")
    endpoint = hub if hub not in ("auto", "local") else environ.get("HF_ENDPOINT") or HUGGING_FACE
    public = on_space or share or not is_loopback(host)
    remote = environ.get("WORKBENCH_REMOTE", "")
    if remote and not remote.startswith(("http://", "https://")):
        raise ValueError(f"WORKBENCH_REMOTE must be an address that begins with http, not {remote!r}")
    precision = environ.get("WORKBENCH_PRECISION") or "auto"
    if precision not in PRECISIONS:
        raise ValueError(f"WORKBENCH_PRECISION must be one of {', '.join(PRECISIONS)}, not {precision!r}")
    home = _home(given.get("home") or environ.get("WORKBENCH_HOME"), on_space)
    return Settings(
        home=home,
        cache=_hub_cache(environ),
        hub=hub,
        endpoint=endpoint.rstrip("/"),
        public=public,
        host=host,
        port=_port(given.get("port") or environ.get("GRADIO_SERVER_PORT")),
        share=share,
        root_path=given.get("root_path") or environ.get("GRADIO_ROOT_PATH", ""),
        mcp=bool(given.get("mcp")) or _yes(environ.get("GRADIO_MCP_SERVER")),
        space_hosts=tuple(host.strip() for host in environ.get("SPACE_HOST", "").split(",") if host.strip()),
        precision=precision,
        remote=remote.rstrip("/"),
        zero_gpu=_yes(environ.get("SPACES_ZERO_GPU")),
        **(PUBLIC_LIMITS if public else {}),
    )


def _yes(value: str | None) -> bool:
    return (value or "").lower() in ("1", "true", "yes", "on")


def _home(named: str | None, on_space: bool) -> Path:
    if named:
        return Path(named).expanduser().resolve()
    mounted = Path("/data")
    if on_space and mounted.is_dir():
        return mounted / "workbench"
    return Path.home() / ".transformers-workbench"


def _hub_cache(environ: Mapping[str, str]) -> Path:
    if environ.get("HF_HUB_CACHE"):
        return Path(environ["HF_HUB_CACHE"]).expanduser()
    home = environ.get("HF_HOME") or Path(environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    return Path(home).expanduser() / "hub"


def _port(value: str | int | None) -> int | None:
    if value in (None, ""):
        return None
    try:
        port = int(value)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise ValueError(f"The port must be a number from 0 to 65535, not {value!r}")
    return port
