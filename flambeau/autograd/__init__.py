"""Automatic differentiation: backward, grad, the grad modes, Function, checks. The engine stands in
core.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from flambeau.autograd.backward import backward, grad
from flambeau.autograd.gradcheck import GradcheckError, gradcheck, gradgradcheck
from flambeau.autograd.modes import (
    detect_anomaly,
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
    set_multithreading_enabled,
)

if _TYPE_CHECKING:
    from flambeau.autograd import graph
    from flambeau.autograd.function import (
        Function,
        FunctionCtx,
        NestedIOFunction,
        once_differentiable,
    )
    from flambeau.autograd.graph import saved_tensors_hooks
    from flambeau.autograd.variable import Variable

__all__ = [
    "Function",
    "FunctionCtx",
    "GradcheckError",
    "NestedIOFunction",
    "Variable",
    "backward",
    "detect_anomaly",
    "enforce_grad_layout_policy",
    "enable_grad",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "graph",
    "inference_mode",
    "is_anomaly_check_nan_enabled",
    "is_anomaly_enabled",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "no_grad",
    "once_differentiable",
    "saved_tensors_hooks",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

_NAMES = {
    "Function": "function",
    "FunctionCtx": "function",
    "NestedIOFunction": "function",
    "Variable": "variable",
    "once_differentiable": "function",
    "saved_tensors_hooks": "graph",
}
_ROOMS = {
    "anomaly_mode": "modes",
    "forward_ad": "",
    "functional": "",
    "grad_mode": "modes",
    "graph": "",
    "profiler": "",
}


def __getattr__(name: str) -> _Any:
    """Rooms that load at first use, PyTorch's older names of them included, and names from them."""
    if name in _NAMES:
        found = globals()[name] = getattr(_import_module(f"flambeau.autograd.{_NAMES[name]}"), name)
        return found
    if name in _ROOMS:
        return _import_module(f"flambeau.autograd.{_ROOMS[name] or name}")
    raise AttributeError(f"module 'flambeau.autograd' has no attribute {name!r}")
