"""The files of a folder, for what no route wants: `--static DIR`."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

from fauxserver.hosts.site import TYPES


class Files:
    """Finds a folder's files: nothing outside of it, and `index.html` where a folder is asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = StaticFiles(directory=folder, html=True)

    async def find(self, scope: MutableMapping[str, Any]) -> Response | None:
        """What answers a request, an ASGI application; nothing if there is no such file."""
        if scope["method"] not in ("GET", "HEAD") or "\0" in scope["path"]:
            return None
        try:
            found = await self._files.get_response(self._files.get_path(scope), scope)
        except (HTTPException, ValueError):
            return None
        if found.status_code == 404:
            return None
        found.headers["cache-control"] = "no-cache"
        if isinstance(found, FileResponse):
            # Not what this machine's registry says.
            kind = TYPES.get(Path(found.path).suffix.lower())
            if kind:
                found.headers["content-type"] = kind
        return found
