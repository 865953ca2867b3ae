"""The Hub in use: who one is there, what it holds, and the one road from `id@revision` to a folder on disk.

Every function takes the visitor and asks the Hub with that visitor's own token, or with none: never with the
machine's. A model is resolved to a commit first, judged by `policy`, and only then fetched, by commit, small files
before weights. What only a token could read is kept in a cache folder of its visitor's own.
"""

from __future__ import annotations

import glob
import hashlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
from huggingface_hub import HfApi, set_client_factory, snapshot_download
from huggingface_hub.errors import HFValidationError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.hf_api import DatasetInfo, ModelInfo
from huggingface_hub.utils._http import default_client_factory
from huggingface_hub.utils._validators import validate_repo_id

from components.service import policy
from components.service.errors import WorkbenchError
from components.service.fetched import Fetched
from components.service.hub_errors import REFUSED, hub_errors
from components.service.settings import HUGGING_FACE, Settings
from components.service.sizes import in_units
from components.service.visitor import Visitor

#: How long a resolved revision is believed before the Hub is asked again, in seconds.
RESOLVED_SECONDS = 10.0
#: What follows the Hub's own address in that of a page or a file of a repository.
_PAGE = re.compile(
    r"(?P<id>[^/]+(?:/[^/]+)??)(?:/(?:tree|blob|resolve|raw|commits?|edit)/(?P<revision>[^/]+)(?:/.*)?)?/?"
)
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]{0,200}", re.ASCII)


@dataclass(frozen=True)
class Snapshot:
    """A repository at one commit, on this machine.

    Attributes:
        id: Its name on the Hub, `namespace/name`.
        commit: The commit, 40 hexadecimal digits.
        path: The folder that holds the files fetched.
    """

    id: str
    commit: str
    path: Path


#: Gives the snapshot of `namespace/name` for a namespace that lives on this machine, such as finished runs.
Resolver = Callable[[str, Visitor], Snapshot]


class Hub:
    """The Hub at `settings.endpoint`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.api = HfApi(endpoint=settings.endpoint, token=False)
        self.fetched = Fetched(settings)
        self._namespaces: dict[str, Resolver] = {}
        self._infos: dict[tuple[str, str, str, str], tuple[float, ModelInfo | DatasetInfo]] = {}
        self._names: dict[str, tuple[float, dict[str, Any]]] = {}
        self._opened: dict[tuple[str, str, bool, Path], tuple[Snapshot, list[str]]] = {}
        set_client_factory(self._client)

    def _client(self) -> httpx2.Client:
        """The client library's own HTTP client, with a limit on how long it waits (it has none)."""
        client = default_client_factory()
        client.timeout = httpx2.Timeout(self.settings.hub_seconds, read=60.0, write=60.0)
        return client

    def add_namespace(self, name: str, resolver: Resolver) -> None:
        """Let `name/...` be resolved on this machine instead of on the Hub."""
        self._namespaces[name] = resolver

    # Who one is

    def whoami(self, visitor: Visitor) -> dict[str, Any]:
        """Who the visitor is on the Hub in use.

        Returns:
            `{"name", "fullname", "orgs", "org_roles", "role", "hub"}`; `name` is None for somebody who is not signed
            in, `role` is what the token may do, and `org_roles` what the visitor may do in each organization.

        Raises:
            WorkbenchError: The Hub refuses the token (`kind="forbidden"`), or does not answer.
        """
        if not visitor.token:
            nobody: dict[str, Any] = {"name": None, "fullname": None, "orgs": [], "org_roles": {}, "role": None}
            return {**nobody, "hub": self.settings.endpoint}
        if not (visitor.token.isascii() and visitor.token.isprintable()):
            raise WorkbenchError(REFUSED, kind="forbidden")  # it cannot even be sent
        key = _digest(visitor.token)
        known = self._names.get(key)
        if known and time.monotonic() - known[0] < 300:
            return known[1]
        with hub_errors("your account"):
            answer = self.api.whoami(token=visitor.token)
        access = answer.get("auth", {}).get("accessToken", {})
        name = {
            "name": answer["name"],
            "fullname": answer.get("fullname"),
            "orgs": [org["name"] for org in answer.get("orgs", [])],
            "org_roles": {org["name"]: org.get("roleInOrg") for org in answer.get("orgs", [])},
            "role": access.get("role"),
            "hub": self.settings.endpoint,
        }
        self._names[key] = (time.monotonic(), name)
        return name

    # From an id to a folder

    def read_id(self, repo_id: Any, revision: Any = None, kind: str = "model") -> tuple[str, str | None]:
        """An id and a revision as they were given, without spaces around them.

        The id may also be an address, as copied from the Hub in use or from huggingface.co; the revision in it counts
        where no other is given.

        Raises:
            WorkbenchError: There is no id in it, or the revision is none.
        """
        named, at = _from_address(repo_id, self.settings.endpoint, kind)
        return given_id(named, kind), checked_revision(revision) or checked_revision(at)

    def model(self, model_id: str, revision: str | None = None, *, visitor: Visitor) -> Snapshot:
        """A model that may be opened, at a commit, with its weights.

        Raises:
            WorkbenchError: It does not exist for this visitor, or is refused, with the reason.
        """
        return self._fetch_model(model_id, revision, visitor, weights=True)

    def tokenizer(self, model_id: str, revision: str | None = None, *, visitor: Visitor) -> Snapshot:
        """The configuration and tokenizer files of a model, at a commit, without its weights."""
        return self._fetch_model(model_id, revision, visitor, weights=False)

    def dataset(
        self,
        dataset_id: str,
        revision: str | None = None,
        choose: Callable[[Path, list[str]], list[str]] | None = None,
        *,
        visitor: Visitor,
    ) -> Snapshot:
        """The tables or the images of a data set and its card, at a commit.

        Args:
            choose: Gives the files that are wanted, from a folder with the card and the names of all tables or images;
                all of them are if not given.
        """
        info = self.dataset_info(dataset_id, revision, visitor=visitor)
        dataset_id, files = info.id, _data_files(info)
        tables = choose(self._card(info, visitor).path, list(files)) if choose else list(files)
        if (images := sum(map(policy.is_image, tables))) > self.settings.data_images:
            raise WorkbenchError(
                f"The data set {dataset_id} has {images:,} images in as many files, more than the "
                f"{self.settings.data_images:,} that are fetched here. Choose one that keeps them in Parquet files.",
                field="data",
            )
        size = sum(files[name] or 0 for name in tables)
        if size > self.settings.upload_bytes:
            raise WorkbenchError(
                f"The data set {dataset_id} takes {in_units(size)}, more than the "
                f"{in_units(self.settings.upload_bytes)} allowed here. Choose a smaller one, or a configuration of it "
                "that is.",
                field="data",
            )
        return self._fetch(info, "dataset", [*tables, *_card_of(info)], visitor)

    def dataset_card(
        self, dataset_id: str, revision: str | None = None, *, visitor: Visitor
    ) -> tuple[Snapshot, dict[str, int | None]]:
        """The card of a data set, if it has one, at a commit; and its tables or images with their sizes in bytes."""
        info = self.dataset_info(dataset_id, revision, visitor=visitor)
        return self._card(info, visitor), _data_files(info)

    def _card(self, info: DatasetInfo, visitor: Visitor) -> Snapshot:
        return self._fetch(info, "dataset", _card_of(info), visitor)

    def model_info(self, model_id: str, revision: str | None = None, *, visitor: Visitor) -> ModelInfo:
        """What the Hub says of a model, files with sizes included."""
        info = self._info("model", model_id, revision, visitor)
        assert isinstance(info, ModelInfo)
        return info

    def dataset_info(self, dataset_id: str, revision: str | None = None, *, visitor: Visitor) -> DatasetInfo:
        """What the Hub says of a data set, files with sizes included."""
        info = self._info("dataset", dataset_id, revision, visitor)
        assert isinstance(info, DatasetInfo)
        return info

    def refusals(self, info: ModelInfo) -> list[str]:
        """Why a model would not be opened here; empty if it would."""
        return policy.model_refusals(_files(info), info.config, self.settings)

    def forget(self) -> None:
        """Ask the Hub anew for everything: something there has just been changed from here."""
        self._infos.clear()

    def sign_out(self, visitor: Visitor) -> dict[str, Any]:
        """Forget who the visitor's token belongs to and what only it could see; says who one is without it."""
        if visitor.token:
            self._names.pop(_digest(visitor.token), None)
        self.forget()
        return self.whoami(Visitor(""))

    def local(self, model_id: str, visitor: Visitor) -> Snapshot | None:
        """The snapshot of an id whose namespace lives on this machine, or None if it is one of the Hub's."""
        resolver = self._namespaces.get(model_id.partition("/")[0])
        return resolver(model_id.partition("/")[2], visitor) if resolver else None

    def _fetch_model(self, model_id: str, revision: str | None, visitor: Visitor, *, weights: bool) -> Snapshot:
        model_id, revision = self.read_id(model_id, revision)
        if local := self.local(model_id, visitor):
            return local
        info = self.model_info(model_id, revision, visitor=visitor)
        key = info.id, str(info.sha), weights, self._cache_of(info, visitor)
        snapshot, names = self._opened.get(key, (None, []))
        # A commit does not change, so what was judged and fetched once need not be again, while it is there.
        if snapshot is None or not all((snapshot.path / name).exists() for name in names):
            snapshot, names = self._open_model(info, visitor, weights)
            if len(self._opened) > 1000:
                self._opened.clear()
            self._opened[key] = snapshot, names
        self.fetched.use(snapshot.path.parents[1])
        return snapshot

    def _open_model(self, info: ModelInfo, visitor: Visitor, weights: bool) -> tuple[Snapshot, list[str]]:
        """The snapshot of a model that may be opened, and the names of its files."""
        files = _files(info)
        _refuse(info.id, self.refusals(info) if weights else policy.text_refusals(files, self.settings))
        small = policy.small_files(files)
        snapshot = self._fetch(info, "model", small, visitor)
        _refuse(info.id, policy.json_refusals(policy.documents(snapshot.path, small)))
        names = small + policy.weight_files(files) if weights else small
        return self._fetch(info, "model", names, visitor) if weights else snapshot, names

    def _fetch(self, info: ModelInfo | DatasetInfo, kind: str, names: list[str], visitor: Visitor) -> Snapshot:
        commit = str(info.sha)
        if any(not policy.inside(name) for name in names):
            raise WorkbenchError(
                f"{info.id} names files outside of itself, so it is not opened here. Choose another one.",
                kind="forbidden",
                field=kind,
            )
        cache = self._cache_of(info, visitor)
        place = cache / repo_folder_name(repo_id=info.id, repo_type=kind)
        files, there = _files(info), place / "snapshots" / commit
        missing = sum(files.get(name) or 0 for name in names if not (there / name).exists())
        with self.fetched.arriving(place, missing), hub_errors(info.id):
            folder = snapshot_download(
                info.id,
                repo_type=kind,
                revision=commit,
                cache_dir=cache,
                allow_patterns=[glob.escape(name) for name in names] or ["nothing"],
                token=visitor.token,
                endpoint=self.settings.endpoint,
            )
        return Snapshot(info.id, commit, Path(folder))

    def cache(self, visitor: Visitor, *, private: bool) -> Path:
        """The cache folder for what everybody may read, or for what only this visitor may."""
        if not private:
            return self.settings.cache
        return self.settings.home / "cache" / _digest(visitor.owner)

    def _cache_of(self, info: ModelInfo | DatasetInfo, visitor: Visitor) -> Path:
        return self.cache(visitor, private=bool(info.private or info.gated))

    def _info(self, kind: str, repo_id: str, revision: str | None, visitor: Visitor) -> ModelInfo | DatasetInfo:
        repo_id, revision = self.read_id(repo_id, revision, kind)
        key = (kind, repo_id, revision or "", _digest(str(visitor.token)))
        known = self._infos.get(key)
        if known and time.monotonic() - known[0] < RESOLVED_SECONDS:
            return known[1]
        ask = self.api.model_info if kind == "model" else self.api.dataset_info
        with hub_errors(repo_id, field=kind):
            info = ask(
                repo_id,
                revision=revision or None,
                files_metadata=True,
                token=visitor.token,
                timeout=self.settings.hub_seconds,
            )
        if len(self._infos) > 1000:
            self._infos.clear()
        self._infos[key] = (time.monotonic(), info)
        return info


_NO_ID = (
    "This is not a {} id. Write it as namespace/name, for example {}, without a revision, or paste its address on the "
    "Hub."
)
#: How a kind of repository is called, and one of that kind; all others are those of a model.
_KINDS = {"dataset": ("data set", "stanfordnlp/imdb")}
_NO_NAME = (
    "This cannot be the name of a repository. Use letters and digits without accents, '-', '_' and '.', at most 96 of "
    "them with the namespace; no '--' or '..', neither '-' nor '.' at either end, and no .git at the end."
)


def given_id(repo_id: Any, field: str = "model") -> str:
    """The id as `checked_id` gives it, without the spaces that were pasted around it."""
    return checked_id(repo_id.strip() if isinstance(repo_id, str) else repo_id, field)


def chosen_id(model_id: str | None, default: str) -> str:
    """The model id that was given, unchecked, or the default where it is None or empty."""
    return default if model_id is None or (isinstance(model_id, str) and not model_id.strip()) else model_id


def _from_address(given: Any, endpoint: str, kind: str) -> tuple[Any, str | None]:
    """The id and the revision in a repository's address; anything else as it is, without a revision."""
    text = re.split(r"[?#]", given.strip())[0] if isinstance(given, str) else ""
    for hub in (endpoint, HUGGING_FACE):
        place = f"{hub}/datasets/" if kind == "dataset" else f"{hub}/"
        if text.startswith(place) and (found := _PAGE.fullmatch(text.removeprefix(place))):
            return found["id"], unquote(found["revision"]) if found["revision"] else None
    return given, None


def checked_id(repo_id: Any, field: str = "model") -> str:
    """The id as it was given, if it is one (`name` or `namespace/name`).

    Raises:
        WorkbenchError: It is no text, a path, an address, or carries a revision.
    """
    try:
        if (
            not isinstance(repo_id, str)
            or not repo_id.isascii()
            or repo_id.startswith(("datasets/", "spaces/", "models/"))
        ):
            raise HFValidationError
        validate_repo_id(repo_id)
    except HFValidationError:
        said = _NO_ID.format(*_KINDS.get(field, (field, "distilbert/distilgpt2")))
        raise WorkbenchError(_NO_NAME if field == "repo" else said, field=field) from None
    return repo_id


def checked_revision(revision: Any) -> str | None:
    """The revision without spaces around it, None for an empty one.

    Raises:
        WorkbenchError: It is not the name of a branch or a tag, nor a commit.
    """
    if revision is None:
        return None
    name = revision.strip() if isinstance(revision, str) else None
    if name is None or (name and not _REVISION.fullmatch(name)):
        raise WorkbenchError("A revision is a branch, a tag or a commit, such as main.", field="revision")
    return name or None


def _files(info: ModelInfo | DatasetInfo) -> dict[str, int | None]:
    return {sibling.rfilename: sibling.size for sibling in info.siblings or []}


def _data_files(info: DatasetInfo) -> dict[str, int | None]:
    files = _files(info)
    tables = policy.data_files(files)
    if not tables:
        raise WorkbenchError(
            f"The data set {info.id} holds no CSV, TSV, JSON Lines or Parquet file, and no images. "
            "Choose one that does.",
            field="data",
        )
    return {name: files[name] for name in tables}


def _card_of(info: DatasetInfo) -> list[str]:
    size = _files(info).get("README.md", policy.DATA_CARD_BYTES + 1)
    return ["README.md"] if (size or 0) <= policy.DATA_CARD_BYTES else []


def _refuse(model_id: str, reasons: list[str]) -> None:
    if reasons:
        raise WorkbenchError(f"{model_id} is not opened here. {' '.join(reasons)}", kind="forbidden", field="model")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
