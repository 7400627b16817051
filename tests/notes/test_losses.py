"""Every loss of the notes, an element at a time: values, reductions and gradients.

Each loss is written out as a plain loop in double precision; gradients are differences of that loop.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

R = np.random.default_rng(0)


def _signs(*shape):
    return np.where(R.random(shape) < 0.5, -1.0, 1.0)


def _softmax(row):
    powers = [math.exp(v - max(row)) for v in row]
    return [p / sum(powers) for p in powers]


def _logs(row):
    return [math.log(p) for p in _softmax(row)]


def _sigmoid(x):
    return 1 / (1 + math.exp(-x))


def _each(function):
    """A loss of corresponding elements."""

    def naive(*arrays, **options):
        first = arrays[0]
        out = np.empty(first.shape)
        for at in np.ndindex(first.shape):
            out[at] = function(*(a[at] for a in arrays), **options)
        return out

    return naive


def _rows(function):
    """A loss of corresponding rows."""

    def naive(*arrays, **options):
        return np.array([function(*rows, **options) for rows in zip(*arrays, strict=True)])

    return naive


def _huber(x, y, delta=1.0):
    d = abs(x - y)
    return d * d / 2 if d < delta else delta * (d - delta / 2)


def _smooth(x, y, beta=1.0):
    d = abs(x - y)
    return d * d / (2 * beta) if d < beta else d - beta / 2


def _bce(p, y):
    return -(y * max(math.log(p), -100) + (1 - y) * max(math.log(1 - p), -100))


def _poisson(x, y, log_input=True, full=False, eps=1e-8):
    found = math.exp(x) - y * x if log_input else x - y * math.log(x + eps)
    if full and y > 1:
        found += y * math.log(y) - y + 0.5 * math.log(2 * math.pi * y)
    return found


def _gaussian(x, y, v, full=False, eps=1e-6):
    v = max(v, eps)
    found = 0.5 * (math.log(v) + (x - y) ** 2 / v)
    return found + 0.5 * math.log(2 * math.pi) if full else found


def _kl(x, y, log_target=False):
    return math.exp(y) * (y - x) if log_target else y * ((math.log(y) if y else 0.0) - x)


def _multi_margin(x, y, p=1, margin=1.0):
    terms = [max(0.0, margin - x[int(y)] + x[j]) ** p for j in range(len(x)) if j != y]
    return sum(terms) / len(x)


def _multilabel_margin(x, y):
    right = list(itertools.takewhile(lambda k: k >= 0, (int(k) for k in y)))
    wrong = [j for j in range(len(x)) if j not in right]
    return sum(max(0.0, 1 - (x[k] - x[j])) for k in right for j in wrong) / len(x)


def _multilabel_soft(x, y):
    terms = [
        b * math.log(_sigmoid(a)) + (1 - b) * math.log(_sigmoid(-a))
        for a, b in zip(x, y, strict=True)
    ]
    return -sum(terms) / len(x)


def _norm(x, y, p=2.0, eps=1e-6):
    return sum(abs(a - b + eps) ** p for a, b in zip(x, y, strict=True)) ** (1 / p)


def _triplet(a, b, c, margin=1.0, p=2.0, swap=False):
    far = min(_norm(a, c, p), _norm(b, c, p)) if swap else _norm(a, c, p)
    return max(0.0, _norm(a, b, p) - far + margin)


def _cosine(a, b, y, margin=0.0):
    top = sum(u * v for u, v in zip(a, b, strict=True))
    cos = top / math.sqrt(sum(u * u for u in a) * sum(v * v for v in b))
    return 1 - cos if y == 1 else max(0.0, cos - margin)


X, Y, Z = R.standard_normal((3, 4, 5))
P, Q = R.random((2, 4, 5)) * 0.8 + 0.1
LABELS = np.array([1, 0, 4, 2])
MANY = np.array([[3, 0, -1, 1, 2], [1, -1, 0, 0, 0], [0, 1, 2, 3, 4], [-1, 0, 1, 2, 3]])
BITS = (R.random((4, 5)) < 0.5) * 1.0

ELEMENTWISE = [
    ("L1Loss", {}, (X, Y), _each(lambda x, y: abs(x - y))),
    ("MSELoss", {}, (X, Y), _each(lambda x, y: (x - y) ** 2)),
    ("SmoothL1Loss", {}, (X, Y), _each(_smooth)),
    ("SmoothL1Loss", {"beta": 0.3}, (X, Y), _each(_smooth)),
    ("HuberLoss", {"delta": 0.5}, (X, Y), _each(_huber)),
    ("BCELoss", {}, (P, BITS), _each(_bce)),
    ("BCEWithLogitsLoss", {}, (X, BITS), _each(lambda x, y: _bce(_sigmoid(x), y))),
    ("PoissonNLLLoss", {}, (X, P), _each(_poisson)),
    ("PoissonNLLLoss", {"full": True}, (X, P + 2), _each(_poisson)),
    ("PoissonNLLLoss", {"log_input": False}, (Q, P), _each(_poisson)),
    ("GaussianNLLLoss", {}, (X, Y, P), _each(_gaussian)),
    ("GaussianNLLLoss", {"full": True, "eps": 0.5}, (X, Y, P), _each(_gaussian)),
    ("KLDivLoss", {}, (X, P), _each(_kl)),
    ("KLDivLoss", {"log_target": True}, (X, Y), _each(_kl)),
    ("SoftMarginLoss", {}, (X, _signs(4, 5)), _each(lambda x, y: math.log1p(math.exp(-y * x)))),
    (
        "HingeEmbeddingLoss",
        {"margin": 0.7},
        (X, _signs(4, 5)),
        _each(lambda x, y, margin: x if y == 1 else max(0.0, margin - x)),
    ),
    (
        "MarginRankingLoss",
        {"margin": 0.2},
        (X, Y, _signs(4, 5)),
        _each(lambda a, b, y, margin: max(0.0, -y * (a - b) + margin)),
    ),
    ("MultiMarginLoss", {}, (X, LABELS), _rows(_multi_margin)),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5}, (X, LABELS), _rows(_multi_margin)),
    ("MultiLabelMarginLoss", {}, (X, MANY), _rows(_multilabel_margin)),
    ("MultiLabelSoftMarginLoss", {}, (X, BITS), _rows(_multilabel_soft)),
    ("TripletMarginLoss", {}, (X, Y, Z), _rows(_triplet)),
    ("TripletMarginLoss", {"p": 3, "swap": True, "margin": 2.0}, (X, Y, Z), _rows(_triplet)),
    ("TripletMarginWithDistanceLoss", {}, (X, Y, Z), _rows(_triplet)),
    ("CosineEmbeddingLoss", {"margin": 0.1}, (X, Y, _signs(4)), _rows(_cosine)),
    ("NLLLoss", {}, (X, LABELS), _rows(lambda x, y: -x[int(y)])),
    ("CrossEntropyLoss", {}, (X, LABELS), _rows(lambda x, y: -_logs(x)[int(y)])),
    (
        "CrossEntropyLoss",
        {"label_smoothing": 0.2},
        (X, LABELS),
        _rows(
            lambda x, y, label_smoothing: (
                -(1 - label_smoothing) * _logs(x)[int(y)] - label_smoothing * sum(_logs(x)) / len(x)
            )
        ),
    ),
    (
        "CrossEntropyLoss",
        {},
        (X, P / P.sum(1, keepdims=True)),
        _rows(lambda x, y: -sum(a * b for a, b in zip(_logs(x), y, strict=True))),
    ),
]
IDS = [f"{name}-{'-'.join(options) or 'plain'}" for name, options, _, _ in ELEMENTWISE]


def _tensors(torch, arrays):
    return [torch.from_numpy(np.array(a)) for a in arrays]


@pytest.mark.filterwarnings("ignore:reduction.*mean:UserWarning")
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "options", "arrays", "naive"), ELEMENTWISE, ids=IDS)
def test_row_109_values(torch, name, options, arrays, naive, reduction):
    wanted = naive(*arrays, **options)
    wanted = {"none": wanted, "mean": wanted.mean(), "sum": wanted.sum()}[reduction]
    found = getattr(torch.nn, name)(reduction=reduction, **options)(*_tensors(torch, arrays))
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("name", "options", "arrays", "naive"), ELEMENTWISE, ids=IDS)
def test_row_109_gradients(torch, name, options, arrays, naive):
    first, *rest = _tensors(torch, arrays)
    first.requires_grad_()
    getattr(torch.nn, name)(reduction="sum", **options)(first, *rest).backward()
    wanted = np.empty(arrays[0].shape)
    step = 1e-6
    for at in np.ndindex(wanted.shape):
        ends = []
        for sign in (1, -1):
            moved = arrays[0].copy()
            moved[at] += sign * step
            ends.append(naive(moved, *arrays[1:], **options).sum())
        wanted[at] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(first.grad.numpy(), wanted, rtol=1e-5, atol=1e-7)


def test_row_109_class_weights_and_ignored_labels(torch):
    weight, labels = np.array([1.0, 2.0, 0.5, 3.0, 1.5]), np.array([1, -100, 4, 2])
    each = [0.0 if y < 0 else -weight[y] * _logs(x)[y] for x, y in zip(X, labels, strict=True)]
    total = sum(weight[y] for y in labels if y >= 0)
    w, x, y = _tensors(torch, (weight, X, labels))
    for reduction, wanted in (("none", each), ("sum", sum(each)), ("mean", sum(each) / total)):
        for found in (
            torch.nn.CrossEntropyLoss(w, reduction=reduction)(x, y),
            torch.nn.NLLLoss(w, reduction=reduction)(x.log_softmax(1), y),
        ):
            np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_row_109_losses_of_images(torch):
    x, label = R.standard_normal((2, 3, 2, 2)), np.array([[[0, 1], [2, 0]], [[1, 1], [0, 2]]])
    wanted = np.empty((2, 2, 2))
    for n, i, j in np.ndindex(2, 2, 2):
        wanted[n, i, j] = -_logs(list(x[n, :, i, j]))[label[n, i, j]]
    a, y = _tensors(torch, (x, label))
    each = torch.nn.CrossEntropyLoss(reduction="none")(a, y)
    np.testing.assert_allclose(each.numpy(), wanted, rtol=1e-9)
    for kind in (torch.nn.NLLLoss, torch.nn.NLLLoss2d):
        found = kind()(a.log_softmax(1), y)
        np.testing.assert_allclose(found.item(), wanted.mean(), rtol=1e-9)


def test_row_109_weights_of_binary_losses(torch):
    weight, positive = P[0], Q[0]
    x, y, w, p = _tensors(torch, (X, BITS, weight, positive))
    wanted = np.empty((4, 5))
    for i, j in np.ndindex(4, 5):
        s = _sigmoid(X[i, j])
        one, other = positive[j] * BITS[i, j] * math.log(s), (1 - BITS[i, j]) * math.log(1 - s)
        wanted[i, j] = -weight[j] * (one + other)
    found = torch.nn.BCEWithLogitsLoss(weight=w, pos_weight=p, reduction="none")(x, y)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-9)


def test_row_109_kl_of_a_batch(torch):
    x, y = _tensors(torch, (X, P))
    wanted = _each(_kl)(X, P).sum() / len(X)
    found = torch.nn.KLDivLoss(reduction="batchmean")(x, y)
    np.testing.assert_allclose(found.item(), wanted, rtol=1e-9)


def _alignments(labels, steps, blank=0):
    """All paths of `steps` symbols that read as `labels`."""
    for path in itertools.product(range(3), repeat=steps):
        kept = [k for k, _ in itertools.groupby(path)]
        if [k for k in kept if k != blank] == labels:
            yield path


@pytest.mark.parametrize("labels", [[1], [1, 2], [2, 2]])
def test_row_109_ctc_is_the_sum_over_all_alignments(torch, labels):
    logs = np.array([_logs(list(row)) for row in R.standard_normal((4, 3))])
    chances = [
        math.exp(sum(logs[t, k] for t, k in enumerate(path))) for path in _alignments(labels, 4)
    ]
    x = torch.from_numpy(logs[:, None].copy())
    lengths = torch.tensor([4]), torch.tensor([len(labels)])
    found = torch.nn.CTCLoss(reduction="sum")(x, torch.tensor([labels]), *lengths)
    np.testing.assert_allclose(found.item(), -math.log(sum(chances)), rtol=1e-9)


def test_row_109_adaptive_softmax(torch):
    torch.manual_seed(0)
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(5, 6, [2, 4], div_value=2.0).double()
    x = torch.from_numpy(X.copy())
    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    found = layer(x, torch.tensor([0, 1, 3, 5]))
    for row, label, output in zip(X, [0, 1, 3, 5], found.output.tolist(), strict=True):
        head = _logs([float(np.dot(w, row)) for w in state["head.weight"]])
        if label < 2:
            wanted = head[label]
        else:
            tail = (label - 2) // 2
            inner = state[f"tail.{tail}.0.weight"] @ row
            scores = [float(np.dot(w, inner)) for w in state[f"tail.{tail}.1.weight"]]
            wanted = head[2 + tail] + _logs(scores)[(label - 2) % 2]
        assert output == pytest.approx(wanted, rel=1e-9)
    assert found.loss.item() == pytest.approx(-sum(found.output.tolist()) / 4, rel=1e-12)


def test_row_109_linear_cross_entropy(torch):
    weight, bias = R.standard_normal((6, 5)), R.standard_normal(6)
    wanted = [
        -_logs([float(np.dot(w, row)) + b for w, b in zip(weight, bias, strict=True)])[y]
        for row, y in zip(X, LABELS, strict=True)
    ]
    x, y, w, b = _tensors(torch, (X, LABELS, weight, bias))
    found = torch.nn.functional.linear_cross_entropy(x, w, y, linear_bias=b)
    np.testing.assert_allclose(found.item(), np.mean(wanted), rtol=1e-9)
    assert issubclass(torch.nn.LinearCrossEntropyLoss, torch.nn.Module)


def test_row_109_every_loss_is_asked(torch):
    here = {name for name, *_ in ELEMENTWISE} | {
        "AdaptiveLogSoftmaxWithLoss",
        "CTCLoss",
        "LinearCrossEntropyLoss",
        "NLLLoss2d",
    }
    assert {n for n in dir(torch.nn) if "Loss" in n} == here
