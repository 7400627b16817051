"""`gradcheck` and `gradgradcheck`: analytical gradients against finite differences. Stands on backward.grad."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flambeau.autograd.backward import grad
from flambeau.core.declare import ops
from flambeau.core.provenance import stack_level
from flambeau.core.tensor import Tensor, wrap

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """The analytical and the numerical gradient differ."""


def _outputs(function: Callable[..., Any], inputs: Sequence[Any]) -> list[Tensor]:
    result = function(*inputs)
    found = [result] if isinstance(result, Tensor) else list(result)
    return [t for t in found if isinstance(t, Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex)]


def _directions(array: np.ndarray[Any, Any]) -> list[complex | float]:
    return [1.0, 1j] if array.dtype.kind == "c" else [1.0]


def _numerical(function: Callable[..., Any], inputs: Sequence[Any], target: Tensor, eps: float) -> list[np.ndarray[Any, Any]]:
    """d(outputs)/d(target) by central differences: one array (target.size, output.size) per output and direction."""
    columns: list[list[list[np.ndarray[Any, Any]]]] = []
    array = target._array
    flat = [index for index in np.ndindex(array.shape)]
    for direction in _directions(array):
        rows = []
        for index in flat:
            kept = array[index]
            array[index] = kept + eps * direction
            high = [o.detach()._array.astype("c16" if o.dtype.is_complex else "f8").reshape(-1).copy() for o in _outputs(function, inputs)]
            array[index] = kept - eps * direction
            low = [o.detach()._array.astype("c16" if o.dtype.is_complex else "f8").reshape(-1).copy() for o in _outputs(function, inputs)]
            array[index] = kept
            rows.append([(h - lo) / (2 * eps) for h, lo in zip(high, low, strict=True)])
        columns.append(rows)
    count = len(columns[0][0]) if columns and columns[0] else 0
    return [np.stack([np.stack([row[k] for row in rows]) for rows in columns]) for k in range(count)] if count else []


def _analytical(outputs: list[Tensor], k: int, target: Tensor) -> np.ndarray[Any, Any]:
    """The same from backward, one output element (and direction) at a time."""
    out = outputs[k]
    rows = []
    for direction in _directions(out._array):
        block = []
        for index in np.ndindex(out._array.shape):
            seed = np.zeros(out._array.shape, out._array.dtype)
            seed[index] = direction
            found = grad([out], [target], [wrap(seed)], retain_graph=True, allow_unused=True)[0]
            value = np.zeros(target._array.shape, target._array.dtype) if found is None else found.to_dense()._array if found.layout != out.layout else found._array
            block.append(np.array(value).reshape(-1))
        rows.append(np.stack(block) if block else np.zeros((0, target.numel())))
    return np.stack(rows)


def _agree(name: str, numeric: Any, analytic: Any, out_complex: bool, in_complex: bool, atol: float, rtol: float) -> None:
    # numeric: (in directions, in size, out size); analytic: (out directions, out size, in size), conjugate gradients.
    if in_complex:
        real, imag = numeric[0], numeric[1]
        # With L = Re(conj(v) y): d/d(re x) + i d/d(im x)
        by_one = np.real(real) + 1j * np.real(imag)
        by_i = np.imag(real) + 1j * np.imag(imag)
    else:
        by_one, by_i = np.real(numeric[0]), np.imag(numeric[0])
    expected = [by_one.T] + ([by_i.T] if out_complex else [])
    for want, have in zip(expected, analytic, strict=True):
        if not np.allclose(have, want, rtol=rtol, atol=atol, equal_nan=True):
            raise GradcheckError(f"Jacobian mismatch for {name},\nnumerical:{want}\nanalytical:{have}\n")


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Whether backward's gradients equal finite differences (float64 inputs are needed for the default tolerances).

    Raises:
        GradcheckError: they differ (with `raise_exception`). ValueError: no input requires gradient.
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    targets = [t for t in given if isinstance(t, Tensor) and t.requires_grad]
    if not targets:
        raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.")
    for k, t in enumerate(given):
        if isinstance(t, Tensor) and t.requires_grad and t.dtype.name not in ("float64", "complex128"):
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point or complex. This check will likely "
                "fail if all the inputs are not of double precision floating point or complex. ",
                UserWarning,
                stacklevel=stack_level(),
            )
    try:
        for target in targets:
            outputs = [o for o in _outputs(func, given)]
            numeric = _numerical(func, given, target, eps)
            for k, out in enumerate(outputs):
                if not out.requires_grad:
                    if numeric and np.abs(numeric[k]).max(initial=0) > atol:
                        raise GradcheckError(f"Numerical gradient for function expected to be zero: output {k} does not require grad")
                    continue
                analytic = _analytical(outputs, k, target)
                if target.numel() and out.numel():
                    _agree(
                        f"output {k} with respect to input {[i for i, g in enumerate(given) if g is target][0]}",
                        numeric[k], analytic, out.dtype.is_complex, target.dtype.is_complex, atol, rtol,
                    )  # fmt: skip
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    **options: Any,
) -> bool:
    """`gradcheck` of the gradient: whether double backward is right."""
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    outputs = _outputs(func, given)
    if grad_outputs is None:
        seeds = tuple(ops.randn_like(o.detach()).requires_grad_() for o in outputs)
    else:
        seeds = (grad_outputs,) if isinstance(grad_outputs, Tensor) else tuple(grad_outputs)
    count = len(seeds)

    def gradient(*args: Any) -> tuple[Tensor, ...]:
        values, cotangents = args[:-count], args[-count:]
        targets = [a for a in values if isinstance(a, Tensor) and a.requires_grad]
        outs = _outputs(func, values)
        pairs = [(o, g) for o, g in zip(outs, cotangents, strict=True) if o.requires_grad]
        found = grad([o for o, _ in pairs], targets, [g for _, g in pairs], create_graph=True, allow_unused=True)
        return tuple(t for t in found if t is not None)

    for name in ("nondet_tol", "check_batched_grad", "check_fwd_over_rev", "check_rev_over_rev", "check_undefined_grad", "check_grad_dtypes", "fast_mode", "masked"):
        options.pop(name, None)
    return gradcheck(gradient, (*given, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
