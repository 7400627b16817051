"""Writing at a basic index of a tensor with history: PyTorch's numbers, gradients and nodes."""

from __future__ import annotations

import pytest

import flambeau as torch

PLACES = {
    "row": lambda t: 1,
    "element": lambda t: (0, 2),
    "rows": lambda t: slice(1, 3),
    "column": lambda t: (slice(None), 1),
    "stepped": lambda t: (slice(None), slice(0, None, 2)),
    "last": lambda t: (..., -1),
    "new": lambda t: (None, 0),
    "nothing": lambda t: slice(2, 2),
    "mask": lambda t: t.arange(12).reshape(3, 4) % 2 == 0,
    "row mask": lambda t: t.tensor([True, False, True]),
    "numbers": lambda t: t.tensor([2, 0]),
    "negative": lambda t: t.tensor([[-1], [0]]),
    "no numbers": lambda t: t.tensor([], dtype=t.int64),
}


def written(t, place, value_of, layout, graph):
    x = t.arange(12.0).reshape(3, 4).requires_grad_()
    y = x * 2
    if layout == "turned":
        y = y.t().contiguous().t()
    index = PLACES[place](t)
    value = value_of(t, y[index].shape)
    leaf = value if isinstance(value, t.Tensor) and value.requires_grad else None
    y[index] = value
    inputs = [x] if leaf is None else [x, leaf]
    loss = (y * y * t.arange(12.0).reshape(3, 4)).sum()
    grads = t.autograd.grad(loss, inputs, create_graph=graph)
    found = [y.tolist(), type(y.grad_fn).__name__, y._version, y.requires_grad]
    found += [g.tolist() for g in grads] + [g.is_contiguous() for g in grads]
    if graph:
        second = t.autograd.grad(sum((g * g).sum() for g in grads), inputs)
        found += [g.tolist() for g in second]
    return found


VALUES = {
    "number": lambda t, shape: 3.5,
    "plain": lambda t, shape: t.full(shape, 2.0),
    "one": lambda t, shape: t.tensor(5.0, requires_grad=True),
    "leaf": lambda t, shape: t.full(shape, 2.0).requires_grad_(),
}


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("layout", ["rows", "turned"])
@pytest.mark.parametrize("value", sorted(VALUES))
@pytest.mark.parametrize("place", sorted(PLACES))
def test_as_pytorch(place, value, layout, graph, oracle):
    got, want = (written(t, place, VALUES[value], layout, graph) for t in (torch, oracle))
    assert got == want


def test_the_index_is_guarded():
    x, index = torch.ones(3, requires_grad=True), torch.tensor([0, 1])
    y = x * 2
    y[index] = 1.0
    index[0] = 2
    with pytest.raises(RuntimeError, match="index\\[0\\] = 2"):
        y.sum().backward()


def test_a_second_backward_needs_the_index():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    y[torch.tensor([0, 1])] = 1.0
    loss = y.sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="a second time"):
        loss.backward()


def test_bad_indices_are_worded():
    y = torch.ones(3, requires_grad=True) * 2
    with pytest.raises(IndexError, match="out of bounds"):
        y[torch.tensor([5])] = 1.0
    with pytest.raises(IndexError, match="mask"):
        y[torch.tensor([True, False])] = 1.0


def test_the_whole_is_no_part(oracle):
    def run(t):
        y, v = t.ones(3, requires_grad=True) * 2, t.ones(3, requires_grad=True)
        y[...] = v
        y.sum().backward()
        return v.grad.tolist(), type(y.grad_fn).__name__

    assert run(torch) == run(oracle)


def test_history_of_the_value_alone(oracle):
    def run(t):
        y, v = t.zeros(3, 4), t.ones(4, requires_grad=True)
        y[1] = v
        y.sum().backward()
        return v.grad.tolist(), type(y.grad_fn).__name__, y.requires_grad

    assert run(torch) == run(oracle)


def test_a_kept_gradient_follows_the_tensor(oracle):
    def run(t):
        x = t.ones(3, requires_grad=True)
        y = x * 2
        y.retain_grad()
        y[0] = 5.0
        (y * y).sum().backward()
        return y.grad.tolist(), x.grad.tolist()

    assert run(torch) == run(oracle)


def test_a_leaf_is_refused():
    x = torch.ones(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x[0] = 1.0


def test_views_see_the_write(oracle):
    def run(t):
        x = t.ones(3, 2, requires_grad=True)
        y = x * 2
        v = y[1]
        y[1] = 4.0
        (v * v).sum().backward()
        return v.tolist(), x.grad.tolist()

    assert run(torch) == run(oracle)


def test_what_was_saved_is_guarded():
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    z = y * y
    y[0] = 1.0
    with pytest.raises(RuntimeError, match="y\\[0\\] = 1.0"):
        z.sum().backward()
