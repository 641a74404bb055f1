"""What a plugin finds in the sandbox in place of the operating system.

The component imports nothing, so a call of the operating system ends the call of the plugin with a trap, which names no line. Where Python
allows it, such functions raise an exception instead.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import io
import os
import random
import sys
import time
from typing import Any, Callable, NoReturn, Sequence

LAZY_MODULES = ("_strptime", "encodings.latin_1", "encodings.ascii", "encodings.utf_8_sig", "traceback", "linecache", "tokenize")
"""Modules that the standard library imports when a function is first called."""


class SandboxError(RuntimeError):
    """The plugin asked for something that the sandbox does not have."""


def _refuse(what: str) -> Callable[..., NoReturn]:
    def refused(*_: Any, **__: Any) -> NoReturn:
        raise SandboxError(what)

    return refused


def replace_system_functions() -> None:
    """Replaces clock, shared random generator, files and output. Called before the module of the plugin is imported."""
    no_clock = "a plugin has no clock; read a timestamp of the row"
    for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "process_time", "sleep"):
        setattr(time, name, _refuse(no_clock))
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _with_argument(name, getattr(time, name), no_clock))
    no_seed = "a plugin has no randomness, since its answers are replayed; use random.Random(seed) with a seed from the row"
    for name in random.__all__:
        if getattr(getattr(random, name), "__self__", None) is not None:
            setattr(random, name, _refuse(no_seed))
    os.urandom = _refuse(no_seed)
    random.Random = _seeded_random(random.Random, no_seed)  # type: ignore[misc]
    no_file = "a plugin has no files; pass the file as an asset of the study and read it from `assets`"
    for module in (builtins, io):
        setattr(module, "open", _refuse(no_file))
    # Output goes nowhere.
    sys.stdout = sys.stderr = _Discard()


def _seeded_random(generator: type[random.Random], why: str) -> type[random.Random]:
    """The class of random generators, which needs a seed."""

    class Random(generator):  # type: ignore[misc, valid-type]
        """A random generator with a seed."""

        def __new__(cls, x: Any = None) -> Any:
            """Refuses a generator without a seed."""
            if x is None:
                raise SandboxError(why)
            return super().__new__(cls, x)

    return Random


def _with_argument(name: str, function: Callable[..., Any], why: str) -> Callable[..., Any]:
    def converted(*arguments: Any) -> Any:
        if not arguments:
            raise SandboxError(why)
        return function(*arguments)

    converted.__name__ = name
    return converted


class _Discard(io.TextIOBase):
    def write(self, text: str) -> int:
        """Forgets a text."""
        return len(text)


class _NoMoreModules:
    """The last finder of modules: the sandbox has no files, so nothing can be imported any more."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        """Refuses to look for a module."""
        raise ModuleNotFoundError(
            f"the module `{name}` was not imported when the component was built; import it at the top of a module", name=name
        )


def import_lazy_modules(imports: Sequence[tuple[str, str]]) -> None:
    """Imports what functions of the plugin import when they are called: modules, each with its place in the source.

    :raises ImportError: if a module cannot be imported in the sandbox. The message names the place.
    """
    for name in LAZY_MODULES:
        importlib.import_module(name)
    for name, place in imports:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ImportError(f"{place} imports `{name}`, which fails in the sandbox: {error}") from error


def close() -> None:
    """Ends the set-up of the component: no module can be imported any more, and what is in memory stays there."""
    finders: list[Any] = [finder for finder in sys.meta_path if getattr(finder, "__name__", "") in ("BuiltinImporter", "FrozenImporter")]
    sys.meta_path[:] = [*finders, _NoMoreModules]
    gc.collect()
    gc.freeze()
