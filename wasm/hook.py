"""The build hook: `pip install .` makes the static files before hatchling packs them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildHook(BuildHookInterface[Any]):
    """Calls `build()` of the module beside this one."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name == "wheel":
            # By path: the hook is loaded without a package around it.
            spec = importlib.util.spec_from_file_location("fauxserver_build", Path(__file__).with_name("build.py"))
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            try:
                module.build()
            except module.BuildError as error:
                raise SystemExit(f"fauxserver: {error}") from None
