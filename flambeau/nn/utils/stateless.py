"""Calling a module with other tensors in the place of its own. ``flambeau.func`` offers it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

from flambeau.core.errors import fail
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor
from flambeau.nn.modules.module import Module

__all__ = ["functional_call"]


def _tied_names(module: Module) -> dict[str, set[str]]:
    """For each name of a tensor with several names: all its names."""
    groups: dict[int, set[str]] = {}
    for named in (module.named_parameters, module.named_buffers):
        for name, tensor in named(remove_duplicate=False):
            groups.setdefault(id(tensor), set()).add(name)
    return {name: names for names in groups.values() if len(names) > 1 for name in names}


def _untie_named_tensors_map(
    module: Module, parameters_and_buffers: dict[str, Tensor]
) -> dict[str, Tensor]:
    """The given tensors under all names of those they replace."""
    tied = _tied_names(module)
    result = dict(parameters_and_buffers)
    for name in parameters_and_buffers:
        names = tied.get(name, set())
        given = [parameters_and_buffers[n] for n in names if n in parameters_and_buffers]
        if len({id(tensor) for tensor in given}) > 1:
            raise fail(
                ValueError,
                "functional_call",
                f"functional_call got multiple values for keys {sorted(names)}, which are tied. "
                "Consider using tie_weights=False",
            )
        for other in names:
            result[other] = parameters_and_buffers[name]
    return result


def _swap(module: Module, tensors: dict[str, Any]) -> dict[str, Any]:
    """Put tensors in at their paths; those that were there."""
    previous: dict[str, Any] = {}
    for path, tensor in tensors.items():
        above, _, name = path.rpartition(".")
        owner = module.get_submodule(above)
        for table in (owner._parameters, owner._buffers, owner.__dict__):
            if name in table:
                previous[path] = table[name]
                table[name] = tensor
                _note(owner, name, tensor)
                break
        else:
            if isinstance(getattr(type(owner), name, None), property):
                previous[path] = getattr(owner, name)
                setattr(owner, name, tensor)
    return previous


def _note(owner: Any, name: str, tensor: Any) -> None:
    """Recurrent layers keep their weights in a list, too."""
    names = owner.__dict__.get("_flat_weights_names")
    if names and name in names:
        owner._flat_weights[names.index(name)] = tensor


@contextlib.contextmanager
def _reparametrize_module(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    tie_weights: bool = False,
    strict: bool = False,
    stack_weights: bool = False,
) -> Iterator[None]:
    """Within: the module holds the given tensors; after: its own again.

    In-place updates of the given tensors are given back in ``parameters_and_buffers``.
    """
    given = parameters_and_buffers
    if tie_weights:
        given = _untie_named_tensors_map(module, parameters_and_buffers)
    if strict:
        _check_keys(module, given)
    own = _swap(module, given)
    try:
        yield
    finally:
        if stack_weights:
            own = dict(reversed(own.items()))
        now = _swap(module, own)
        parameters_and_buffers.update(
            {name: now[name] for name in parameters_and_buffers if name in now}
        )


def _check_keys(module: Module, given: dict[str, Any]) -> None:
    names = {name for name, _ in module.named_parameters(remove_duplicate=False)}
    names |= {name for name, _ in module.named_buffers(remove_duplicate=False)}
    problems = []
    for label, keys in (("Unexpected", given.keys() - names), ("Missing", names - given.keys())):
        if keys:
            problems.append(f"{label} key(s): {', '.join(map(repr, sorted(keys)))}.")
    if problems:
        lines = "\n\t".join(problems)
        raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t{lines}")


def _functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call the module with the given tensors in the place of its own.

    Args:
        module: the module; it is unchanged after the call.
        parameters_and_buffers: tensors by path.
        args, kwargs: for the call; a single argument need not be a tuple.
        tie_weights: a tensor with several names is replaced under all of them.
        strict: every parameter and buffer must be given, and nothing else.
    """
    if args is None:
        args = ()
    elif not isinstance(args, tuple):
        args = (args,)
    with _reparametrize_module(
        module, parameters_and_buffers, tie_weights=tie_weights, strict=strict
    ):
        return module(*args, **(kwargs or {}))


def functional_call(
    module: Module,
    parameters_and_buffers: dict[str, Tensor],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """The old place of ``flambeau.func.functional_call``; warns."""
    warnings.warn(
        "`torch.nn.utils.stateless.functional_call` is deprecated as of PyTorch 2.0 and will be "
        "removed in a future version of PyTorch. Please use `torch.func.functional_call` instead "
        "which is a drop-in replacement.",
        FutureWarning,
        stacklevel=stack_level(),
    )
    return _functional_call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
