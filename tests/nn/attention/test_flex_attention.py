"""flex_attention, block masks and causal biases beside PyTorch's."""

from __future__ import annotations

import importlib
import warnings

import numpy as np
import pytest

import flambeau

FIELDS = (
    "kv_num_blocks", "kv_indices", "full_kv_num_blocks", "full_kv_indices",
    "q_num_blocks", "q_indices", "full_q_num_blocks", "full_q_indices",
)  # fmt: skip
MASKS = {
    "causal": lambda b, h, q, k: q >= k,
    "holes": lambda b, h, q, k: (q >= k) & (q != 2),
    "window": lambda b, h, q, k: (q - k).abs() < 2,
    "heads": lambda b, h, q, k: (q >= k) | (h == 1),
    "none": lambda b, h, q, k: q < 0,
}
SCORES = {
    "plain": None,
    "alibi": lambda s, b, h, q, k: s + 0.1 * (q - k) * h,
    "soft cap": lambda s, b, h, q, k: 2 * (s / 2).tanh(),
}


@pytest.fixture(autouse=True)
def _warned(oracle):
    oracle.nn.attention.flex_attention = importlib.import_module(
        "torch.nn.attention.flex_attention"
    )
    oracle.nn.attention.bias = importlib.import_module("torch.nn.attention.bias")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def both(oracle):
    for library in (flambeau, oracle):
        module = importlib.import_module(f"{library.__name__}.nn.attention.flex_attention")
        bias = importlib.import_module(f"{library.__name__}.nn.attention.bias")
        yield library, module, bias


def inputs(library, queries=5, keys=7, heads=2):
    draw = np.random.RandomState(0)
    shapes = ((2, 4, queries, 8), (2, heads, keys, 8), (2, heads, keys, 3))
    return [library.tensor(draw.randn(*shape), dtype=library.float32) for shape in shapes]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("score", SCORES)
def test_values(oracle, mask, score):
    found = []
    for library, flex, _ in both(oracle):
        q, k, v = inputs(library)
        block = flex.create_block_mask(MASKS[mask], 2, 4, 5, 7, device="cpu", BLOCK_SIZE=2)
        out, lse = flex.flex_attention(
            q, k, v, SCORES[score], block, enable_gqa=True, return_lse=True, scale=0.3
        )
        found.append((out.numpy(), lse.numpy()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize(("queries", "keys", "size"), [(5, 7, 2), (256, 300, 128), (4, 4, (1, 3))])
def test_blocks(oracle, mask, queries, keys, size):
    found = []
    for _, flex, _ in both(oracle):
        block = flex.create_block_mask(
            MASKS[mask], 1, 2, queries, keys, device="cpu", BLOCK_SIZE=size
        )
        lists = [getattr(block, field).tolist() for field in FIELDS]
        rest = flex.BlockMask.from_kv_blocks(block.kv_num_blocks, block.kv_indices, BLOCK_SIZE=2)
        found.append(
            (lists, block.shape, block.numel(), block.sparsity(), block.to_dense().tolist(),
             rest.shape, rest.q_indices.tolist())
        )  # fmt: skip
    assert found[0] == found[1]


def test_masks_join(oracle):
    found = []
    for _, flex, _ in both(oracle):
        joined = flex.and_masks(MASKS["causal"], flex.or_masks(MASKS["window"], MASKS["heads"]))
        found.append(flex.create_mask(joined, 1, 2, 3, 4, device="cpu").tolist())
    assert found[0] == found[1]


def test_refusals(oracle):
    for library, flex, _ in both(oracle):
        q, k, v = inputs(library)
        with pytest.raises(ValueError, match="enable_gqa"):
            flex.flex_attention(q, k, v)
        with pytest.raises(NotImplementedError):
            flex.flex_attention(q[0], k[0], v[0])


def test_gradients_flow_through_the_scores():
    q, k, v = inputs(flambeau, heads=4)
    q.requires_grad_()
    flambeau.nn.attention.flex_attention.flex_attention(q, k, v).sum().backward()
    got = q.grad.clone()
    q.grad = None
    flambeau.nn.functional.scaled_dot_product_attention(q, k, v).sum().backward()
    np.testing.assert_allclose(got.numpy(), q.grad.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("corner", ["causal_upper_left", "causal_lower_right"])
@pytest.mark.parametrize("sizes", [(3, 4), (4, 3), (3, 3)])
def test_causal_bias(oracle, corner, sizes):
    found = []
    for library, _, bias in both(oracle):
        mask = getattr(bias, corner)(*sizes)
        q = library.ones(1, 1, sizes[0], 2)
        v = library.arange(2.0 * sizes[1]).reshape(1, 1, sizes[1], 2)
        out = library.nn.functional.scaled_dot_product_attention(q, v, v, mask)
        assert type(out) is library.Tensor and isinstance(mask, bias.CausalBias)
        found.append((repr(mask), mask.variant.name, tuple(mask.shape), out.numpy()))
    assert found[0][:2] == found[1][:2]
    np.testing.assert_allclose(found[0][3], found[1][3], rtol=1e-5)
