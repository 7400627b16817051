"""Under the alias flambeau's classes bear the names of PyTorch's: ``<class 'torch.Tensor'>``.

Programs print types, libraries look for "torch" in them, pickles name them. A class's module is
renamed when the module that defines it is loaded, and named back by ``take_off``. Standard
library only: a child process loads this before anything imports NumPy.
"""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType

__all__ = ["dress", "dressing", "put_on", "take_off"]

# Not by a from-import, which would load the package: a child process finds it loaded already.
paths = importlib.import_module("flambeau.shim.paths")
PACKAGE, VISION = "flambeau", "flambeau.vision"
_worn: dict[type, str] = {}
"""What was renamed, with the names to go back to."""


def outer(cls: type) -> str:
    """The module under which PyTorch shows a class of flambeau's."""
    path = cls.__module__
    if path == VISION or path.startswith(VISION + "."):
        return "torchvision" + path.removeprefix(VISION)
    room = paths.home(path.removeprefix(PACKAGE).removeprefix("."))
    return f"torch.{room}" if room else "torch"


def dress(module: ModuleType) -> None:
    """Rename the classes that ``module`` shows; those that are no longer flambeau's stay."""
    for value in tuple(vars(module).values()):
        if isinstance(value, type) and value not in _worn:
            path = value.__module__
            if path == PACKAGE or path.startswith(PACKAGE + "."):
                _worn[value] = path
                value.__module__ = outer(value)
                _anchor(value, path)


def _anchor(cls: type, path: str) -> None:
    """Let a class's annotations, which are text, be read where they were written: ``typing`` looks
    in the module that the class names.
    """
    written = cls.__dict__.get("__annotations__")
    if written:
        from typing import ForwardRef

        for name, text in written.items():
            if isinstance(text, str):
                written[name] = ForwardRef(text, is_argument=False, module=path, is_class=True)


def dressing(spec: ModuleSpec | None) -> ModuleSpec | None:
    """A found module of flambeau's, whose classes are renamed as soon as it has run."""
    loader = None if spec is None else spec.loader
    if loader is not None and hasattr(loader, "exec_module"):
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            dress(module)

        # Counted as the import system's own frame, as in ``alias``: tracebacks leave it out.
        code = exec_module.__code__.replace(co_filename="<frozen importlib._bootstrap>")
        exec_module.__code__ = code
        loader.exec_module = exec_module  # type: ignore[method-assign]
    return spec


def put_on() -> None:
    """Rename the classes of all modules that are loaded already."""
    for name, module in tuple(sys.modules.items()):
        if name == PACKAGE or name.startswith(PACKAGE + "."):
            dress(module)


def take_off() -> None:
    """Give every class its own module back."""
    while _worn:
        value, path = _worn.popitem()
        value.__module__ = path
