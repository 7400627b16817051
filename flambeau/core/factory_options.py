"""The options of every factory: dtype, device, layout, pin_memory, requires_grad, size, out.

Each is checked here once, with PyTorch's exception types. Stands on device, dtypes, layout and
tensor; the factories (``zeros``, ``rand``, ...) stand on it.
"""

import operator
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from flambeau.core import dtypes, state
from flambeau.core.device import cuda_means_cpu
from flambeau.core.device import device as _device
from flambeau.core.errors import fail, no_memory
from flambeau.core.ir.abstract import Abstract
from flambeau.core.layout import layout as _layout
from flambeau.core.layout import strided
from flambeau.core.overlap import check_writable
from flambeau.core.provenance import stack_level
from flambeau.core.silence import quiet
from flambeau.core.storage import mark_inference, storage_of, touch
from flambeau.core.tensor import Tensor, edge_of, leaf_edge, wrap

__all__ = [
    "Options",
    "checked_flag",
    "element_type",
    "empty",
    "finish",
    "in_force",
    "into",
    "is_meta",
    "is_sparse",
    "known",
    "made",
    "need_strided",
    "options",
    "refuse_pinning",
    "shape_of",
    "sizes",
]

_OVERLAPPING = frozenset({"empty", "eye", "full", "ones", "randperm", "zeros"})
"""What writes into an `out` whose elements share memory, as PyTorch does."""
OPTIONS = frozenset(("device", "layout", "names", "out", "pin_memory", "requires_grad", "size"))
"""The keywords that factories take besides their own."""
_ACCELERATORS = {"cuda": "CUDA", "xpu": "XPU"}


class Options(NamedTuple):
    """What a factory's keyword arguments come to."""

    dtype: dtypes.dtype
    meta: bool
    requires_grad: bool


def options(
    op: str,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
    requires_grad: Any = False,
    pin_memory: Any = False,
    fallback: dtypes.dtype | None = None,
) -> Options:
    """Checks a factory's keyword arguments; ``fallback`` is the dtype where none was given.

    Raises:
        TypeError: an argument of the wrong type.
        RuntimeError: an unknown device, or ``pin_memory=True``.
        AssertionError: CUDA or XPU, which a CPU build does not have.
        NotImplementedError: a sparse layout.
    """
    if layout is not None:
        need_strided(op, layout)
    if pin_memory:
        refuse_pinning(op, pin_memory)
    return Options(
        element_type(op, dtype, fallback),
        is_meta(op, device),
        requires_grad is not False and checked_flag(op, "requires_grad", requires_grad),
    )


def element_type(op: str, dtype: Any, fallback: dtypes.dtype | None = None) -> dtypes.dtype:
    """The dtype asked for; ``fallback`` (or the default floating type) where None was given.

    Raises:
        TypeError: ``dtype`` is neither a dtype nor one of Python's float, int, bool, complex.
    """
    if dtype is None:
        return fallback or dtypes.default()
    if isinstance(dtype, dtypes.dtype):
        return dtype
    found = dtypes.PYTHON_TYPES.get(dtype) if isinstance(dtype, type) else None
    if found is None:
        raise fail(
            TypeError,
            op,
            f"argument 'dtype' must be torch.dtype, not {type(dtype).__name__}. "
            "Write it as torch.float32, torch.int64, ...",
        )
    return found


def type_for(
    op: str, dtype: Any, opts: dict[str, Any], fallback: dtypes.dtype | None = None
) -> dtypes.dtype:
    """`element_type` of a factory that may have an ``out``, which decides where no dtype is asked
    for.

    Raises:
        RuntimeError: the dtype or the device asked for is not ``out``'s.
    """
    out = opts.get("out")
    if not isinstance(out, Tensor):
        return element_type(op, dtype, fallback)
    device = opts.get("device")
    if device is not None and is_meta(op, device) != isinstance(out._array, Abstract):
        raise fail(
            RuntimeError,
            op,
            f"device {device} does not match the device of out parameter ({out.device}). Leave "
            "device out, or give an out on that device.",
        )
    if dtype is not None:
        check_out_type(op, dtype, out)
    return dtypes.of(out._array.dtype)


def check_out_type(op: str, dtype: Any, out: Tensor) -> None:
    """Refuse a dtype that is not ``out``'s.

    Raises:
        RuntimeError: it is another.
    """
    if element_type(op, dtype) is not dtypes.of(out._array.dtype):
        raise fail(
            RuntimeError,
            op,
            f"dtype {dtype} does not match dtype of out parameter ({out.dtype}). "
            "Leave dtype out, or give an out of that dtype.",
        )


def in_force(device: Any) -> Any:
    """The device asked for, or else that of ``with device`` and its kin; None is the cpu."""
    if device is not None:
        return device
    now = state.mode()
    return None if now is None else now.device


def is_meta(op: str, device: Any) -> bool:
    """Whether the result is a meta tensor; None is the device in force (``cpu`` unless it was set).

    Raises:
        RuntimeError: no such device.
        AssertionError: CUDA or XPU, which a CPU build does not have.
        NotImplementedError: a device that exists by name only.
    """
    device = in_force(device)
    if device is None:
        return False
    place = device if isinstance(device, _device) else _device(device)
    kind = place.type
    if kind == "cpu":
        return False
    if kind == "meta":
        return True
    if kind == "cuda" and cuda_means_cpu():
        return False
    name = _ACCELERATORS.get(kind)
    if name is not None:
        raise fail(
            AssertionError,
            op,
            f"device is '{place}', and this Torch is not compiled with {name} enabled: it "
            "computes on the "
            f"CPU. Ask torch.{kind}.is_available() first, or leave device out"
            + (", or set FLAMBEAU_CUDA=cpu to let cuda mean the CPU." if kind == "cuda" else "."),
        )
    raise fail(
        NotImplementedError,
        op,
        f"device is '{place}', which has no tensors in a CPU build. Devices here are 'cpu' and "
        "'meta'.",
    )


def need_strided(op: str, layout: Any) -> None:
    """Refuses every layout but ``torch.strided``.

    Raises:
        TypeError: ``layout`` is no layout.
        NotImplementedError: it is a sparse one.
    """
    if layout is None or layout is strided:
        return
    if not isinstance(layout, _layout):
        raise fail(
            TypeError,
            op,
            f"argument 'layout' must be torch.layout, not {type(layout).__name__}. "
            "Leave it out, or give torch.strided.",
        )
    raise fail(
        NotImplementedError,
        op,
        f"layout is {layout}, expected torch.strided. Make the dense tensor and convert it "
        "(to_sparse()).",
    )


def is_sparse(layout: Any) -> bool:
    """Whether a layout is one of the sparse ones."""
    return isinstance(layout, _layout) and layout is not strided


def checked_flag(op: str, name: str, value: Any) -> bool:
    """A bool argument; None counts as False.

    Raises:
        TypeError: anything else.
    """
    if value is None or value is False:
        return False
    if value is True:
        return True
    raise fail(
        TypeError,
        op,
        f"argument '{name}' must be bool, not {type(value).__name__}. Give True or False.",
    )


def refuse_pinning(op: str, pin_memory: Any) -> None:
    """Pinned memory belongs to an accelerator, and there is none.

    Raises:
        RuntimeError: ``pin_memory`` is True.
        TypeError: it is no bool.
    """
    if checked_flag(op, "pin_memory", pin_memory):
        raise fail(
            RuntimeError,
            op,
            "pin_memory=True needs an accelerator (CUDA or other), and this build has none. "
            "Leave pin_memory out.",
        )


def sizes(op: str, args: Sequence[Any], size: Any = None) -> tuple[int, ...]:
    """A factory's shape from ``f(2, 3)``, ``f((2, 3))`` or ``f(size=(2, 3))``.

    Raises:
        TypeError: no size, two sizes, or something that is no int.
        RuntimeError: a negative size.
    """
    if size is not None:
        if args:
            raise fail(
                TypeError, op, "got multiple values for argument 'size'. Give the size once."
            )
        return shape_of(op, size)
    if len(args) == 1:
        only = args[0]
        if isinstance(only, (tuple, list)):
            return shape_of(op, only)
        if isinstance(only, bool):
            raise _no_size(op, only)
    elif not args:
        raise fail(
            TypeError,
            op,
            f"received no size. Give the shape: {op}(2, 3), or {op}(()) for a scalar tensor.",
        )
    elif isinstance(args[0], bool):
        raise _no_size(op, args[0])
    return shape_of(op, args)


def shape_of(op: str, size: Any) -> tuple[int, ...]:
    """A tuple of sizes, every one an int of at least 0."""
    if not isinstance(size, (tuple, list)):
        raise _no_size(op, size)
    try:
        shape = tuple([operator.index(n) for n in size])
    except TypeError:
        raise _no_size(op, next(n for n in size if not _is_whole(n))) from None
    for n in shape:
        if n > sys.maxsize:
            raise fail(
                TypeError, op, f"argument 'size' failed to unpack: {n} is more than 2**63 - 1."
            )
        if n < 0:
            raise fail(
                RuntimeError,
                op,
                f"Trying to create tensor with negative dimension {n}: {list(shape)}. Sizes "
                "start at 0.",
            )
    return shape


def _is_whole(n: Any) -> bool:
    try:
        return operator.index(n) is not None
    except TypeError:
        return False


def _no_size(op: str, given: Any) -> Exception:
    return fail(
        TypeError,
        op,
        f"argument 'size' must be tuple of ints, not {type(given).__name__}. "
        "Convert it with int(...), or give a tuple.",
    )


def finish(op: str, array: Any, requires_grad: Any = False) -> Tensor:
    """The factory's tensor: a leaf that collects its gradient if ``requires_grad``.

    Raises:
        RuntimeError: ``requires_grad`` on a dtype without gradients.
    """
    tensor = wrap(array)
    m = state.mode()
    if m is not None and m.inference:
        mark_inference(storage_of(tensor))
    if requires_grad and checked_flag(op, "requires_grad", requires_grad):
        kind = dtypes.of(array.dtype)
        if not (kind.is_floating_point or kind.is_complex):
            raise fail(
                RuntimeError,
                op,
                "Only Tensors of floating point and complex dtype can require gradients, "
                f"dtype is {kind}. Give a floating dtype, or leave requires_grad out.",
            )
        leaf_edge(tensor)
    return tensor


def into(op: str, out: Any, shape: tuple[int, ...], dtype: Any = None) -> Any:
    """The array of ``out``, resized to ``shape``, for a factory to write; the write is noted.

    Raises:
        TypeError: ``out`` is no tensor.
        RuntimeError: ``dtype`` was given and is not ``out``'s; gradients are wanted.
    """
    if not isinstance(out, Tensor):
        raise fail(
            TypeError,
            op,
            f"argument 'out' must be Tensor, not {type(out).__name__}. Give a tensor.",
        )
    array = out._array
    if dtype is not None:
        check_out_type(op, dtype, out)
    if state.grad_enabled() and edge_of(out) is not None:
        raise fail(
            RuntimeError,
            op,
            f"{op}(): functions with out=... arguments don't support automatic differentiation, "
            "but out "
            "requires grad. Leave out away, or write under torch.no_grad().",
        )
    if array.shape != shape:
        out.resize_(shape)
        array = out._array
    if not isinstance(array, Abstract) and op not in _OVERLAPPING:
        check_writable(op, array)
    touch(out, op + " (out=)")
    return array


def known(op: str, opts: dict[str, Any]) -> None:
    """Refuse a keyword that no factory has.

    Raises:
        TypeError: it is unknown.
    """
    for name in opts.keys() - OPTIONS:
        raise fail(
            TypeError,
            op,
            f"got an unexpected keyword argument '{name}': it takes dtype, "
            f"{', '.join(sorted(OPTIONS - {'names', 'size'}))}.",
        )


_RANGES = frozenset(("arange", "linspace", "logspace", "range"))


def made(op: str, array: Any, opts: dict[str, Any]) -> Tensor:
    """The factory's tensor on its device, or `out` written: resized without a word, unlike the
    `out` of an operation; a range keeps the shape of one that has as many elements.
    """
    need_strided(op, opts.get("layout"))
    refuse_pinning(op, opts.get("pin_memory", False))
    out = opts.get("out")
    if out is not None:
        if op in _RANGES and isinstance(out, Tensor) and out._array.size == array.size:
            array = array.reshape(out._array.shape)
        elif op == "arange" and isinstance(out, Tensor) and out._array.size:
            warnings.warn(
                f"out has {out._array.size} elements, the range {array.size}: it is resized to "
                f"the shape {array.shape}. Give one of as many elements, or an empty one.",
                UserWarning,
                stacklevel=stack_level(),
            )
        target = into(op, out, array.shape)
        if isinstance(target, np.ndarray) and isinstance(array, np.ndarray):
            quiet(np.copyto, target, array, casting="unsafe")
        return out  # type: ignore[no-any-return]
    if type(array) is not Abstract and is_meta(op, opts.get("device")):
        array = Abstract(array.shape, array.dtype)
    return finish(op, array, opts.get("requires_grad", False))


def empty(meta: bool, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """An unset array, abstract on meta."""
    try:
        return Abstract(shape, dtype) if meta else np.empty(shape, dtype)
    except (MemoryError, ValueError) as error:
        raise no_memory(error) from None
