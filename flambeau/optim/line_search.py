"""A line search for the strong Wolfe conditions: bracket, then zoom by cubic interpolation.

Reference: J. Nocedal, S. Wright, Numerical Optimization, 2006, algorithms 3.5 and 3.6. Stands on
tensors only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flambeau.core.tensor import Tensor

__all__ = ["strong_wolfe"]

Point = list[Any]
"""[step length, loss, gradient, slope along the direction]"""


def cubic_minimum(
    x1: Any, f1: Any, g1: Any, x2: Any, f2: Any, g2: Any, bounds: tuple[Any, Any] | None = None
) -> Any:
    """The minimum of the cubic through two points with their slopes, within the bounds; their
    middle if there is none."""
    low, high = bounds if bounds is not None else ((x1, x2) if x1 <= x2 else (x2, x1))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if not square >= 0:
        return (low + high) / 2.0
    d2 = square.sqrt()
    if x1 <= x2:
        at = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        at = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(at, low), high)


def strong_wolfe(
    evaluate: Callable[[Any, Tensor], tuple[float, Tensor]],
    t: Any,
    d: Tensor,
    f: float,
    g: Tensor,
    slope: Any,
    c1: float = 1e-4,
    c2: float = 0.9,
    tolerance_change: float = 1e-9,
    max_ls: int = 25,
) -> tuple[float, Tensor, Any, int]:
    """A step length with ``f(t) <= f(0) + c1 t f'(0)`` and ``|f'(t)| <= -c2 f'(0)``.

    Args:
        evaluate: (t, d) to loss and gradient at ``x + t d``.
        t: the first guess.
        d: the direction.
        f, g, slope: loss, gradient and slope at 0.

    Returns:
        Loss, gradient, step length and how often `evaluate` was called.
    """

    def point(t: Any) -> Point:
        loss, grad = evaluate(t, d)
        return [t, loss, grad, grad.dot(d)]

    longest = d.abs().max()
    start: Point = [0, f, g.clone(), slope]
    last, new = [0, f, g, slope], point(t)
    calls, iteration, done = 1, 0, False
    bracket: list[Point] = []
    while iteration < max_ls:
        if new[1] > f + c1 * new[0] * slope or (iteration > 1 and new[1] >= last[1]):
            bracket = [last, new]
            break
        if abs(new[3]) <= -c2 * slope:
            bracket, done = [new], True
            break
        if new[3] >= 0:
            bracket = [last, new]
            break
        bounds = (new[0] + 0.01 * (new[0] - last[0]), new[0] * 10)
        t = cubic_minimum(last[0], last[1], last[3], new[0], new[1], new[3], bounds)
        last, new = new, point(t)
        calls += 1
        iteration += 1
    if iteration == max_ls:
        bracket = [start, new]

    stalled = False
    low, high = (0, 1) if bracket[0][1] <= bracket[-1][1] else (1, 0)
    while not done and iteration < max_ls:
        ends = (bracket[0][0], bracket[1][0])
        if abs(ends[1] - ends[0]) * longest < tolerance_change:
            break
        (x1, f1, _, g1), (x2, f2, _, g2) = bracket
        t = cubic_minimum(x1, f1, g1, x2, f2, g2)
        # Too near an end, twice in a row or beyond it: move a tenth of the way in.
        margin = 0.1 * (max(ends) - min(ends))
        if min(max(ends) - t, t - min(ends)) < margin:
            if stalled or t >= max(ends) or t <= min(ends):
                t = (
                    max(ends) - margin
                    if abs(t - max(ends)) < abs(t - min(ends))
                    else min(ends) + margin
                )
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        new = point(t)
        calls += 1
        iteration += 1
        if new[1] > f + c1 * t * slope or new[1] >= bracket[low][1]:
            bracket[high] = new
            low, high = (0, 1) if bracket[0][1] <= bracket[1][1] else (1, 0)
        else:
            if abs(new[3]) <= -c2 * slope:
                done = True
            elif new[3] * (bracket[high][0] - bracket[low][0]) >= 0:
                bracket[high] = bracket[low]
            bracket[low] = new
    t, loss, grad, _ = bracket[low]
    return loss, grad, t, calls
