"""`jit.save` and `jit.load`: a program in a file that another process runs without its sources.

The file is a zip archive of flambeau's own: the tensors and attributes of every module, and the
source of the user's classes and functions (`script/code/`), which is executed when it is loaded.
So load only files you trust. PyTorch's own archives hold TorchScript and are refused.
"""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from typing import Any

from flambeau.core.errors import fail
from flambeau.jit.modules import (
    RecursiveScriptModule,
    ScriptFunction,
    ScriptModule,
    original_class,
    scripted,
)
from flambeau.jit.source import Collector, Rebuilt
from flambeau.nn import Module
from flambeau.serialization.writing import replacing

__all__ = ["load", "save"]

DATA = "script/program.pt"
EXTRA = "script/extra/"


class _Writer:
    """The modules of a program as data, each once."""

    def __init__(self) -> None:
        self.numbers: dict[int, int] = {}
        self.parts: list[Any] = []
        self.collector = Collector(self.add)
        self.plain = vars(Module()).keys() - {"training"}

    def add(self, module: Module) -> int:
        """The number of a module among `parts`."""
        if id(module) in self.numbers:
            return self.numbers[id(module)]
        number = self.numbers[id(module)] = len(self.parts)
        self.parts.append(None)
        cls = original_class(type(module))
        own = module.__getstate__()
        label = cls.__name__
        self.parts[number] = {
            "class": self.collector.encode(cls, label),
            "own": {
                k: self.collector.encode(v, f"{label}.{k}")
                for k, v in own.items()
                if k not in self.plain
            },
            "parameters": dict(module._parameters),
            "buffers": dict(module._buffers),
            "unsaved": sorted(module._non_persistent_buffers_set),
            "modules": {k: None if m is None else self.add(m) for k, m in module._modules.items()},
        }
        return number


def save(m: Any, f: Any, _extra_files: dict[str, Any] | None = None) -> None:
    """Write a scripted or traced program.

    Args:
        m: what `script` or `trace` gave. f: a path or a binary file.
        _extra_files: name -> text or bytes, kept beside it.

    Raises:
        AttributeError: it is neither scripted nor traced. RuntimeError: a source cannot be read.
    """
    if not isinstance(m, (ScriptModule, ScriptFunction)):
        raise fail(
            AttributeError,
            "jit.save",
            f"{type(m).__name__!r} object has no attribute 'save': give what torch.jit.script or "
            "torch.jit.trace returned.",
        )
    import flambeau

    writer = _Writer()
    root = (
        ("part", writer.add(m))
        if isinstance(m, Module)
        else writer.collector.encode(m._torchscript_function, m.name)
    )
    data = io.BytesIO()
    definitions = writer.collector.definitions
    flambeau.save({"definitions": definitions, "parts": writer.parts, "root": root}, data)
    opened = replacing(f) if isinstance(f, (str, os.PathLike)) else contextlib.nullcontext(f)
    with opened as file, zipfile.ZipFile(file, "w") as archive:
        archive.writestr(DATA, data.getvalue())
        for each in definitions:
            archive.writestr(f"script/code/{each['label']}_{each['name']}.py", each["text"])
        for name, content in (_extra_files or {}).items():
            archive.writestr(EXTRA + name, content)


def load(
    f: Any,
    map_location: Any = None,
    _extra_files: dict[str, Any] | None = None,
    _restore_shapes: bool = False,
) -> Any:
    """Read a program that `save` wrote. Its sources are executed: load only files you trust.

    Args:
        f: a path or a binary file. map_location: as in `torch.load`.
        _extra_files: name -> anything; the values become the bytes that were saved.

    Raises:
        ValueError: there is no such file. RuntimeError: it is no such archive.
    """
    import flambeau

    if isinstance(f, (str, os.PathLike)) and not os.path.exists(f):
        raise ValueError(f"jit.load: The provided filename {f} does not exist.")
    if isinstance(f, (str, os.PathLike)) and os.path.isdir(f):
        raise ValueError(f"jit.load: The provided filename {f} is a directory.")
    try:
        archive = zipfile.ZipFile(f)
    except zipfile.BadZipFile as problem:
        raise fail(
            RuntimeError, "jit.load", "the file is no archive of torch.jit.save"
        ) from problem
    with archive:
        names = archive.namelist()
        if DATA not in names:
            raise fail(
                RuntimeError,
                "jit.load",
                "the archive holds TorchScript, which runs in PyTorch alone, or no program. Build "
                "the model in Python and load a state dict: torch.load(path).",
            )
        found = flambeau.load(
            io.BytesIO(archive.read(DATA)), map_location=map_location, weights_only=False
        )
        for name in _extra_files if _extra_files is not None else ():
            if EXTRA + name in names:
                _extra_files[name] = archive.read(EXTRA + name)  # type: ignore[index]
    return _Reader(found).program()


class _Reader:
    """The modules of a program, made of their data."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.parts, self.root = found["parts"], found["root"]
        self.modules: dict[int, Module] = {}
        self.rebuilt = Rebuilt(found["definitions"], self.module)
        self.rebuilt.run()

    def module(self, number: int) -> Module:
        """The module of a number."""
        if number in self.modules:
            return self.modules[number]
        part = self.parts[number]
        cls = self.rebuilt.decode(part["class"])
        made: Module = cls.__new__(cls)
        self.modules[number] = made
        Module.__init__(made)
        state = dict(vars(made))
        state["_parameters"] = part["parameters"]
        state["_buffers"] = part["buffers"]
        state["_non_persistent_buffers_set"] = set(part["unsaved"])
        state["_modules"] = {
            k: None if n is None else self.module(n) for k, n in part["modules"].items()
        }
        state |= {k: self.rebuilt.decode(v) for k, v in part["own"].items()}
        made.__setstate__(state)
        return made

    def program(self) -> Any:
        """What was saved."""
        found = self.rebuilt.decode(self.root)
        if not isinstance(found, Module):
            function, found = found, Module()
            vars(found)["forward"] = function
        return scripted(found, RecursiveScriptModule, RecursiveScriptModule)
