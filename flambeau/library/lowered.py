"""PyTorch's names for a call of an operation, as handlers of `__torch_dispatch__` get them.

It is what `core.lower` calls its translator: the overload of ``torch.ops.aten`` with its arguments,
trailing defaults left out. Operations that PyTorch has under no name go by ``torch.ops.flambeau``.
Stands on registry and aten.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from flambeau.core import lower, state
from flambeau.core.binding import sizes
from flambeau.core.declare import Op, ops
from flambeau.core.device import default_device, device
from flambeau.core.layout import preserve_format
from flambeau.core.overrides import Stand
from flambeau.core.tensor import Tensor
from flambeau.library.aten import AtenOverload, AtenPacket
from flambeau.library.registry import ops as namespaces

__all__ = ["overload", "translate"]

# Our inner name -> PyTorch's, where it is not the same without the underscore.
NAMES = {
    "_addmm_linear": "linear",
    "_copied": "copy",
    "_cross_entropy": "cross_entropy_loss",
    "_div_floor": "div",
    "_div_trunc": "div",
    "_fill_in_place": "fill",
    "_gelu_tanh": "gelu",
    "_index_one": "index_select",
    "_index_pair": "index",
    "_logsigmoid": "log_sigmoid",
    "_max_all": "max",
    "_max_dim": "max",
    "_median_all": "median",
    "_median_dim": "median",
    "_min_all": "min",
    "_min_dim": "min",
    "_mm_linear": "linear",
    "_nanmedian_all": "nanmedian",
    "_nanmedian_dim": "nanmedian",
    "_native_batch_norm": "native_batch_norm",
    "_native_group_norm": "native_group_norm",
    "_native_layer_norm": "native_layer_norm",
    "_nll_loss": "nll_loss_forward",
    "_scatter_number": "scatter",
    "_sort_stable": "sort",
    "_square": "square",
    "_view_dtype": "view",
    "convolved": "convolution",
}
KEPT = {"_log_softmax", "_softmax", "_to_copy", "_cdist_forward"}
"""Names that PyTorch, too, begins with an underscore."""
OWN = {
    "_add_along", "_as_strided_scatter", "_attention", "_bare_product", "_basic",
    "_bce_with_logits", "_class_shares", "_cumsum_reverse", "_drawn", "_drawn_over", "_exclusive",
    "_index_backward", "_index_one_backward", "_index_pair_backward", "_is_number_count", "_keep",
    "_masked_select_backward", "_rnn_layer", "_shares", "_take_along", "_view_backward",
    "_zero_where_nan",
}  # fmt: skip
"""Inner operations that PyTorch does not have."""

WRAPPED = {"add", "sub", "mul", "div", "floor_divide"}
"""Whose number PyTorch makes a tensor of: one overload for both."""
BINARY = WRAPPED | {
    "remainder", "fmod", "eq", "ne", "lt", "le", "gt", "ge", "bitwise_and", "bitwise_or",
    "bitwise_xor", "copysign", "rsub", "xlogy",
}  # fmt: skip
SINGLE = {
    "select": "int", "slice": "Tensor", "transpose": "int", "index": "Tensor", "where": "self",
    "unbind": "int", "split": "Tensor", "square": "default", "floor_divide": "default",
}  # fmt: skip
REDUCED = {
    "sum": "dim_IntList", "mean": "dim", "any": "dim", "all": "dim", "prod": "dim_int",
    "squeeze": "dim", "var": "correction", "std": "correction", "var_mean": "correction",
    "std_mean": "correction", "max": "dim", "min": "dim", "median": "dim", "nanmedian": "dim",
    "logsumexp": "default",
}  # fmt: skip
WHOLE = {
    "convolution", "native_batch_norm", "native_group_norm", "native_layer_norm",
    "nll_loss_forward",
}  # fmt: skip
"""What PyTorch calls with every argument."""
SECOND = {
    "masked_fill": "Tensor Scalar", "fill": "Tensor Scalar", "lerp": "Tensor Scalar",
    "scatter": "src value", "index_fill": "int_Tensor int_Scalar",
}  # fmt: skip
"""By the last argument: a tensor or a number."""


def overload(name: str, op: Op, args: Any) -> str:
    """The name of the overload that PyTorch calls with such arguments."""
    base = name.rstrip("_")
    if base == "pow":
        first, second = (isinstance(args[k], Tensor) for k in (0, 1))
        return "Tensor_Tensor" if first and second else "Tensor_Scalar" if first else "Scalar"
    if base in SINGLE:
        return SINGLE[base]
    if base in BINARY:
        return "Tensor" if base in WRAPPED or isinstance(args[1], Tensor) else "Scalar"
    if base in REDUCED:
        given = len(args) > 1 and args[1] is not None and args[1] != ()
        if base in ("var", "std", "var_mean", "std_mean"):
            return "correction"
        return REDUCED[base] if given else "default"
    if base in SECOND:
        tensor, number = SECOND[base].split()
        return (
            tensor
            if isinstance(args[op.tensors[-1][0]] if base == "scatter" else args[-1], Tensor)
            else number
        )
    return "default"


def translate(op: Op, args: Any, inplace: bool) -> Any:
    """PyTorch's function, arguments and keyword arguments; a callable for a call made of others."""
    modes = state.current().dispatch
    whole = bool(modes) and getattr(modes[-1], "whole", False)  # torch.export's recorder
    made_of = MADE_OF.get(op.name)
    if whole and op.name in ("_addmm_linear", "_mm_linear"):
        given = (args[1], args[2], args[0]) if op.name == "_addmm_linear" else tuple(args)
        return _found("linear", "default", op), given, {}
    if made_of is not None and not (whole and op.name == "_matmul"):
        parts = made_of(*args)
        if parts is not None:
            return parts
    name = NAMES.get(op.name) or (op.name if op.name in KEPT else op.name.lstrip("_"))
    own = op.name in OWN
    values = [list(a) if type(a) is tuple else a for a in args]
    if op.name in ("_div_floor", "_div_trunc"):
        mode = "floor" if op.name == "_div_floor" else "trunc"
        return _found("div", "Tensor_mode", op), tuple(values), {"rounding_mode": mode}
    if op.name == "_gelu_tanh":
        return _found("gelu", "default", op), (values[0],), {"approximate": "tanh"}
    if name in ("sum", "mean", "any", "all") and isinstance(values[1], int) and name != "any":
        values[1] = [values[1]]
    if name in ("_softmax", "_log_softmax"):
        return _found(name, "default", op), (values[0], values[1], False), {}
    stop = op.positional if op.varargs is None else len(values)
    positional = values[:stop]
    while positional and name not in WHOLE and op.names[len(positional) - 1] in op.defaults:
        if _differs(positional[-1], op.defaults[op.names[len(positional) - 1]]):
            break
        positional.pop()
    named = {
        n: v
        for n, v in zip(op.names[stop:], values[stop:], strict=False)
        if _differs(v, op.defaults.get(n))
    }
    if name in ("var", "std", "var_mean", "std_mean"):
        whole = values[1] in (None, [])
        over = [values[1]] if isinstance(values[1], int) else values[1]
        positional = values[:1] if whole else [values[0], over]
        named = {} if whole and values[2] == 1 else {"correction": values[2]}
        if values[3]:
            named["keepdim"] = True
    if name == "clone":
        positional = values[:1]
        named = {} if values[1] is preserve_format else {"memory_format": values[1]}
    if name in ("cat", "stack") and values[1] == 0:
        positional = values[:1]
    if name == "slice" and values[4] == 1:
        positional = values[:4]
    if name == "_to_copy":
        positional = values[:1]
        named = {"dtype": values[1]}
        if values[2] is not preserve_format:
            named["memory_format"] = values[2]
    if inplace:
        name += "_"
    if own:
        return _own(name, op), tuple(values), {}
    return _found(name, overload(name, op, values), op), tuple(positional), named


def _differs(value: Any, default: Any) -> bool:
    if value is default:
        return False
    if isinstance(value, Tensor) or isinstance(default, Tensor):
        return True
    if isinstance(value, list):
        return tuple(value) != (tuple(default) if isinstance(default, (tuple, list)) else default)
    return type(value) is not type(default) or value != default


def _found(name: str, over: str, op: Op) -> AtenOverload:
    packet = getattr(namespaces.aten, name, None)
    if packet is None:
        return _own(name, op)
    return packet.overload(over)  # type: ignore[no-any-return]


def _own(name: str, op: Op) -> AtenOverload:
    """An operation of the library's own: ``torch.ops.flambeau``."""
    space = vars(namespaces.flambeau)
    packet = space.get(name)
    if packet is None:
        packet = space[name] = AtenPacket(name, op.entry, namespace="flambeau")
    return packet.default  # type: ignore[no-any-return]


def _linear(bias: Any, input: Any, weight: Any) -> Callable[[], Any] | None:
    if input._array.ndim != 2:
        return lambda: _flat(input, weight, bias)
    return lambda: ops.addmm(bias, input, ops.t(weight))


def _linear_bare(input: Any, weight: Any) -> Callable[[], Any] | None:
    if input._array.ndim != 2:
        return lambda: _flat(input, weight, None)
    return lambda: ops.mm(input, ops.t(weight))


def _flat(input: Any, weight: Any, bias: Any) -> Any:
    rows = input.view(-1, input.shape[-1])
    columns = ops.t(weight)
    found = ops.mm(rows, columns) if bias is None else ops.addmm(bias, rows, columns)
    return found.view(*input.shape[:-1], found.shape[-1])


def _matmul(input: Any, other: Any) -> Callable[[], Any] | None:
    kinds = input._array.ndim, other._array.ndim
    name = {(1, 1): "dot", (2, 1): "mv", (2, 2): "mm", (3, 3): "bmm"}.get(kinds)
    if name == "bmm" and input.shape[0] != other.shape[0]:
        return None
    return None if name is None else lambda: getattr(ops, name)(input, other)


def _cross_entropy(input: Any, target: Any, reduction: int, ignore_index: int) -> Callable[[], Any]:
    def call() -> Any:
        dim = 1 if input._array.ndim > 1 else 0
        shares = ops.log_softmax(input, dim)
        loss = ops._nll_loss(shares, target, None, reduction, ignore_index)
        return loss[0] if isinstance(loss, tuple) else loss, shares

    return call


MADE_OF: dict[str, Callable[..., Callable[[], Any] | None]] = {
    "_addmm_linear": _linear,
    "_mm_linear": _linear_bare,
    "_cross_entropy": _cross_entropy,
    "_matmul": _matmul,
}
"""Operations that are one here and several in PyTorch."""


def overload_named(name: str) -> AtenOverload:
    """``torch.ops.aten.<name>.default``."""
    return getattr(namespaces.aten, name).default  # type: ignore[no-any-return]


FACTORIES = (
    "arange empty empty_like eye full full_like linspace ones ones_like rand rand_like randint "
    "randint_like randn randn_like randperm zeros zeros_like"
).split()

LIFTED = "tensor as_tensor from_numpy".split()
"""Functions that make tensors of what is none: the operation is that there is a new one."""
SIZED = {"empty", "ones", "rand", "randn", "zeros"}
SIZED_AFTER = {"new_empty", "new_ones", "new_zeros"}
WHOLES = "allclose equal new_empty new_full new_ones new_zeros".split()
"""Functions of a tensor without a gradient that are made of several operations here, and one in
PyTorch.
"""
MAKING = {*FACTORIES, *(name for name in WHOLES if name.startswith("new_"))}
"""Those that have a device and memory that may be pinned: handlers are told, given or not."""


def cover() -> None:
    """Make the functions that make tensors ask, too: they are no operations. Runs once, when the
    first class or mode appears.
    """
    torch: Any = import_module("flambeau")
    for name in WHOLES:
        known = getattr(Tensor, name)
        asking = _Asking(name, known)
        setattr(Tensor, name, asking)
        if getattr(torch, name, None) == known:  # one function, by one name
            setattr(torch, name, asking)
    data = vars(Tensor)["data"]
    shown = property(lambda tensor: _data(tensor, data.fget), data.fset, doc=data.__doc__)
    Tensor.data = shown  # type: ignore[assignment, method-assign]
    for name in FACTORIES:
        made = _Asking(name, getattr(torch, name))
        setattr(torch, name, made)
        if hasattr(ops, name):
            setattr(ops, name, made)
    for name in LIFTED:
        setattr(torch, name, _Lifting(getattr(torch, name)))


def _data(tensor: Tensor, plain: Callable[[Tensor], Tensor]) -> Tensor:
    """``tensor.data``: what its class makes of `detach`."""
    if type(tensor) not in lower.CLASSES:
        return plain(tensor)
    token = state.switch(grad=False)
    try:
        return tensor.detach()
    finally:
        state.restore(token)


class _Asking(Stand):
    """A function that asks handlers of operations as a whole, by PyTorch's name of it."""

    def __init__(self, name: str, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._name = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self._name
        if not lower.concern(args, state.mode()):
            return self.__wrapped__(*args, **kwargs)
        if "size" not in kwargs and name in SIZED:
            args = (list(sizes(args)),)
        elif "size" not in kwargs and name in SIZED_AFTER:
            args = (args[0], list(sizes(args[1:])))
        function = getattr(namespaces.aten, name)
        if name not in MAKING:
            return lower.ask(function.default, args, kwargs)
        args = tuple(list(a) if type(a) is tuple else a for a in args)
        wanted = kwargs.pop("requires_grad", False)
        if not name.endswith("_like") and name not in WHOLES:
            kwargs["device"] = device(kwargs.get("device") or default_device())
        kwargs["pin_memory"] = kwargs.get("pin_memory") or False
        over = function.overload("memory_format" if name == "empty" else "default")
        made = lower.ask(over, args, kwargs)
        return made.requires_grad_() if wanted else made


class _Lifting(Stand):
    """A function that tells handlers of a new tensor made of no other."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        made = self.__wrapped__(*args, **kwargs)
        if not state.current().dispatch or (args and isinstance(args[0], Tensor)):
            return made
        told: Tensor = lower.named("lift_fresh", made)
        return told.requires_grad_() if made.requires_grad else told


lower.translator = sys.modules[__name__]
cover()
