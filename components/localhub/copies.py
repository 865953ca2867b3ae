"""Copies of whole repositories, and histories made short."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from components.localhub import git
from components.localhub.errors import HubError, revision_not_found
from components.localhub.hub import Hub, base_url, forbidden, in_thread, param, read_json
from components.localhub.names import check_repository
from components.localhub.repositories import KINDS, Repository
from components.localhub.visibility import is_private


def routes(hub: Hub) -> list[Route]:
    """The routes of this module."""

    async def duplicate(request: Request) -> Response:
        source = await in_thread(hub.open_repository, request)
        account = await in_thread(hub.signed_in, request)
        body = await read_json(request)
        namespace, _, name = str(body.get("repository")).partition("/")
        check_repository(namespace, name)
        if not account.owns(namespace):
            raise forbidden(account)
        private = is_private(body, default=source.about["private"])
        url = f"{base_url(request)}/{KINDS[source.kind]}{namespace}/{name}"
        try:
            await in_thread(_duplicate, hub, source, f"{namespace}/{name}", private)
        except HubError as error:
            error.body = {"url": url}
            raise
        return JSONResponse({"url": url, "filesCopyPending": False})

    async def squash(request: Request) -> Response:
        repository, account = await in_thread(hub.own_repository, request)
        message = (await read_json(request)).get("message") or "Super-squash"
        await in_thread(_squash, repository, param(request, "revision"), account.name, str(message))
        return JSONResponse({"success": True})

    prefix = "/api/{kind:kinds}/{namespace}/{name}"
    return [
        Route(prefix + "/duplicate", duplicate, methods=["POST"]),
        Route(prefix + "/super-squash/{revision}", squash, methods=["POST"]),
    ]


def _duplicate(hub: Hub, source: Repository, new_id: str, private: bool) -> None:
    """Copy the branches and tags with all their files; discussions and pull requests stay behind."""
    scratch = Path(tempfile.mkdtemp(dir=hub.repositories.scratch)) / "copy.git"
    left = {str(source.path): {"discussions", "downloads"}, str(source.path / "refs"): {"pr"}}
    shared = (str(source.path / "objects"), str(source.path / "lfs"))

    def copy(file: str, target: str) -> None:
        if file.startswith(shared):  # these never change, so that two repositories may share one file
            os.link(file, target)
        else:
            shutil.copyfile(file, target)

    try:
        with source.writing():
            shutil.copytree(source.path, scratch, ignore=lambda top, _: left.get(top, set()), copy_function=copy)
        kept = {key: value for key, value in source.about.items() if key == "sdk"}
        hub.repositories.adopt(scratch, source.kind, new_id, private=private, **kept)
    finally:
        shutil.rmtree(scratch.parent)


def _squash(repository: Repository, branch: str, author: str, message: str) -> None:
    ref = f"refs/heads/{branch}"
    with repository.writing():
        head = repository.ref(ref)
        if head is None:
            raise revision_not_found(branch)
        files = {entry.path: (entry.mode, entry.oid) for entry in repository.files(head)}
        repository.set_ref(ref, git.write_commit(repository.objects, files, parents=[], author=author, message=message))
