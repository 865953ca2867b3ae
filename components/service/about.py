"""What a model is made of: its sizes, its parameters by part, its configuration and its card; no weight is fetched."""

from __future__ import annotations

from typing import Any

# The module, not its class: repositories read cards, and a card may be drafted from what a model is made of.
from components.service import repositories
from components.service.architectures import reads
from components.service.catalog import Catalog
from components.service.engine import Engine
from components.service.errors import WorkbenchError
from components.service.hub import Hub
from components.service.policy import custom_code
from components.service.visitor import Visitor

_UNKNOWN: dict[str, Any] = {"model_type": None, "sizes": [], "parts": []}
_NO_CODE = "It brings code of its own, which is never run here, so its parts cannot be counted."
_NO_CONFIG = "It has no config.json that can be read, so nothing says what it is made of."


class About:
    """Tells what models are made of.

    Args:
        hub: Where models come from.
        engine: Where they are built, on the meta device.
    """

    def __init__(self, hub: Hub, engine: Engine) -> None:
        self._hub = hub
        self._engine = engine
        self._catalog = Catalog(hub)
        self._repositories = repositories.Repositories(hub)

    def about_model(self, model: str, revision: str | None = None, *, visitor: Visitor) -> dict[str, Any]:
        """What a model is made of.

        Args:
            model: Its id.
            revision: A branch, tag or commit; empty for the newest.

        Returns:
            `{"id", "commit", "task", "tasks", "reads", "architecture", "model_type", "family", "dtype", "license",
            "memory", "config", "card", "sizes", "parameters", "parts", "problem"}`.
            `sizes` is `[{"of", "layers", "heads", "hidden", "vocabulary", "context", ...}]`, one for the model and one
            for each configuration within it, of which `of` is the name. `parts` is `[{"kind", "title", "parameters",
            "count", "of": [{"name", "parameters"}]}]` in the order in which data flows; `kind` is `embeddings`,
            `layers` (there are `count`, made `of` these), `head` or `other`. `parameters` are those counted, else
            those that the Hub states. `problem` says why nothing could be counted. `card` is as of `repo_card`.

        Raises:
            WorkbenchError: There is no such model for this visitor, or the worker is busy or ended.
        """
        facts = self._catalog.model_facts(model, revision, visitor=visitor)
        kept = ("id", "commit", "task", "tasks", "architecture", "family", "parameters", "dtype", "license", "memory")
        return {
            **{key: facts[key] for key in (*kept, "config")},
            "reads": reads(facts["config"]),
            **self._counted(facts, visitor),
            "card": self._card(facts, visitor),
        }

    def _counted(self, facts: dict[str, Any], visitor: Visitor) -> dict[str, Any]:
        """What the worker tells of the configuration, or why it cannot."""
        if custom_code(facts["config"]):
            return {**_UNKNOWN, "problem": _NO_CODE}
        try:
            folder = self._folder(facts, visitor)
            if folder is None:
                return {**_UNKNOWN, "problem": _NO_CONFIG}
            counted = self._engine.call("about_model", {"path": folder, "model": facts["id"]}, visitor=visitor)
        except WorkbenchError as error:
            if error.kind not in ("input", "forbidden"):
                raise
            return {**_UNKNOWN, "problem": error.message}
        return {**counted, "dtype": facts["dtype"] or counted["dtype"], "problem": None}

    def _folder(self, facts: dict[str, Any], visitor: Visitor) -> str | None:
        """A folder of this machine that holds the model's config.json; None where it has none of a fair size."""
        if local := self._hub.local(facts["id"], visitor):
            return str(local.path)
        sizes = {file["name"]: file["bytes"] or 0 for file in facts["files"]}
        if not 0 < sizes.get("config.json", 0) <= self._hub.settings.config_bytes:
            return None
        info = self._hub.model_info(facts["id"], facts["commit"], visitor=visitor)
        return str(self._catalog.config_file(info, visitor).parent)

    def _card(self, facts: dict[str, Any], visitor: Visitor) -> dict[str, Any]:
        """The model's card; a card that cannot be shown says so in its body."""
        nothing = {"text": "", "body": "", "metadata": {}, "commit": facts["commit"]}
        if self._hub.local(facts["id"], visitor):
            return nothing
        try:
            return self._repositories.repo_card(facts["id"], "model", facts["commit"], visitor=visitor)
        except WorkbenchError as error:
            return {**nothing, "body": error.message}
