"""The options that all factories share: what is wrong is said under the name that was called."""

from __future__ import annotations

import pytest

import flambeau

CALLS = {
    "arange": lambda t, **o: t.arange(3, **o),
    "as_tensor": lambda t, **o: t.as_tensor([1.0], **o),
    "empty": lambda t, **o: t.empty(2, **o),
    "empty_permuted": lambda t, **o: t.empty_permuted((2, 3), (1, 0), **o),
    "empty_strided": lambda t, **o: t.empty_strided((2, 3), (1, 2), **o),
    "eye": lambda t, **o: t.eye(2, **o),
    "full": lambda t, **o: t.full((2,), 1.0, **o),
    "full_like": lambda t, **o: t.full_like(t.ones(2), 1.0, **o),
    "linspace": lambda t, **o: t.linspace(0, 1, 3, **o),
    "logspace": lambda t, **o: t.logspace(0, 1, 3, **o),
    "new_empty_strided": lambda t, **o: t.ones(2).new_empty_strided((2,), (1,), **o),
    "new_full": lambda t, **o: t.ones(2).new_full((2,), 1.0, **o),
    "new_zeros": lambda t, **o: t.ones(2).new_zeros(2, **o),
    "ones_like": lambda t, **o: t.ones_like(t.ones(2), **o),
    "scalar_tensor": lambda t, **o: t.scalar_tensor(1.0, **o),
    "tensor": lambda t, **o: t.tensor([1.0], **o),
    "tril_indices": lambda t, **o: t.tril_indices(2, 2, **o),
    "zeros": lambda t, **o: t.zeros(2, **o),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("wrong", [{"dtype": "float32"}, {"device": "nowhere"}])
def test_a_wrong_option_names_the_operation(name, wrong, oracle):
    with pytest.raises(Exception) as expected:
        CALLS[name](oracle, **wrong)
    with pytest.raises(type(expected.value)) as found:
        CALLS[name](flambeau, **wrong)
    if "dtype" in wrong:
        assert str(found.value).startswith(name + " (")


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"as_tensor", "tril_indices"}))
def test_options_mean_what_pytorch_means(name, oracle):
    for options in ({"dtype": "float64"}, {"device": "meta"}):
        ours, theirs = (
            CALLS[name](t, **{k: getattr(t, v, v) for k, v in options.items()})
            for t in (flambeau, oracle)
        )
        assert str(ours.dtype) == str(theirs.dtype)
        assert str(ours.device) == str(theirs.device)
        assert tuple(ours.shape) == tuple(theirs.shape)
        assert ours.stride() == theirs.stride()


def test_pinned_memory_needs_an_accelerator(oracle):
    for t in (flambeau, oracle):
        with pytest.raises(RuntimeError):
            t.eye(2, pin_memory=True)


def test_a_meta_tensor_is_a_model_for_one_on_the_cpu(oracle):
    for t in (flambeau, oracle):
        like = t.zeros_like(t.empty(2, 3, device="meta"), device="cpu")
        assert like.tolist() == [[0.0, 0.0, 0.0]] * 2
