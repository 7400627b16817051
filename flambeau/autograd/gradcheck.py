"""`gradcheck` and `gradgradcheck`: analytical gradients against finite differences. Stands on
backward.grad.
"""

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
    return [
        t
        for t in found
        if isinstance(t, Tensor) and (t.dtype.is_floating_point or t.dtype.is_complex)
    ]


def _directions(array: np.ndarray[Any, Any]) -> list[complex | float]:
    return [1.0, 1j] if array.dtype.kind == "c" else [1.0]


def _numerical(
    function: Callable[..., Any], inputs: Sequence[Any], target: Tensor, eps: float
) -> list[np.ndarray[Any, Any]]:
    """d(outputs)/d(target) by central differences: one array (target.size, output.size) per output
    and direction.
    """
    columns: list[list[list[np.ndarray[Any, Any]]]] = []
    array = target._array
    flat = list(np.ndindex(array.shape))
    for direction in _directions(array):
        rows = []
        for index in flat:
            kept = array[index]
            array[index] = kept + eps * direction
            high = [
                o.detach()._array.astype("c16" if o.dtype.is_complex else "f8").reshape(-1).copy()
                for o in _outputs(function, inputs)
            ]
            array[index] = kept - eps * direction
            low = [
                o.detach()._array.astype("c16" if o.dtype.is_complex else "f8").reshape(-1).copy()
                for o in _outputs(function, inputs)
            ]
            array[index] = kept
            rows.append([(h - lo) / (2 * eps) for h, lo in zip(high, low, strict=True)])
        columns.append(rows)
    count = len(columns[0][0]) if columns and columns[0] else 0
    return (
        [np.stack([np.stack([row[k] for row in rows]) for rows in columns]) for k in range(count)]
        if count
        else []
    )


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
            value = (
                np.zeros(target._array.shape, target._array.dtype)
                if found is None
                else found.to_dense()._array
                if found.layout != out.layout
                else found._array
            )
            block.append(np.array(value).reshape(-1))
        rows.append(np.stack(block) if block else np.zeros((0, target.numel())))
    return np.stack(rows)


def _agree(
    name: str,
    numeric: Any,
    analytic: Any,
    out_complex: bool,
    in_complex: bool,
    atol: float,
    rtol: float,
) -> None:
    # numeric: (in directions, in size, out size); analytic: (out directions, out size, in size),
    # conjugate gradients.
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
            raise GradcheckError(
                f"Jacobian mismatch for {name},\nnumerical:{want}\nanalytical:{have}\n"
            )


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
    """Whether backward's gradients equal finite differences (float64 inputs are needed for the
    default tolerances).

    Raises:
        GradcheckError: they differ (with `raise_exception`). ValueError: no input requires
            gradient.
    """
    given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    targets = [t for t in given if isinstance(t, Tensor) and t.requires_grad]
    if not targets:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them "
            "have requires_grad=True."
        )
    for k, t in enumerate(given):
        if (
            isinstance(t, Tensor)
            and t.requires_grad
            and t.dtype.name not in ("float64", "complex128")
        ):
            warnings.warn(
                f"Input #{k} requires gradient and is not a double precision floating point or "
                f"complex. This check will likely "
                "fail if all the inputs are not of double precision floating point or complex. ",
                UserWarning,
                stacklevel=stack_level(),
            )
    try:
        if check_backward_ad:
            _check_backward(func, given, targets, eps, atol, rtol, fast_mode)
        if check_forward_ad:
            _check_forward(func, given, targets, eps, atol, rtol)
        if check_undefined_grad and check_backward_ad:
            _check_undefined(func, given, targets)
        if check_grad_dtypes and check_backward_ad:
            _check_dtypes(func, given, targets)
        if check_batched_grad and check_backward_ad:
            _check_batched(func, given, targets, atol, rtol)
        if nondet_tol is not None and check_backward_ad:
            _check_same_twice(func, given, targets, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check_backward(
    func: Callable[..., Any],
    given: Sequence[Any],
    targets: list[Tensor],
    eps: float,
    atol: float,
    rtol: float,
    fast: bool,
) -> None:
    """Backward against finite differences: whole Jacobians, or (`fast`) one random direction."""
    for target in targets:
        outputs = _outputs(func, given)
        which = next(i for i, g in enumerate(given) if g is target)
        if (
            fast
            and target.numel()
            and not target.is_complex()
            and not any(o.is_complex() for o in outputs)
        ):
            _check_direction(func, given, target, which, eps, atol, rtol)
            continue
        numeric = _numerical(func, given, target, eps)
        for k, out in enumerate(outputs):
            if not out.requires_grad:
                if numeric and np.abs(numeric[k]).max(initial=0) > atol:
                    raise GradcheckError(
                        f"Numerical gradient for function expected to be zero: output {k} does "
                        f"not require grad"
                    )
                continue
            analytic = _analytical(outputs, k, target)
            if target.numel() and out.numel():
                label = f"output {k} with respect to input {which}"
                _agree(
                    label,
                    numeric[k],
                    analytic,
                    out.dtype.is_complex,
                    target.dtype.is_complex,
                    atol,
                    rtol,
                )


def _check_direction(
    func: Callable[..., Any],
    given: Sequence[Any],
    target: Tensor,
    which: int,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    """v^T J u by both ways, for random u and v of length one; the tolerance grows with what v and u
    would sum up.
    """
    draw = np.random.default_rng(0)
    array = target._array
    u = draw.random(array.shape)
    u /= max(float(np.linalg.norm(u)), 1e-30)
    kept = array.copy()
    array[...] = kept + eps * u
    high = [o.detach()._array.astype("f8") for o in _outputs(func, given)]
    array[...] = kept - eps * u
    low = [o.detach()._array.astype("f8") for o in _outputs(func, given)]
    array[...] = kept
    for k, out in enumerate(_outputs(func, given)):
        v = draw.random(out._array.shape)
        v /= max(float(np.linalg.norm(v)), 1e-30)
        numeric = float(((high[k] - low[k]) / (2 * eps) * v).sum())
        analytic = 0.0
        if out.requires_grad:
            found = grad(
                [out],
                [target],
                [wrap(np.asarray(v, out._array.dtype))],
                retain_graph=True,
                allow_unused=True,
            )[0]
            analytic = 0.0 if found is None else float((_dense(found)._array * u).sum())
        scale = float(np.abs(u).sum() * np.abs(v).sum())
        if abs(numeric - analytic) > atol * max(scale, 1.0) + rtol * abs(numeric):
            raise GradcheckError(
                f"Jacobian mismatch for output {k} with respect to input "
                f"{which},\nnumerical:{numeric}\nanalytical:{analytic}\n\n"
                "Both are v^T J u for random u and v: run with fast_mode=False to see the whole "
                "Jacobian."
            )


def _dense(tensor: Tensor) -> Tensor:
    return tensor.to_dense() if hasattr(tensor._array, "is_sparse_data") else tensor


def _check_forward(
    func: Callable[..., Any],
    given: Sequence[Any],
    targets: list[Tensor],
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    """The tangent along one random direction against a finite difference along it."""
    from flambeau.autograd.forward_ad import dual_level, make_dual, unpack_dual

    places = [k for k, g in enumerate(given) if any(g is t for t in targets)]
    steps = [ops.randn_like(given[k].detach()) for k in places]

    def shifted(size: float) -> list[Any]:
        full = list(given)
        for k, step in zip(places, steps, strict=True):
            full[k] = given[k].detach() + step * size
        return [each.detach() for each in _outputs(func, full)]

    numeric = [(h - low) / (2 * eps) for h, low in zip(shifted(eps), shifted(-eps), strict=True)]
    full = list(given)
    with dual_level():
        for k, step in zip(places, steps, strict=True):
            full[k] = make_dual(given[k].detach(), step)
        moved = [unpack_dual(each).tangent for each in _outputs(func, full)]
    for j, (expected, tangent) in enumerate(zip(numeric, moved, strict=True)):
        found = 0.0 if tangent is None else _dense(tangent)._array
        if not np.allclose(found, _dense(expected)._array, rtol=rtol, atol=atol):
            raise GradcheckError(
                f"Jacobian computed with forward mode mismatch for output {j}: along a random "
                f"direction it is\n{found}\nand the numerical derivative\n"
                f"{_dense(expected)._array}"
            )


def _check_undefined(func: Callable[..., Any], given: Sequence[Any], targets: list[Tensor]) -> None:
    """A backward in which only some of the outputs have a gradient must work."""
    outputs = [o for o in _outputs(func, given) if o.requires_grad]
    for out in outputs if len(outputs) > 1 else ():
        grad([out], targets, [ops.zeros_like(out.detach())], retain_graph=True, allow_unused=True)


def _check_dtypes(func: Callable[..., Any], given: Sequence[Any], targets: list[Tensor]) -> None:
    for out in _outputs(func, given):
        if out.requires_grad:
            found = grad(
                [out], targets, [ops.ones_like(out.detach())], retain_graph=True, allow_unused=True
            )
            for g, t in zip(found, targets, strict=True):
                if g is not None and g.dtype != t.dtype:
                    raise GradcheckError(
                        f"grad is incorrect type: {g.dtype}, the input is {t.dtype}"
                    )


def _check_batched(
    func: Callable[..., Any], given: Sequence[Any], targets: list[Tensor], atol: float, rtol: float
) -> None:
    for out in _outputs(func, given):
        if not out.requires_grad:
            continue
        seeds = ops.stack([ops.randn_like(out.detach()) for _ in range(2)])
        together = grad(
            [out], targets, [seeds], retain_graph=True, allow_unused=True, is_grads_batched=True
        )
        for k in range(2):
            alone = grad([out], targets, [seeds[k]], retain_graph=True, allow_unused=True)
            for a, b in zip(together, alone, strict=True):
                if (
                    a is not None
                    and b is not None
                    and not np.allclose(a[k]._array, b._array, rtol=rtol, atol=atol)
                ):
                    raise GradcheckError("Batched and single backward gradients differ")


def _check_same_twice(
    func: Callable[..., Any], given: Sequence[Any], targets: list[Tensor], tolerance: float
) -> None:
    for out in _outputs(func, given):
        if not out.requires_grad:
            continue
        seed = ops.ones_like(out.detach())
        first, second = (
            grad([out], targets, [seed], retain_graph=True, allow_unused=True) for _ in range(2)
        )
        for a, b in zip(first, second, strict=True):
            if a is not None and b is not None and a.numel():
                one, two = _dense(a)._array, _dense(b)._array
                differ = ~((one == two) | ((one != one) & (two != two)))
                if differ.any() and float(np.abs(one - two)[differ].max()) > tolerance:
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and "
                        "grad_output multiple times gives different values"
                    )


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
    places = [k for k, g in enumerate(given) if isinstance(g, Tensor) and g.requires_grad]

    def gradient(*args: Any) -> tuple[Tensor, ...]:
        values, cotangents = args[:-count], args[-count:]
        # Steps and duals are made without history: here they are what is differentiated by.
        targets = [
            a if a.requires_grad else a.requires_grad_() for a in (values[k] for k in places)
        ]
        outs = _outputs(func, values)
        pairs = [(o, g) for o, g in zip(outs, cotangents, strict=True) if o.requires_grad]
        found = grad(
            [o for o, _ in pairs],
            targets,
            [g for _, g in pairs],
            create_graph=True,
            allow_unused=True,
        )
        return tuple(t for t in found if t is not None)

    known = {
        name: options[name]
        for name in ("nondet_tol", "check_batched_grad", "check_grad_dtypes", "fast_mode", "masked")
        if name in options
    }
    return gradcheck(
        gradient,
        (*given, *seeds),
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        check_undefined_grad=False,
        check_forward_ad=bool(options.get("check_fwd_over_rev", False)),
        check_backward_ad=bool(options.get("check_rev_over_rev", True)),
        **known,
    )
