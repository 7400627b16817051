"""Attention: masks, causality, grouped queries, the multi-head layer."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck


def qkv(*lead, length=3, source=4, width=2):
    shapes = [(*lead, length, width), (*lead, source, width), (*lead, source, width)]
    return [torch.randn(*s, dtype=torch.float64, requires_grad=True) for s in shapes]


def test_values_are_softmax_times_values():
    q, k, v = qkv(2)
    expected = torch.softmax(q @ k.mT / np.sqrt(2), -1) @ v
    found = F.scaled_dot_product_attention(q, k, v)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy())


@pytest.mark.parametrize("kind", ["none", "causal", "bool", "float"])
def test_gradients_under_every_mask(kind):
    q, k, v = qkv(2)
    mask = {
        "bool": torch.tensor([[1, 0, 1, 1]] * 3).bool(),
        "float": torch.randn(3, 4, dtype=torch.float64),
    }.get(kind)
    run = lambda *t: F.scaled_dot_product_attention(*t, attn_mask=mask, is_causal=kind == "causal")
    assert gradcheck(run, (q, k, v))
    assert gradgradcheck(run, (q, k, v))


def test_a_query_that_may_look_nowhere_gives_zeros():
    q, k, v = qkv()
    mask = torch.tensor([[True] * 4, [False] * 4, [True] * 4])
    out = F.scaled_dot_product_attention(q, k, v, mask)
    assert out[1].tolist() == [0, 0]
    out.sum().backward()
    assert np.isfinite(q.grad.numpy()).all()


def test_grouped_queries_share_keys():
    q = torch.randn(1, 4, 3, 2)
    k, v = torch.randn(1, 2, 3, 2), torch.randn(1, 2, 3, 2)
    whole = F.scaled_dot_product_attention(q, k.repeat_interleave(2, 1), v.repeat_interleave(2, 1))
    assert torch.equal(F.scaled_dot_product_attention(q, k, v, enable_gqa=True), whole)


def test_mask_and_causal_exclude_each_other():
    q, k, v = qkv()
    with pytest.raises(RuntimeError, match="is_causal"):
        F.scaled_dot_product_attention(q, k, v, torch.ones(3, 4).bool(), is_causal=True)


def test_multi_head_gives_the_same_with_and_without_weights():
    layer = torch.nn.MultiheadAttention(4, 2, batch_first=True).eval()
    x = torch.randn(2, 3, 4, requires_grad=True)
    padding = torch.tensor([[False, False, True], [False, False, False]])
    with_weights, weights = layer(x, x, x, key_padding_mask=padding)
    without, none = layer(x, x, x, key_padding_mask=padding, need_weights=False)
    assert none is None
    np.testing.assert_allclose(with_weights.detach().numpy(), without.detach().numpy(), atol=1e-6)
    assert weights[0, :, 2].tolist() == [0, 0, 0]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("values", [8, 4])
def test_strides_are_the_fused_forms(oracle, turned, values):
    """The result lies as the query does, gradients with heads side by side; where values have
    another width PyTorch goes another way, and all lie in order.
    """
    rng = np.random.default_rng(0)
    shapes = [(2, 3, 5, 8), (2, 3, 6, 8), (2, 3, 6, values)]
    arrays = [rng.standard_normal((n, rows, h, w)) for n, h, rows, w in shapes]
    found = []
    for library in (torch, oracle):
        given = [library.tensor(a).transpose(1, 2) for a in arrays]
        given = [(x if turned else x.contiguous()).requires_grad_() for x in given]
        out = library.nn.functional.scaled_dot_product_attention(*given, is_causal=True)
        slopes = library.autograd.grad(out.sin().sum(), given)
        found.append((out, *slopes))
    for k, (ours, theirs) in enumerate(zip(*found, strict=True)):
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), 1e-10, 1e-12)
        if k == 0 or values == 8:
            assert ours.stride() == theirs.stride()
