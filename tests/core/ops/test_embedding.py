"""Embedding tables, bags and one-hot vectors."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck


def table():
    return torch.randn(5, 3, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    "options", [{}, {"padding_idx": 1}, {"padding_idx": -2, "scale_grad_by_freq": True}]
)
def test_gradients_add_up_where_a_row_is_named_twice(options):
    w = table()
    index = torch.tensor([[0, 1], [1, 3]])
    assert torch.equal(F.embedding(index, w, **options), w[index])
    F.embedding(index, w, **options).sum().backward()
    expected = np.array([1.0, 2, 0, 1, 0])
    if "padding_idx" in options:
        expected[options["padding_idx"]] = 0
    if options.get("scale_grad_by_freq"):
        expected[1] = 1
    assert w.grad[:, 0].tolist() == expected.tolist()


def test_max_norm_writes_the_table():
    w = torch.full((3, 4), 2.0)
    F.embedding(torch.tensor([1]), w, max_norm=1.0)
    assert w.norm(dim=1).tolist() == [4.0, pytest.approx(1.0, rel=1e-5), 4.0]


def test_refusals():
    with pytest.raises(IndexError, match="out of range"):
        F.embedding(torch.tensor([5]), table())
    with pytest.raises(RuntimeError, match="Long"):
        F.embedding(torch.tensor([1.0]), table())


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
def test_bags(mode):
    w = table()
    index, offsets = torch.tensor([0, 2, 4, 1, 1]), torch.tensor([0, 2, 2])
    bags = [[0, 2], [], [4, 1, 1]]
    fold = {"sum": np.sum, "mean": np.mean, "max": np.max}[mode]
    expected = [fold(w.detach().numpy()[bag], axis=0) if bag else np.zeros(3) for bag in bags]
    np.testing.assert_allclose(
        F.embedding_bag(index, w, offsets, mode=mode).detach().numpy(), expected
    )
    assert gradcheck(lambda t: F.embedding_bag(index, t, offsets, mode=mode), (w,))


def test_bags_with_weights():
    w, each = table(), torch.rand(2, 3, dtype=torch.float64, requires_grad=True)
    index = torch.tensor([[0, 1, 1], [4, 2, 0]])
    assert gradcheck(
        lambda t, s: F.embedding_bag(index, t, mode="sum", per_sample_weights=s), (w, each)
    )


def test_one_hot():
    assert F.one_hot(torch.tensor([0, 2])).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert F.one_hot(torch.tensor([[1]]), 4).shape == (1, 1, 4)
    with pytest.raises(RuntimeError, match="smaller than num_classes"):
        F.one_hot(torch.tensor([3]), 3)


@pytest.mark.parametrize("index_type", [torch.int64, torch.int32])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_of_large_tables_add_up_in_the_order_of_the_tokens(dtype, index_type):
    index = torch.randint(0, 30, (40, 15), dtype=index_type)
    g = torch.randn(40, 15, 33, dtype=dtype)
    w = torch.randn(50, 33, dtype=dtype, requires_grad=True)
    F.embedding(index, w).backward(g)
    expected = np.zeros((50, 33), g.numpy().dtype)
    np.add.at(expected, index.numpy().reshape(-1), g.numpy().reshape(-1, 33))
    assert w.grad.numpy().tolist() == expected.tolist()


def test_what_is_no_tensor_is_refused_by_its_name(oracle):
    for torch_ in (oracle, torch):
        for wrong in (
            lambda t: t.nn.functional.one_hot([1, 2]),
            lambda t: t.nn.Embedding(3, 2)(None),
            lambda t: t.nn.functional.cross_entropy(t.ones(2, 3), [0, 1]),
        ):
            with pytest.raises(TypeError, match="must be Tensor, not"):
                wrong(torch_)


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("index", [[[-1, 1]], [[11, 2]]])
def test_a_bag_of_rows_that_are_not_there(oracle, mode, index):
    for of in (oracle, torch):
        with pytest.raises(RuntimeError):
            of.nn.functional.embedding_bag(of.tensor(index), of.ones(5, 3), mode=mode)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_sparse_gradients_of_bags_have_no_rows_of_padding(oracle, mode, create_graph):
    def run(of):
        w = of.arange(15.0).reshape(5, 3).requires_grad_()
        bags = of.tensor([[3, 1, 0, 3], [3, 3, 2, 2]])
        out = of.nn.functional.embedding_bag(bags, w, mode=mode, sparse=True, padding_idx=3)
        (g,) = of.autograd.grad((out * out).sum(), w, create_graph=create_graph)
        return g._indices().tolist(), g._values().tolist()

    assert run(torch) == run(oracle)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("then", [False, True])
def test_a_gradient_is_added_into_the_one_that_is_held(oracle, first, then):
    def run(of):
        w = of.ones(5, 3, requires_grad=True)

        def add(sparse):
            rows = of.nn.functional.embedding(of.tensor([1, 1, 4]), w, sparse=sparse)
            (rows * rows).sum().backward()

        add(first)
        held = w.grad
        add(then)
        return w.grad is held, held.to_dense().tolist(), w.grad.to_dense().tolist()

    assert run(torch) == run(oracle)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("by_frequency", [False, True])
def test_a_row_of_padding_gets_nothing_of_what_is_no_number(oracle, by_frequency, create_graph):
    def run(of):
        w = of.arange(15.0).reshape(5, 3).requires_grad_()
        index = of.tensor([[1, 2], [1, 1], [3, 1]])
        rows = of.nn.functional.embedding(index, w, padding_idx=1, scale_grad_by_freq=by_frequency)
        bags = of.nn.functional.embedding_bag(index, w, mode="mean", padding_idx=1)
        wild = of.tensor([[[float("inf")], [1.0]], [[float("nan")], [-1.0]], [[2.0], [0.0]]])
        spoiled = bags * of.tensor([[1.0], [float("nan")], [1.0]])
        loss = (rows * wild).sum() + spoiled.sum()
        return of.autograd.grad(loss, w, create_graph=create_graph)[0].tolist()

    assert run(torch) == run(oracle)


def test_gradients_of_halves_by_sample_are_rounded_once() -> None:
    draw = np.random.default_rng(0)
    table, factors = draw.standard_normal((10, 64)), draw.standard_normal((3, 5))
    index, top = draw.integers(0, 10, (3, 5)), draw.standard_normal((3, 64))
    grads = []
    for kind in (np.float16, np.float64):
        weights = torch.from_numpy(factors.astype(np.float16).astype(kind)).requires_grad_()
        out = F.embedding_bag(
            torch.from_numpy(index),
            torch.from_numpy(table.astype(np.float16).astype(kind)),
            per_sample_weights=weights,
            mode="sum",
        )
        out.backward(torch.from_numpy(top.astype(np.float16).astype(kind)))
        grads.append(weights.grad.numpy())
    np.testing.assert_array_equal(grads[0], grads[1].astype(np.float16))
