"""Uploads as Gradio takes them, but for what would stay in memory or on the disk for good.

Gradio reads whatever else stands in an upload into memory, however much it is, keeps files of other names than the one
that it looks for, and leaves a file that was arriving when its sender went away. It deletes none of them later.
"""

from __future__ import annotations

from pathlib import Path

from gradio import route_utils, routes
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException

#: The name under which files are uploaded.
_FILES = "files"


class Parser(route_utils.GradioMultiPartParser):
    """Takes files and nothing else, and leaves none behind where it does not come to an end."""

    def on_headers_finished(self) -> None:
        """Refuse a part that is no file before its content is read.

        Raises:
            MultiPartException: It is none.
        """
        super().on_headers_finished()
        if self._current_part.file is None or self._current_part.field_name != _FILES:
            raise MultiPartException(f"An upload holds files under the name {_FILES!r}, and nothing else.")

    async def parse(self) -> FormData:
        """The files that came."""
        try:
            return await super().parse()
        except BaseException:
            for file in self._files_to_close_on_error:
                file.close()
                Path(file.name).unlink(missing_ok=True)
            raise


def take_files_alone() -> None:
    """Let Gradio read uploads so; it has no setting for it."""
    route_utils.GradioMultiPartParser = Parser  # type: ignore[misc]
    routes.GradioMultiPartParser = Parser  # type: ignore[attr-defined]
