"""Broadcasting of parameters, lazy properties, triangles as vectors."""

from __future__ import annotations

import pytest

import flambeau
from flambeau.distributions.utils import (
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
    tril_matrix_to_vec,
    vec_to_tril_matrix,
)


def test_numbers_take_the_tensors_dtype() -> None:
    a, b = broadcast_all(1, flambeau.zeros(2, dtype=flambeau.float64))
    assert a.dtype is b.dtype is flambeau.float64
    assert a.tolist() == [1.0, 1.0]
    (only,) = broadcast_all(2)
    assert only.dtype is flambeau.get_default_dtype()
    with pytest.raises(ValueError, match="str"):
        broadcast_all("one")


def test_logits_and_probs_are_inverse() -> None:
    logits = flambeau.tensor([-1.0, 0.5, 2.0])
    for is_binary in (True, False):
        probs = logits_to_probs(logits, is_binary)
        again = logits_to_probs(probs_to_logits(probs, is_binary), is_binary)
        assert flambeau.allclose(again, probs)
    assert 0 < clamp_probs(flambeau.tensor(0.0)).item() < 1e-6


def test_lazy_property_is_computed_once() -> None:
    calls = []

    class Thing:
        @lazy_property
        def value(self) -> int:
            """What it is."""
            calls.append(flambeau.is_grad_enabled())
            return 3

    thing = Thing()
    with flambeau.no_grad():
        assert (thing.value, thing.value) == (3, 3)
    assert calls == [True]
    assert isinstance(Thing.value, property)
    assert Thing.value.__doc__ == "What it is."


@pytest.mark.parametrize("diag", [-2, -1, 0, 1])
def test_triangles_round_trip(diag: int) -> None:
    matrix = flambeau.arange(1.0, 33.0).reshape(2, 4, 4).tril(diag)
    vector = tril_matrix_to_vec(matrix, diag)
    assert flambeau.equal(vec_to_tril_matrix(vector, diag), matrix)


def test_triangles_refuse() -> None:
    with pytest.raises(ValueError, match="diag"):
        tril_matrix_to_vec(flambeau.zeros(2, 2), 2)
    with pytest.raises(ValueError, match="5 entries"):
        vec_to_tril_matrix(flambeau.zeros(5))
