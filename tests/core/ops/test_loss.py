"""Losses over classes: cross entropy in all its forms against its definition."""

import numpy as np
import pytest

import flambeau as torch
import flambeau.nn.functional as F
from flambeau.autograd import gradcheck, gradgradcheck


def logits(*shape):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore", [-100, 1])
def test_cross_entropy_is_its_two_halves(reduction, weighted, ignore):
    x = logits(6, 3)
    target = torch.tensor([0, 1, 2, 2, 1, 0])
    weight = torch.tensor([0.5, 2.0, 1.0], dtype=torch.float64) if weighted else None
    options = {"weight": weight, "ignore_index": ignore, "reduction": reduction}
    whole = F.cross_entropy(x, target, **options)
    halves = F.nll_loss(F.log_softmax(x, 1), target, **options)
    np.testing.assert_allclose(whole.detach().numpy(), halves.detach().numpy(), rtol=1e-12)
    assert gradcheck(lambda t: F.cross_entropy(t, target, **options), (x,))
    assert gradgradcheck(lambda t: F.cross_entropy(t, target, **options), (x,))


def test_images_have_classes_in_the_second_dimension():
    x = logits(2, 3, 2, 2)
    target = torch.randint(0, 3, (2, 2, 2))
    flat = x.permute(0, 2, 3, 1).reshape(-1, 3)
    assert F.cross_entropy(x, target).item() == pytest.approx(
        F.cross_entropy(flat, target.reshape(-1)).item()
    )
    assert F.cross_entropy(x, target).grad_fn.name() == "NllLoss2DBackward0"
    assert gradcheck(lambda t: F.cross_entropy(t, target), (x,))


def test_probabilities_and_smoothing():
    x = logits(4, 3)
    target = torch.tensor([0, 1, 2, 1])
    onehot = F.one_hot(target, 3).double()
    assert F.cross_entropy(x, onehot).item() == pytest.approx(F.cross_entropy(x, target).item())
    smooth = F.cross_entropy(x, target, label_smoothing=0.3).item()
    assert smooth == pytest.approx(F.cross_entropy(x, onehot * 0.7 + 0.1).item())


def test_all_ignored_is_nan_and_a_wrong_class_an_index_error():
    x = logits(2, 3)
    assert np.isnan(F.cross_entropy(x, torch.tensor([0, 0]), ignore_index=0).item())
    with pytest.raises(IndexError, match="Target 3 is out of bounds"):
        F.cross_entropy(x, torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="batch_size"):
        F.cross_entropy(x, torch.tensor([0, 1, 2]))
    with pytest.raises(RuntimeError, match="Long"):
        F.cross_entropy(x, torch.tensor([0, 1]).int())


def test_logits_may_be_written_after_the_loss():
    x = torch.randn(2, 3, requires_grad=True)
    scores = x * 1
    loss = F.cross_entropy(scores, torch.tensor([0, 1]))
    scores.zero_()
    loss.backward()
    assert x.grad is not None and x.grad.abs().sum() > 0


def test_ctc_counts_every_alignment():
    """Two steps, one label, two classes: the paths are aa, a-, -a."""
    p = torch.tensor([[[0.4, 0.6]], [[0.3, 0.7]]], dtype=torch.float64)
    expected = -np.log(0.6 * 0.7 + 0.6 * 0.3 + 0.4 * 0.7)
    lengths = torch.tensor([2]), torch.tensor([1])
    assert F.ctc_loss(p.log(), torch.tensor([[1]]), *lengths).item() == pytest.approx(expected)
    x = logits(5, 2, 4)
    targets = torch.tensor([[1, 1], [2, 3]])
    sizes = torch.tensor([5, 4]), torch.tensor([2, 1])
    assert gradcheck(lambda t: F.ctc_loss(t.log_softmax(2), targets, *sizes), (x,))


def test_the_batch_is_looked_at_before_the_dtype():
    with pytest.raises(ValueError, match="batch_size"):
        F.cross_entropy(torch.ones(4, 2), torch.ones(5, 2))
    with pytest.raises(RuntimeError, match="Long"):
        F.cross_entropy(torch.ones(4, 2), torch.ones(4))
    with pytest.raises(RuntimeError, match="dimensionality 1 or 2"):
        F.linear_cross_entropy(torch.ones(2, 3, 3), torch.ones(2, 3), torch.ones(3, 2))


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_options_make_the_first_gradients_constants(reduction, oracle):
    from torch.nn.modules.linear_cross_entropy_options import LinearCrossEntropyOptions

    values = np.random.default_rng(0).standard_normal((11, 4))
    found = []
    for t in (oracle, torch):
        x, w = t.tensor(values[:6].tolist()), t.tensor(values[6:].tolist())
        x, w = x.requires_grad_(), w.requires_grad_()
        options = LinearCrossEntropyOptions(batch_chunk_size=2, allow_retain_graph=True)
        target = t.tensor([0, 1, 4, 2, 3, 0])
        loss = t.nn.functional.linear_cross_entropy(
            x, w, target, reduction=reduction, options=options
        )
        scale = t.ones((), requires_grad=True)
        first = t.autograd.grad(loss, (x, w), scale, create_graph=True)
        (slope,) = t.autograd.grad(first[0].sum(), (scale,), retain_graph=True)
        second = t.autograd.grad(first[0].square().sum(), (x,), allow_unused=True)[0]
        second = None if second is None or not second.any() else second.tolist()
        found.append([loss.item(), *(g.tolist() for g in first), slope.item(), second])
    for theirs, ours in zip(*found, strict=True):
        assert (theirs is None) == (ours is None)
        if theirs is not None:
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_options_that_do_not_serve_warn():
    x, w = torch.ones(2, 3), torch.ones(4, 3)
    with pytest.warns(UserWarning, match="options are of no use"):
        torch.nn.functional.linear_cross_entropy(
            x, w, torch.tensor([0, 1]), label_smoothing=0.1, options=object()
        )


@pytest.mark.parametrize("name", ["input_lengths", "target_lengths"])
def test_ctc_lengths_are_whole_numbers(oracle, name):
    for of in (oracle, torch):
        lengths = {"input_lengths": of.tensor([4, 4]), "target_lengths": of.tensor([2, 1])}
        lengths[name] = lengths[name].float()
        with pytest.raises(RuntimeError, match=name):
            of.nn.functional.ctc_loss(of.zeros(4, 2, 3), of.ones(2, 2, dtype=of.long), **lengths)
