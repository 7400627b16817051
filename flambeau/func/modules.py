"""Modules as functions: `functional_call`, `stack_module_state`, `functionalize`. Stands on
nn.utils.stateless.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

from flambeau.core.declare import ops
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = [
    "functional_call",
    "functionalize",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: dict[str, Tensor] | Sequence[dict[str, Tensor]],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Call a module with other tensors in the place of its parameters and buffers.

    Args:
        parameter_and_buffer_dicts: name to tensor; several dicts may be given, whose names must
            differ.
        args: positional arguments; one that is no tuple stands for itself.
        tie_weights: tensors the module shares stay shared when one of them is given.
        strict: every parameter and buffer must be given, and no other name.
    """
    from flambeau.nn.utils.stateless import _functional_call

    given = parameter_and_buffer_dicts
    if not isinstance(given, dict):
        if not isinstance(given, (list, tuple)) or not all(
            isinstance(each, dict) for each in given
        ):
            raise fail(
                ValueError,
                "functional_call",
                "Expected all elements of parameter_and_buffer_dicts to be dictionaries",
            )
        merged: dict[str, Tensor] = {}
        for each in given:
            twice = merged.keys() & each.keys()
            if twice:
                raise fail(
                    ValueError,
                    "functional_call",
                    f"{sorted(twice)[0]} appears in multiple dictionaries; behavior of functional "
                    f"call is ambiguous",
                )
            merged.update(each)
        given = merged
    return _functional_call(module, given, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters and the buffers of modules of one architecture, stacked: what `vmap` maps an
    ensemble over.

    Raises:
        RuntimeError: no modules, modules of different classes or modes.
    """
    models = list(models)
    if not models:
        raise fail(RuntimeError, "stack_module_state", "Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise fail(
            RuntimeError,
            "stack_module_state",
            "Expected all models to have the same training/eval mode.",
        )
    if len({type(m) for m in models}) > 1:
        raise fail(
            RuntimeError, "stack_module_state", "Expected all models to be of the same class."
        )
    params = {}
    for name, first in models[0].named_parameters():
        stacked = ops.stack([dict(m.named_parameters())[name] for m in models])
        params[name] = stacked.detach().requires_grad_(first.requires_grad)
    buffers = {}
    for name, first in models[0].named_buffers():
        stacked = ops.stack([dict(m.named_buffers())[name] for m in models])
        buffers[name] = (
            stacked.detach().requires_grad_(first.requires_grad)
            if first.requires_grad
            else stacked.detach()
        )
    return params, buffers


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function itself: writes in place are recorded as they are, there is nothing to remove."""
    if remove not in ("mutations", "mutations_and_views"):
        raise fail(
            RuntimeError,
            "functionalize",
            "Valid options for removal argument are: 'mutations' and 'mutations_and_views', got "
            + str(remove),
        )
    return func


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Take the running statistics off every batch normalisation of a module: it normalises by the
    batch alone then, which `vmap` can do for every sample.
    """
    for module in root.modules():
        if getattr(module, "track_running_stats", False):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def make_functional(
    model: Any, disable_autograd_tracking: bool = False
) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
    """A module as a function of its parameters, and the parameters (the form of functorch)."""
    stateless = copy.deepcopy(model)
    names = [name for name, _ in model.named_parameters()]

    def call(params: Sequence[Tensor], *args: Any, **kwargs: Any) -> Any:
        return functional_call(stateless, dict(zip(names, params, strict=True)), args, kwargs)

    values = tuple(p.detach() if disable_autograd_tracking else p for p in model.parameters())
    return call, values
