"""Layers and parameters that a module holds but does not know: in plain lists, dicts and tensors.

PyTorch passes them over in silence: an optimizer never moves them, a state dict never saves them.
Nothing here is asked while a model runs, only where something is missing already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flambeau.core.tensor import Tensor
from flambeau.nn.parameter import Parameter

if TYPE_CHECKING:
    from flambeau.nn.modules.module import Module

__all__ = ["unregistered"]

MENDS = {
    ("Module", "list"): "nn.ModuleList",
    ("Module", "dict"): "nn.ModuleDict",
    ("Parameter", "list"): "nn.ParameterList",
    ("Parameter", "dict"): "nn.ParameterDict",
}


def unregistered(module: Module) -> list[str]:
    """What `module.parameters()` does not give though the module holds it, each with its mend.

    Told are modules and parameters in lists, tuples, sets and dicts, and plain tensors that require
    a gradient, of the module and of all its submodules. A list may hide a module on purpose (a
    teacher that is not trained): this function is asked, it never warns.

    Example:
        >>> import flambeau as torch
        >>> model = torch.nn.Module()
        >>> model.layers = [torch.nn.Linear(1, 1)]
        >>> torch.unregistered(model)[0][:38]
        'layers is a list that holds a Linear: '
    """
    known = {id(parameter) for parameter in module.parameters()}
    return [text for path, child in module.named_modules() for text in _held(path, child, known)]


def _held(path: str, module: Module, known: set[int]) -> Iterator[str]:
    for name, value in vars(module).items():
        where = f"{path}.{name}" if path else name
        if name in _OWN:
            continue
        if isinstance(value, Tensor):
            if value.requires_grad and value.is_leaf and id(value) not in known:
                yield (
                    f"{where} is a plain tensor that requires a gradient: make it an nn.Parameter"
                )
            continue
        items = value.values() if isinstance(value, dict) else value
        if not isinstance(value, (list, tuple, set, dict)):
            continue
        for item in items:
            kind = _unknown(item, known)
            if kind:
                form = "dict" if isinstance(value, dict) else "list"
                yield (
                    f"{where} is a {type(value).__name__} that holds a {type(item).__name__}: "
                    f"make it an {MENDS[kind, form]}"
                )
                break


def _unknown(item: Any, known: set[int]) -> str:
    """What an item of a plain container is, if the module's parameters miss it."""
    from flambeau.nn.modules.module import Module

    if isinstance(item, Parameter):
        return "" if id(item) in known else "Parameter"
    if isinstance(item, Module):
        return "Module" if any(id(p) not in known for p in item.parameters()) else ""
    return ""


_OWN = frozenset({"_parameters", "_buffers", "_modules"})
