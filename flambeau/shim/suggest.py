"""Errors for names that do not exist: they say who stands in for whom, and the nearest name.

Module ``__getattr__`` functions raise ``missing(...)``; the import alias raises
``missing_module(...)``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType

from flambeau.shim.absent import reason

__all__ = ["missing", "missing_module", "nearest"]


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Up to three public names near ``name``, the best first."""
    lowered = name.lower()
    # One pass over the lengths first: difflib costs 5 us a name, hasattr() asks often.
    near = [
        n for n in names
        if not n.startswith("_") and abs(len(n) - len(name)) <= max(2, len(name) // 3)
    ]  # fmt: skip
    folded = {n.lower(): n for n in near}
    if lowered in folded:
        return [folded[lowered]]
    found = difflib.get_close_matches(lowered, folded, n=3, cutoff=0.72)
    return [folded[n] for n in found]


def _mend(near: list[str]) -> str:
    if not near:
        return ""
    return " Did you mean: " + " or ".join(f"'{name}'" for name in near) + "?"


def _why(torch_name: str) -> str:
    why = reason(torch_name.removeprefix("torch."))
    return f" Not here on purpose: {why}." if why else ""


def missing(module_name: str, name: str, names: Iterable[str]) -> AttributeError:
    """The error of ``module_name.name`` where no such name exists.

    Args:
        module_name: the module's ``__name__``.
        name: what was asked for.
        names: the names that exist (``globals()`` of the module, or a lazy module's table).
    """
    message = f"module '{module_name}' has no attribute '{name}'"
    if not name.startswith("__"):
        torch_name = "torch" + module_name.removeprefix("flambeau").removeprefix("torch")
        message = (
            f"module '{module_name}' has no attribute '{name}': flambeau, which stands in for "
            f"PyTorch, has no {torch_name}.{name}."
            + (_why(f"{torch_name}.{name}") or _mend(nearest(name, names)))
        )
    return AttributeError(message)


def missing_module(name: str, wanted: str | None) -> ModuleNotFoundError:
    """The error of ``import name`` where flambeau has no module ``wanted``."""
    parent_name, _, leaf = (wanted or name).rpartition(".")
    names: list[str] = []
    try:
        parent = importlib.import_module(parent_name)
    except ImportError:
        parent = None
    if parent is not None:
        names = [m.name for m in pkgutil.iter_modules(getattr(parent, "__path__", []))]
        names += [key for key, value in vars(parent).items() if isinstance(value, ModuleType)]
    alias = name.rpartition(".")[0]
    near = [f"{alias}.{n}" if alias else n for n in nearest(leaf, dict.fromkeys(names))]
    return ModuleNotFoundError(
        f"No module named '{name}': flambeau stands in for {name.partition('.')[0]} here and has "
        f"no {wanted}." + (_why(name) or _mend(near)),
        name=name,
    )
