"""Losses of corresponding elements, of margins and of distances: gradients, warnings, refusals."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck

PAIRS = [
    F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits, F.soft_margin_loss,
    F.poisson_nll_loss, lambda x, y, reduction: F.gaussian_nll_loss(x, y, torch.ones_like(x), reduction=reduction),
    lambda x, y, reduction: F.kl_div(x, y.detach(), reduction=reduction, log_target=True),
    F.multilabel_soft_margin_loss,
]  # fmt: skip


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("k", range(len(PAIRS)))
@pytest.mark.filterwarnings("ignore:reduction")
def test_gradients_to_second_order(k, reduction):
    x = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    y = torch.rand(3, 4, dtype=torch.float64) + 0.1
    assert gradcheck(lambda t: PAIRS[k](t, y, reduction=reduction), (x,))
    assert gradgradcheck(lambda t: PAIRS[k](t, y, reduction=reduction), (x,))


def test_the_target_has_a_gradient_too():
    x, y = (torch.rand(3, 2, dtype=torch.float64, requires_grad=True) for _ in range(2))
    for loss in (F.mse_loss, F.smooth_l1_loss, F.huber_loss, F.binary_cross_entropy_with_logits):
        assert gradcheck(loss, (x, y))
    p = torch.tensor([0.2, 0.7], dtype=torch.float64, requires_grad=True)
    assert gradcheck(
        F.binary_cross_entropy,
        (p, torch.tensor([0.4, 0.9], dtype=torch.float64, requires_grad=True)),
    )


def test_different_sizes_warn_and_old_flags_too():
    with pytest.warns(UserWarning, match="target size"):
        F.mse_loss(torch.ones(2, 3), torch.ones(1, 3))
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert F.mse_loss(torch.ones(2), torch.zeros(2), size_average=False).item() == 2
    with pytest.raises(ValueError, match="not a valid value"):
        F.mse_loss(torch.ones(2), torch.zeros(2), reduction="foo")


def test_bce_refuses_what_is_no_probability_and_survives_certainty():
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        F.binary_cross_entropy(torch.tensor([1.5]), torch.tensor([1.0]))
    assert F.binary_cross_entropy(torch.tensor([0.0]), torch.tensor([1.0])).item() == 100
    assert (
        F.binary_cross_entropy_with_logits(torch.tensor([-300.0]), torch.tensor([1.0])).item()
        == 300
    )


def test_margins():
    x = torch.tensor([[0.1, 0.2, 0.4]], dtype=torch.float64, requires_grad=True)
    assert F.multi_margin_loss(x, torch.tensor([2])).item() == pytest.approx((0.7 + 0.8) / 3)
    labels = torch.tensor([[2, 0, -1]])
    assert F.multilabel_margin_loss(x, labels).item() == pytest.approx((0.8 + 1.1) / 3)
    for p in (1, 2):
        assert gradcheck(lambda t, p=p: F.multi_margin_loss(t, torch.tensor([2]), p=p), (x,))
    assert gradcheck(lambda t: F.multilabel_margin_loss(t, labels), (x,))
    with pytest.raises(ValueError, match="p == 1"):
        F.multi_margin_loss(x, torch.tensor([2]), p=3)


def test_triplets_and_cosines():
    a, b, c = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(3))
    assert gradcheck(lambda *t: F.triplet_margin_loss(*t, margin=3.0, swap=True), (a, b, c))
    y = torch.tensor([1, -1, 1, -1])
    assert gradcheck(lambda s, t: F.cosine_embedding_loss(s, t, y), (a, b))
    with pytest.raises(ValueError, match="greater than 0"):
        F.triplet_margin_loss(a, b, c, margin=-1)


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
def test_bce_with_logits_refuses_targets_that_are_no_probabilities(dtype, oracle):
    for torch_ in (oracle, torch):
        target = torch_.ones(2, dtype=getattr(torch_, dtype))
        for options in ({}, {"reduction": "none"}, {"pos_weight": torch_.ones(2)}):
            with pytest.raises(RuntimeError):
                torch_.nn.functional.binary_cross_entropy_with_logits(
                    torch_.zeros(2), target, **options
                )
        with pytest.raises(NotImplementedError):
            torch_.nn.functional.binary_cross_entropy_with_logits(target, torch_.zeros(2))


@pytest.mark.parametrize("target", ["float16", "float32", "float64"])
@pytest.mark.parametrize("given", ["float16", "float32", "float64"])
def test_bce_with_logits_has_the_dtype_of_its_target(given, target, oracle):
    found = []
    for torch_ in (oracle, torch):
        x = torch_.full((2,), 0.5, dtype=getattr(torch_, given), requires_grad=True)
        t = torch_.full((2,), 0.25, dtype=getattr(torch_, target))
        loss = torch_.nn.functional.binary_cross_entropy_with_logits(x, t)
        loss.backward()
        found.append((str(loss.dtype), str(x.grad.dtype), round(loss.item(), 2)))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", ["float32", "float16", "bfloat16"])
def test_gradients_round_where_pytorch_rounds(oracle, kind):
    found = []
    for t in (oracle, torch):
        x, y = ((t.arange(1600.0) * k % 101 / 13).to(getattr(t, kind)) for k in (37, 55))
        x.requires_grad_()
        found.append(t.autograd.grad(t.nn.functional.mse_loss(x, y) * 0.7, x)[0].tolist())
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
@pytest.mark.parametrize(
    "target", [1.0, [1.0, 2.0], np.ones(2), None], ids=["number", "list", "array", "none"]
)
def test_losses_against_what_is_no_tensor(oracle, name, target):
    with pytest.raises((AttributeError, TypeError)) as expected:
        getattr(oracle.nn.functional, name)(oracle.ones(2), target)
    with pytest.raises(expected.type, match=r"loss.*must be Tensors.*as_tensor"):
        getattr(F, name)(torch.ones(2), target)
