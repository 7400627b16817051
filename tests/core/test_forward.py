"""Forward rules: tangents that are not the transposed gradient, held against PyTorch's."""

import warnings

import numpy as np
import pytest

import flambeau

pytestmark = [
    pytest.mark.filterwarnings("ignore:torch.triangular_solve is deprecated"),
    pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning"),
]

LOWER = [[1.0, 0.0], [2.0, 1.0]]
FULL = [[1.0, 2.0], [3.0, 4.0]]
ONES = [[1.0, 1.0], [1.0, 1.0]]


def placed(t, x, src):
    return t.as_strided_scatter(x, src, (2,), (1,), 1)


def unpooled(t, x):
    return t.nn.functional.max_unpool1d(x, t.zeros(1, 1, 2, dtype=t.int64), 2)


def solved(t, b, A):
    return t.triangular_solve(b, A, upper=False, transpose=True)[0]


CASES = {
    "the place of a slice counts once": (placed, ([1.0, 2, 3], [4.0, 5]), ([6.0, 7, 8], [9.0, 1])),
    "one of two equal positions": (unpooled, ([[[1.0, 2.0]]],), ([[[3.0, 4.0]]],)),
    "a norm at 0": (lambda t, x: t.linalg.norm(x, 3.5), ([0.0, 0.0],), ([1.0, 1.0],)),
    "a norm of nothing": (lambda t, x: t.linalg.norm(x, 3.5), ([],), ([],)),
    "a norm": (lambda t, x: t.linalg.norm(x, 3.5, 0), (FULL,), (LOWER,)),
    "faded weights": (lambda t, x: t.logcumsumexp(x, 0), ([1.0, -40.0, 3.0],), ([1.0, 2.0, 5.0],)),
    "inverse": (lambda t, x: t.cholesky_inverse(x), (LOWER,), (FULL,)),
    "inverse of an upper factor": (lambda t, x: t.cholesky_inverse(x, True), (FULL,), (LOWER,)),
    "a system's other triangle": (solved, ([[1.0], [2.0]], FULL), ([[1.0], [1.0]], ONES)),
}

REAL = {"one of two equal positions", "faded weights", "inverse", "inverse of an upper factor"}


@pytest.mark.parametrize(
    ("name", "turn"),
    [(name, turn) for name in CASES for turn in (1, 1 - 2j) if turn == 1 or name not in REAL],
)
def test_tangents(oracle, name, turn):
    function, primals, tangents = CASES[name]
    kind = "f8" if turn == 1 else "c16"
    found = []
    for torch in (oracle, flambeau):
        x, v = (
            tuple(torch.tensor(np.array(a, kind) * turn) for a in group)
            for group in (primals, tangents)
        )
        made = torch.func.jvp(lambda *a, t=torch: function(t, *a), x, v)
        found.append([part.numpy() for part in made])
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-12, 1e-13)


def test_a_forward_rule_leaves_gradients_and_their_gradients_alone(oracle):
    found = []
    for torch in (oracle, flambeau):
        x = torch.tensor([3.0, 4.0], dtype=torch.float64)

        def slope(x, t=torch):
            return t.func.jvp(lambda y: t.linalg.norm(y, 3.5), (x,), (t.ones_like(x),))[1]

        found.append(
            [
                torch.func.grad(slope)(x).numpy(),
                torch.func.jvp(slope, (x,), (x,))[1].numpy(),
                torch.func.hessian(lambda y, t=torch: t.linalg.norm(y, 3.5))(x).numpy(),
            ]
        )
    for theirs, ours in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-10, 1e-12)


def test_the_older_linear_algebra_has_its_own_nodes(oracle):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for torch in (oracle, flambeau):
            A = torch.tensor(LOWER, requires_grad=True)
            names = [torch.cholesky_inverse(A), torch.triangular_solve(A, A)[0]]
            assert [type(x.grad_fn).__name__ for x in names] == [
                "CholeskyInverseBackward0",
                "TriangularSolveBackward0",
            ]
