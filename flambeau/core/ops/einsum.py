"""einsum, and what is a reshaped product: tensordot, kron, inner, outer, chain_matmul.

einsum contracts its operands two at a time, the pair that grows memory least first when there are
more than two, each pair by one batched product; so gradients of every order come from the
operations below. Stands on declare; products are `matmul`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from flambeau.core.declare import composite, ops
from flambeau.core.dims import wrap_dim, wrap_dims
from flambeau.core.errors import fail
from flambeau.core.ops.windowing import require_tensor
from flambeau.core.output import write_one
from flambeau.core.tensor import Tensor, edge_of

__all__: list[str] = []

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ELLIPSIS = 52
"""Labels are 0 to 51 for letters, from 52 on for the dimensions that an ellipsis covers, counted
from the right.
"""


def _labels(text: str, where: str) -> list[int]:
    """The labels of one term; `ELLIPSIS` stands for three dots.

    Raises:
        RuntimeError: anything but letters and one ellipsis.
    """
    found: list[int] = []
    k = 0
    while k < len(text):
        c = text[k]
        if c == ".":
            if text[k : k + 3] != "..." or ELLIPSIS in found:
                wrong = (
                    "found '.' that is not part of any ellipsis"
                    if text[k : k + 3] != "..."
                    else "found '.' for which an ellipsis has already been found"
                )
                raise fail(RuntimeError, "einsum", f"{wrong} ({where})")
            found.append(ELLIPSIS)
            k += 3
            continue
        if c != " ":
            if c not in LETTERS:
                raise fail(
                    RuntimeError,
                    "einsum",
                    f"invalid subscript given at index {k} in the equation string, subscripts "
                    f"must be in [a-zA-Z]: {c!r} ({where})",
                )
            found.append(LETTERS.index(c))
        k += 1
    return found


@lru_cache(256)
def _parse(
    equation: str, ndims: tuple[int, ...]
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """An equation's labels for every operand and for the result."""
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        more = (
            "more operands were provided than specified in the equation"
            if len(terms) < len(ndims)
            else "fewer operands were provided than specified in the equation"
        )
        raise fail(RuntimeError, "einsum", f"{more}: {len(ndims)} for {equation!r}.")
    return _resolve(
        [_labels(term, f"operand {k}") for k, term in enumerate(terms)],
        _labels(right, "output") if arrow else None,
        ndims,
    )


def _resolve(
    terms: list[list[int]], output: list[int] | None, ndims: tuple[int, ...]
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Lay ellipses open and work out the implicit output."""
    operands = []
    widest = 0
    for k, (term, ndim) in enumerate(zip(terms, ndims, strict=True)):
        if ELLIPSIS in term:
            count = ndim - len(term) + 1
            if count < 0:
                raise fail(
                    RuntimeError,
                    "einsum",
                    f"the number of subscripts in the equation ({len(term) - 1}) is more than the "
                    f"number of dimensions ({ndim}) for operand {k}",
                )
            widest = max(widest, count)
            at = term.index(ELLIPSIS)
            operands.append(
                (*term[:at], *range(ELLIPSIS + count - 1, ELLIPSIS - 1, -1), *term[at + 1 :])
            )
        else:
            if len(term) != ndim:
                raise fail(
                    RuntimeError,
                    "einsum",
                    f"the number of subscripts in the equation ({len(term)}) does not match the "
                    f"number of dimensions ({ndim}) for operand {k} and no ellipsis was given",
                )
            operands.append(tuple(term))
    dots = tuple(range(ELLIPSIS + widest - 1, ELLIPSIS - 1, -1))
    seen = {label for term in operands for label in term}
    if output is None:
        counts = [label for term in operands for label in term]
        return tuple(operands), (
            *dots,
            *sorted(label for label in seen if label < ELLIPSIS and counts.count(label) == 1),
        )
    for label in output:
        name = LETTERS[label] if label < ELLIPSIS else "..."
        if label < ELLIPSIS and label not in seen:
            raise fail(
                RuntimeError,
                "einsum",
                f"output subscript {name} does not appear in the equation for any input operand",
            )
        if output.count(label) > 1:
            raise fail(
                RuntimeError,
                "einsum",
                f"output subscript {name} appears more than once in the output",
            )
    if ELLIPSIS not in output:
        return tuple(operands), tuple(output)
    at = output.index(ELLIPSIS)
    return tuple(operands), (
        *output[:at],
        *dots,
        *output[at + 1 :],
    )


def _sublist(args: tuple[Any, ...]) -> tuple[list[Any], list[list[int]], list[int] | None]:
    """`einsum(a, [0, 1], b, [1, 2], [0, 2])`: operands, their labels, the output's."""
    output = args[-1] if len(args) % 2 else None
    operands = list(args[0 : len(args) - len(args) % 2 : 2])
    lists = list(args[1 : len(args) - len(args) % 2 : 2])

    def read(values: Any) -> list[int]:
        found = []
        for value in values:
            if value is Ellipsis:
                found.append(ELLIPSIS)
            elif isinstance(value, int) and 0 <= value < ELLIPSIS:
                found.append(value)
            else:
                raise fail(
                    ValueError,
                    "einsum",
                    f"expected sublist subscripts to be in range [0, 52), but got {value!r}",
                )
        return found

    return operands, [read(each) for each in lists], None if output is None else read(output)


@composite()
def einsum(*args: Any) -> Tensor:
    """The sum of products that Einstein's convention describes.

    Args:
        equation: terms of letters, one a dimension, `...` for any number of broadcast ones, and
            `->` with the result's order; without it the letters that occur once, in alphabetical
            order.
        operands: the tensors; or one sequence of them. Or, without an equation, every tensor
            followed by a list of numbers from 0 to 51 (`...` allowed), and at the end the result's.

    Raises:
        RuntimeError: an equation that does not fit the operands.

    Example:
        >>> import flambeau as torch
        >>> torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 2))
        tensor([[3., 3.],
                [3., 3.]])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one "
            "operand and its subscripts list"
        )
    if isinstance(args[0], Tensor):
        operands, terms, output = _sublist(args)
        plan = _resolve(terms, output, tuple([x.dim() for x in operands]))
    else:
        operands = list(args[1:])
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = list(operands[0])
        if not operands:
            raise fail(ValueError, "einsum", "give at least one operand")
        for k, x in enumerate(operands):
            if not isinstance(x, Tensor):
                raise fail(
                    TypeError,
                    "einsum",
                    f"expected Tensor as element {k} in argument 1, but got {type(x).__name__}",
                )
        plan = _parse(args[0].replace(" ", ""), tuple([x.dim() for x in operands]))
    return _contract(operands, *plan)


class _Pair(NamedTuple):
    """How two operands become one product, each of them turned first where it says so."""

    left: tuple[int, ...] | None
    right: tuple[int, ...] | None
    alike: tuple[tuple[int, int], ...]
    """Dimensions of the two that must have one size."""
    summed: bool
    rows: bool
    """Whether the first has one that the other lacks; a row of size 1 stands for it where not."""
    columns: bool
    flat: bool = False
    """Whether all there is is summed, in one order: a product of two vectors."""


def _turn(labels: Sequence[int], order: Sequence[int]) -> tuple[int, ...] | None:
    found = tuple([labels.index(n) for n in order])
    return None if found == tuple(range(len(found))) else found


@lru_cache(256)
def _matrices(terms: Any, output: tuple[int, ...]) -> _Pair | None:
    """Two terms that are one product of matrices, or of batches of them, without a reshape; or one
    of numbers that says all there is. None for others.
    """
    a, b = terms
    if len({*a}) < len(a) or len({*b}) < len(b) or {*output} - {*a, *b}:
        return None
    both = [n for n in a if n in b]
    batch, summed = ([n for n in both if (n in output) is there] for there in (True, False))
    rows, columns = ([n for n in own if n not in other] for own, other in ((a, b), (b, a)))
    if any(n not in output for n in rows + columns):
        return None
    if a == b and len(a) > 1 and not output:
        return _Pair(None, None, tuple([(k, k) for k in range(len(a))]), True, False, False, True)
    if summed and (len(summed) > 1 or max(map(len, (rows, columns, batch))) > 1):
        return None
    if not summed and (batch or len(rows) != 1 or len(columns) != 1):
        return None
    alike = tuple([(a.index(n), b.index(n)) for n in both])
    if tuple(batch + rows + columns) != output:
        return None
    return _Pair(
        _turn(a, batch + rows + summed), _turn(b, batch + summed + columns),
        alike, bool(summed), bool(rows), bool(columns),
    )  # fmt: skip


def _paired(a: Tensor, b: Tensor, plan: _Pair) -> Tensor | None:
    """The product, unless sizes differ: of them one may be 1 and broadcast."""
    one, two = a._array.shape, b._array.shape
    for i, j in plan.alike:
        if one[i] != two[j]:
            return None
    if plan.flat:
        return ops.dot(a.reshape(-1), b.reshape(-1))  # type: ignore[no-any-return]
    left = a if plan.left is None else a.permute(plan.left)
    right = b if plan.right is None else b.permute(plan.right)
    if plan.summed:
        left = left if plan.rows else left.unsqueeze(-2)
        found = ops.matmul(left, right if plan.columns else right.unsqueeze(-1))
        found = found if plan.columns else found.squeeze(-1)
        if not plan.rows:
            found = found.squeeze(-2 if plan.columns else -1)
    else:
        found = left.unsqueeze(1) * right
    return found  # type: ignore[no-any-return]


def _contract(operands: list[Tensor], terms: Any, output: tuple[int, ...]) -> Tensor:
    # What has a history goes below, where PyTorch's nodes are made.
    if len(operands) == 2 and not any(map(edge_of, operands)):
        plan = _matrices(tuple(map(tuple, terms)), output)
        if plan is not None and (found := _paired(operands[0], operands[1], plan)) is not None:
            return found
    sizes: dict[int, int] = {}
    for k, (x, term) in enumerate(zip(operands, terms, strict=True)):
        for label, size in zip(term, x.shape, strict=True):
            known = sizes.get(label, 1)
            if size != known and 1 not in (size, known):
                name = LETTERS[label] if label < ELLIPSIS else "..."
                raise fail(
                    RuntimeError,
                    "einsum",
                    f"subscript {name} has size {size} for operand {k} which does not broadcast "
                    f"with previously seen size {known}",
                )
            sizes[label] = size if known == 1 else known
    rank = {label: k for k, label in enumerate(dict.fromkeys((*output, *sizes)))}
    work = [_narrow(x, term, sizes, rank) for x, term in zip(operands, terms, strict=True)]
    while len(work) > 1:
        i, j = (0, 1) if len(work) == 2 else _cheapest(work, output, sizes)
        rest = [w for k, w in enumerate(work) if k not in (i, j)]
        needed = set(output).union(*(labels for _, labels in rest))
        work = [_pair(*work[i], *work[j], needed, rank), *rest]
    x, labels = work[0]
    gone = [k for k, label in enumerate(labels) if label not in output]
    if gone:
        x = x.sum(gone)
        labels = [label for label in labels if label in output]
    there = [label for label in output if label in labels]
    if there != labels:
        x = x.permute([labels.index(label) for label in there])
    if len(there) < len(output):
        x = x.reshape([sizes[label] if label in labels else 1 for label in output])
    return (
        x
        if all(sizes.get(n, 1) == m for n, m in zip(output, x.shape, strict=True))
        else x.expand([sizes.get(n, 1) for n in output])
    )


def _narrow(
    x: Tensor, term: tuple[int, ...], sizes: dict[int, int], rank: dict[int, int]
) -> tuple[Tensor, list[int]]:
    """An operand without repeated labels (their diagonal) and without dimensions of size 1 that
    broadcast, its dimensions in the order of the output's.
    """
    labels = list(term)
    for label in dict.fromkeys(term):
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            if x.shape[i] != x.shape[j]:
                raise fail(
                    RuntimeError,
                    "einsum",
                    f"subscript {LETTERS[label]} is repeated for operand, but the sizes don't "
                    f"match, {x.shape[j]} != {x.shape[i]}",
                )
            x = ops.diagonal(x, 0, i, j)
            labels = [n for k, n in enumerate(labels) if k not in (i, j)] + [label]
    gone = [k for k, label in enumerate(labels) if x.shape[k] == 1 != sizes[label]]
    if gone:
        x = x.reshape([n for k, n in enumerate(x.shape) if k not in gone])
        labels = [label for k, label in enumerate(labels) if k not in gone]
    order = sorted(range(len(labels)), key=lambda k: rank[labels[k]])
    if order != list(range(len(labels))):
        x, labels = x.permute(order), [labels[k] for k in order]
    return x, labels


def _cheapest(work: Any, output: tuple[int, ...], sizes: dict[int, int]) -> tuple[int, int]:
    """The pair whose product grows memory least, then costs least."""
    best = None
    for i in range(len(work)):
        for j in range(i + 1, len(work)):
            a, b = set(work[i][1]), set(work[j][1])
            needed = set(output).union(*(w[1] for k, w in enumerate(work) if k not in (i, j)))
            size = math.prod(sizes[n] for n in (a | b) & needed)
            gain = size - sum(math.prod(sizes[n] for n in s) for s in (a, b))
            key = (gain, math.prod(sizes[n] for n in a | b), i, j)
            if best is None or key < best:
                best = key
    assert best is not None
    return best[2], best[3]


def _pair(
    a: Tensor, la: list[int], b: Tensor, lb: list[int], needed: set[int], rank: dict[int, int]
) -> tuple[Tensor, list[int]]:
    """One product of two operands: labels of both are a batch where needed later, summed where
    not. Labels come in the order of the output's (`rank`), and the operand that has the first of
    the unshared ones gives the rows.
    """
    a, la = _sum_away(a, la, needed.union(lb))
    b, lb = _sum_away(b, lb, needed.union(la))
    ranked = sorted({*la, *lb}, key=rank.__getitem__)
    batch, summed = (
        [n for n in ranked if n in la and n in lb and (n in needed) is there]
        for there in (True, False)
    )
    if not summed:
        return _outer(a, la, b, lb, ranked)
    rows, columns = ([n for n in ranked if n not in other] for other in (lb, la))
    if rows and columns and rank[columns[0]] < rank[rows[0]]:
        a, la, b, lb, rows, columns = b, lb, a, la, columns, rows
    left = _arrange(a, la, batch, rows, summed)
    right = _arrange(b, lb, batch, summed, columns)
    found = ops.matmul(left, right)
    sizes = dict(zip(la, a.shape, strict=True)) | dict(zip(lb, b.shape, strict=True))
    labels = batch + rows + columns
    return found.reshape([sizes[n] for n in labels]), labels


def _sum_away(x: Tensor, labels: list[int], kept: set[int]) -> tuple[Tensor, list[int]]:
    gone = [k for k, n in enumerate(labels) if n not in kept]
    return (x.sum(gone), [n for n in labels if n in kept]) if gone else (x, labels)


def _arrange(
    x: Tensor, labels: list[int], batch: list[int], first: list[int], second: list[int]
) -> Tensor:
    """The operand as a matrix, or a batch of them."""
    sizes = dict(zip(labels, x.shape, strict=True))
    order = batch + first + second
    if order != labels:
        x = x.permute([labels.index(n) for n in order])
    shape = [math.prod(sizes[n] for n in group) for group in (batch, first, second)]
    if not batch:
        shape = shape[1:]
    return x if list(x.shape) == shape else x.reshape(shape)


def _outer(
    a: Tensor, la: list[int], b: Tensor, lb: list[int], labels: list[int]
) -> tuple[Tensor, list[int]]:
    """A product with nothing to sum: broadcasting does it."""

    def spread(x: Tensor, own: list[int]) -> Tensor:
        order = [n for n in labels if n in own]
        if order != own:
            x = x.permute([own.index(n) for n in order])
        sizes = dict(zip(order, x.shape, strict=True))
        return x if order == labels else x.reshape([sizes.get(n, 1) for n in labels])

    return spread(a, la) * spread(b, lb), labels


@composite()
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Tensor:
    """The product summed over pairs of dimensions.

    Args:
        dims: a number n (the last n of `a` with the first n of `b`), or the two lists of
            dimensions; also a tensor of them.

    Raises:
        RuntimeError: paired dimensions differ in size.
    """
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, (int, float)):
        if dims < 0:
            raise fail(
                RuntimeError, "tensordot", f"tensordot expects dims >= 0, but got dims={dims}"
            )
        if dims > min(a.dim(), b.dim()):
            raise fail(
                RuntimeError,
                "tensordot",
                f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}",
            )
        dims = list(range(-int(dims), 0)), list(range(int(dims)))
    elif isinstance(dims, (list, tuple)) and dims and isinstance(dims[0], int):
        dims = [dims[0]], [dims[1]]
    first, second = (list(d) for d in dims)
    if len(first) != len(second):
        raise fail(RuntimeError, "tensordot", "both dimension lists should have same length")
    one, two = tuple(a._array.shape), tuple(b._array.shape)
    for i, j in zip(first, second, strict=True):
        n, m = one[wrap_dim(i, len(one))], two[wrap_dim(j, len(two))]
        if n != m and 1 not in (n, m):
            raise fail(
                RuntimeError,
                "tensordot",
                f"contracted dimensions need to match, but first has size {n} in dim {i} and "
                f"second has size {m} in dim {j}",
            )
    i = wrap_dims(first, len(one), empty_is_all=False)
    j = wrap_dims(second, len(two), empty_is_all=False)
    for p, q in zip(i, j, strict=True):
        if one[p] != two[q]:
            a, b = (
                (a.sum(p, keepdim=True, dtype=a.dtype), b)
                if two[q] == 1
                else (a, b.sum(q, keepdim=True, dtype=b.dtype))
            )
    one, two = tuple(a._array.shape), tuple(b._array.shape)
    rows = [k for k in range(len(one)) if k not in i]
    columns = [k for k in range(len(two)) if k not in j]
    inner = math.prod([one[k] for k in i])
    above, beside = [one[k] for k in rows], [two[k] for k in columns]
    left = a.permute([*rows, *i]).reshape(math.prod(above), inner)
    right = b.permute([*j, *columns]).reshape(inner, math.prod(beside))
    found = ops.mm(left, right).reshape([*above, *beside])
    return found if out is None else write_one("tensordot", found, out)


@composite(method=True)
def inner(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The sum of products over the last dimension of both; with a 0-d factor the ordinary product.

    Raises:
        RuntimeError: last dimensions of different sizes.
    """
    require_tensor("inner", "input", input)
    require_tensor("inner", "other", other)
    if not input.dim() or not other.dim():
        found = input * other
    elif input.shape[-1] != other.shape[-1]:
        raise fail(
            RuntimeError,
            "inner",
            "inner() the last dimension must match on both input tensors but got shapes "
            f"{list(input.shape)} and {list(other.shape)}",
        )
    else:
        found = tensordot(input, other, dims=([-1], [-1]))
    return found if out is None else write_one("inner", found, out)


@composite(method=True, alias=("ger",))
def outer(input: Tensor, vec2: Tensor, *, out: Any = None) -> Tensor:
    """``input[:, None] * vec2`` of two vectors.

    Raises:
        RuntimeError: a factor that is not 1-D.
    """
    require_tensor("outer", "input", input)
    require_tensor("outer", "vec2", vec2)
    for name, v in (("self", input), ("vec2", vec2)):
        if v.dim() != 1:
            raise fail(
                RuntimeError, "outer", f"outer: Expected 1-D argument {name}, but got {v.dim()}-D"
            )
    return ops.mul(input.reshape(input.shape[0], 1), vec2, out=out)


@composite(method=True)
def kron(input: Tensor, other: Tensor, *, out: Any = None) -> Tensor:
    """The Kronecker product: every element of `input` times the whole of `other`."""
    for name, x in (("input", input), ("other", other)):
        if not isinstance(x, Tensor):
            raise fail(
                TypeError, "kron", f"argument '{name}' must be Tensor, not {type(x).__name__}"
            )
    ndim = max(input.dim(), other.dim())
    p = [1] * (ndim - input.dim()) + list(input.shape)
    q = [1] * (ndim - other.dim()) + list(other.shape)
    left = input.reshape([n for size in p for n in (size, 1)])
    right = other.reshape([n for size in q for n in (1, size)])
    found = (left * right).reshape([n * m for n, m in zip(p, q, strict=True)])
    return found if out is None else write_one("kron", found, out)
