"""Results computed into the tensor given as ``out=``: PyTorch's values and checks, no copy between."""

from __future__ import annotations

import warnings

import pytest
from numpy.testing import assert_allclose

import flambeau as fb
from flambeau.core.entry import filling
from flambeau.core.kernels.jit import build

CODES = [
    "torch.exp(a, out=o)", "torch.asin(c, out=o)", "torch.add(a, b, out=o)",
    "torch.mul(a, 2.5, out=o)", "torch.sub(a, b[0], out=o)", "torch.add(a, b, alpha=0.5, out=o)",
    "torch.add(a, s, out=o)", "torch.mul(a, b, out=a)", "torch.sub(a, b.T, out=o)",
    "torch.atan2(a, b, out=o)", "torch.clamp(a, 0.7, 1.2, out=o)", "torch.gt(a, b, out=m)",
    "torch.addcmul(a, b, b, value=0.5, out=o)", "torch.add(a, b, out=o.T)",
    "torch.add(a, b, out=wide[:, ::2])", "torch.sigmoid(a.T, out=o)",
    "torch.bitwise_and(k, k, out=k)", "torch.add(k, 3, out=k)", "torch.sin(d, out=d)",
]  # fmt: skip


def close(found, wanted):
    assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)


def names(torch):
    x = [[0.1 * (4 * i + j) + 0.3 for j in range(4)] for i in range(4)]
    found = {"torch": torch, "a": torch.tensor(x), "b": torch.tensor(x).T.contiguous()}
    found |= {"c": found["a"] / 4, "d": found["a"].double(), "k": torch.arange(16).view(4, 4)}
    found |= {"o": torch.zeros(4, 4), "m": torch.zeros(4, 4, dtype=torch.bool)}
    return found | {"wide": torch.zeros(4, 8), "s": torch.tensor(2.0)}


@pytest.mark.parametrize("code", CODES)
def test_as_pytorch_without_a_copy(oracle, code, monkeypatch):
    if build.available():
        eval(code, names(fb))  # the short way is made

        def copied(*args):
            raise AssertionError("a result was made, and copied")

        monkeypatch.setattr(filling.COPY, "plain", copied)
    ours, theirs = names(fb), names(oracle)
    found, wanted = eval(code, ours), eval(code, theirs)
    close(found.tolist(), wanted.tolist())
    assert found.stride() == wanted.stride()
    for name in ("a", "o", "m", "wide", "k", "d"):
        close(ours[name].tolist(), theirs[name].tolist())
        assert ours[name]._version == theirs[name]._version


@pytest.mark.parametrize(
    "code",
    [
        "torch.mul(a.requires_grad_(), b, out=o)", "torch.mul(a, b, out=o.requires_grad_())",
        "torch.mul(a[:, 1:], b[:, 1:], out=a[:, :-1].contiguous().view(-1)[:11])",
        "torch.exp(a.view(-1)[1:], out=a.view(-1)[:-1])", "torch.gt(a, b, out=o)",
        "torch.exp(a, out=k)", "torch.mul(a, b, out=s)", "torch.mul(a, b, out=s.expand(4, 4))",
        "torch.mul(a[0], b[0], out=o)", "torch.exp(a, out=torch.empty(0))",
        "torch.mul(a, b, out=d)", "torch.exp(k, out=o)", "torch.add(a, d, out=o)",
    ],
)  # fmt: skip
def test_what_is_refused_resized_or_cast(oracle, code):
    found = []
    for torch in (fb, oracle):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                result = eval(code, names(torch))
                found.append((result.tolist(), str(result.dtype)[6:], len(told)))
            except Exception as error:
                found.append((type(error), len(told)))
    assert found[0][1:] == found[1][1:]
    if isinstance(found[0][0], type):
        assert found[0][0] is found[1][0]
    else:
        close(found[0][0], found[1][0])


def test_a_write_is_seen_by_what_was_saved():
    a, b = fb.ones(3, requires_grad=True), fb.ones(3)
    y = a * b
    fb.exp(fb.zeros(3), out=b)
    with pytest.raises(RuntimeError, match="exp \\(out=\\)"):
        y.sum().backward()
