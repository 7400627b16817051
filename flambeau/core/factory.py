"""Making tensors from data and from nothing: tensor, as_tensor, from_numpy, zeros, arange and their
kin.

Random factories stand in ops/random. Stands on tensor, dtypes, factory_options.
"""

from __future__ import annotations

import builtins
import math
import warnings
from typing import Any

import numpy as np

from flambeau.core import dtypes, layout
from flambeau.core import factory_options as given
from flambeau.core.batch.array import Batched, like_sample
from flambeau.core.declare import composite
from flambeau.core.errors import fail
from flambeau.core.ir.abstract import Abstract
from flambeau.core.provenance import stack_level
from flambeau.core.silence import quiet
from flambeau.core.storage import storage_of
from flambeau.core.tensor import Tensor, wrap

__all__ = ["from_numpy", "tensor"]


def is_meta(device: Any) -> bool:
    return given.is_meta("factory", device)


def target_dtype(dtype: Any, fallback: Any) -> Any:
    return fallback if dtype is None else given.element_type("factory", dtype)


def sizes_of(op: str, args: Any, opts: dict[str, Any]) -> tuple[int, ...]:
    return given.sizes(op, args, opts.pop("size", None))


def made(
    array: Any,
    device: Any,
    requires_grad: Any,
    *,
    out: Any = None,
    layout: Any = None,
    pin_memory: Any = False,
    op: str = "factory",
) -> Tensor:
    """The factory's tensor on its device, or `out` written."""
    given.need_strided(op, layout)
    given.refuse_pinning(op, pin_memory)
    if out is not None:
        target = given.into(op, out, array.shape)
        if type(target) is np.ndarray:
            quiet(np.copyto, target, array, casting="unsafe")
        return out  # type: ignore[no-any-return]
    if given.is_meta(op, device) and type(array) is not Abstract:
        array = Abstract(array.shape, array.dtype)
    return given.finish(op, array, requires_grad)


def _data_array(data: Any, dtype: Any, op: str) -> np.ndarray[Any, Any]:
    """Nested sequences, numbers, arrays and tensors as an array of the dtype PyTorch infers."""
    if isinstance(data, Tensor):
        found = data._array
    elif isinstance(data, np.ndarray):
        found = _native(data, op)
    elif isinstance(data, np.generic):
        found = np.asarray(data)
    elif isinstance(data, (bool, int, float, builtins.complex)):
        return _number(data, dtype)
    elif hasattr(data, "__array_interface__") or hasattr(data, "__array__"):
        found = np.asarray(data)
    else:
        found = _nested(data, op)
        if dtype is None:
            if (
                found.dtype.kind == "f"
                and not getattr(data, "dtype", None)
                and _holds_python_floats(data)
            ):
                found = found.astype(dtypes.default().numpy)
            elif found.dtype.kind == "c" and _holds_python_floats(data):
                found = found.astype(dtypes.default_complex().numpy)
    return quiet(found.astype, dtype.numpy if dtype is not None else found.dtype)


def _number(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    if dtype is None:
        if isinstance(data, bool):
            return np.array(data)
        if isinstance(data, int):
            return np.array(_checked_int(data), np.int64)
        if isinstance(data, float):
            return np.array(data, dtypes.default().numpy)
        return np.array(data, dtypes.default_complex().numpy)
    if isinstance(data, int) and not isinstance(data, bool) and dtype.numpy.kind in "iu":
        info = np.iinfo(dtype.numpy)
        if not info.min <= data <= info.max:
            if dtype.numpy.itemsize == 8:
                _checked_int(data)
            raise fail(
                RuntimeError,
                "tensor",
                f"value cannot be converted to type {dtype.name} without overflow: {data}",
            )
    return quiet(np.asarray(data).astype, dtype.numpy)


def _checked_int(value: int) -> int:
    if not -(1 << 63) <= value < 1 << 63:
        raise fail(
            RuntimeError, "tensor", "Overflow when unpacking long long: integers take 64 bits"
        )
    return value


def _holds_python_floats(data: Any) -> bool:
    """Whether the innermost elements are Python numbers (of the default dtype), not NumPy's."""
    while isinstance(data, (list, tuple)) or (
        hasattr(data, "__len__") and not isinstance(data, (Tensor, np.ndarray))
    ):
        if not len(data):
            return True
        data = data[0]
    return not isinstance(data, (np.generic, np.ndarray, Tensor))


def _nested(data: Any, op: str) -> np.ndarray[Any, Any]:
    """An array from nested sequences.

    Raises:
        ValueError: ragged sequences; TypeError: an element that is no number.
    """
    if not isinstance(data, (list, tuple)):
        if (
            hasattr(data, "__len__")
            and hasattr(data, "__getitem__")
            and not isinstance(data, (str, bytes, dict))
        ):
            data = [data[k] for k in builtins.range(len(data))]
        else:
            kind = TypeError if op == "Tensor" or isinstance(data, (str, bytes)) else RuntimeError
            raise fail(
                kind,
                op,
                f"Could not infer dtype of {type(data).__name__}: give numbers, sequences of "
                f"them, or an array",
            )
    if not data:
        return np.empty((0,), dtypes.default().numpy)
    shape = _shape(data)
    leaves: list[Any] = []
    _collect(data, shape, leaves, op)
    if not leaves:
        return np.empty(shape, dtypes.default().numpy)
    kinds = {type(x) for x in leaves}
    if any(isinstance(x, Tensor) for x in leaves):
        arrays = [x._array if isinstance(x, Tensor) else np.asarray(x) for x in leaves]
        kind = (
            np.result_type(*[a.dtype for a in arrays])
            if len({a.dtype for a in arrays}) > 1
            else arrays[0].dtype
        )
        return np.array([a.item() for a in arrays], kind).reshape(shape)
    if kinds <= {bool}:
        return np.array(leaves, bool).reshape(shape)
    if kinds <= {bool, int}:
        for x in leaves:
            _checked_int(x)
        return np.array(leaves, np.int64).reshape(shape)
    if kinds <= {bool, int, float}:
        return np.array(leaves, np.float64).reshape(shape)
    for x in leaves:
        if not isinstance(x, (bool, int, float, builtins.complex, np.generic)):
            if isinstance(x, str):
                kind = ValueError if x is leaves[0] else TypeError
                raise fail(
                    kind, op, "too many dimensions 'str': elements must be numbers, not text"
                )
            if op == "Tensor":
                raise fail(TypeError, op, f"elements must be real numbers, not {type(x).__name__}")
            raise fail(
                RuntimeError,
                op,
                f"Could not infer dtype of {type(x).__name__}: elements must be numbers",
            )
    return np.array(leaves).reshape(shape)


def _shape(data: Any) -> tuple[int, ...]:
    shape = []
    while isinstance(data, (list, tuple, np.ndarray)) or (
        isinstance(data, Tensor) and data._array.ndim
    ):
        if isinstance(data, (np.ndarray, Tensor)):
            return (*shape, *data.shape)
        shape.append(len(data))
        if not data:
            break
        data = data[0]
    return tuple(shape)


def _collect(data: Any, shape: tuple[int, ...], leaves: list[Any], op: str, depth: int = 0) -> None:
    if not shape[depth:]:
        if isinstance(data, (list, tuple)):
            raise fail(
                TypeError, op, f"not a sequence expected at dim {depth}, got {type(data).__name__}"
            )
        leaves.append(data)
        return
    if isinstance(data, (np.ndarray, Tensor)):
        if tuple(data.shape) != shape[depth:]:
            raise fail(
                ValueError,
                op,
                f"expected sequence of length {shape[depth]} at dim {depth} (got "
                f"{tuple(data.shape)})",
            )
        leaves.extend((data._array if isinstance(data, Tensor) else data).reshape(-1))
        return
    if not isinstance(data, (list, tuple)):
        raise fail(
            TypeError,
            op,
            f"expected a sequence at dim {depth}, got {type(data).__name__}: the nesting is ragged",
        )
    if len(data) != shape[depth]:
        raise fail(
            ValueError,
            op,
            f"expected sequence of length {shape[depth]} at dim {depth} (got {len(data)})",
        )
    if len(shape) == depth + 1 and not any(
        isinstance(x, (list, tuple, np.ndarray, Tensor)) for x in data
    ):
        leaves.extend(data)
        return
    for each in data:
        _collect(each, shape, leaves, op, depth + 1)


def _native(array: np.ndarray[Any, Any], op: str) -> np.ndarray[Any, Any]:
    if not array.dtype.isnative:
        raise fail(
            ValueError,
            op,
            "given numpy array has byte order different from the native byte order: .astype() it "
            "first.",
        )
    dtypes.of(array.dtype)
    return array


@composite()
def tensor(
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new leaf tensor with a copy of `data` (numbers, nested sequences, an array, a tensor).

    The dtype is inferred: bools give bool, integers int64, floats the default dtype; NumPy values
        keep theirs.

    Raises:
        ValueError: ragged sequences. TypeError: not numbers. RuntimeError: integers that do not
            fit.
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use "
            "sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than "
            "torch.tensor(sourceTensor).",
            UserWarning,
            stacklevel=stack_level(),
        )
    wanted = target_dtype(dtype, None)
    array = _data_array(data, wanted, "tensor")
    if array is getattr(data, "_array", data):
        array = array.copy()
    return made(
        np.ascontiguousarray(array) if array.ndim else array,
        device,
        requires_grad,
        pin_memory=pin_memory,
    )


@composite()
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of `data`, sharing its memory and history where dtype and device allow."""
    if isinstance(data, Tensor):
        return data if dtype is None and device is None else data.to(device=device, dtype=dtype)
    if isinstance(data, np.ndarray):
        found = from_numpy(data)
        return found if dtype is None and device is None else found.to(device=device, dtype=dtype)
    wanted = target_dtype(dtype, None)
    return made(_data_array(data, wanted, "as_tensor"), device, False)


@composite()
def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of `obj` (array, tensor, DLPack object, sequence); `copy` True always copies, False
    never.

    Raises:
        ValueError: `copy=False` where a copy is needed.
    """
    if isinstance(obj, Tensor):
        found = obj
    elif isinstance(obj, np.ndarray):
        found = from_numpy(obj)
    elif isinstance(obj, np.generic):
        found = wrap(np.asarray(obj))
    elif hasattr(obj, "__dlpack__"):
        found = from_dlpack(obj)
    else:
        if copy is False:
            raise fail(
                ValueError,
                "asarray",
                "can't alias arbitrary sequence into a tensor: leave copy=False away",
            )
        return tensor(obj, dtype=dtype, device=device, requires_grad=requires_grad)
    given = found
    if dtype is not None or device is not None:
        found = found.to(device=device, dtype=dtype)
    if copy is False and found._array is not given._array:
        raise fail(
            ValueError,
            "asarray",
            "can't alias tensor with another dtype or device: leave copy=False away",
        )
    if copy and found._array is given._array:
        found = found.clone()
    if requires_grad:
        found = found.detach().requires_grad_()
    elif found.requires_grad and not requires_grad and found is not obj:
        found = found.detach()
    return found


@composite()
def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor on the array's memory: a write to either is seen by both.

    Raises:
        TypeError: not an array, or a dtype PyTorch does not have. ValueError: negative strides,
            foreign byte order.
    """
    if not isinstance(ndarray, np.ndarray):
        raise fail(TypeError, "from_numpy", f"expected np.ndarray (got {type(ndarray).__name__})")
    array = _native(ndarray, "from_numpy")
    if any(stride < 0 for stride in array.strides):
        raise fail(
            ValueError,
            "from_numpy",
            "at least one stride in the given numpy array is negative, and tensors with negative "
            "strides are not supported. "
            "Make a copy of it: array.copy().",
        )
    if not array.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and PyTorch does not support non-writable "
            "tensors. Writing to this tensor "
            "is undefined behavior: copy the array first.",
            UserWarning,
            stacklevel=stack_level(),
        )
    if type(array) is not np.ndarray:
        array = array.view(np.ndarray)
    found = wrap(array.view())
    storage_of(found).root = array
    return found


@composite()
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of an object that speaks DLPack (another engine's, an array)."""
    if isinstance(ext_tensor, Tensor):
        return ext_tensor.clone() if copy else ext_tensor.detach()
    if type(ext_tensor).__name__ == "PyCapsule":
        ext_tensor = _Capsule(ext_tensor)
    array = np.from_dlpack(ext_tensor)
    if copy:
        array = array.copy()
    found = wrap(array if array.flags.writeable or copy else _writable(array))
    storage_of(found).root = found._array
    return found


class _Capsule:
    def __init__(self, capsule: Any) -> None:
        self._capsule = capsule

    def __dlpack__(self, **_: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return (1, 0)


def _writable(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """NumPy marks what it takes through DLPack read-only; the memory is its owner's to lend."""
    interface = dict(array.__array_interface__)
    interface["data"] = (interface["data"][0], False)

    class Holder:
        __array_interface__ = interface
        owner = array

    return np.asarray(Holder())


@composite()
def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-D tensor on the memory of an object with the buffer protocol.

    Raises:
        ValueError: the buffer is empty or too small.
    """
    view = memoryview(buffer)
    size = dtype.numpy.itemsize
    if not view.nbytes:
        raise fail(ValueError, "frombuffer", "both buffer length (0) and count (-1) must not be 0")
    if not 0 <= offset < view.nbytes:
        raise fail(
            ValueError,
            "frombuffer",
            f"offset ({offset} bytes) must be non-negative and no greater than buffer length "
            f"({view.nbytes} bytes) minus 1",
        )
    if count == 0 or count < -1:
        raise fail(ValueError, "frombuffer", f"count must be positive or -1, got {count}")
    if count > 0 and offset + count * size > view.nbytes:
        raise fail(
            ValueError,
            "frombuffer",
            f"requested buffer length ({count} * {size} bytes) after offset ({offset} bytes) must "
            f"not be greater than actual buffer length ({view.nbytes} bytes)",
        )
    if count < 0 and (view.nbytes - offset) % size:
        raise fail(
            ValueError,
            "frombuffer",
            f"buffer length ({view.nbytes - offset} bytes) after offset ({offset} bytes) must be "
            f"a multiple of element size ({size})",
        )
    array = np.frombuffer(buffer, dtype.numpy, count, offset)
    found = wrap(array if array.flags.writeable else _writable(array))
    return found.requires_grad_() if requires_grad else found


_OPTIONS = frozenset(
    ("device", "layout", "memory_format", "names", "out", "pin_memory", "requires_grad", "size")
)


def known(op: str, opts: dict[str, Any]) -> None:
    """Refuse a keyword that no factory has.

    Raises:
        TypeError: it is unknown.
    """
    for name in opts.keys() - _OPTIONS:
        raise fail(
            TypeError,
            op,
            f"got an unexpected keyword argument '{name}': it takes dtype, "
            f"{', '.join(sorted(_OPTIONS - {'names', 'size'}))}.",
        )


def filled(op: str, shape: Any, value: Any, dtype: Any, opts: dict[str, Any]) -> Tensor:
    """A contiguous tensor of one value, the factories' common body."""
    if opts:
        known(op, opts)
    kind = target_dtype(dtype, dtypes.default()).numpy
    device = opts.get("device")
    if is_meta(device):
        return made(
            Abstract(shape, kind), None, opts.get("requires_grad", False), out=opts.get("out")
        )
    if value is None:
        array = np.empty(shape, kind)
    elif value == 0 and not isinstance(value, builtins.complex):
        array = np.zeros(shape, kind)
    else:
        array = np.empty(shape, kind)
        array.fill(quiet(np.asarray(value).astype, kind))
    return made(
        array,
        device,
        opts.get("requires_grad", False),
        out=opts.get("out"),
        layout=opts.get("layout"),
        pin_memory=opts.get("pin_memory", False),
        op=op,
    )


def _sized(name: str, value: Any, doc: str) -> None:
    def factory(*size: Any, dtype: Any = None, **opts: Any) -> Tensor:
        return filled(name, sizes_of(name, size, opts), value, dtype, opts)

    factory.__name__ = name
    factory.__doc__ = doc
    composite()(factory)


_sized("zeros", 0, "A tensor of zeros of the given size (varargs or a sequence).")
_sized("ones", 1, "A tensor of ones of the given size (varargs or a sequence).")
_sized("empty", None, "A tensor of the given size whose values are whatever the memory held.")


def _liked(name: str, value: Any) -> None:
    def factory(
        input: Tensor,
        *,
        dtype: Any = None,
        device: Any = None,
        memory_format: Any = layout.preserve_format,
        **opts: Any,
    ) -> Tensor:
        return _like(name, input, value, dtype, device, memory_format, opts)

    factory.__name__ = name + "_like"
    factory.__doc__ = f"`{name}` with the size, dtype, device and (where dense) strides of `input`."
    composite()(factory)


def _like(
    op: str,
    input: Tensor,
    value: Any,
    dtype: Any,
    device: Any,
    memory_format: Any,
    opts: dict[str, Any],
) -> Tensor:
    if opts:
        known(op, opts)
    if not isinstance(input, Tensor):
        raise fail(
            TypeError,
            op + "_like",
            f"argument 'input' (position 1) must be Tensor, not {type(input).__name__}",
        )
    a = input._array
    kind = target_dtype(dtype, input.dtype)
    if hasattr(a, "is_sparse_data"):
        from flambeau.sparse.factory import like

        return like(input, value, kind, opts)
    if is_meta(device) or (type(a) is Abstract and device is None):
        return made(Abstract(a.shape, kind.numpy), None, opts.get("requires_grad", False))
    shape, item = a.shape, a.dtype.itemsize
    if memory_format is layout.preserve_format:
        steps = layout.preserve_strides(shape, tuple(s // item for s in a.strides))
    elif memory_format is layout.contiguous_format:
        steps = layout.contiguous_strides(shape)
    else:
        steps = layout.memory_format_strides(shape, memory_format)
    array: Any = _strided(shape, steps, kind.numpy, value)
    if type(a) is Batched:
        array = like_sample(array, a)
    return made(
        array,
        device,
        opts.get("requires_grad", False),
        op=op,
        pin_memory=opts.get("pin_memory", False),
    )


def _strided(shape: Any, steps: Any, kind: np.dtype[Any], value: Any) -> np.ndarray[Any, Any]:
    """A fresh array with the given strides (in elements), filled with `value` unless it is None."""
    count = 1 + sum((n - 1) * s for n, s in zip(shape, steps, strict=True)) if 0 not in shape else 0
    block = np.zeros(count, kind) if value == 0 and value is not None else np.empty(count, kind)
    if value is not None and value != 0:
        block.fill(quiet(np.asarray(value).astype, kind))
    if tuple(steps) == layout.contiguous_strides(shape):
        return block.reshape(shape)
    return np.ndarray(shape, kind, block, 0, tuple(s * kind.itemsize for s in steps))


_liked("zeros", 0)
_liked("ones", 1)
_liked("empty", None)


@composite()
def full(size: Any, fill_value: Any, *, dtype: Any = None, **opts: Any) -> Tensor:
    """A tensor filled with one value; the dtype is the value's (int64, bool, the default float or
    complex).
    """
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    if dtype is None:
        dtype = _value_dtype(fill_value)
        out = opts.get("out")
        if out is not None:
            dtype = out.dtype
    return filled("full", sizes_of("full", (size,), opts), fill_value, dtype, opts)


def _value_dtype(value: Any) -> Any:
    if isinstance(value, (bool, np.bool_)):
        return dtypes.of(np.dtype(bool))
    if isinstance(value, (int, np.integer)):
        return dtypes.of(np.dtype("i8"))
    if isinstance(value, (builtins.complex, np.complexfloating)):
        return dtypes.default_complex()
    return dtypes.default()


@composite()
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    memory_format: Any = layout.preserve_format,
    **opts: Any,
) -> Tensor:
    """`full` with the size, dtype, device and strides of `input`."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    return _like("full", input, fill_value, dtype, device, memory_format, opts)


@composite()
def empty_strided(
    size: Any,
    stride: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **opts: Any,
) -> Tensor:
    """An uninitialised tensor with the given strides (in elements)."""
    if opts:
        known("empty_strided", opts)
    kind = target_dtype(dtype, dtypes.default()).numpy
    shape, steps = tuple(int(n) for n in size), tuple(int(n) for n in stride)
    if len(shape) != len(steps):
        raise fail(
            RuntimeError,
            "empty_strided",
            f"dimensionality of sizes ({len(shape)}) must match dimensionality of strides "
            f"({len(steps)})",
        )
    if is_meta(device):
        return made(
            Abstract(shape, kind, tuple(s * kind.itemsize for s in steps)), None, requires_grad
        )
    return made(_strided(shape, steps, kind, None), device, requires_grad)


@composite()
def empty_permuted(
    size: Any,
    physical_layout: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    **opts: Any,
) -> Tensor:
    """An unset tensor whose dimensions lie in memory in the given order, outermost first."""
    if opts:
        known("empty_permuted", opts)
    shape = tuple(size)
    order = tuple(physical_layout)
    if len(order) != len(shape):
        raise fail(
            RuntimeError,
            "empty_permuted",
            f"Number of dimensions in size does not match the length of the physical_layout; i.e. "
            f"len(size) = {len(shape)} is "
            f"not equal to len(physical_layout) = {len(order)}",
        )
    for k, d in enumerate(order):
        if not 0 <= d < len(shape):
            raise fail(
                RuntimeError,
                "empty_permuted",
                f"Dimension out of range (expected to be between 0 and {len(shape) - 1}, but got "
                f"{d} at index {k}). Negative "
                "dimensions are not supported here.",
            )
        if d in order[:k]:
            raise fail(
                RuntimeError,
                "empty_permuted",
                f"Duplicate dim not allowed: {d} stands twice in physical_layout {order}",
            )
    steps = [0] * len(shape)
    step = 1
    for d in reversed(order):
        steps[d] = step
        step *= max(shape[d], 1)
    return empty_strided(shape, steps, dtype=dtype, device=device, requires_grad=requires_grad)


@composite()
def scalar_tensor(
    s: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **opts: Any
) -> Tensor:
    """A 0-d tensor of a number, of the default dtype."""
    if opts:
        known("scalar_tensor", opts)
    return filled("scalar_tensor", (), s, dtype, {"device": device, "requires_grad": requires_grad})


@composite()
def arange(start: Any, end: Any = None, step: Any = 1, *, dtype: Any = None, **opts: Any) -> Tensor:
    """The numbers start, start + step, ... below `end`: ``ceil((end - start) / step)`` of them.

    int64 when all three are integers, else the default dtype.

    Raises:
        RuntimeError: step 0, or bounds that the step does not lead to.
    """
    if opts:
        known("arange", opts)
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, Tensor) else v for v in (start, end, step))
    if step == 0:
        raise fail(RuntimeError, "arange", "step must be nonzero")
    if any(isinstance(v, float) and not math.isfinite(v) for v in (start, end)):
        raise fail(RuntimeError, "arange", f"unsupported range: {start} -> {end}")
    if (end - start) * (1 if step > 0 else -1) < 0:
        raise fail(
            RuntimeError,
            "arange",
            f"upper bound and lower bound inconsistent with step sign: {start} -> {end} by {step}",
        )
    out = opts.get("out")
    if dtype is None and out is not None:
        dtype = out.dtype
    if dtype is None:
        whole = all(isinstance(v, (int, np.integer)) for v in (start, end, step))
        kind = np.dtype("i8") if whole else dtypes.default().numpy
    else:
        kind = dtype.numpy
    if kind == np.int64:
        start, end, step = int(start), int(end), int(step)
    if kind.kind in "iu" and all(isinstance(v, (int, np.integer)) for v in (start, end, step)):
        count = max(-(-(end - start) // step), 0)
    else:
        count = math.ceil((float(end) - float(start)) / float(step))
    if is_meta(opts.get("device")):
        return made(Abstract((count,), kind), None, opts.get("requires_grad", False))
    if kind.kind in "iu":
        array = (np.arange(count, dtype="i8") * int(step) + int(start)).astype(kind)
    else:
        wide = np.dtype("f8") if kind.kind != "c" else kind
        array = quiet((np.arange(count, dtype=wide) * step + start).astype, kind)
    return made(
        array,
        opts.get("device"),
        opts.get("requires_grad", False),
        out=out,
        op="arange",
        layout=opts.get("layout"),
    )


@composite()
def range(
    start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, **opts: Any
) -> Tensor:
    """Deprecated: like `arange` with `end` included."""
    if opts:
        known("range", opts)
    warnings.warn(
        "torch.range is deprecated and will be removed in a future release because its behavior "
        "is inconsistent with Python's "
        "range builtin. Instead, use torch.arange, which produces values in [start, end).",
        UserWarning,
        stacklevel=stack_level(),
    )
    if end is None:
        start, end = 0, start
    if step == 0:
        raise fail(RuntimeError, "range", "step must be nonzero")
    count = int((end - start) / step + 1)
    kind = target_dtype(dtype, dtypes.default()).numpy
    return made(
        quiet((np.arange(count, dtype="f8") * step + start).astype, kind),
        opts.get("device"),
        opts.get("requires_grad", False),
    )


def _ends(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


@composite()
def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, **opts: Any) -> Tensor:
    """`steps` numbers from `start` to `end`, both included, evenly spaced.

    Raises:
        RuntimeError: negative `steps`.
    """
    if opts:
        known("linspace", opts)
    start, end = _ends(start), _ends(end)
    if steps < 0:
        raise fail(RuntimeError, "linspace", "number of steps must be non-negative")
    is_complex = isinstance(start, builtins.complex) or isinstance(end, builtins.complex)
    kind = target_dtype(dtype, dtypes.default_complex() if is_complex else dtypes.default()).numpy
    if is_meta(opts.get("device")):
        return made(Abstract((steps,), kind), None, opts.get("requires_grad", False))
    array = _line(start, end, steps, kind)
    return made(
        array,
        opts.get("device"),
        opts.get("requires_grad", False),
        out=opts.get("out"),
        op="linspace",
    )


def _line(start: Any, end: Any, steps: int, kind: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """From both ends to the middle, as PyTorch does, so that the line is symmetric."""
    if steps == 1:
        return quiet(np.asarray([start]).astype, kind)
    if kind.kind in "iu":
        start, end = int(start), int(end)
        step = (end - start) / (steps - 1)
        k = np.arange(steps)
        wide = np.where(k < steps // 2, int(start) + step * k, int(end) - step * (steps - 1 - k))
        return quiet(np.trunc(wide).astype, kind)
    wide_kind = kind if kind.kind in "fc" and kind.itemsize >= 4 else np.dtype("f4")
    a, b = wide_kind.type(start), wide_kind.type(end)
    step = quiet(lambda: (b - a) / wide_kind.type(steps - 1))
    k = np.arange(steps).astype(wide_kind)
    line = quiet(
        lambda: np.where(
            np.arange(steps) < steps // 2, a + step * k, b - step * (wide_kind.type(steps - 1) - k)
        )
    )
    return quiet(line.astype, kind)


@composite()
def logspace(
    start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **opts: Any
) -> Tensor:
    """`steps` numbers from base**start to base**end, evenly spaced on a logarithmic scale."""
    if opts:
        known("logspace", opts)
    start, end = _ends(start), _ends(end)
    if steps < 0:
        raise fail(RuntimeError, "logspace", "number of steps must be non-negative")
    is_complex = isinstance(start, builtins.complex) or isinstance(end, builtins.complex)
    kind = target_dtype(dtype, dtypes.default_complex() if is_complex else dtypes.default()).numpy
    if is_meta(opts.get("device")):
        return made(Abstract((steps,), kind), None, opts.get("requires_grad", False))
    wide = np.dtype("f8") if kind.kind != "c" else kind
    if kind.kind in "iu":
        start, end = int(start), int(end)
    step = (end - start) / (steps - 1) if steps > 1 else 0
    k = np.arange(steps)
    exponents = (
        np.where(k < steps // 2, start + step * k, end - step * (steps - 1 - k))
        if steps > 1
        else np.full(steps, start)
    )
    array = quiet(lambda: np.power(wide.type(base), exponents.astype(wide)))
    return made(
        quiet(array.astype, kind),
        opts.get("device"),
        opts.get("requires_grad", False),
        out=opts.get("out"),
        op="logspace",
    )


@composite()
def eye(n: int, m: int | None = None, *, dtype: Any = None, **opts: Any) -> Tensor:
    """The identity matrix of n rows and m (default n) columns.

    Raises:
        RuntimeError: a negative size.
    """
    if opts:
        known("eye", opts)
    m = n if m is None else m
    if n < 0 or m < 0:
        raise fail(RuntimeError, "eye", f"n and m must be greater or equal to 0, got {n} and {m}")
    kind = target_dtype(dtype, dtypes.default()).numpy
    if is_meta(opts.get("device")):
        return made(Abstract((n, m), kind), None, opts.get("requires_grad", False))
    return made(
        np.eye(n, m, dtype=kind),
        opts.get("device"),
        opts.get("requires_grad", False),
        out=opts.get("out"),
        op="eye",
    )


def _indices(row: int, col: int, offset: int, lower: bool, dtype: Any) -> Tensor:
    rows, cols = np.tril_indices(row, offset, col) if lower else np.triu_indices(row, offset, col)
    return wrap(np.stack([rows, cols]).astype(target_dtype(dtype, dtypes.of(np.dtype("i8"))).numpy))


@composite()
def tril_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The indices (2, n) of the lower triangle of a row x col matrix."""
    return _indices(row, col, offset, True, dtype)


@composite()
def triu_indices(
    row: int,
    col: int,
    offset: int = 0,
    *,
    dtype: Any = None,
    device: Any = None,
    layout: Any = None,
) -> Tensor:
    """The indices (2, n) of the upper triangle of a row x col matrix."""
    return _indices(row, col, offset, False, dtype)


class News:
    """`tensor.new_zeros(...)` and its kin: factories that take dtype and device from the tensor."""

    def new_tensor(
        self: Tensor,
        data: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        **_: Any,
    ) -> Tensor:
        """`torch.tensor` with this tensor's dtype."""
        return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    def new_full(
        self: Tensor,
        size: Any,
        fill_value: Any,
        *,
        dtype: Any = None,
        device: Any = None,
        **opts: Any,
    ) -> Tensor:
        found = full(
            size, fill_value, dtype=dtype or self.dtype, device=device or self.device, **opts
        )
        return _for_samples(found, self)

    def new_empty_strided(
        self: Tensor, size: Any, stride: Any, *, dtype: Any = None, device: Any = None, **opts: Any
    ) -> Tensor:
        return empty_strided(
            size, stride, dtype=dtype or self.dtype, device=device or self.device, **opts
        )


def _for_samples(made: Tensor, like: Tensor) -> Tensor:
    """A new tensor for every sample, where `like` is a batch: it will be written by sample."""
    if type(like._array) is Batched:
        made._array = like_sample(made._array, like._array)
    return made


def _news(name: str, value: Any) -> Any:
    def method(
        self: Tensor, *size: Any, dtype: Any = None, device: Any = None, **opts: Any
    ) -> Tensor:
        opts["device"] = device or self.device
        found = filled(
            "new_" + name, sizes_of("new_" + name, size, opts), value, dtype or self.dtype, opts
        )
        return _for_samples(found, self)

    method.__name__ = "new_" + name
    method.__doc__ = f"`torch.{name}` with this tensor's dtype and device."
    return method


for _name, _value in (("zeros", 0), ("ones", 1), ("empty", None)):
    setattr(News, "new_" + _name, _news(_name, _value))

from flambeau.core.methods import attach  # noqa: E402

attach(News)
