"""Elements moved, repeated, masked by place and filled: against NumPy, with gradients."""

import numpy as np
import pytest

import flambeau
from flambeau.autograd.gradcheck import gradcheck

ROWS = [
    (lambda x: x.flip(0, 1), lambda a: np.flip(a, (0, 1))),
    (lambda x: x.roll(1, 0), lambda a: np.roll(a, 1, 0)),
    (lambda x: x.roll((1, -1), (0, 1)), lambda a: np.roll(a, (1, -1), (0, 1))),
    (lambda x: x.rot90(), np.rot90),
    (lambda x: x.repeat(2, 1, 2), lambda a: np.tile(a, (2, 1, 2))),
    (lambda x: x.tile((2,)), lambda a: np.tile(a, 2)),
    (lambda x: x.repeat_interleave(2, 1), lambda a: np.repeat(a, 2, 1)),
    (
        lambda x: x.repeat_interleave(flambeau.tensor([0, 2, 1]), 0),
        lambda a: np.repeat(a, [0, 2, 1], 0),
    ),
    (lambda x: x.tril(1), lambda a: np.tril(a, 1)),
    (lambda x: x.triu(-1), lambda a: np.triu(a, -1)),
    (lambda x: x.diag(1), lambda a: np.diag(a, 1)),
    (lambda x: flambeau.diagflat(x[0], -1), lambda a: np.diagflat(a[0], -1)),
    (lambda x: x[:, :3].trace(), lambda a: np.trace(a[:, :3])),
    (lambda x: flambeau.vander(x[0]), lambda a: np.vander(a[0])),
]


@pytest.mark.parametrize(("ours", "numpys"), ROWS)
def test_against_numpy(ours, numpys):
    x = flambeau.randn(3, 4, dtype=flambeau.float64, requires_grad=True)
    assert np.allclose(ours(x).detach().numpy(), numpys(x.detach().numpy()))
    assert gradcheck(ours, (x,))


def test_narrow_copy_names_a_dimension_that_is_not_there():
    with pytest.raises(RuntimeError, match="dim=3"):
        flambeau.ones(2, 2, 2).narrow_copy(3, 0, 0)
    with pytest.raises(IndexError, match="out of range"):
        flambeau.ones(2, 2, 2).narrow_copy(-4, 0, 0)


def test_a_negative_leading_size_is_refused(oracle):
    for t in (oracle, flambeau):
        for size in ((-1, 2), (-2, 2), (1, -2)):
            with pytest.raises(RuntimeError):
                t.ones(2).expand(*size)


def test_bytes_read_as_another_dtype_have_no_history(oracle):
    for t in (oracle, flambeau):
        leaf = t.ones(2, requires_grad=True)
        for x in (leaf, leaf * 1):
            for kind in (t.int32, t.float64, t.int8):
                assert not x.view(kind).requires_grad
        x = (leaf * 1).detach()
        x.view(t.int32).zero_()
        assert x.tolist() == [0, 0]
