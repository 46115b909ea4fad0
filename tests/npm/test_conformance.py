"""The table that every host answers alike, asked in Node."""

import json
from collections.abc import Iterator

import pytest

from tests.browser.site import Site
from tests.conformance import ASK, FILE, ROUTES, expected_of, read_doors, to_ask
from tests.npm.apps import App

DOORS = ("Backbone.sync", "fetch")
SCRIPT = """
import { readFileSync, writeFileSync } from "node:fs"
import Backbone from "backbone"
import { start } from "fauxserver"

%s

const [base] = process.argv.slice(2)
const { fauxServer } = await start({ routes: %r, intercept: { Backbone, fetch: true }, base })
const given = JSON.parse(readFileSync("given.json"))
writeFileSync("told.json", JSON.stringify(await run(given, { Backbone, fauxServer, base })))
"""


@pytest.fixture
def site() -> Iterator[Site]:
    """The real server."""
    started = Site({}).start()
    yield started
    started.stop()


def test_node_answers_as_every_host_does_through_every_door(any_app: App, site: Site) -> None:
    any_app.write(FILE, ROUTES)
    any_app.write("given.json", json.dumps(to_ask(DOORS)))
    any_app.write("script.mjs", SCRIPT % (ASK, FILE))

    ended = any_app.run("script.mjs", f"{site.url}/")

    assert ended.code == 0, ended.err
    assert read_doors(json.loads((any_app.folder / "told.json").read_text())) == expected_of(DOORS)
