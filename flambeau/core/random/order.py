"""Where drawn numbers go: the order in which a strided array is filled.

PyTorch fills a tensor in the order of its memory, not of its indices: a transposed matrix drawn in
place equals the matrix drawn and then transposed. ``empty_like`` makes the array for that,
``filled`` turns a law on shapes into a fill of any array; ``in_order`` lays parameters
(probabilities, rates) out in the order in which draws meet them.
"""

from collections.abc import Callable, Sequence

import ml_dtypes
import numpy as np

from flambeau.core.kernels import memory

__all__ = ["empty_like", "filled", "in_order", "is_complex", "memory_order", "parts"]

_COMPLEX32 = np.dtype(ml_dtypes.complex32)
_FLOAT64 = np.dtype(np.float64)


def memory_order(*arrays: np.ndarray) -> list[int]:
    """The dimensions from the slowest to the fastest, by the first array's strides.

    Ties and broadcast dimensions (stride 0) are decided by the next array, then stay as they are:
    an insertion sort, because "undecided" is not transitive and the order of comparisons shows.
    """
    first = arrays[0]
    order = list(range(first.ndim))
    for i in range(first.ndim - 2, -1, -1):
        here = i
        for j in range(i + 1, first.ndim):
            verdict = _slower(order[here], order[j], arrays)
            if verdict < 0:
                order[here], order[j] = order[j], order[here]
                here = j
            elif verdict > 0:
                break
    return order


def _slower(left: int, right: int, arrays: Sequence[np.ndarray]) -> int:
    """1 if dimension ``left`` is the slower one, -1 if ``right`` is, 0 if nothing decides."""
    for array in arrays:
        a, b = array.strides[left], array.strides[right]
        if a == 0 or b == 0:
            continue
        if a != b:
            return 1 if a > b else -1
        if array.shape[right] > array.shape[left]:
            return -1
    return 0


def empty_like(array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """An unset dense array with ``array``'s shape and order of dimensions."""
    shape = array.shape
    if array.flags.c_contiguous:
        dense = out = memory.empty(shape, dtype)
    else:
        order = memory_order(array)
        dense = np.empty([shape[d] for d in order], dtype)
        out = dense.transpose(np.argsort(order))
    if 1 in shape and array.size:
        # NumPy forgets the strides of dimensions of one element, PyTorch keeps a dense tensor's.
        steps = tuple(s // array.itemsize * dtype.itemsize for s in array.strides)
        if all(n == 1 or a == b for n, a, b in zip(shape, steps, out.strides, strict=True)):
            return np.ndarray(shape, dtype, dense.reshape(-1).view(np.uint8), 0, steps)
    return out


def is_complex(dtype: np.dtype) -> bool:
    """Whether ``dtype`` is complex; ml_dtypes' complex32 does not say so by its kind."""
    return dtype.kind == "c" or dtype == _COMPLEX32


def parts(array: np.ndarray) -> np.ndarray:
    """A complex array as a real view with a last dimension of 2."""
    real = np.float16 if array.itemsize == 4 else array.real.dtype
    return array[..., None].view(real)


def filled(out: np.ndarray, law: Callable[[tuple[int, ...]], np.ndarray]) -> np.ndarray:
    """Fills ``out`` with ``law(shape)`` in memory order, rounds to its dtype, and returns it."""
    turned = out if out.flags.c_contiguous else out.transpose(memory_order(out))
    drawn = law(turned.shape)
    if out.itemsize == 2 and drawn.dtype == _FLOAT64:
        drawn = drawn.astype(
            np.float32
        )  # half types are rounded twice, as a C++ cast from double does
    turned[...] = drawn
    return out


def in_order(out: np.ndarray, *parameters: np.ndarray) -> tuple[np.ndarray, ...]:
    """``out`` and its parameters in its shape, turned so that C order is the fill's."""
    for parameter in parameters:
        if parameter.shape != out.shape or not parameter.flags.c_contiguous:
            break
    else:
        if out.flags.c_contiguous:
            return (out, *parameters)
    spread = [np.broadcast_to(parameter, out.shape) for parameter in parameters]
    order = memory_order(out, *spread)
    return tuple(array.transpose(order) for array in (out, *spread))
