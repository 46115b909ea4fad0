"""The files of folders, for what no route wants: `--static DIR`, and the demo's."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles

# Not what this machine's registry says: one that calls .js text/plain would stop every page.
TYPES = {
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".py": "text/x-python; charset=utf-8",
    ".svg": "image/svg+xml",
}


class Files:
    """Finds the files of *folders*, each below its prefix: `{"/": demo, "/fauxserver/": static}`. The longest one wins.

    Nothing outside of them, and `index.html` where a folder is asked for. With *hashed*, whoever asks for a script or a
    binary file with a query names what it holds, and may keep it.
    """

    def __init__(self, folders: Mapping[str, Path], *, hashed: bool = False) -> None:
        self._folders = {
            prefix: StaticFiles(directory=folders[prefix], html=True)
            for prefix in sorted(folders, key=len, reverse=True)
        }
        self._hashed = hashed

    async def find(self, scope: MutableMapping[str, Any]) -> Response | None:
        """What answers a request, an ASGI application; nothing if there is no such file."""
        if scope["method"] not in ("GET", "HEAD") or "\0" in scope["path"]:
            return None
        root = scope.get("root_path", "")
        prefix = next((prefix for prefix in self._folders if scope["path"].startswith(root + prefix)), None)
        if prefix is None:
            return None
        files, below = self._folders[prefix], {**scope, "root_path": root + prefix.rstrip("/")}
        try:
            found = await files.get_response(files.get_path(below), below)
        except (HTTPException, ValueError):
            return None
        if found.status_code == 404:
            return None
        suffix = Path(scope["path"]).suffix.lower()
        lasting = self._hashed and scope.get("query_string") and suffix in (".bin", ".js")
        found.headers["cache-control"] = "max-age=31536000, immutable" if lasting else "no-cache"
        found.headers["x-content-type-options"] = "nosniff"
        if isinstance(found, FileResponse):
            kind = TYPES.get(Path(found.path).suffix.lower())
            if kind:
                found.headers["content-type"] = kind
        return found
