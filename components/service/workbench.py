"""The service as one value: every part, built once from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from components.service.about import About
from components.service.batch import Batch
from components.service.cards import Cards
from components.service.catalog import Catalog
from components.service.compare import Compare
from components.service.contents import Contents
from components.service.data import Data
from components.service.engine import Engine, Lender
from components.service.generation import Generation
from components.service.hub import Hub
from components.service.inference import Inference
from components.service.manage import Manager
from components.service.publish import Publisher
from components.service.remote import Remote
from components.service.repositories import Repositories
from components.service.runs import Runs
from components.service.runs.jobs import Jobs
from components.service.settings import Settings
from components.service.sharing import Sharing
from components.service.snippets import snippet
from components.service.tokens import Tokens


@dataclass(frozen=True)
class Workbench:
    """What the page, the HTTP API and the tests call."""

    settings: Settings
    hub: Hub
    catalog: Catalog
    about: About
    engine: Engine
    inference: Inference
    generation: Generation
    batch: Batch
    compare: Compare
    remote: Remote
    tokens: Tokens
    data: Data
    runs: Runs
    jobs: Jobs
    cards: Cards
    repositories: Repositories
    contents: Contents
    manager: Manager
    publisher: Publisher
    sharing: Sharing

    def snippet(self, view: str, arguments: dict[str, Any]) -> str:
        """Python that reproduces a view on the Hub in use."""
        return snippet(view, arguments, self.settings.endpoint)

    def close(self) -> None:
        """Stop the worker and the supervisor; runs that train go on by themselves."""
        self.sharing.close()
        self.runs.close()
        self.engine.close()


def open_workbench(settings: Settings, lender: Lender | None = None) -> Workbench:
    """Build every part of the service; starts no process and asks nothing of the network.

    Args:
        settings: What every part keeps to.
        lender: What computes some calls in place of the worker process.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    hub = Hub(settings)
    engine = Engine(settings, lender=lender)
    data = Data(settings, hub, engine)
    batch = Batch(settings, hub, engine, data)
    runs = Runs(settings, hub, engine, data)
    cards = Cards(settings, hub, runs)
    publisher = Publisher(hub, cards)
    return Workbench(
        settings=settings,
        hub=hub,
        catalog=Catalog(hub),
        about=About(hub, engine),
        engine=engine,
        inference=Inference(settings, hub, engine),
        generation=Generation(settings, hub, engine),
        batch=batch,
        compare=Compare(settings, batch),
        remote=Remote(settings, hub),
        tokens=Tokens(settings, hub, engine),
        data=data,
        runs=runs,
        jobs=Jobs(hub, runs.groundwork, runs.estimate),
        cards=cards,
        repositories=Repositories(hub),
        contents=Contents(hub),
        manager=Manager(hub),
        publisher=publisher,
        sharing=Sharing(runs, publisher),
    )
