"""The cast: apps with the package, as npm packs and installs it, in their node_modules."""

import shutil
from pathlib import Path

import pytest

from tests.npm import apps
from tests.npm.apps import App
from wasm import build as builder

# The pinned one, and the machine's own if there is one.
NODES = {"pinned": builder.node(), **({"on PATH": path} if (path := shutil.which("node")) else {})}


@pytest.fixture(scope="session")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return apps.pack(tmp_path_factory.mktemp("packed"))


@pytest.fixture(scope="session")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return apps.install(tarball, tmp_path_factory.mktemp("installed"))


@pytest.fixture
def app(tmp_path: Path, installed: Path) -> App:
    """A fresh app with the package in its node_modules, and the pinned Node."""
    return apps.make_app(tmp_path / "app", installed, NODES["pinned"])


@pytest.fixture(params=NODES)
def any_app(request: pytest.FixtureRequest, tmp_path: Path, installed: Path) -> App:
    """The same on each Node there is."""
    return apps.make_app(tmp_path / "app", installed, NODES[request.param])
