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
import sysconfig
import tempfile
import traceback
from pathlib import Path

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
    declaration = _import(folder, module)
    imports = []
    for path in _own_sources(folder):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        _refuse_clock(tree, path.relative_to(folder))
        imports += _lazy_imports(tree, path.relative_to(folder))
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
        packages = Path(sysconfig.get_paths()["purelib"])
        for path in dict.fromkeys((app, folder, SDK.parent, packages)):
            command += ["--python-path", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0 or not component.is_file():
            raise BuildError(_tool_failure(module, result.stdout + result.stderr))
        output.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(component, output)


def _check_tool() -> None:
    if sys.version_info < (3, 10):
        raise BuildError(f"{sys.executable} is Python {sys.version.split()[0]}; use Python 3.10 or newer")
    try:
        importlib.metadata.version("componentize-py")
    except importlib.metadata.PackageNotFoundError:
        pip = f"{sys.executable} -m pip"
        if sys.prefix == sys.base_prefix:
            # Debian's Python, for one, installs nothing outside of a virtual environment.
            pip = "python3 -m venv .venv && .venv/bin/pip"
        raise BuildError(
            f"{sys.executable} has no componentize-py; run `{pip} install componentize-py=={COMPONENTIZE_PY}` in the folder of the plugin"
        ) from None


def _own_sources(folder: Path) -> list[Path]:
    """The files in the folder of the plugin that its module has imported, without the SDK and virtual environments."""
    paths = {Path(file).resolve() for loaded in list(sys.modules.values()) if (file := getattr(loaded, "__file__", None))}
    foreign = (SDK, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
    own = (path for path in paths if path.is_relative_to(folder) and not any(map(path.is_relative_to, foreign)))
    return sorted(path for path in own if path.suffix == ".py")


def _refuse_clock(tree: ast.Module, name: Path) -> None:
    """Finds ``datetime.now()`` and its like. Their failure in the sandbox is a trap, which names no line."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in CLOCK_METHODS:
            continue
        owner = node.func.value
        owner_name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
        if owner_name in ("date", "datetime"):
            raise BuildError(
                f"{name}:{node.lineno}: a plugin has no clock, so `{owner_name}.{node.func.attr}` fails; read a timestamp of the row"
            )


def _lazy_imports(tree: ast.Module, name: Path) -> list[tuple[str, str]]:
    """The imports inside of functions, each with its place. They would fail when the function is called."""
    found = []
    functions = (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
    for node in (inner for function in functions for inner in ast.walk(function)):
        if isinstance(node, ast.Import):
            found += [(alias.name, f"{name}:{node.lineno}") for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found.append((node.module, f"{name}:{node.lineno}"))
    return found


def _import(folder: Path, module: str) -> Declaration:
    """Imports the module natively: its mistakes are found with their lines, and what it declares is known."""
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name == module:
            raise BuildError(
                f"{folder} has no module {module}; write {module}.py, or name another one as `module` under [tool.understudy] in pyproject.toml"
            ) from None
        raise BuildError(_own_trace(error, folder)) from None
    except SyntaxError as error:
        name = Path(error.filename or module)
        name = name.relative_to(folder) if name.is_relative_to(folder) else name
        raise BuildError(f"{name}:{error.lineno}: {error.msg}; correct it") from None
    except Exception as error:
        raise BuildError(_own_trace(error, folder)) from None
    try:
        return registered_plugin(module)
    except TypeError as error:
        raise BuildError(str(error)) from None


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
    """What `componentize-py` printed: the exception in the sandbox if there was one, without the tool's own frames."""
    cause = printed.split("Caused by:")[-1].split("Stack backtrace:")[0].strip()
    hint = ""
    if "ImportError" in cause or "ModuleNotFoundError" in cause:
        hint = "; packages with compiled parts, such as numpy, do not work there"
    return f"componentize-py cannot make a component of `{module}`: {cause}{hint}"


if __name__ == "__main__":
    main()
