"""Builds the component of a plugin: ``python -m understudy_sdk.build FOLDER --module NAME --output FILE``.

``understudy plugin build`` calls it. It needs the package ``componentize-py``. The component contains CPython and the modules that the
plugin imports, and imports nothing itself.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Iterator

from .declaration import Declaration, MetricDeclaration, registered_plugin

COMPONENTIZE_PY = "0.25.1"
"""The version of ``componentize-py`` that this SDK is tested with."""
SDK = Path(__file__).resolve().parent
APP = "understudy_component"
"""The module that exports the plugin. It exists only while the component is built."""
CLOCK_METHODS = {"now", "utcnow", "today"}


class BuildError(Exception):
    """Why there is no component, and what to do."""


def main() -> None:
    """Reads the arguments and builds."""
    parser = argparse.ArgumentParser(prog="python -m understudy_sdk.build", description="Build the component of a plugin.")
    parser.add_argument("folder", type=Path, help="folder of the plugin")
    parser.add_argument("--module", required=True, help="module that declares the plugin")
    parser.add_argument("--name", help="name of the plugin [default: the module]")
    parser.add_argument("--version", default="0.1.0", help="version of the plugin")
    parser.add_argument("--wit", type=Path, default=SDK / "shadow.wit", help="the contract [default: that of the SDK]")
    parser.add_argument("--output", type=Path, required=True, help="file for the component")
    arguments = parser.parse_args()
    try:
        build(
            arguments.folder,
            arguments.module,
            arguments.output,
            name=arguments.name or arguments.module,
            version=arguments.version,
            contract=arguments.wit,
        )
    except BuildError as error:
        print(error, file=sys.stderr)
        sys.exit(1)


def build(folder: Path, module: str, output: Path, *, name: str, version: str, contract: Path) -> None:
    """Builds the component of a module in a folder.

    :raises BuildError: if the module declares no plugin, uses what the sandbox lacks, or the tool fails.
    """
    _check_tool()
    folder = folder.resolve()
    sources = list(_sources(folder))
    for path in sources:
        _refuse_clock(path, folder)
    imports = [found for path in sources for found in _lazy_imports(path, folder)]
    declaration = _import(folder, module)
    is_metric = isinstance(declaration, MetricDeclaration)
    with tempfile.TemporaryDirectory(prefix="understudy-") as work:
        world = Path(work) / "wit"
        world.mkdir()
        shutil.copy(contract, world)
        app = Path(work) / "app"
        app.mkdir()
        (app / f"{APP}.py").write_text(_app(module, name, version, imports, is_metric), encoding="utf-8")
        component = Path(work) / "component.wasm"
        command = [sys.executable, "-c", "import sys, componentize_py; sys.exit(componentize_py.script())"]
        command += ["--quiet", "--wit-path", str(world), "--world", "metric" if is_metric else "model"]
        command += ["componentize", APP, "--stub-wasi", "--output", str(component)]
        for path in (app, folder, SDK.parent):
            command += ["--python-path", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0 or not component.is_file():
            raise BuildError(_tool_failure(module, result.stdout + result.stderr))
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(component, output)


def _check_tool() -> None:
    try:
        importlib.metadata.version("componentize-py")
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(
            f"{sys.executable} has no componentize-py; run `{sys.executable} -m pip install componentize-py=={COMPONENTIZE_PY}`"
        ) from None


def _sources(folder: Path) -> Iterator[Path]:
    """The modules in the folder of a plugin, without its tests, the SDK and virtual environments."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith((".", "test_")) or entry.name in ("tests", "sdk", "conftest.py", "__pycache__"):
            continue
        if entry.is_dir() and not (entry / "pyvenv.cfg").exists() and (entry / "__init__.py").exists():
            yield from sorted(entry.rglob("*.py"))
        elif entry.suffix == ".py":
            yield entry


def _parsed(path: Path, folder: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8"), str(path.relative_to(folder)))
    except SyntaxError as error:
        raise BuildError(f"{path.relative_to(folder)}:{error.lineno}: {error.msg}; correct it") from None


def _refuse_clock(path: Path, folder: Path) -> None:
    """Finds ``datetime.now()`` and its like. Their failure in the sandbox is a trap, which names no line."""
    for node in ast.walk(_parsed(path, folder)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in CLOCK_METHODS:
            continue
        owner = node.func.value
        owner_name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if owner_name in ("date", "datetime"):
            raise BuildError(
                f"{path.relative_to(folder)}:{node.lineno}: a plugin has no clock, so `{owner_name}.{node.func.attr}` fails; "
                "read a timestamp of the row"
            )


def _lazy_imports(path: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """The imports inside of functions, each with its place. They would fail when the function is called."""
    functions = [node for node in ast.walk(_parsed(path, folder)) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    for function in functions:
        for node in ast.walk(function):
            place = f"{path.relative_to(folder)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.name, place
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                yield node.module, place


def _import(folder: Path, module: str) -> Declaration:
    """Imports the module natively: its mistakes are found with their lines, and what it declares is known."""
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        importlib.import_module(module)
        return registered_plugin(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise BuildError(
                f"{folder} has no module {module}; write {module}.py, or name another one as `module` under [tool.understudy] in pyproject.toml"
            ) from None
        raise BuildError(_own_trace(error, folder)) from None
    except Exception as error:
        raise BuildError(_own_trace(error, folder)) from None


def _own_trace(error: BaseException, folder: Path) -> str:
    """The frames of an exception in the files of the plugin, and its message."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(folder)]
    frames = [frame for frame in frames if not Path(frame.filename).is_relative_to(SDK)]
    places = [f"{Path(frame.filename).relative_to(folder)}:{frame.lineno}: {frame.line}" for frame in frames]
    return "\n".join([*places, "".join(traceback.format_exception_only(error)).strip()])


def _app(module: str, name: str, version: str, imports: list[tuple[str, str]], is_metric: bool) -> str:
    """The source of the module that exports the plugin."""
    interface = ("Scorer", "scorer") if is_metric else ("Decider", "decider")
    return f"""\
from understudy_sdk import component, sandbox

sandbox.replace_system_functions()
import {module}
from understudy_sdk.component import Answers, Columns, Setup
from understudy_sdk.declaration import registered_plugin

{interface[0]} = component.{interface[1]}(registered_plugin({module!r}), {name!r}, {version!r})
sandbox.import_lazy_modules({imports!r})
sandbox.close()
"""


def _tool_failure(module: str, printed: str) -> str:
    """What `componentize-py` printed, from the traceback in the sandbox on if there is one."""
    start = printed.find("Traceback (most recent call last)")
    text = printed[start:].split("\n\nCaused by:")[0].strip() if start >= 0 else printed.strip()
    lines = [line for line in text.splitlines() if "wasm backtrace" not in line]
    hint = "the sandbox runs pure Python only: packages with compiled parts, such as numpy, cannot be imported there"
    return "\n".join([f"`{module}` cannot be built as a component; {hint}", *lines[-20:]])




if __name__ == "__main__":
    main()
