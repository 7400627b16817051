"""Writing in place: history, retain_grad, views."""

import pytest

import flambeau as torch
from flambeau.autograd import gradcheck


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize(
    "program",
    [
        lambda x, w: (x * 1).mul_(w),
        lambda x, w: (x * 1).add_(w).exp_(),
        lambda x, w: _written(x, lambda y: y[0:2].mul_(w[0:2])),
        lambda x, w: _written(x, lambda y: y.view(3, 1)[1].copy_(w[0:1])),
        lambda x, w: _written(x, lambda y: y[1:].zero_()),
        lambda x, w: _written(x, lambda y: y[1:].mul_(w[:2] * 2)),
        lambda x, w: _written(torch.zeros(2, 3, dtype=torch.float64), lambda y: y[0].add_(x * w)),
        lambda x, w: _written(x, lambda y: y.div_(w).sigmoid_()),
    ],
)
def test_gradients_of_writes(program):
    assert gradcheck(program, (leaf(0.5, -1.5, 2.0), leaf(1.5, 0.5, -0.5)))


def _written(x, write):
    y = x * 1
    write(y)
    return y


def test_a_view_made_without_history_may_not_be_written_with_it():
    y = leaf(1.0, 2.0) * 1
    with torch.no_grad():
        v = y[:1]
    assert v.requires_grad
    with pytest.raises(RuntimeError, match="no_grad mode"):
        v.add_(1)


def test_one_of_several_views_may_not_be_written():
    a, b = (leaf(1.0, 2.0) * 1).unbind(0)
    with pytest.raises(RuntimeError, match="multiple views"):
        a.add_(b)


def test_reading_one_of_several_views_after_its_base_was_written():
    y = leaf(1.0, 2.0) * 1
    a, _ = y.unbind(0)
    y.mul_(2)
    with pytest.raises(RuntimeError, match="multiple views"):
        _ = a * 2
    assert "grad_fn=<Invalid>" in repr(a)


def test_retain_grad_follows_the_tensor():
    x = leaf(1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    assert y.grad.tolist() == [1, 1]
    assert x.grad.tolist() == [6, 6]


def test_a_plain_write_of_any_operation_counts_once_and_keeps_its_memory():
    a = torch.linspace(-1, 1, 6).reshape(2, 3).clone()
    alias, version = a.numpy(), a._version
    assert a.relu_() is a and a._version == version + 1
    assert alias.min() == 0
    a.addcmul_(torch.ones(2, 3), torch.ones(3))
    assert alias.max() == 2 and a._version == version + 2
    with pytest.raises(RuntimeError, match="broadcast"):
        torch.ones(3).addcmul_(torch.ones(2, 3), torch.ones(3))
    with pytest.raises(RuntimeError, match="can't be cast"):
        torch.ones(2, dtype=torch.int64).addcmul_(torch.ones(2), torch.ones(2))


def test_a_write_by_what_requires_grad_is_recorded():
    w = torch.full((3,), 2.0, requires_grad=True)
    a = torch.ones(3)
    a.addcmul_(w, torch.full((3,), 3.0))
    a.sum().backward()
    assert w.grad.tolist() == [3, 3, 3]


def test_inference_tensors_are_not_written_outside():
    with torch.inference_mode():
        x = torch.ones(3)
        x.exp_().clamp_(0, 2).add_(1)
    for write in (lambda: x.exp_(), lambda: x.add_(x), lambda: x.clamp_(0, 1), lambda: x.mul_(2.0)):
        with pytest.raises(RuntimeError, match="[Ii]nference"):
            write()
    assert x.tolist() == [3, 3, 3]
