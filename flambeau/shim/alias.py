"""The import alias: ``import torch`` finds the flambeau modules themselves (``torch is flambeau``).

A meta path finder, installed first, answers for ``torch`` and ``torchvision``, for their
sub-modules and for their distribution metadata. This file imports the standard library only and
loads without the package: a child process installs it before anything imports NumPy.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing and importlib.metadata cost every child process 50 ms at start
    import importlib.metadata
    from collections.abc import Iterable, Sequence
    from types import ModuleType, TracebackType
    from typing import Any

__all__ = ["TORCH_VERSION", "AliasFinder", "install_finder", "installed", "uninstall_finder"]

TORCH_VERSION = "2.13.0+flambeau"
# Not by a from-import, which would load the package: a child process finds it loaded already.
names = importlib.import_module("flambeau.shim.names")
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What a name of PyTorch's means here; the longest match wins, the rest of the name is kept.
ROOTS = {"torch": "flambeau", "torchvision": "flambeau.vision"}
VERSIONS = {"torch": TORCH_VERSION, "torchvision": "0.28.0+flambeau"}


def target(name: str) -> str | None:
    """The flambeau module that ``name`` stands for, or None when the name is not an alias."""
    head, dot, rest = name.partition(".")
    root = ROOTS.get(head)
    return None if root is None else root + dot + rest


def resolve(name: str) -> ModuleType | None:
    """The module behind an aliased name; None when flambeau has none by that name."""
    wanted = target(name)
    assert wanted is not None
    try:
        return importlib.import_module(wanted)
    except ModuleNotFoundError as error:
        # Only the module itself may be missing: an extra missing inside it is its own error.
        if error.name is None or not (wanted + ".").startswith(error.name + "."):
            raise
    known = names.paths.place(name)
    if known is not None:
        return importlib.import_module(f"{ROOTS['torch']}.{known}")
    parent, _, leaf = wanted.rpartition(".")
    found = getattr(sys.modules.get(parent), leaf, None)
    return found if isinstance(found, type(sys)) else None


class AliasLoader:
    """Hands out a module that is already loaded under its own name."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.spec = module.__spec__

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return self.module

    def exec_module(self, module: ModuleType) -> None:
        asked = module.__spec__
        assert asked is not None
        module.__spec__ = self.spec  # the import system has just put the alias's in its place
        if hasattr(module, "__path__"):
            _keep_hidden(asked.name, module)


def _keep_hidden(name: str, package: ModuleType) -> None:
    """Enter the modules that a function of their name hides in a package (``spectral_norm`` in
    ``torch.nn.utils``) as imported: a first import would put the module in the function's place.
    """
    head = package.__name__ + "."
    for inner, module in tuple(sys.modules.items()):
        leaf = inner.removeprefix(head)
        if leaf != inner and "." not in leaf and vars(package).get(leaf, module) is not module:
            sys.modules[f"{name}.{leaf}"] = module
    for leaf in names.paths.files(name) if name.startswith("torchvision") else ():
        if not isinstance(vars(package).get(leaf, package), type(sys)):
            sys.modules[f"{name}.{leaf}"] = package


def distribution(name: str) -> importlib.metadata.Distribution:
    """Answers ``importlib.metadata.version("torch")``, which libraries ask before importing."""
    import importlib.metadata

    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {VERSIONS[name]}\n"
        f"Summary: {ROOTS[name]} standing in for {name}\n",
        "top_level.txt": name + "\n",
    }

    class AliasDistribution(importlib.metadata.Distribution):
        def read_text(self, filename: str) -> str | None:
            return files.get(filename)

        def locate_file(self, path: Any) -> Any:
            return os.path.join(ROOT, path)

    return AliasDistribution()


class AliasFinder:
    """Finds ``torch`` and ``torchvision`` in flambeau, and flambeau where the runner found it."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target_module: ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname == "flambeau":
            from importlib.util import spec_from_file_location

            return names.dressing(
                spec_from_file_location(
                    "flambeau",
                    os.path.join(ROOT, "__init__.py"),
                    submodule_search_locations=[ROOT],
                )
            )
        if fullname.startswith("flambeau."):
            return names.dressing(importlib.machinery.PathFinder.find_spec(fullname, path))
        if target(fullname) is None:
            return None
        module = resolve(fullname)
        if module is None:
            return self._missing(fullname)
        if fullname == "torch":
            wear_version(module)
        origin = getattr(module.__spec__, "origin", None)
        spec = importlib.machinery.ModuleSpec(fullname, AliasLoader(module), origin=origin)  # type: ignore[arg-type]
        if hasattr(module, "__path__"):
            spec.submodule_search_locations = list(module.__path__)
        return spec

    @staticmethod
    def _missing(fullname: str) -> None:
        # importlib.util.find_spec asks a question and wants None; an import wants a reason.
        caller = sys._getframe(1)
        while caller is not None and caller.f_code.co_filename.startswith("<frozen importlib"):
            if caller.f_code.co_name == "_find_and_load_unlocked":
                from flambeau.shim.suggest import missing_module

                raise missing_module(fullname, target(fullname))
            caller = caller.f_back  # type: ignore[assignment]
        return

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        asked = vars(context) if context is not None else {}
        if "path" in asked:  # an installer that looks into given folders must see what is there
            return ()
        name = asked.get("name")
        return tuple(distribution(n) for n in VERSIONS if name is None or name.lower() == n)


# Python trims the frames of its own import system from an ImportError's traceback, by file name;
# these two count as such, so that the traceback of a missing module ends at the user's line.
for _function in (AliasFinder.find_spec, AliasFinder._missing):
    _function.__code__ = _function.__code__.replace(co_filename="<frozen importlib._bootstrap>")


def wear_version(module: ModuleType) -> None:
    """Under the alias ``torch.__version__`` is the version of PyTorch that flambeau speaks, and
    ``torch.__name__`` is torch.
    """
    module.__name__ = "torch"
    version = importlib.import_module("flambeau.version")
    if not isinstance(module.__version__, version.TorchVersion):
        version.own = module.__version__
        module.__version__ = version.__version__
        if sys.excepthook is sys.__excepthook__:
            sys.excepthook = _tell


def _tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an uncaught error as Python does, with what flambeau can say of its line."""
    if isinstance(error, Exception):
        # Ctrl-C has no line to explain, and a text evaluated here (as imports of named tuples do)
        # would make Python forget to end with the signal.
        importlib.import_module("flambeau.diagnostics").annotate(error)
    sys.__excepthook__(kind, error, trace)


def installed() -> AliasFinder | None:
    """The finder in place, or None."""
    return next((f for f in sys.meta_path if isinstance(f, AliasFinder)), None)


def install_finder() -> None:
    """Put the finder first, so that flambeau wins over a PyTorch installed beside it."""
    real = sys.modules.get("torch")
    if real is not None and real is not sys.modules.get("flambeau"):
        raise RuntimeError(
            f"flambeau.shim.install: torch was imported before, from "
            f"{getattr(real, '__file__', 'an unknown place')}, and both cannot be called torch in "
            "one process. Call install() before the first import of torch, or run the script "
            "with `python -m flambeau`."
        )
    if installed() is None:
        sys.meta_path.insert(0, AliasFinder())  # type: ignore[arg-type]
        names.put_on()
    if real is not None:
        wear_version(real)


def uninstall_finder() -> None:
    """Take the finder away, and with it every aliased name from ``sys.modules``."""
    finder = installed()
    if finder is not None:
        sys.meta_path.remove(finder)  # type: ignore[arg-type]
        names.take_off()
    for name in [n for n in sys.modules if target(n) is not None]:
        if name == "torch" or sys.modules[name].__name__.partition(".")[0] == "flambeau":
            del sys.modules[name]
    package = sys.modules.get("flambeau")
    version = sys.modules.get("flambeau.version")
    if package is not None and version is not None and version.own is not None:
        package.__version__, version.own = version.own, None
        package.__name__ = "flambeau"
