"""Read, run and reload a route file, for every host.

A route file is run once, as a module named after it. Reloading runs its new text and keeps the data; resetting runs it
once more, and what it kept in variables is new, too. In both cases the servers it makes are the same objects as before,
so that whoever includes or imports them has the new routes in the old place.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import functools
import importlib.util
import linecache
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fauxserver.errors import RouteFileError
from fauxserver.server import FauxServer, nursery


@dataclass(frozen=True)
class Metadata:
    """What a route file declares about itself."""

    dependencies: tuple[str, ...] = ()
    """Packages, as pip takes them: `"humanize>=4"`."""
    files: tuple[str, ...] = ()
    """Files beside it that it imports or opens."""
    index: tuple[str, ...] = ()
    """Where to look for the packages, if not in the usual place."""


class RouteFile:
    '''A file that makes servers and adds routes to them.

    *source* is its text, for a host that has read it elsewhere.

    >>> source = """from fauxserver import FauxServer
    ... server = FauxServer().get('motto', {'text': 'read more'})
    ... """
    >>> RouteFile("motto_routes.py", source).run().server.get_route_at(0).location
    'motto_routes.py:2'
    '''

    def __init__(self, path: str | Path, source: str | None = None) -> None:
        self.path = str(path if source is not None else Path(path).absolute())
        self.name = Path(path).name
        self.module: types.ModuleType | None = None
        self.servers: list[FauxServer] = []
        """The servers among its globals, each once."""
        self._given = source is not None
        self._source = _read(self.path) if source is None else source
        self.metadata = metadata(self._source, self.path)
        self._code: types.CodeType | None = None
        self._made: list[FauxServer] = []
        self._after: dict[FauxServer, Any] = {}

    def __repr__(self) -> str:
        return f"<RouteFile {self.name}>"

    def run(self) -> types.ModuleType:
        """Run it, the first time; after that, its module is what it was.

        Raises RouteFileError if it does not parse, raises, or lacks a file or a package that it declares.
        """
        if self.module is not None:
            return self.module
        self._code = code = self._compile(self._source)
        self._check(self.metadata)
        module = types.ModuleType(_free_name(self.path))
        module.__file__ = self.path
        sys.modules[module.__name__] = module
        folder = str(Path(self.path).parent)
        if folder not in sys.path:
            sys.path.insert(0, folder)
        self._show(self._source)
        try:
            self._execute(module, self._source, lambda: exec(code, module.__dict__))
        except BaseException:
            del sys.modules[module.__name__]
            raise
        self.module = module
        for server in self.servers:
            server.files[self] = None
            server.ready()
        return module

    def reload(self, source: str | None = None) -> types.ModuleType:
        """Run its new text, and keep the data.

        A name that is assigned at module level by statements that have not changed keeps its object, and the
        statements are not run again; nor are those that only fill such objects. Servers, functions, classes and
        modules are made anew. If the new text does not parse, or raises, all stays as it was.
        """
        module = self.module
        if source is not None:
            self._given = True
        else:
            source = self._source if self._given else _read(self.path)
        if module is None:
            self._source, self.metadata = source, metadata(source, self.path)
            return self.run()
        declared = metadata(source, self.path)
        code = self._compile(source)
        self._check(declared)
        old_tree, new_tree = ast.parse(self._source), ast.parse(source)
        said = _identities((self._source, old_tree), (source, new_tree))
        kept = _kept(old_tree, new_tree, said, module.__dict__)
        old = module.__dict__.copy()
        flags = code.co_flags & _FUTURE

        def execute() -> None:
            namespace = module.__dict__
            _blank(namespace)
            namespace.update({name: old[name] for name in kept})
            for statement in _to_run(old_tree, new_tree, said, kept, old):
                piece = ast.Module([statement], [])
                exec(compile(piece, self.path, "exec", flags, dont_inherit=True), namespace)
                namespace.update({name: old[name] for name in _bound(statement) & kept})

        self._show(source)
        try:
            self._execute(module, source, execute)
        except BaseException:
            self._show(self._source)
            raise
        self._source, self._code, self.metadata = source, code, declared
        for server in self.servers:
            server.files[self] = None
            server.ready()
        return module

    def reset(self, others: tuple[str, ...] = ()) -> None:
        """Run it once more, from the beginning; the files beside it that it imports, too.

        What else was added to its servers before they were ready is added again, unless it comes from one of the
        *others*, route files that are reset as well.
        """
        module, code = self.module, self._code
        if module is None or code is None:
            self.run()
            return
        before = {server: (server._ready, self._after.get(server)) for server in self._made}
        for name in self._helpers():
            sys.modules.pop(name, None)

        def execute() -> None:
            _blank(module.__dict__)
            exec(code, module.__dict__)

        self._execute(module, self._source, execute)
        for server, (ready, after) in before.items():
            if ready is not None and after is not None:
                server._add_back(after, ready, others)
            server._ready = server._save()

    def _execute(self, module: types.ModuleType, source: str, execute: Callable[[], None]) -> None:
        """Run the code, and see which servers there are then. If it raises, put all back."""
        namespace = module.__dict__
        old = namespace.copy()
        states = [(server, vars(server).copy(), server.routes.save()) for server in self._made]
        try:
            with nursery(namespace, self._made) as made:
                execute()
        except BaseException as error:
            namespace.clear()
            namespace.update(old)
            for server, attributes, items in states:
                vars(server).update(attributes)
                server.routes.restore(items)
            if isinstance(error, (Exception, SystemExit)):
                raise self._fault(error, source) from error
            raise
        self._made = made.made
        self._after = {server: server._save() for server in self._made}
        found = [value for value in namespace.values() if isinstance(value, FauxServer)]
        for server in self.servers:
            server.files.pop(self, None)
        self.servers = list(dict.fromkeys(found))
        for server in self.servers:
            server.files[self] = None

    def _beside(self) -> set[str]:
        """The files that it declares."""
        folder = Path(self.path).parent
        return {str(folder / name) for name in self.metadata.files}

    def _helpers(self) -> list[str]:
        files = self._beside()
        if not files:
            return []
        return [name for name, module in list(sys.modules.items()) if getattr(module, "__file__", None) in files]

    def _show(self, source: str) -> None:
        """Let tracebacks show lines of a text that is nowhere on the disk."""
        if self._given:
            linecache.cache[self.path] = (len(source), None, source.splitlines(keepends=True), self.path)
        else:
            linecache.checkcache(self.path)

    def _compile(self, source: str) -> types.CodeType:
        try:
            return compile(source, self.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise self._fault(error, source) from error

    def _fault(self, error: BaseException, source: str) -> RouteFileError:
        """What went wrong where: in the route file, or in one that it declares."""
        own = {self.path, *self._beside()}
        file, line = self.path, None
        if isinstance(error, SyntaxError) and error.filename in own:
            file, line, said = error.filename, error.lineno, f"{type(error).__name__}: {error.msg}"
        else:
            for frame, number in traceback.walk_tb(error.__traceback__):
                if frame.f_code.co_filename in own:
                    file, line = frame.f_code.co_filename, number
            said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        lines = source.splitlines() if file == self.path else [text.rstrip() for text in linecache.getlines(file)]
        shown = lines[line - 1] if line and line <= len(lines) else ""
        where = f"{Path(file).name}, line {line}" if line else self.name
        return RouteFileError(f"{where}: {said}{_advice(error)}", file, line, shown.strip() or None)

    def _check(self, declared: Metadata) -> None:
        folder = Path(self.path).parent
        for name in declared.files:
            if not (folder / name).exists():
                line, text = _find_line(self._source, name)
                raise RouteFileError(
                    f"{self.name} lists the file {name!r}, and there is none in {folder}. "
                    "Put it there, or take it out of the list.",
                    self.path,
                    line,
                    text,
                )
        missing = [requirement for requirement in declared.dependencies if not _installed(requirement)]
        if missing:
            line, text = _find_line(self._source, missing[0])
            names = ", ".join(missing)
            command = " ".join(f'"{requirement}"' for requirement in missing)
            raise RouteFileError(
                f"{self.name} depends on {names}, which is not installed here. Run: python -m pip install {command}",
                self.path,
                line,
                text,
            )


def _advice(error: BaseException) -> str:
    """What to do about what a route file lacks."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        name = error.name.partition(".")[0]
        if name not in sys.stdlib_module_names:
            return f'. Declare it in the script metadata: files = ["{name}.py"], or dependencies = ["{name}"].'
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, str):
        name = Path(error.filename).name
        return (
            f'. Declare it in the script metadata, files = ["{name}"], and open it from beside the route file: '
            f'Path(__file__).with_name("{name}").'
        )
    return ""


def _read(path: str) -> str:
    try:
        content = Path(path).read_bytes()
        # Of null bytes the compiler tells, in every version; of the newer ones the decoder does so too.
        return content.decode() if b"\0" in content else importlib.util.decode_source(content)
    except OSError as error:
        raise RouteFileError(f"Cannot read the route file {path}: {error.strerror}. Check its name.", path) from error
    except (SyntaxError, UnicodeDecodeError) as error:
        raise RouteFileError(f"Cannot read the route file {path}: {error}. Save it as UTF-8.", path) from error


def _free_name(path: str) -> str:
    """The module name for a file: its own, unless that is taken."""
    stem = re.sub(r"\W", "_", Path(path).stem) or "routes"
    name, number = stem, 1
    while name in sys.stdlib_module_names or getattr(sys.modules.get(name), "__file__", path) != path:
        number += 1
        name = f"{stem}_{number}"
    return name


# --- What it declares ---------------------------------------------------------------------------------------------

_BLOCK = re.compile(r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)$\s(?P<content>(^#(| .*)$\s)+)^# ///$")


def metadata(source: str, path: str = "routes.py") -> Metadata:
    """What a file declares in its inline script metadata (PEP 723).

    >>> metadata('# /// script\\n# [tool.fauxserver]\\n# files = ["books.json"]\\n# ///\\n').files
    ('books.json',)
    """
    blocks = [found for found in _BLOCK.finditer(source.replace("\r\n", "\n")) if found["type"] == "script"]
    if not blocks:
        return Metadata()
    name = Path(path).name
    start = source.replace("\r\n", "\n")[: blocks[-1].start()].count("\n") + 1
    if len(blocks) > 1:
        raise RouteFileError(f"{name} has two blocks of script metadata. Join them.", path, start, "# /// script")
    import tomllib

    text = "".join(line[2:] if line.startswith("# ") else line[1:] for line in blocks[0]["content"].splitlines(True))
    try:
        declared = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RouteFileError(
            f"The script metadata of {name} is no TOML: {error} (counted from line {start + 1}).",
            path,
            start,
            "# /// script",
        ) from error
    tool = declared.get("tool", {})
    tool = tool.get("fauxserver", {}) if isinstance(tool, dict) else tool
    if not isinstance(tool, dict):
        raise RouteFileError(
            f"The script metadata of {name} has {tool!r} where a table should be. Write [tool.fauxserver].",
            path,
            *_find_line(source, "tool"),
        )
    index = tool.get("index", [])
    values = {
        "dependencies": declared.get("dependencies", []),
        "files": tool.get("files", []),
        "index": [index] if isinstance(index, str) else index,
    }
    for key, value in values.items():
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise RouteFileError(
                f'The script metadata of {name} has {key} = {value!r}. Write a list of texts: {key} = ["…"].',
                path,
                *_find_line(source, key),
            )
    return Metadata(*(tuple(value) for value in values.values()))


def _find_line(source: str, text: str) -> tuple[int | None, str | None]:
    for number, line in enumerate(source.splitlines(), start=1):
        if line.startswith("#") and text in line:
            return number, line
    return None, None


def _installed(requirement: str) -> bool:
    """Whether a package is there; of which version, pip knows better."""
    requirement, _, marker = requirement.partition(";")
    name = re.match(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)", requirement)
    if name is None or marker.strip():
        return True
    from importlib import metadata as installed

    try:
        installed.distribution(name[1])
    except installed.PackageNotFoundError:
        return False
    return True


# --- What stays when it is reloaded -------------------------------------------------------------------------------

_FUTURE = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
)
# Made anew, so that their new code takes effect.
_CODE = (
    FauxServer,
    type,
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.ModuleType,
    functools.partial,
)


def _blank(namespace: dict[str, Any]) -> None:
    for name in [name for name in namespace if not (name.startswith("__") and name.endswith("__"))]:
        del namespace[name]


def _identities(old: tuple[str, ast.Module], new: tuple[str, ast.Module]) -> dict[ast.stmt, Any]:
    """For each statement, what it has in common with those that are the same.

    That is its text, if the other version has it too; to write down the syntax tree of 200 books takes 15 ms.
    """
    texts: list[dict[ast.stmt, Any]] = []
    for source, tree in (old, new):
        # Lines as the compiler counts them.
        lines = re.split("\r\n|\r|\n", source)
        texts.append({statement: _text(statement, lines) for statement in tree.body})
    common = set(texts[0].values()) & set(texts[1].values())
    return {
        statement: text if text in common else ast.dump(statement)
        for version in texts
        for statement, text in version.items()
    }


def _text(statement: ast.stmt, lines: list[str]) -> tuple[int, int | None, str]:
    """The lines of a statement, and from where to where in them: there may be others."""
    start = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
    return statement.col_offset, statement.end_col_offset, "\n".join(lines[start - 1 : statement.end_lineno])


def _kept(old_tree: ast.Module, new_tree: ast.Module, said: dict[ast.stmt, Any], namespace: dict[str, Any]) -> set[str]:
    """The names that keep their objects."""
    old, new = _bindings(old_tree, said), _bindings(new_tree, said)
    classes = {name for name in new if old.get(name) != new[name]}

    def keeps(name: str) -> bool:
        if name not in namespace or old.get(name) != new[name] or isinstance(namespace[name], _CODE):
            return False
        kind = type(namespace[name])
        # An object of a class that has changed would go on behaving as before.
        return not (kind.__module__ == namespace["__name__"] and kind.__name__ in classes)

    return {name for name in new if keeps(name)}


def _to_run(
    old_tree: ast.Module, new_tree: ast.Module, said: dict[ast.stmt, Any], kept: set[str], namespace: dict[str, Any]
) -> Iterator[ast.stmt]:
    """The statements to run: all but those that made, or only fill, what is kept."""
    before = {said[statement] for statement in old_tree.body}
    data = (
        kept | {name for name, value in namespace.items() if isinstance(value, types.ModuleType)} | set(dir(builtins))
    )
    for statement in new_tree.body:
        bound = _bound(statement)
        unchanged = said[statement] in before
        if unchanged and bound and bound <= kept and isinstance(statement, (ast.Assign, ast.AnnAssign)):
            continue
        if (
            unchanged
            and isinstance(
                statement, (ast.Expr, ast.For, ast.While, ast.If, ast.With, ast.Try, ast.AugAssign, ast.Assign)
            )
            and _mentioned(statement) & kept
            and _mentioned(statement) <= data | bound
            and bound <= kept | _local(statement)
        ):
            continue
        yield statement


def _bindings(tree: ast.Module, said: dict[ast.stmt, Any]) -> dict[str, list[Any]]:
    """For each name, the statements that give it a value."""
    bindings: dict[str, list[Any]] = {}
    for statement in tree.body:
        for name in _bound(statement):
            bindings.setdefault(name, []).append(said[statement])
    return bindings


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value at module level."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    names: set[str] = set()
    for node in _outside_functions(statement):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
    return names


def _local(statement: ast.stmt) -> set[str]:
    """The names that only serve a loop or a block."""
    if isinstance(statement, ast.For):
        return {node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)}
    if isinstance(statement, ast.With):
        return {
            node.id
            for item in statement.items
            if item.optional_vars
            for node in ast.walk(item.optional_vars)
            if isinstance(node, ast.Name)
        }
    return set()


def _mentioned(statement: ast.stmt) -> set[str]:
    inner = {
        node.id
        for comprehension in ast.walk(statement)
        if isinstance(comprehension, ast.comprehension)
        for node in ast.walk(comprehension.target)
        if isinstance(node, ast.Name)
    }
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} - inner


def _outside_functions(statement: ast.AST) -> Iterator[ast.AST]:
    """A statement's nodes, but not those of functions, classes and comprehensions in it, whose names are their own."""
    yield statement
    closed = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    if isinstance(statement, (*closed, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return
    for child in ast.iter_child_nodes(statement):
        yield from _outside_functions(child)
