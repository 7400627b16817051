"""From a module's text to addresses that can be called: compile, keep on disk, load.

`load(module)` compiles at the first use on a machine (20 to 300 ms), maps the finished image
afterwards (0.1 ms, without LLVM). Stands on ir, target, cache, elf; llvmlite when it compiles.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache as once
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from flambeau.core.kernels.jit import cache, elf
from flambeau.core.kernels.jit.ir import Module
from flambeau.core.kernels.jit.target import Target, describe, identity

__all__ = ["Unavailable", "available", "compiled", "host", "keep", "load", "load_made", "loaded"]

ABI = 2
"""Goes up when the meaning of what is cached changes."""


class Unavailable(Exception):
    """No code can be generated here."""


@once
def available() -> bool:
    """Whether code can be generated: llvmlite is there, the interpreter is the plain CPython, and
    ``FLAMBEAU_JIT`` is not 0.
    """
    return (
        os.environ.get("FLAMBEAU_JIT", "1") != "0"
        and sys.implementation.name == "cpython"
        and ctypes.sizeof(ctypes.c_void_p) == 8
        and sys.byteorder == "little"
        and not hasattr(sys, "gettotalrefcount")  # a debug build: other layouts
        and getattr(sys, "_is_gil_enabled", lambda: True)()
        and "t" not in getattr(sys, "abiflags", "")
        and find_spec("llvmlite") is not None
    )


@once
def _version() -> str:
    """What llvmlite says of its version, from its file: ``importlib.metadata`` takes 15 ms."""
    found = find_spec("llvmlite")
    try:
        return (Path(str(found and found.origin)).parent / "_version.py").read_text()
    except OSError:
        return "unknown"


@once
def host() -> Target:
    """This machine, from the last time LLVM was asked about it."""
    key = f"host-{_digest(identity(), _version())}"
    found = cache.read(key)
    import json

    if found is not None:
        return Target(*json.loads(found))
    llvm = _llvm()
    features = dict(llvm.get_host_cpu_features())
    target = describe(llvm.get_process_triple(), llvm.get_host_cpu_name(), features)
    cache.write(key, json.dumps(target).encode())
    return target


def _digest(*parts: str) -> str:
    return cache.digest("\0".join(parts).encode()).hex()[:32]


@once
def _llvm() -> Any:
    """llvmlite, ready to make code."""
    try:
        from llvmlite import binding
    except Exception as problem:  # its library may be missing or not load
        raise Unavailable(str(problem)) from problem
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    binding.initialize_native_asmparser()
    return binding


def _machine(target: Target) -> Any:
    return (
        _llvm()
        .Target.from_triple(target.triple)
        .create_target_machine(
            cpu=target.cpu, features=target.features, opt=2, reloc="pic", codemodel="small"
        )
    )


def compiled(module: Module, target: Target, *, assembly: bool = False) -> Any:
    """The object file of a module; its assembly text, to look at."""
    llvm = _llvm()
    machine = _machine(target)
    made = llvm.parse_assembly(module.text(target.attributes))
    made.triple = target.triple
    made.data_layout = str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=0 if module.calls else 1)
    options.loop_vectorization = module.vectorize
    options.slp_vectorization = False
    options.loop_unrolling = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(made, builder)
    return machine.emit_assembly(made) if assembly else machine.emit_object(made)


_LOCK = threading.Lock()
_LOADED: dict[str, dict[str, int]] = {}


def keep(*things: Any) -> None:
    """Never give these back, not at the interpreter's end either: threads may still run in them."""
    for thing in things:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def loaded() -> dict[str, dict[str, int]]:
    """The modules loaded so far by key: where their functions begin."""
    return _LOADED


def load(module: Module) -> dict[str, int]:
    """The addresses of a module's functions by name. May be called by several threads.

    Raises:
        Unavailable: no code can be generated here.
    """
    if not available():
        raise Unavailable("FLAMBEAU_JIT is 0, or llvmlite or this interpreter do not serve")
    target = host()
    text = module.text(target.attributes)
    key = f"{module.name}-{_digest(str(ABI), text, repr(target), _version())}"
    with _LOCK:
        found = _LOADED.get(key)
        if found is None:
            found = _LOADED[key] = _load(module, target, key)
        return found


def load_made(
    name: str, sources: Iterable[Path], facts: str, make: Callable[[], Module]
) -> dict[str, int]:
    """`load` of a large module whose text takes long to write: the key is made of what writes it.

    Args:
        name: the module's.
        sources: the files of code that the text comes from.
        facts: whatever else goes into it.
        make: writes the module; called where no image is kept.

    Raises:
        Unavailable: no code can be generated here.
    """
    if not available():
        raise Unavailable("FLAMBEAU_JIT is 0, or llvmlite or this interpreter do not serve")
    target = host()
    texts = [path.read_text() for path in sources]
    key = f"{name}-{_digest(str(ABI), facts, repr(target), _version(), *texts)}"
    with _LOCK:
        found = _LOADED.get(key)
        if found is None:
            kept = cache.read(key) if _images(target) else None
            if kept is None:
                found = _load(make(), target, key)
            else:
                found = _shown(kept)
            _LOADED[key] = found
        return found


def _images(target: Target) -> bool:
    """Whether objects are kept as images."""
    return sys.platform == "linux" and target.triple.startswith("x86_64")


def _load(module: Module, target: Target, key: str) -> dict[str, int]:
    """From the cache, else compiled; as an image where that is possible, else by LLVM's linker."""
    import json

    images = _images(target)
    content = cache.read(key)
    if content is None:
        try:
            content = compiled(module, target)
        except RuntimeError as problem:
            raise Unavailable(str(problem)) from problem
        if images:
            try:
                code, starts = elf.image(content)
                content = json.dumps(starts).encode() + b"\n" + code
            except elf.Unlinked as problem:
                raise Unavailable(str(problem)) from problem
        cache.write(key, content)
    if images:
        return _shown(content)
    return _linked(module, content, key)


def _shown(image: bytes) -> dict[str, int]:
    """An image as it is kept: where its functions begin, and the code."""
    import json

    head, _, code = image.partition(b"\n")
    return _mapped(code, json.loads(head))


def _mapped(code: bytes, starts: dict[str, int]) -> dict[str, int]:
    """Code put into memory of its own, which is then closed for writing and opened for running."""
    size = -(-len(code) // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.write(code)
    hold = ctypes.c_char.from_buffer(memory)
    address = ctypes.addressof(hold)
    protect = ctypes.CDLL(None).mprotect
    if protect(ctypes.c_void_p(address), ctypes.c_size_t(size), mmap.PROT_READ | mmap.PROT_EXEC):
        raise Unavailable("this system runs no code made at run time")
    keep(memory, hold)
    return {name: address + start for name, start in starts.items()}


@once
def _linker() -> Any:
    return _llvm().create_lljit_compiler()


def _linked(module: Module, content: bytes, key: str) -> dict[str, int]:
    """An object loaded by LLVM."""
    library = _llvm().JITLibraryBuilder().add_object_img(content).add_current_process()
    for name in module.symbols:
        library = library.export_symbol(name)
    tracker = library.link(_linker(), key)
    keep(tracker)
    return {name: tracker[name] for name in module.symbols}
