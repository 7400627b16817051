"""Dtypes that PyTorch has no kernel for: refused with its type of exception, or answered as it is."""

from __future__ import annotations

from typing import Any

import pytest

import flambeau

FORMS: dict[str, Any] = {
    "arange": lambda t, x, d: t.arange(2, dtype=d),
    "range": lambda t, x, d: t.range(0, 2, dtype=d),
    "linspace": lambda t, x, d: t.linspace(0, 1, 3, dtype=d),
    "linspace of one": lambda t, x, d: t.linspace(0, 1, 1, dtype=d),
    "linspace of none": lambda t, x, d: t.linspace(0, 1, 0, dtype=d),
    "logspace": lambda t, x, d: t.logspace(0, 1, 3, dtype=d),
    "tril_indices": lambda t, x, d: t.tril_indices(2, 2, dtype=d),
    "cross": lambda t, x, d: t.linalg.cross(x(3), x(3)),
    "vander": lambda t, x, d: t.linalg.vander(x(3)),
    "vecdot": lambda t, x, d: t.linalg.vecdot(x(3), x(3)),
    "householder": lambda t, x, d: t.linalg.householder_product(x(3, 3), x(3)),
    "cdist": lambda t, x, d: t.cdist(x(3, 2), x(3, 2)),
    "cdist of many": lambda t, x, d: t.cdist(x(30, 2), x(30, 2)),
    "pdist": lambda t, x, d: t.nn.functional.pdist(x(2, 3)),
    "cosine": lambda t, x, d: t.nn.functional.cosine_similarity(x(1, 2), x(1, 2)),
    "clamp between tensors": lambda t, x, d: t.clamp(x(3), x(3), x(3)),
    "clamp from below by a tensor": lambda t, x, d: t.clamp(x(3), x(3)),
    "clamp_max by a tensor": lambda t, x, d: t.clamp_max(x(3), x(3)),
    "bucketize": lambda t, x, d: t.bucketize(x(3), x(2)),
    "bucketize of none": lambda t, x, d: t.bucketize(x(0), x(2)),
    "matrices of nothing": lambda t, x, d: t.mm(x(2, 0), x(0, 3)),
    "dot of nothing": lambda t, x, d: t.dot(x(0), x(0)),
    "linear": lambda t, x, d: t.nn.functional.linear(x(2, 3), x(4, 3)),
    "dropout": lambda t, x, d: t.nn.functional.dropout(x(3), 0.5),
    "rrelu": lambda t, x, d: t.nn.functional.rrelu(x(2), 0.1, 0.2, True),
    "threshold": lambda t, x, d: t.nn.functional.threshold(x(2), 0, 1),
    "embedding_bag": lambda t, x, d: t.nn.functional.embedding_bag(
        t.tensor([0]), x(3, 2), t.tensor([0])
    ),
    "max_unpool2d": lambda t, x, d: t.nn.functional.max_unpool2d(
        x(1, 1, 1), t.tensor([[[0]]]), 2
    ),
    "multi_margin_loss": lambda t, x, d: t.nn.functional.multi_margin_loss(
        x(2, 3), t.tensor([0, 1])
    ),
    "soft_margin_loss": lambda t, x, d: t.nn.functional.soft_margin_loss(x(2), x(2)),
    "ctc_loss": lambda t, x, d: t.nn.functional.ctc_loss(
        x(4, 2, 3), t.tensor([[1], [2]]), [4, 4], [1, 1]
    ),
    "attention": lambda t, x, d: t.nn.functional.scaled_dot_product_attention(
        x(1, 2, 4), x(1, 2, 4), x(1, 2, 4)
    ),
    "normal": lambda t, x, d: t.normal(1.0, x(2)),
    "stft": lambda t, x, d: t.stft(x(16), 4, window=None, return_complex=True),
    "scatter amax": lambda t, x, d: x(2).scatter_reduce(0, t.tensor([0]), x(1), "amax"),
    "scatter mean": lambda t, x, d: x(2).scatter_reduce(0, t.tensor([0]), x(1), "mean"),
    "scatter sum": lambda t, x, d: x(2).scatter_reduce(0, t.tensor([0]), x(1), "sum"),
    "index_reduce": lambda t, x, d: x(2).index_reduce(0, t.tensor([0]), x(1), "prod"),
    "masked softmax": lambda t, x, d: t.masked.softmax(x(2), 0, mask=t.tensor([True, False])),
}  # fmt: skip
KINDS = ("bool", "uint8", "int64", "float16", "bfloat16", "float32", "complex64")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_what_has_no_kernel_is_refused(oracle: Any, form: str, kind: str) -> None:
    def run(of: Any) -> str:
        dtype = getattr(of, kind)
        try:
            FORMS[form](of, lambda *shape: of.zeros(shape).to(dtype), dtype)
        except Exception as error:
            return type(error).__name__
        return "answered"

    assert run(flambeau) == run(oracle)
