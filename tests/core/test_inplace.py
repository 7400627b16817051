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


def node_name(tensor):
    return type(tensor.grad_fn).__name__


def test_a_comparison_written_in_place_ends_the_history(oracle):
    for t in (oracle, torch):
        x = t.tensor([1.0, 2.0, 3.0], requires_grad=True)
        y = x * 2
        assert node_name(y.eq_(2)) == "EqBackward0"
        assert y.tolist() == [1, 0, 0]
        y.sum().backward()
        assert x.grad.tolist() == [0, 0, 0]
        z = t.zeros(3)
        assert node_name(z.less_(x)) == "LtBackward1"
        assert z.tolist() == [1, 1, 1]


def test_writes_bear_the_names_that_pytorch_gives_them(oracle):
    for t in (oracle, torch):
        x = t.tensor([0.5, 0.25], requires_grad=True)
        F = t.nn.functional
        found = [
            *(F.elu_(x * 1), F.celu_(x * 1), F.leaky_relu_(x * 1), F.threshold_(x * 1, 0, 1)),
            *((x * 1).asinh_(), (x * 1).acosh_(), (x * 1).atanh_(), x.log1p()),
            *((x * 1).normal_(), (x * 1).uniform_(), (x * 1).bernoulli_(), (x * 1).log_normal_()),
            *((x * 1).random_(), (x * 1).random_(3), (x * 1).random_(1, 3)),
            (x * 1).bernoulli_(x.detach()),
        ]
        assert " ".join(map(node_name, found)).replace("Backward", "") == (
            "Elu1 Celu1 LeakyRelu1 Threshold1 Asinh1 Acosh1 Atanh1 Log1P0 "
            "Normal0 Uniform0 Bernoulli2 LogNormal0 Random2 Random1 Random0 Bernoulli1"
        )


def test_a_leaf_that_is_a_view_is_guarded_like_any_other(oracle):
    for t in (oracle, torch):
        x = t.arange(4.0).reshape(2, 2).requires_grad_()
        for write in (
            lambda: x[0].add_(1),  # noqa: B023
            lambda: x.view(4).zero_(),  # noqa: B023
            lambda: x.__setitem__(0, 1),  # noqa: B023
            lambda: x.set_(t.ones(2)),  # noqa: B023
        ):
            with pytest.raises(RuntimeError):
                write()
        assert x.tolist() == [[0, 1], [2, 3]]
        y = t.zeros(3)
        y[:2].add_(x[0])  # the view has no history of its own: its base gets one
        y[:2].mul_(2)
        y.sum().backward()
        assert x.grad.tolist() == [[2, 2], [0, 0]]


def test_elements_that_share_memory_may_get_one_value(oracle):
    for t in (oracle, torch):
        x = t.zeros(1, 3)
        wide = x.expand(2, 3)
        wide.fill_(2)
        assert x.tolist() == [[2, 2, 2]]
        wide.zero_()
        mask = t.tensor([[True, False, False], [False, False, True]])
        with pytest.warns(UserWarning, match="masked_fill_ on expanded tensors is deprecated"):
            wide.masked_fill_(mask, 5)
        assert x.tolist() == [[5, 0, 5]]
        with pytest.warns(UserWarning, match="index_put_ on expanded tensors is deprecated"):
            wide.index_put_((t.tensor([0]),), t.tensor(1.0))
        assert x.tolist() == [[1, 1, 1]]
        for write in (wide.relu_, lambda: wide.copy_(t.ones(())), lambda: wide.add_(1)):  # noqa: B023
            with pytest.raises(RuntimeError, match="more than one element"):
                write()


def test_integers_take_no_history(oracle):
    for t in (oracle, torch):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        y = t.zeros(2, dtype=t.int64)
        y.copy_(x)
        y[:] = x
        assert y.tolist() == [1, 2]
        assert not y.requires_grad


def test_what_inference_mode_made_is_not_written_by_index_or_out(oracle):
    for t in (oracle, torch):
        with t.inference_mode():
            x = t.ones(2)
        for write in (lambda: x.__setitem__(0, 3.0), lambda: t.add(x, 1, out=x)):  # noqa: B023
            with pytest.raises(RuntimeError, match="outside InferenceMode"):
                write()
