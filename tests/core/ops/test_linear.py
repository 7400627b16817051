"""The affine layer: shapes, gradients, node names, refusals."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck


@pytest.mark.parametrize("lead", [(), (4,), (2, 3), (0,)])
def test_linear_takes_any_leading_dimensions(lead):
    x, w, b = (
        torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((*lead, 3), (2, 3), (2,))
    )
    expected = x.detach().numpy() @ w.detach().numpy().T + b.detach().numpy()
    np.testing.assert_allclose(F.linear(x, w, b).detach().numpy(), expected)
    assert gradcheck(F.linear, (x, w, b))
    assert gradgradcheck(F.linear, (x, w, b))
    assert gradcheck(F.linear, (x, w))


def test_nodes_have_pytorchs_names():
    x, w, b = torch.ones(4, 3), torch.ones(2, 3, requires_grad=True), torch.ones(2)
    assert F.linear(x, w, b).grad_fn.name() == "AddmmBackward0"
    assert F.linear(x, w).grad_fn.name() == "MmBackward0"
    assert F.linear(x[None], w, b).grad_fn.name() == "ViewBackward0"


def test_legacy_hooks_see_bias_input_and_transposed_weight():
    seen = []
    layer = torch.nn.Linear(3, 2)
    with pytest.warns(FutureWarning):
        layer.register_backward_hook(lambda m, gi, go: seen.extend(tuple(g.shape) for g in gi))
        layer(torch.ones(4, 3, requires_grad=True)).sum().backward()
    assert seen == [(2,), (4, 3), (3, 2)]


def test_errors_name_the_sizes():
    with pytest.raises(RuntimeError, match=r"4x3 and 5x2"):
        F.linear(torch.ones(4, 3), torch.ones(2, 5))
    with pytest.raises(RuntimeError, match="same dtype"):
        F.linear(torch.ones(4, 3), torch.ones(2, 3, dtype=torch.float64))
    with pytest.raises(TypeError, match=r"argument 'input' \(position 1\) must be Tensor"):
        torch.nn.Linear(3, 2)(None)


def test_bilinear():
    a, b = torch.randn(4, 2, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    w, c = (torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in ((5, 2, 3), (5,)))
    expected = (
        np.einsum("ni,kij,nj->nk", a.numpy(), w.detach().numpy(), b.numpy()) + c.detach().numpy()
    )
    np.testing.assert_allclose(F.bilinear(a, b, w, c).detach().numpy(), expected)
    assert gradcheck(lambda w, c: F.bilinear(a, b, w, c), (w, c))
