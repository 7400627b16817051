"""Inputs for benchmarks, drawn at random: sizes from distributions, tensors of those sizes with
strides and orders that vary."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import flambeau

__all__ = ["FuzzedParameter", "FuzzedSparseTensor", "FuzzedTensor", "Fuzzer", "ParameterAlias"]


class FuzzedParameter:
    """A number drawn anew for every input.

    Args:
        name: what sizes and constraints call it.
        minval, maxval: the bounds of the named distributions, both included.
        distribution: "uniform", "loguniform", or values with their probabilities.
        strict: the number is drawn once, not again when a constraint rejects the draw.
    """

    def __init__(
        self,
        name: str,
        minval: float | None = None,
        maxval: float | None = None,
        distribution: str | dict[Any, float] | None = None,
        strict: bool = False,
    ) -> None:
        self._name = name
        self._minval, self._maxval = minval, maxval
        self.strict = strict
        if isinstance(distribution, str) and distribution not in ("uniform", "loguniform"):
            raise AssertionError(f"FuzzedParameter: unknown distribution {distribution!r}.")
        if distribution is None:
            raise AssertionError("FuzzedParameter: a distribution is needed: 'uniform' or values.")
        if isinstance(distribution, dict):
            total = sum(distribution.values())
            distribution = {k: v / total for k, v in distribution.items()}
        elif minval is None or maxval is None:
            raise AssertionError(f"FuzzedParameter: {distribution} needs minval and maxval.")
        self._distribution = distribution

    @property
    def name(self) -> str:
        return self._name

    def sample(self, state: np.random.RandomState) -> Any:
        """One draw."""
        if isinstance(self._distribution, dict):
            values = list(self._distribution)
            return values[state.choice(len(values), p=list(self._distribution.values()))]
        low, high = self._minval, self._maxval
        assert low is not None and high is not None
        if self._distribution == "loguniform":
            found = math.exp(state.uniform(math.log(low), math.log(high + 1)))
            whole = isinstance(low, int) and isinstance(high, int)
            return min(int(found), high) if whole else min(found, high)
        if isinstance(low, int) and isinstance(high, int):
            return int(state.randint(low, high + 1))
        return state.uniform(low, high)


class ParameterAlias:
    """A value of a distribution that means: what that other parameter drew."""

    def __init__(self, alias_to: str) -> None:
        self.alias_to = alias_to

    def __repr__(self) -> str:
        return f"ParameterAlias[alias_to: {self.alias_to}]"


class FuzzedTensor:
    """A tensor whose size and layout are drawn.

    Args:
        name: what the input calls it.
        size, steps: numbers or names of parameters; a step of k leaves every k-th element.
        probability_contiguous: how often the dimensions keep their order.
        min_elements, max_elements, max_allocation_bytes: draws outside are rejected.
        dim_parameter: the parameter that says how many of the sizes count.
        roll_parameter: the parameter that says by how far the sizes are rotated.
        tensor_constructor: makes the tensor from `size`, `dtype` and the parameters.
    """

    def __init__(
        self,
        name: str,
        size: tuple[str | int, ...],
        steps: tuple[str | int, ...] | None = None,
        probability_contiguous: float = 0.5,
        min_elements: int | None = None,
        max_elements: int | None = None,
        max_allocation_bytes: int | None = None,
        dim_parameter: str | None = None,
        roll_parameter: str | None = None,
        dtype: Any = flambeau.float32,
        cuda: bool = False,
        tensor_constructor: Callable[..., Any] | None = None,
    ) -> None:
        self._name = name
        self._size, self._steps = size, steps
        self._probability_contiguous = probability_contiguous
        self._min, self._max, self._bytes = min_elements, max_elements, max_allocation_bytes
        self._dim_parameter, self._roll_parameter = dim_parameter, roll_parameter
        self._dtype, self._cuda = dtype, cuda
        self._constructor = tensor_constructor

    @property
    def name(self) -> str:
        return self._name

    @staticmethod
    def default_tensor_constructor(size: Any, dtype: Any, **kwargs: Any) -> Any:
        """Normal numbers, or integers below 127."""
        if dtype.is_floating_point or dtype.is_complex:
            return flambeau.rand(size=size, dtype=dtype, device="cpu")
        return flambeau.randint(1, 127, size=size, dtype=dtype, device="cpu")

    def _geometry(self, params: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        dim = params[self._dim_parameter] if self._dim_parameter else len(self._size)

        def numbers(given: tuple[str | int, ...]) -> list[int]:
            found = [int(params[x]) if isinstance(x, str) else x for x in given]
            roll = params[self._roll_parameter] if self._roll_parameter else 0
            return (found[roll:] + found[:roll])[:dim] if roll else found[:dim]

        size = numbers(self._size)
        steps = numbers(self._steps) if self._steps else [1] * dim
        return tuple(size), tuple(steps)

    def satisfies_constraints(self, params: dict[str, Any]) -> bool:
        """Whether a tensor with these parameters may be made."""
        size, steps = self._geometry(params)
        count = math.prod(size)
        memory = math.prod(s * k for s, k in zip(size, steps, strict=True)) * self._dtype.itemsize
        return not (
            (self._min is not None and count < self._min)
            or (self._max is not None and count > self._max)
            or (self._bytes is not None and memory > self._bytes)
        )

    def _make_tensor(
        self, params: dict[str, Any], state: np.random.RandomState
    ) -> tuple[Any, dict[str, Any]]:
        size, steps = self._geometry(params)
        dim = len(size)
        order = np.arange(dim)
        if dim > 1 and state.rand() > self._probability_contiguous:
            while np.all(order == np.arange(dim)):
                order = state.permutation(dim)
        full = tuple(s * k for s, k in zip(size, steps, strict=True))
        raw = (self._constructor or self.default_tensor_constructor)(
            size=tuple(full[k] for k in order), dtype=self._dtype, **params
        )
        back = tuple(int(k) for k in np.argsort(order))
        made = raw.permute(back)[tuple(slice(0, None, k) for k in steps)]
        return made, {
            "numel": made.numel(),
            "order": order,
            "steps": steps,
            "is_contiguous": made.is_contiguous(),
            "dtype": str(self._dtype),
        }


class FuzzedSparseTensor(FuzzedTensor):
    """A COO tensor whose size is drawn.

    Args:
        sparse_dim, nnz, density, coalesced: names of parameters.
    """

    def __init__(
        self,
        name: str,
        size: tuple[str | int, ...],
        min_elements: int | None = None,
        max_elements: int | None = None,
        dim_parameter: str | None = None,
        sparse_dim: str | None = None,
        nnz: str | None = None,
        density: str | None = None,
        coalesced: str | None = None,
        dtype: Any = flambeau.float32,
        cuda: bool = False,
    ) -> None:
        super().__init__(
            name,
            size,
            min_elements=min_elements,
            max_elements=max_elements,
            dim_parameter=dim_parameter,
            dtype=dtype,
            cuda=cuda,
        )
        self._sparse = sparse_dim, nnz, density, coalesced

    def _make_tensor(
        self, params: dict[str, Any], state: np.random.RandomState
    ) -> tuple[Any, dict[str, Any]]:
        size, _ = self._geometry(params)
        sparse_dim, nnz, density, coalesced = (params.get(p) if p else None for p in self._sparse)
        dims = min(int(sparse_dim or len(size)), len(size))
        cells = math.prod(size[:dims])
        count = int(nnz if nnz is not None else cells * (0.1 if density is None else density))
        values = self.default_tensor_constructor((count, *size[dims:]), self._dtype)
        indices = flambeau.from_numpy(
            np.stack([state.randint(0, max(n, 1), count) for n in size[:dims]]).astype(np.int64)
        )
        made = flambeau.sparse_coo_tensor(indices, values, size)
        if coalesced:
            made = made.coalesce()
        return made, {
            "numel": made.numel(),
            "shape": made.shape,
            "is_coalesced": made.is_coalesced(),
            "density": count / cells if cells else 0.0,
            "sparsity": 1 - (count / cells if cells else 0.0),
            "sparse_dim": made.sparse_dim(),
            "dense_dim": made.dense_dim(),
            "is_hybrid": made.dense_dim() > 0,
            "dtype": str(self._dtype),
        }


class Fuzzer:
    """Draws inputs.

    Args:
        parameters, tensors: what is drawn; lists in the lists are flattened.
        constraints: functions of the parameters; a draw for which one is false is rejected.
        seed: of the draws.
    """

    def __init__(
        self,
        parameters: list[Any],
        tensors: list[Any],
        constraints: list[Callable[..., Any]] | None = None,
        seed: int | None = None,
    ) -> None:
        self._seed = seed if seed is not None else int(np.random.RandomState().randint(2**31))
        self._parameters = _flat(parameters, FuzzedParameter)
        self._tensors = _flat(tensors, FuzzedTensor)
        self._constraints = tuple(constraints or ())
        names = [each.name for each in (*self._parameters, *self._tensors)]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"Fuzzer: names are given twice: {', '.join(repeated)}.")
        self._tried = self._rejected = 0

    @property
    def rejection_rate(self) -> float:
        """The part of the draws that broke a constraint."""
        return self._rejected / self._tried if self._tried else 0.0

    def _draw(self, state: np.random.RandomState) -> dict[str, Any]:
        kept = {p.name: p.sample(state) for p in self._parameters if p.strict}
        while True:
            params = {p.name: kept.get(p.name, p.sample(state)) for p in self._parameters}
            for name, value in params.items():
                while isinstance(value, ParameterAlias):
                    value = params[value.alias_to]
                params[name] = value
            self._tried += 1
            fits = all(bool(c(**params)) for c in self._constraints)
            if fits and all(t.satisfies_constraints(params) for t in self._tensors):
                return params
            self._rejected += 1

    def take(self, n: int) -> Iterator[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]]:
        """`n` inputs: tensors by name, what is to be known of them, and the parameters."""
        state = np.random.RandomState(self._seed)
        for _ in range(n):
            params = self._draw(state)
            made = {t.name: t._make_tensor(params, state) for t in self._tensors}
            yield (
                {name: tensor for name, (tensor, _) in made.items()},
                {name: about for name, (_, about) in made.items()},
                params,
            )


def _flat(given: list[Any], kind: type) -> tuple[Any, ...]:
    flat: list[Any] = []
    for x in given:
        flat += x if isinstance(x, (list, tuple)) else [x]
    for each in flat:
        if not isinstance(each, kind):
            raise ValueError(f"Fuzzer: expected a {kind.__name__}, got {type(each).__name__}.")
    return tuple(flat)
