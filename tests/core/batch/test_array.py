"""Batches as arrays: what they show, how they meet, and where they end."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.batch.array import Batched, align, each_sample, union
from flambeau.func import grad, jacrev, vjp, vmap

A = Batched(np.arange(6.0).reshape(2, 3), (1,))
B = Batched(np.arange(8.0).reshape(4, 2), (7,))


def test_a_batch_shows_one_sample():
    assert (A.shape, A.ndim, A.size, A.strides) == ((3,), 1, 3, (8,))
    assert A.astype("f4").dtype == np.float32
    assert A.reshape(3, 1).shape == (3, 1)
    assert (A + 1).data.tolist() == (A.data + 1).tolist()


def test_levels_meet_in_order():
    assert union([B, A, [A]]) == (1, 7)
    levels, (b, a) = align((B.reshape(2, 1), A))
    assert levels == (1, 7)
    assert np.broadcast_shapes(a.shape, b.shape) == (2, 4, 2, 3)
    assert each_sample(np.add.outer, [A, B]).data.shape == (2, 4, 3, 2)


def test_no_single_value():
    for ask in (bool, float, int, np.asarray, Batched.item, Batched.tolist):
        with pytest.raises(RuntimeError, match="sample to sample"):
            ask(A)


def test_another_shape_for_each_sample():
    with pytest.raises(RuntimeError, match="dynamic shape"):
        each_sample(lambda a: a[a > 2], [A])


def test_gradients_are_summed_where_the_level_has_ended():
    x, w = torch.arange(6.0).reshape(2, 3), torch.ones(3)

    def total(w):
        return vmap(lambda r: (2 * w * r).sum())(x).sum()

    assert torch.equal(grad(total)(w), 2 * x.sum(0))
    _, pull = vjp(lambda w: x @ w, w)
    assert torch.equal(vmap(pull)(torch.eye(2))[0], x)
    twice = jacrev(jacrev(lambda w: vmap(lambda r: (w * r).sum() ** 2)(x)))(w)
    assert torch.equal(twice, 2 * x[:, :, None] * x[:, None, :])


def test_writes_reach_the_samples():
    x = torch.zeros(2, 3)

    def fill(r, k):
        r[1:] = k
        r.view(-1)[:1].add_(k)
        return r.sum()

    assert vmap(fill)(x, torch.tensor([1.0, 2.0])).tolist() == [3, 6]
    assert x.tolist() == [[1, 1, 1], [2, 2, 2]]
    with pytest.raises(RuntimeError, match="inplace arithmetic"):
        vmap(lambda k: torch.zeros(2).add_(k))(torch.ones(3))


def test_each_sample_draws_by_itself():
    x = torch.zeros(3, 4)
    for draw in (torch.rand_like, torch.nn.functional.dropout, lambda r: torch.bernoulli(r + 0.5)):
        same = vmap(lambda r, f=draw: f(r + 1e-3), randomness="same")(x)
        assert torch.equal(same[0], same[2])
    torch.manual_seed(0)
    rows = vmap(lambda r: torch.rand(4), randomness="different")(x)
    torch.manual_seed(0)
    assert torch.equal(rows, torch.rand(3, 4))
