"""Discrete Fourier transforms: three operations (complex to complex, real to complex, complex to
real) and the names over them.

The transforms themselves are in kernels.fft. Each rule is the adjoint transform. Short-time
transforms are in `stft`. Stands on declare.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from flambeau.core import dtypes
from flambeau.core.declare import composite, ops, primitive
from flambeau.core.dims import wrap_dim, wrap_dims
from flambeau.core.dtypes import of
from flambeau.core.errors import fail
from flambeau.core.factory_options import known
from flambeau.core.kernels.fft import Transform, c2c, c2r, complex_of, r2c, ready, real_of
from flambeau.core.output import write_one
from flambeau.core.state import NO_GRAD, mode
from flambeau.core.tensor import Tensor, edge_of, wrap
from flambeau.core.threads import count

__all__: list[str] = []

nd = np.ndarray
_new = object.__new__

NORMS = (None, "backward", "forward", "ortho")


@primitive(
    name="_fft_c2c",
    node="FftC2C",
    method=False,
    function=False,
    holomorphic=False,
    vjp=lambda g, dim, scale, forward: ops._fft_c2c(g, dim, scale, not forward),
    infer=lambda input, *_: (input.shape, input.dtype),
)
def _fft_c2c(input, dim: Any, scale: float, forward: bool):
    """The transform of a complex tensor over `dim`."""
    return c2c(input, dim, scale, forward)


def _weighed(g: Any, last: int, size: int, inner: float) -> Any:
    """Half a spectrum with those numbers times `inner` that stand for two of the whole one."""
    weights = np.full(size // 2 + 1, inner, g.dtype.numpy)
    weights[0] = 1
    if size % 2 == 0:
        weights[-1] = 1
    shape = [1] * g.dim()
    shape[last] = len(weights)
    return ops.mul(g, wrap(weights.reshape(shape)))


def _r2c_rule(g: Any, input_shape: Any, dim: Any, scale: Any, onesided: Any) -> Any:
    """The real part of the adjoint transform: of half a spectrum, that of the whole one whose other
    half is zero.
    """
    if not onesided:
        return ops._fft_c2c(g, dim, scale, False).real
    *others, last = dim
    if others:
        g = ops._fft_c2c(g, tuple(others), 1.0, False)
    size = input_shape[last]
    return ops._fft_c2r(_weighed(g, last, size, 0.5), (last,), scale, size)


@primitive(
    name="_fft_r2c",
    node="FftR2C",
    method=False,
    function=False,
    holomorphic=False,
    vjp=_r2c_rule,
    infer=lambda input, dim, scale, onesided: (
        tuple(n // 2 + 1 if onesided and k == dim[-1] else n for k, n in enumerate(input.shape)),
        complex_of(input.dtype),
    ),
)
def _fft_r2c(input, dim: Any, scale: float, onesided: bool):
    """The transform of a real tensor; only the first half of the last of `dim` where `onesided`."""
    return r2c(input, dim, scale, onesided)


def _c2r_rule(g: Any, dim: Any, scale: Any, size: Any) -> Any:
    return _weighed(ops._fft_r2c(g, dim, scale, True), dim[-1], size, 2.0)


@primitive(
    name="_fft_c2r",
    node="FftC2R",
    method=False,
    function=False,
    holomorphic=False,
    vjp=_c2r_rule,
    infer=lambda input, dim, scale, size: (
        tuple(size if k == dim[-1] else n for k, n in enumerate(input.shape)),
        real_of(input.dtype),
    ),
)
def _fft_c2r(input, dim: Any, scale: float, size: int):
    """The unscaled inverse transform of a half spectrum: real, of `size` in the last of `dim`."""
    return c2r(input, dim, scale, size)


def _scale(norm: Any, count: int, forward: bool) -> float:
    """The factor of a norm mode."""
    if norm not in NORMS:
        raise fail(
            RuntimeError,
            "fft",
            f'Invalid normalization mode: "{norm}". Give "forward", "backward" or "ortho".',
        )
    if norm == "ortho":
        return 1 / math.sqrt(count)
    return 1 / count if (norm == "forward") == forward else 1.0


def _promoted(name: str, input: Tensor, to_complex: bool) -> Tensor:
    """Integers become floats; reals become complex where asked.

    Raises:
        RuntimeError: 16-bit floats.
    """
    d = input.dtype
    if d.category in ("int", "bool"):
        d = dtypes.default()
    if d.name not in ("float32", "float64", "complex64", "complex128"):
        raise fail(
            RuntimeError, name, f"Unsupported dtype {d.legacy}. Convert with .to(torch.float32)."
        )
    if to_complex and not d.is_complex:
        d = d.to_complex()
    return input if d is input.dtype else input.to(d)


def _resized(name: str, input: Tensor, dims: tuple[int, ...], sizes: Any) -> Tensor:
    """Cut or filled with zeros to `sizes` along `dims` (None and -1 keep)."""
    for k, n in zip(dims, sizes, strict=True):
        if n is None or n == -1:
            n = input.shape[k]
        if n < 1:
            raise fail(RuntimeError, name, f"Invalid number of data points ({n}) specified")
        have = input.shape[k]
        if n < have:
            input = input.narrow(k, 0, n)
        elif n > have:
            shape = list(input.shape)
            shape[k] = n - have
            input = ops.cat([input, ops.zeros(shape, dtype=input.dtype, device=input.device)], k)
    return input


def _no_complex(name: str, input: Tensor) -> None:
    if input.is_complex():
        raise fail(
            RuntimeError, name, f"{name} expects a real input tensor, but got {input.dtype.legacy}"
        )


def _finish(name: str, found: Tensor, out: Any) -> Tensor:
    return found if out is None else write_one("fft_" + name, found, out)


KERNELS = {"_fft_c2c": c2c, "_fft_r2c": r2c, "_fft_c2r": c2r}
KNOWN: dict[Any, Transform] = {}
"""Transforms by the call and the layout of its input, for calls that are one operation and no
more: small ones take a fifth of the time.
"""
PLAINLY = {int, tuple, type(None)}
MOST = 1024
"""Calls that are known at most."""


class Call(NamedTuple):
    """A call: the function's name, what it is known by, and where the result goes."""

    name: str
    key: Any
    out: Any


def _key(name: str, input: Tensor, s: Any, dim: Any, norm: Any) -> Any:
    """What a call is known by; None where it may need a node, or is not on plain arrays."""
    if type(input) is not Tensor:
        return None
    m = mode()
    if m is not NO_GRAD:
        edge = input._edge if input._view is None else edge_of(input)
        if m is not None or edge is not None:
            return None
    a = input._array
    if type(a) is not nd:
        return None
    if type(s) is list:
        s = tuple(s)
    if type(dim) is list:
        dim = tuple(dim)
    if type(s) not in PLAINLY or type(dim) not in PLAINLY:
        return None
    return name, s, dim, norm, a.shape, a.strides, a.dtype, count()


def _known(made: Transform, input: Tensor) -> Tensor:
    t = _new(Tensor)
    t._array = made(input._array)
    t._storage = t._view = t._grad = t._edge = None
    return t


def _transformed(call: Call, input: Tensor, kernel: str, x: Tensor, *arguments: Any) -> Tensor:
    """One of the three operations, known from now on where nothing comes before it."""
    found = getattr(ops, kernel)(x, *arguments)
    if x is input and call.key is not None:
        made = ready(KERNELS[kernel], x._array, *arguments)
        if made is not None:
            if len(KNOWN) >= MOST:
                KNOWN.clear()
            KNOWN[call.key] = made
    return _finish(call.name, found, call.out)


def _dims(
    name: str, input: Tensor, s: Any, dim: Any, least: bool = False
) -> tuple[tuple[int, ...], list[Any]]:
    """The dimensions transformed, and the sizes asked along them.

    Raises:
        RuntimeError: a dimension twice, or not as many sizes as dimensions.
    """
    if dim is not None:
        dim = (dim,) if isinstance(dim, int) else tuple(dim)
        wrapped = tuple(wrap_dim(k, input.dim()) for k in dim)
        if len(set(wrapped)) < len(wrapped):
            raise fail(RuntimeError, name, "FFT dims must be unique")
    if s is not None:
        s = [s] if isinstance(s, int) else list(s)
        if dim is None:
            if len(s) > input.dim():
                raise fail(
                    RuntimeError,
                    name,
                    f"Got shape with {len(s)} values but input tensor only has {input.dim()} "
                    "dimensions.",
                )
            wrapped = tuple(range(input.dim() - len(s), input.dim()))
        elif len(s) != len(wrapped):
            raise fail(
                RuntimeError, name, "When given, dim and shape arguments must have the same length"
            )
    else:
        if dim is None:
            wrapped = tuple(range(input.dim()))
        s = [None] * len(wrapped)
    if least and not wrapped:
        raise fail(RuntimeError, name, f"{name} must transform at least one axis")
    return wrapped, s


def _complex_transform(
    call: Call, input: Tensor, s: Any, dim: Any, norm: Any, forward: bool
) -> Tensor:
    name = call.name
    dims, sizes = _dims(name, input, s, dim)
    real = bool(dims) and not input.is_complex()
    x = _resized(name, _promoted(name, input, not real), dims, sizes)
    scale = _scale(norm, math.prod(x.shape[k] for k in dims), forward)
    if not real:
        return _transformed(call, input, "_fft_c2c", x, dims, scale, forward)
    if forward:
        return _transformed(call, input, "_fft_r2c", x, dims, scale, False)
    return _finish(name, ops.conj_physical(ops._fft_r2c(x, dims, scale, False)), call.out)


def _half_transform(
    call: Call, input: Tensor, s: Any, dim: Any, norm: Any, forward: bool
) -> Tensor:
    """rfftn, and ihfftn as its conjugate with the other scale."""
    name = call.name
    _no_complex(name, input)
    dims, sizes = _dims(name, input, s, dim, True)
    x = _resized(name, _promoted(name, input, False), dims, sizes)
    scale = _scale(norm, math.prod(x.shape[k] for k in dims), forward)
    if forward:
        return _transformed(call, input, "_fft_r2c", x, dims, scale, True)
    found = ops.conj(ops._fft_r2c(x, dims[-1:], scale, True))
    if len(dims) > 1:
        found = ops._fft_c2c(found, dims[:-1], 1.0, False)
    return _finish(name, found, call.out)


def _to_real(call: Call, input: Tensor, s: Any, dim: Any, norm: Any, forward: bool) -> Tensor:
    """irfftn, and hfftn as that of the conjugate with the other scale."""
    name = call.name
    dims, sizes = _dims(name, input, s, dim, True)
    last = dims[-1]
    size = sizes[-1]
    if size is None or size == -1:
        size = 2 * (input.shape[last] - 1)
    if size < 1:
        raise fail(RuntimeError, name, f"Invalid number of data points ({size}) specified")
    x = _resized(name, _promoted(name, input, True), dims, [*sizes[:-1], size // 2 + 1])
    scale = _scale(norm, math.prod(x.shape[k] for k in dims[:-1]) * size, forward)
    if not forward:
        return _transformed(call, input, "_fft_c2r", x, dims, scale, size)
    if len(dims) > 1:
        x = ops._fft_c2c(x, dims[:-1], 1.0, True)
    return _finish(name, ops._fft_c2r(ops.conj(x), dims[-1:], scale, size), call.out)


def _make(name: str, way: Any, forward: bool, words: str) -> None:
    """Declare the 1-, 2- and n-dimensional functions of one transform."""

    def one(
        input: Tensor,
        n: int | None = None,
        dim: int = -1,
        norm: str | None = None,
        *,
        out: Any = None,
    ) -> Tensor:
        key = _key(name, input, n, dim, norm) if out is None else None
        made = KNOWN.get(key)
        if made is not None:
            return _known(made, input)
        return way(
            Call(name, key, out),
            input,
            None if n is None else [_count(name, n)],
            [wrap_dim(dim, input.dim()) if input.dim() else _flat(dim)],
            norm,
            forward,
        )

    def several(tail: str, input: Tensor, s: Any, dim: Any, norm: Any, out: Any) -> Tensor:
        key = _key(name + tail, input, s, dim, norm) if out is None else None
        made = KNOWN.get(key)
        if made is not None:
            return _known(made, input)
        return way(Call(name + tail, key, out), input, s, dim, norm, forward)

    def two(
        input: Tensor,
        s: Any = None,
        dim: Any = (-2, -1),
        norm: str | None = None,
        *,
        out: Any = None,
    ) -> Tensor:
        return several("2", input, s, dim, norm, out)

    def many(
        input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None, *, out: Any = None
    ) -> Tensor:
        return several("n", input, s, dim, norm, out)

    where = {
        "": "dimension `dim`",
        "2": "the last two dimensions",
        "n": "`dim` (all dimensions by default)",
    }
    for function, tail in ((one, ""), (two, "2"), (many, "n")):
        function.__name__ = function.__qualname__ = "fft_" + name + tail
        function.__doc__ = (
            f"{words} over {where[tail]}.\n\nThe input is first cut, or filled with zeros, to the "
            "sizes given. `norm` names where the "
            'scale 1/n stands: "backward" (the inverse), "forward", or "ortho" (its root on both).'
        )
        composite(name="fft_" + name + tail, function=False, numpy=True)(function)


def _count(name: str, n: int) -> int:
    if n < 1:
        raise fail(RuntimeError, name, f"Invalid number of data points ({n}) specified")
    return n


def _flat(dim: int) -> int:
    raise fail(IndexError, "fft", f"Dimension specified as {dim} but tensor has no dimensions")


_make("fft", _complex_transform, True, "The discrete Fourier transform")
_make("ifft", _complex_transform, False, "The inverse discrete Fourier transform")
_make(
    "rfft",
    _half_transform,
    True,
    "The half of a real input's Fourier transform that determines the rest",
)
_make(
    "irfft",
    _to_real,
    False,
    "The real inverse of `rfft`; the last size is ``2 * (m - 1)`` unless given",
)
_make("hfft", _to_real, True, "The real Fourier transform of a hermitian signal's half")
_make("ihfft", _half_transform, False, "The inverse of `hfft`: a half of the hermitian signal")


@composite(name="fft_fftfreq", function=False)
def fft_fftfreq(
    n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, **options: Any
) -> Tensor:
    """The frequencies of `fft`'s bins for samples `d` apart: 0, 1, ..., then the negative ones,
    over ``n * d``.
    """
    k = ops.arange(n)
    k = ops.where(k < (n + 1) // 2, k, k - n)
    return _frequencies("fftfreq", k, n, d, out, dtype, options)


@composite(name="fft_rfftfreq", function=False)
def fft_rfftfreq(
    n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, **options: Any
) -> Tensor:
    """The frequencies of `rfft`'s bins for samples `d` apart."""
    return _frequencies("rfftfreq", ops.arange(n // 2 + 1), n, d, out, dtype, options)


def _frequencies(
    name: str, k: Tensor, n: int, d: float, out: Any, dtype: Any, options: dict[str, Any]
) -> Tensor:
    if options:
        known("fft_" + name, options)
    if dtype is None:
        dtype = out.dtype if out is not None else dtypes.default()
    if not (dtype.is_floating_point or dtype.is_complex):
        raise fail(
            RuntimeError, name, f"{name} requires a floating point or complex dtype, got {dtype}"
        )
    found = k.to(dtype) * (1.0 / (n * d) if n * d else math.inf)
    device = options.get("device")
    if device is not None:
        found = found.to(device)
    if options.get("requires_grad"):
        found.requires_grad_()
    return _finish(name, found, out)


def _shift(input: Tensor, dim: Any, sign: int) -> Tensor:
    dims = tuple(range(input.dim())) if dim is None else wrap_dims(dim, input.dim())
    shifts = [input.shape[k] // 2 if sign > 0 else (input.shape[k] + 1) // 2 for k in dims]
    return ops.roll(input, shifts, list(dims)) if dims else input.clone()


@composite(name="fft_fftshift", function=False, numpy=True)
def fft_fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The spectrum with frequency zero in the middle."""
    return _shift(input, dim, 1)


@composite(name="fft_ifftshift", function=False, numpy=True)
def fft_ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of `fftshift`."""
    return _shift(input, dim, -1)


def legible(t: Tensor) -> str:
    """A tensor as error texts name it: torch.FloatTensor[3]."""
    return f"torch.{of(t._array.dtype).legacy}Tensor{list(t.shape)}"
