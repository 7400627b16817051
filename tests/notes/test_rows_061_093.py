"""Rows 61 to 93 of the notes: the graph, hooks, writing in place, copies in and out of the graph."""

from __future__ import annotations

import numpy as np
import pytest


def _leaf(torch, *values):
    return torch.tensor(values or (1.0, 2.0), requires_grad=True)


def test_row_061_gradients_stay_at_leaves(torch):
    x = _leaf(torch)
    y = x * 2
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.warns(UserWarning, match="leaf"):
        assert y.grad is None
    z = x * 2
    z.retain_grad()
    z.sum().backward()
    assert z.retains_grad
    assert z.grad.tolist() == [1.0, 1.0]


def test_row_062_backward_of_a_scalar(torch):
    with pytest.raises(RuntimeError, match="scalar"):
        (_leaf(torch) * 2).backward()
    with pytest.raises(AttributeError, match="backwards"):
        _ = _leaf(torch).sum().backwards


def test_row_063_backward_of_a_weighted_vector(torch):
    x = _leaf(torch, 1.0, 2.0, 3.0)
    a, b = x.sum(), (x**2).sum()
    torch.stack([a, b]).backward(torch.tensor([1.0, 2.0]), retain_graph=True)
    assert x.grad.tolist() == [5.0, 9.0, 13.0]
    x.grad = None
    torch.autograd.backward([a, b], [torch.tensor(1.0), torch.tensor(2.0)])
    assert x.grad.tolist() == [5.0, 9.0, 13.0]


def test_row_064_the_weights_have_the_outputs_shape(torch):
    with pytest.raises(RuntimeError, match="shape"):
        (_leaf(torch) * 2).backward(torch.FloatTensor(1, 2))


def test_row_065_a_vector_is_many_scalars(torch):
    x, y = _leaf(torch), _leaf(torch)
    (x**2).backward(torch.tensor([3.0, 4.0]))
    (3 * y[0] ** 2).backward()
    (4 * y[1] ** 2).backward()
    assert x.grad.tolist() == y.grad.tolist()


def test_row_066_modules_have_no_register_hook(torch):
    with pytest.raises(AttributeError, match="register_hook"):
        _ = torch.nn.Linear(1, 1).register_hook
    assert callable(torch.nn.Linear(1, 1).register_full_backward_hook)


def test_row_067_forward_hooks_may_replace(torch):
    layer, seen = torch.nn.Identity(), []
    layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    layer.register_forward_hook(lambda module, args, out: seen.append(args[0].item()) or out * 10)
    assert layer(torch.tensor(1.0)).item() == 20.0
    assert seen == [2.0]


def test_row_068_a_backward_hook_replaces_grad_input(torch):
    layer, x = torch.nn.Identity(), _leaf(torch)
    layer.register_full_backward_hook(lambda module, grads, outs: (grads[0] * 10,))
    layer(x).sum().backward()
    assert x.grad.tolist() == [10.0, 10.0]


@pytest.mark.filterwarnings("ignore:Using a non-full backward hook:FutureWarning")
def test_row_069_the_legacy_hook_sees_the_last_operation(torch):
    layer, seen = torch.nn.Linear(3, 2), []
    layer.register_backward_hook(lambda module, grads, outs: seen.append(grads))
    layer(torch.ones(4, 3, requires_grad=True)).sum().backward()
    assert [tuple(g.shape) for g in seen[0]] == [(2,), (4, 3), (3, 2)]
    full = torch.nn.Linear(3, 2)
    full.register_full_backward_hook(lambda module, grads, outs: seen.append(grads))
    full(torch.ones(4, 3, requires_grad=True)).sum().backward()
    assert [tuple(g.shape) for g in seen[1]] == [(4, 3)]


def test_row_070_linear_is_one_node_of_three_inputs(torch):
    out = torch.nn.Linear(3, 2)(torch.ones(4, 3, requires_grad=True))
    assert out.grad_fn.name() == "AddmmBackward0"
    assert len(out.grad_fn.next_functions) == 3


def test_row_071_a_tensor_hook_replaces_the_gradient(torch):
    x = _leaf(torch)
    handle = x.register_hook(lambda grad: grad * 10)
    x.sum().backward()
    handle.remove()
    assert x.grad.tolist() == [10.0, 10.0]
    x.register_hook(lambda grad: grad[:1])
    with pytest.raises(RuntimeError, match="size"):
        x.sum().backward()
    with pytest.raises(RuntimeError):
        torch.zeros(1).register_hook(print)


def test_row_072_gradients_of_any_variable(torch):
    x = _leaf(torch)
    y = x * 2
    (found,) = torch.autograd.grad((y**2).sum(), [y])
    assert found.tolist() == [4.0, 8.0]
    assert x.grad is None


def test_row_073_full_hooks_give_the_modules_gradient(torch):
    class Twice(torch.nn.Module):
        def forward(self, x):
            return x * 3 + 1

    layer, seen = Twice(), []
    layer.register_full_backward_hook(lambda module, grads, outs: seen.append(grads[0].tolist()))
    layer(_leaf(torch)).sum().backward()
    assert seen == [[3.0, 3.0]]


def test_row_074_complex_numbers_may_require_gradients(torch):
    assert torch.tensor([1j], requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="floating point"):
        torch.tensor([1]).requires_grad_()


def test_row_075_integer_arithmetic(torch):
    assert (torch.tensor(3) / 2).item() == 1.5
    assert (torch.tensor(-3) // 2).item() == -2
    wrapped = torch.tensor([200], dtype=torch.uint8) + torch.tensor([100], dtype=torch.uint8)
    assert wrapped.item() == 44
    with pytest.raises(RuntimeError, match="cast"):
        torch.tensor([1]).mul_(2.5)
    with pytest.raises(RuntimeError):
        torch.tensor([1]).mean()


def test_row_076_leaves_are_not_written(torch):
    x = _leaf(torch)
    for write in (lambda: x.add_(1), lambda: x.__setitem__(0, 1.0), lambda: x[:1].zero_()):
        with pytest.raises(RuntimeError, match="leaf"):
            write()
    assert x.tolist() == [1.0, 2.0]
    with torch.no_grad():
        x.add_(1)
    assert x.tolist() == [2.0, 3.0]


def test_row_077_shape_first_then_the_gradient(torch):
    assert torch.tensor([2, 1.0]).view(2, 1).requires_grad_().is_leaf
    assert not torch.tensor([2, 1.0]).requires_grad_().view(2, 1).is_leaf


def test_row_078_changing_an_operand_is_noticed(torch):
    a, b = _leaf(torch), _leaf(torch) * 1
    c = a * b
    b.add_(1)
    with pytest.raises(RuntimeError, match="inplace operation"):
        c.sum().backward()


def test_row_079_writing_an_element_after_a_power(torch):
    z = _leaf(torch) * 1
    c = z**2
    z[0] = z[0] ** 2
    with pytest.raises(RuntimeError, match="inplace operation"):
        c.sum().backward()


def test_row_080_changing_a_result(torch):
    a, b = _leaf(torch), _leaf(torch)
    (a * b).fill_(3).sum().backward()
    assert a.grad.tolist() == [0.0, 0.0]
    a.grad = None
    (a * b).mul_(3).sum().backward()
    assert a.grad.tolist() == [3.0, 6.0]
    e = a.exp()
    e.mul_(2)
    with pytest.raises(RuntimeError, match="inplace operation"):
        e.sum().backward()


def test_row_081_retain_graph(torch):
    x = _leaf(torch)
    y = (x**2).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [4.0, 8.0]


def test_row_082_a_graph_runs_once_where_it_saved(torch):
    x = _leaf(torch)
    shared = x**2
    shared.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        shared.mean().backward()
    free = (x + 1).sum()
    free.backward()
    free.backward()


def test_row_083_gradients_add_up(torch):
    layer = torch.nn.Linear(1, 1)
    for _ in range(2):
        layer(torch.ones(1, 1)).sum().backward()
    assert layer.weight.grad.item() == 2.0
    layer.zero_grad()
    assert layer.weight.grad is None


def test_row_084_clone_is_in_the_graph(torch):
    x = _leaf(torch)
    y = x.clone()
    assert y.grad_fn.name() == "CloneBackward0"
    assert y.data_ptr() != x.data_ptr()


def test_row_085_detach_shares_memory_and_versions(torch):
    x = _leaf(torch) * 1
    y = (x**2).sum()
    cut = x.detach()
    assert cut.data_ptr() == x.data_ptr()
    assert cut.grad_fn is None
    cut.add_(1)
    assert x._version == 1
    with pytest.raises(RuntimeError, match="inplace operation"):
        y.backward()


def test_row_086_numpy_is_not_separate(torch):
    x = _leaf(torch)
    array = x.detach().numpy()
    array[0] = 5
    assert x[0].item() == 5.0


@pytest.mark.parametrize("make", ["clone", "zeros_like"])
def test_row_092_copies_in_the_graph(torch, make):
    w = _leaf(torch)
    copy = w.clone() if make == "clone" else torch.zeros_like(w).copy_(w)
    assert not copy.requires_grad_().is_leaf
    assert type(copy.grad_fn).__name__ == ("CloneBackward0" if make == "clone" else "CopyBackwards")
    assert copy.data_ptr() != w.data_ptr()


def test_row_087_variable_is_a_tensor(torch):
    from_array = torch.autograd.Variable(torch.ones(2))
    assert type(from_array) is torch.Tensor


def test_row_088_the_constructor_aliases_in_the_graph(torch):
    w = _leaf(torch)
    alias = torch.FloatTensor(w).requires_grad_()
    assert alias.grad_fn.name() == "AliasBackward0"
    assert alias.data_ptr() == w.data_ptr()


def test_row_089_variable_makes_a_leaf(torch):
    w = _leaf(torch)
    new = torch.autograd.Variable(w, requires_grad=True)
    assert new.is_leaf
    assert new.requires_grad
    assert new is not w
    assert new.data_ptr() == w.data_ptr()


def test_row_090_detach_makes_a_leaf_that_shares(torch):
    w = _leaf(torch)
    new = w.detach().requires_grad_()
    assert new.is_leaf
    assert new.data_ptr() == w.data_ptr()


def test_row_091_clone_and_detach_make_a_leaf_of_its_own(torch):
    w = _leaf(torch)
    new = w.clone().detach_().requires_grad_()
    assert new.is_leaf
    assert new.data_ptr() != w.data_ptr()


def test_row_093_data_does_not_count_its_writes(torch):
    w = _leaf(torch)
    w.data.fill_(3)
    assert w.tolist() == [3.0, 3.0]
    assert w._version == 0
    assert w.is_leaf
    assert np.array_equal(w.detach().numpy(), [3.0, 3.0])
