"""matmul and its kin, addmm and its kin: values, gradients, errors."""

from __future__ import annotations

import numpy as np
import pytest

import flambeau as torch
from flambeau.autograd import gradcheck, gradgradcheck

SHAPES = [
    ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)),
    ((3,), (2, 3, 4)), ((2, 4, 3), (3,)), ((2, 1, 4, 3), (5, 3, 2)), ((4, 3), (2, 3, 5)), ((2, 0), (0, 3)), ((0, 2), (2, 3)),
]  # fmt: skip


def made(*shape, dtype="f8", grad=True):
    found = torch.tensor(np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype))
    return found.requires_grad_(grad)


@pytest.mark.parametrize("left, right", SHAPES)
def test_matmul_is_numpys(left, right):
    a, b = made(*left), made(*right)
    found = a @ b
    assert np.allclose(found.detach().numpy(), a.detach().numpy() @ b.detach().numpy())
    if found.numel():
        assert gradcheck(torch.matmul, (a, b)) and gradgradcheck(torch.matmul, (a, b))


@pytest.mark.parametrize(
    "left, right", [((2, 3), (3, 4)), ((2, 3), (3,)), ((3,), (3,)), ((2, 2, 3), (3, 2))]
)
def test_complex_gradients(left, right):
    a, b = (
        torch.tensor(made(*s).detach().numpy() * (1 + 2j)).requires_grad_() for s in (left, right)
    )
    assert gradcheck(torch.matmul, (a, b))


def test_node_names():
    a, v = made(2, 3), made(3)
    assert (a @ a.T).grad_fn.name() == "MmBackward0"
    assert (a @ v).grad_fn.name() == "MvBackward0"
    assert (v @ v).grad_fn.name() == "DotBackward0"
    assert (made(4, 2, 3) @ v).grad_fn.name() == "UnsafeViewBackward0"


def test_half_sums_in_single():
    a = torch.ones(1, 4096, dtype=torch.float16)
    assert float(a @ a.T) == 4096
    assert float(a.bfloat16() @ a.bfloat16().T) == 4096


def test_integers_wrap_and_stay_exact():
    a = torch.full((40, 40), 100, dtype=torch.int8)
    assert int((a @ a)[0, 0]) == ((40 * 10000 + 128) % 256) - 128
    big = torch.full((2, 2), 2**40 + 1)
    assert int((big @ big)[0, 0]) == (2 * (2**40 + 1) ** 2 + 2**63) % 2**64 - 2**63


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda: torch.mm(made(2, 3), made(4, 5)),
            "mat1 and mat2 shapes cannot be multiplied \\(2x3 and 4x5\\)",
        ),
        (lambda: torch.mm(made(3), made(3, 2)), "self must be a matrix"),
        (lambda: torch.mm(made(2, 2), made(2, 2, dtype="f4")), "same dtype"),
        (
            lambda: torch.bmm(made(1, 2, 3), made(2, 3, 2)),
            "Expected size for first two dimensions of batch2",
        ),
        (lambda: torch.dot(made(3), made(4)), "inconsistent tensor size"),
        (lambda: torch.mv(made(2, 3), made(4)), "size mismatch"),
        (lambda: torch.matmul(torch.tensor(1.0), made(2)), "at least 1D"),
        (lambda: torch.matmul(made(2, 3, 4), made(3, 4, 5)), "must match the size of tensor b"),
        (
            lambda: torch.mm(torch.ones(2, 2).bool(), torch.ones(2, 2).bool()),
            "not implemented for 'Bool'",
        ),
        (lambda: torch.addmm(made(3), made(2, 3), made(3, 4)), "must match the existing size"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call()


def test_operator_with_foreign_operands():
    with pytest.raises(TypeError):
        made(2, 2) @ 2
    assert (made(2, 2, grad=False) @ np.eye(2)).shape == (2, 2)


@pytest.mark.parametrize(
    "f, shapes",
    [
        (torch.addmm, ((4,), (2, 3), (3, 4))), (torch.addmv, ((2,), (2, 3), (3,))), (torch.addr, ((2, 3), (2,), (3,))),
        (torch.baddbmm, ((1, 4), (5, 2, 3), (5, 3, 4))), (torch.addbmm, ((2, 4), (5, 2, 3), (5, 3, 4))),
    ],
)  # fmt: skip
def test_sums_with_products(f, shapes):
    tensors = tuple(made(*s) for s in shapes)
    scaled = lambda *t: f(*t, beta=0.5, alpha=2.0)
    assert gradcheck(f, tensors) and gradcheck(scaled, tensors) and gradgradcheck(scaled, tensors)


def test_beta_zero_ignores_nan():
    found = torch.addmm(
        torch.full((2, 2), float("nan")), torch.ones(2, 2), torch.ones(2, 2), beta=0
    )
    assert found.tolist() == [[2, 2], [2, 2]]


def test_meta_shapes():
    a = torch.empty(2, 3, device="meta")
    assert (a @ torch.empty(5, 3, 4, device="meta")).shape == (5, 2, 4)
    assert torch.addmm(
        torch.empty(4, device="meta"), a, torch.empty(3, 4, device="meta")
    ).shape == (2, 4)
