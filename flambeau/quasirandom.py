"""Sobol sequences: points that fill the unit cube more evenly than random ones.

The direction numbers are those of Joe and Kuo, read from SciPy (extra ``sci``). Stands on random
and factories.

Reference: Stephen Joe and Frances Kuo, Constructing Sobol sequences with better two-dimensional
projections, 2008; scrambling: Jiri Matousek, On the L2-discrepancy for anchored boxes, 1998.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

import flambeau
from flambeau.core.errors import fail
from flambeau.core.tensor import Tensor

__all__ = ["SobolEngine"]


@cache
def _numbers() -> tuple[Any, Any]:
    """Polynomials and first direction numbers of all dimensions.

    Raises:
        ImportError: SciPy is missing.
    """
    from importlib.resources import files

    try:
        stored = files("scipy.stats") / "_sobol_direction_numbers.npz"
        with stored.open("rb") as file:
            table = np.load(file)
            return table["poly"], table["vinit"]
    except ImportError as error:
        raise fail(
            ImportError,
            "SobolEngine",
            "direction numbers come from SciPy: pip install 'flambeau[sci]'.",
        ) from error


def _directions(dimension: int, bits: int) -> Any:
    """The direction numbers, scaled to integers of so many bits. Shape: (dimension, bits)."""
    polynomials, starts = _numbers()
    v = np.ones((dimension, bits), np.int64)
    for d in range(1, dimension):
        polynomial = int(polynomials[d])
        degree = polynomial.bit_length() - 1
        v[d, :degree] = starts[d, :degree]
        for j in range(degree, bits):
            new = int(v[d, j - degree])
            for k in range(1, degree + 1):
                if polynomial >> (degree - k) & 1:
                    new ^= int(v[d, j - k]) << k
            v[d, j] = new
    return v << np.arange(bits - 1, -1, -1, dtype=np.int64)


def _scrambled(v: Any, matrices: Any) -> Any:
    """The direction numbers with each dimension's bits multiplied by its lower triangular matrix,
    whose diagonal is 1.
    """
    bits = v.shape[1]
    places = np.arange(bits - 1, -1, -1, dtype=np.int64)
    digits = v[:, :, None] >> places & 1  # (dimension, number, bit), highest bit first
    mixed = np.einsum("dpk,djk->djp", np.tril(matrices, -1) + np.eye(bits, dtype=np.int64), digits)
    return ((mixed & 1) << places).sum(-1)


class SobolEngine:
    """A generator of (scrambled) Sobol sequences.

    Args:
        dimension: of the points; at most MAXDIM.
        scramble: by a random matrix and shift, drawn from `seed`, else from the default generator.

    Raises:
        ValueError: a dimension out of range.
        ImportError: SciPy is missing.

    Example:
        >>> import flambeau
        >>> flambeau.quasirandom.SobolEngine(2).draw(3).tolist()
        [[0.0, 0.0], [0.5, 0.5], [0.75, 0.25]]
    """

    MAXBIT = 30
    MAXDIM = 21201

    def __init__(self, dimension: int, scramble: bool = False, seed: int | None = None) -> None:
        if dimension > self.MAXDIM or dimension < 1:
            raise ValueError(
                f"Supported range of dimensionality for SobolEngine is [1, {self.MAXDIM}]"
            )
        self.seed, self.scramble, self.dimension = seed, scramble, dimension
        self.sobolstate = flambeau.from_numpy(_directions(dimension, self.MAXBIT))
        self.shift = flambeau.zeros(dimension, dtype=flambeau.int64)
        if scramble:
            self._scramble()
        self.quasi = self.shift.clone()
        self._first_point = (self.quasi / 2**self.MAXBIT).reshape(1, -1)
        self.num_generated = 0

    def _scramble(self) -> None:
        generator = None
        if self.seed is not None:
            generator = flambeau.Generator()
            generator.manual_seed(self.seed)
        bits = self.MAXBIT
        digits = flambeau.randint(2, (self.dimension, bits), generator=generator).numpy()
        self.shift = flambeau.from_numpy((digits << np.arange(bits, dtype=np.int64)).sum(1))
        shape = (self.dimension, bits, bits)
        matrices = flambeau.randint(2, shape, generator=generator).numpy()
        self.sobolstate = flambeau.from_numpy(_scrambled(self.sobolstate.numpy(), matrices))

    def _step(self, count: int) -> Any:
        """The next points as integers. Shape: (count, dimension)."""
        numbers = np.arange(self.num_generated, self.num_generated + count, dtype=np.int64)
        zeros = np.log2(~numbers & (numbers + 1)).astype(np.int64)  # lowest bit that is 0
        steps = self.sobolstate.numpy().T[zeros]
        found = np.bitwise_xor.accumulate(np.concatenate([self.quasi.numpy()[None], steps]))
        self.quasi = flambeau.from_numpy(found[-1].copy())
        return found[1:]

    def draw(
        self, n: int = 1, out: Tensor | None = None, dtype: flambeau.dtype | None = None
    ) -> Tensor:
        """The next `n` points of the sequence. Shape: (n, dimension)."""
        dtype = flambeau.get_default_dtype() if dtype is None else dtype
        fresh = self.num_generated == 0
        parts = [self._first_point.to(dtype)] if fresh else []
        count = n - 1 if fresh else n
        if fresh:
            self.num_generated = 1
        if count > 0 or not fresh:
            # The first point, which costs no step, is not counted among the steps.
            self.num_generated -= 1
            points = flambeau.from_numpy(self._step(count))
            parts.append(points.to(dtype) / 2**self.MAXBIT)
            self.num_generated += count + 1
        result = flambeau.cat(parts)
        if out is not None:
            out.resize_(result.shape).copy_(result)
            return out
        return result

    def draw_base2(
        self, m: int, out: Tensor | None = None, dtype: flambeau.dtype | None = None
    ) -> Tensor:
        """The next ``2**m`` points, which are balanced.

        Raises:
            ValueError: what was drawn so far and this are no power of 2 together.
        """
        count = 2**m
        together = self.num_generated + count
        if together & (together - 1):
            raise ValueError(
                "The balance properties of Sobol' points require n to be a power of 2. "
                f"{self.num_generated} points have been previously generated, then: "
                f"n={self.num_generated}+2**{m}={together}. Draw any number with "
                "'SobolEngine.draw()'."
            )
        return self.draw(n=count, out=out, dtype=dtype)

    def reset(self) -> SobolEngine:
        """Back to the first point."""
        self.quasi = self.shift.clone()
        self.num_generated = 0
        return self

    def fast_forward(self, n: int) -> SobolEngine:
        """Leave `n` points out."""
        steps = n - 1 if self.num_generated == 0 else n
        self.num_generated -= self.num_generated != 0
        if steps > 0:
            self._step(steps)
        self.num_generated += steps + 1
        return self

    def __repr__(self) -> str:
        text = [f"dimension={self.dimension}"]
        if self.scramble:
            text.append("scramble=True")
        if self.seed is not None:
            text.append(f"seed={self.seed}")
        return f"{type(self).__name__}({', '.join(text)})"
