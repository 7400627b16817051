"""Every family of kernels on all samples at once gives what it gives on each; none falls back to
sample by sample.
"""

import pytest

import flambeau as torch
from flambeau.core.batch import apply
from flambeau.func import grad, vmap

F = torch.nn.functional
X = torch.arange(1.0, 121.0).sin().reshape(5, 4, 6)
SQUARE = torch.arange(1.0, 46.0).cos().reshape(5, 3, 3) + 2 * torch.eye(3)
IMAGES = torch.arange(1.0, 5 * 2 * 4 * 36 + 1).sin().reshape(5, 2, 4, 6, 6)
KERNELS = torch.arange(1.0, 5 * 3 * 4 * 9 + 1).cos().reshape(5, 3, 4, 3, 3)
INDEX = torch.tensor([[0, 2], [1, 1], [3, 0], [2, 2], [1, 3]])
SCALE = torch.arange(1.0, 31.0).reshape(5, 6) / 10
CLASSES = torch.tensor([[0, 1, 2, 3], [5, 4, 0, 1], [2, 2, 2, 2], [0, 0, 1, 5], [3, 4, 5, 0]])

CASES = {
    "elementwise": (lambda a: torch.sigmoid(a) * a + a[0], X),
    "mixed": (lambda a: torch.where(a > 0, a.double(), 2.0) + torch.arange(6), X),
    "sum": (lambda a: (a.sum(), a.mean(0), a.amax((0, 1)), a.var(1), a.prod(-1, keepdim=True)), X),
    "norm": (lambda a: (a.norm(), a.logsumexp(0), a.all(), a.argmax(1), a.std()), X),
    "scan": (lambda a: (a.cumsum(0), a.cummax(1)[0], a.sort(0)[1], a.topk(2)[0], a.flip(1)), X),
    "softmax": (lambda a: (a.softmax(0), a.log_softmax(-1), F.glu(a)), X),
    "views": (lambda a: (a.T.reshape(-1), a[1:, None, ::2], a.unfold(1, 2, 2), a.expand(2, 4, 6)), X),
    "joined": (lambda a: (torch.cat([a, a[:1]]), torch.stack([a, a], -1), a.repeat(2, 1)), X),
    "padded": (lambda a: (F.pad(a, (1, 2)), a.roll(1, 0), a.tril(), torch.diag_embed(a)), X),
    "matmul": (lambda a, b: (a @ b, a @ b[0], a[0] @ b, a[0] @ b[0], torch.addmm(b, a, b)), SQUARE, SQUARE),
    "linalg": (lambda a: (torch.linalg.inv(a), torch.linalg.det(a), torch.linalg.solve(a, a)), SQUARE),
    "linear": (lambda a, s: (F.linear(a, s.outer(s), s), F.linear(a, SCALE, SCALE[:, 0])), X, SCALE),
    "conv": (lambda x: F.conv2d(x, KERNELS[0], padding=1), IMAGES),
    "conv of own weights": (lambda x, w: F.conv2d(x, w, stride=2), IMAGES, KERNELS),
    "conv of one input": (lambda w: F.conv2d(IMAGES[0], w), KERNELS),
    "transposed conv": (lambda x, w: F.conv_transpose2d(x, w.mT.transpose(0, 1)), IMAGES, KERNELS),
    "pools": (lambda x: (F.max_pool2d(x, 2), F.avg_pool2d(x, 3, padding=1)), IMAGES),
    "layer norm": (lambda a, s: (F.layer_norm(a, (6,), s, s), F.layer_norm(a, (6,))), X, SCALE),
    "group norm": (lambda x: F.group_norm(x, 2, SCALE[0, :4], SCALE[1, :4]), IMAGES),
    "own group norm": (lambda x, s: F.group_norm(x, 2, s[:4], s[:4]), IMAGES, SCALE),
    "batch norm": (lambda x: F.batch_norm(x, None, None, training=True), IMAGES),
    "embedding": (lambda i, s: (F.embedding(i, X[0]), F.embedding(i, s.outer(s))), INDEX, SCALE),
    "gather": (lambda a, i: (a[:, 0].gather(0, i), a[:, 0].scatter_add(0, i, a[0, :2])), X, INDEX),
    "index": (lambda a, i: (a[i], a[:, i], a[i, i + 1], a.index_select(1, i), a[[0, 2]]), X, INDEX),
    "index_add": (lambda a, i: (a.index_add(0, i, a[:2]), a.index_fill(0, i, 3.0)), X, INDEX),
    "mask": (lambda a: (a.masked_fill(a > 0, 3.0), a[:, torch.arange(6) > 2]), X),
    "cross entropy": (lambda a, t: (F.cross_entropy(a, t), F.nll_loss(a, t, SCALE[0])), X, CLASSES),
    "losses": (lambda a: (F.mse_loss(a, X[0]), F.huber_loss(a, a.cos(), reduction="sum")), X),
    "attention": (lambda a: F.scaled_dot_product_attention(a, a, a, is_causal=True), X),
}  # fmt: skip


def flat(value):
    return list(value) if isinstance(value, tuple) else [value]


@pytest.fixture
def alone(monkeypatch):
    """Fail where an operation would take the samples one by one."""

    def refuse(function, values):
        raise AssertionError("no batching rule was used")

    monkeypatch.setattr(apply, "each_sample", refuse)


@pytest.mark.parametrize("name", CASES)
def test_all_samples_at_once(name, alone):
    function, *inputs = CASES[name]
    found = flat(vmap(function)(*inputs))
    for k, want in enumerate(zip(*(flat(function(*each)) for each in zip(*inputs)))):
        torch.testing.assert_close(found[k], torch.stack(want), msg=f"{name}: result {k}")


@pytest.mark.parametrize("name", CASES)
def test_two_levels(name, alone):
    function, *inputs = CASES[name]
    double = [torch.stack([x, x.flip(0)]) for x in inputs]
    found = flat(vmap(vmap(function))(*double))
    once = flat(vmap(function)(*inputs))
    for a, b in zip(found, once, strict=True):
        torch.testing.assert_close(a[0], b)
        torch.testing.assert_close(a[1], b.flip(0))


@pytest.mark.parametrize("name", [name for name in CASES if name != "own group norm"])
def test_gradients_of_each_sample(name):
    function, *inputs = CASES[name]
    where = tuple(k for k, x in enumerate(inputs) if x.is_floating_point())
    if not where:
        return

    def loss(*args):
        values = [v for v in flat(function(*args)) if v.is_floating_point()]
        return sum((v.double() ** 2).sum() for v in values)

    found = vmap(grad(loss, argnums=where))(*inputs)
    rows = [grad(loss, argnums=where)(*each) for each in zip(*inputs)]
    for k, want in enumerate(zip(*rows)):
        torch.testing.assert_close(found[k], torch.stack(want), rtol=1e-3, atol=1e-4)
