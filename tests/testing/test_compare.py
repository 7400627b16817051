"""assert_close: PyTorch's rules and words."""

import numpy as np
import pytest

import flambeau as torch
from flambeau.testing import assert_allclose, assert_close, make_tensor


def text_of(*args, **options):
    with pytest.raises(AssertionError) as caught:
        assert_close(*args, **options)
    return str(caught.value)


def test_says_how_many_how_much_and_where():
    text = text_of(torch.tensor([1.0, 2, 3]), torch.tensor([1.0, 2, 4]))
    assert text == (
        "Tensor-likes are not close!\n\nMismatched elements: 1 / 3 (33.3%)\n"
        "Greatest absolute difference: 1.0 at index (2,) (up to 1e-05 allowed)\n"
        "Greatest relative difference: 0.25 at index (2,) (up to 1.3e-06 allowed)"
    )


def test_scalars_and_exact_dtypes():
    assert (
        text_of(1, 2)
        == "Scalars are not equal!\n\nExpected 2 but got 1.\nAbsolute difference: 1\nRelative difference: 0.5"
    )
    assert "up to" not in text_of(torch.tensor([1, 2]), torch.tensor([1, 3]))


@pytest.mark.parametrize(
    ("a", "b", "options", "word"),
    [
        (torch.ones(2), torch.ones(3), {}, "shape"),
        (torch.ones(2), torch.ones(2, dtype=torch.float64), {}, "dtype"),
        (torch.ones(2, 3), torch.ones(3, 2).t(), {"check_stride": True}, "stride()"),
        (torch.ones(2).to_sparse(), torch.ones(2), {}, "layout"),
    ],
)
def test_attributes(a, b, options, word):
    assert f"attribute '{word}' do not match" in text_of(a, b, **options)


def test_structures_name_the_item():
    assert text_of({"a": [torch.ones(1)]}, {"a": [torch.zeros(1)]}).endswith(
        "The failure occurred for item ['a'][0]"
    )
    assert "length of the sequences mismatch: 2 != 1" in text_of([1, 2], [1])
    assert "Missing keys in the actual mapping: ['b']" in text_of({"a": 1}, {"b": 1})


def test_message_replaces_or_wraps():
    assert text_of(1, 2, msg="mine") == "mine"
    assert text_of(1, 2, msg=lambda text: "seen: " + text).startswith("seen: Scalars")


def test_refuses_what_cannot_be_compared():
    with pytest.raises(TypeError, match="No comparison pair"):
        assert_close(torch.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="no atol"):
        assert_close(1.0, 1.0, rtol=1e-3)


def test_passes():
    assert_close(torch.tensor([1.0]), torch.tensor([1.0 + 1e-7]))
    assert_close(torch.tensor(float("nan")), torch.tensor(float("nan")), equal_nan=True)
    assert_close([None, True, np.ones(2)], [None, True, np.ones(2)])
    assert_close(torch.ones(2, 2).to_sparse_csr(), torch.ones(2, 2).to_sparse_csr())
    with pytest.warns(FutureWarning):
        assert_allclose(torch.ones(2), torch.ones(2, dtype=torch.float64))


def test_make_tensor():
    x = make_tensor(
        (2, 3),
        dtype=torch.float32,
        device="cpu",
        low=0,
        high=1,
        noncontiguous=True,
        requires_grad=True,
    )
    assert x.shape == (2, 3) and not x.is_contiguous() and x.requires_grad
    y = make_tensor(50, dtype=torch.int64, device="cpu", low=0, high=2, exclude_zero=True)
    assert bool((y == 1).all())
    with pytest.raises(ValueError, match="must be less than"):
        make_tensor(2, dtype=torch.int32, device="cpu", low=2, high=1)
