"""The types: what they let an app do, in every manner of resolving them, and that they name what is really there."""

import json
import re
from pathlib import Path

import pytest

from tests.npm.apps import App
from wasm import build as builder

HERE = Path(__file__).parent

STRICT = {
    "strict": True,
    "noEmit": True,
    "exactOptionalPropertyTypes": True,
    "noUncheckedIndexedAccess": True,
    "skipLibCheck": False,
    "target": "es2022",
    "lib": ["es2023", "dom"],
    "types": [],
    "esModuleInterop": True,
}
MODULES = {
    "node16": {"module": "node16", "moduleResolution": "node16"},
    "nodenext": {"module": "nodenext", "moduleResolution": "nodenext"},
    "bundler": {"module": "esnext", "moduleResolution": "bundler"},
}

ATTW = """
import { readFileSync } from "node:fs"
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core"
const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(readFileSync(process.argv[2]))), {
  entrypoints: ["."],
})
console.log(JSON.stringify(problems ?? "no types"))
"""

# The one that checks our own sources, and one of the generation before.
COMPILERS = {
    "7": builder.JS / "node_modules" / "typescript",
    "5": HERE / "node_modules" / "typescript",
}

NAMES = """
const fauxServer = require("fauxserver")
import("fauxserver").then(module => console.log(JSON.stringify([Object.keys(fauxServer), Object.keys(module)])))
"""


def compiled(app: App, files: list[str], options: dict[str, object], compiler: str = "7") -> str:
    """What TypeScript says of the files."""
    app.write("tsconfig.json", json.dumps({"compilerOptions": {**STRICT, **options}, "files": files}))
    ended = app.run(COMPILERS[compiler] / "bin" / "tsc", "--pretty", "false", "--project", ".")
    return ended.out + ended.err


@pytest.mark.parametrize("resolution", MODULES)
def test_an_app_that_imports_it(app: App, resolution: str):
    app.write("app.mts", (HERE / "types.ts").read_text())
    assert compiled(app, ["app.mts"], MODULES[resolution]) == ""


def test_an_app_that_imports_the_file_beside_its_page(app: App):
    own = "./node_modules/fauxserver/fauxserver.module.js"
    # The last lines are about packages: of a file, TypeScript supposes that a bundler makes up its default.
    source = (HERE / "types.ts").read_text().partition("// @ts-expect-error: the module has no default")[0]
    app.write("app.mts", source.replace('from "fauxserver"', f'from "{own}"'))
    assert compiled(app, ["app.mts"], MODULES["bundler"]) == ""


@pytest.mark.parametrize("resolution", ["node16", "nodenext"])
def test_an_app_that_requires_it(app: App, resolution: str):
    app.write("app.cts", (HERE / "types.cts").read_text())
    assert compiled(app, ["app.cts"], MODULES[resolution]) == ""


@pytest.mark.parametrize(("name", "resolution"), [("mts", "nodenext"), ("mts", "bundler"), ("cts", "node16")])
def test_an_older_typescript_understands_them(app: App, name: str, resolution: str):
    app.write(f"app.{name}", (HERE / f"types.{name.removeprefix('m')}").read_text())
    assert compiled(app, [f"app.{name}"], MODULES[resolution], compiler="5") == ""


def test_no_manner_of_resolving_them_finds_the_wrong_ones(app: App, tarball: Path):
    ended = app.run(app.write("attw.mjs", ATTW), tarball)
    assert (ended.code, json.loads(ended.out)) == (0, [])


def test_they_name_what_is_there_and_nothing_else(app: App):
    server, module = json.loads(app.script("names.cjs", NAMES).out)
    # An object that lacks a name, or has one too many, does not compile.
    record = "export const {}: Record<{}, true> = {{ {} }}\n"
    app.write(
        "names.mts",
        'import type { FauxServer } from "fauxserver"\nimport type * as module from "fauxserver"\n'
        + record.format(
            "ofServer", 'keyof Omit<FauxServer, "noConflict">', ", ".join(f"{name}: true" for name in server)
        )
        + record.format("ofModule", "keyof typeof module", ", ".join(f"{name}: true" for name in module)),
    )
    assert compiled(app, ["names.mts"], MODULES["nodenext"]) == ""


def test_what_is_required_has_every_type_that_is_imported(app: App):
    exported = set(re.findall(r"^export (?:interface|type) (\w+)", (builder.JS / "fauxserver.d.ts").read_text(), re.M))
    renamed = set(re.findall(r"^  export type (\w+)", (builder.JS / "fauxserver.d.cts").read_text(), re.M))
    assert exported - renamed == {"StartOptions"}
