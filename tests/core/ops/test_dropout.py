"""Dropout: what it keeps, what it scales, what it hands back."""

import pytest

import flambeau


@pytest.fixture(autouse=True)
def _seeded():
    with flambeau.random.fork_rng():
        flambeau.manual_seed(0)
        yield


def test_dropout_scales_what_it_keeps():
    dropped = flambeau.dropout(flambeau.ones(4000), 0.25, True)
    assert set(dropped.tolist()) == {0.0, flambeau.tensor(1 / 0.75).item()}
    assert abs(dropped.mean().item() - 1) < 0.05


@pytest.mark.parametrize(("p", "train"), [(0.0, True), (0.5, False)])
def test_nothing_to_drop_returns_the_input(p, train):
    x = flambeau.ones(3)
    before = flambeau.get_rng_state().tolist()
    assert flambeau.dropout(x, p, train) is x
    assert flambeau.get_rng_state().tolist() == before


def test_everything_dropped_draws_nothing():
    before = flambeau.get_rng_state().tolist()
    assert flambeau.dropout(flambeau.ones(3), 1.0, True).tolist() == [0, 0, 0]
    assert flambeau.get_rng_state().tolist() == before


def test_gradient_is_the_noise():
    x = flambeau.ones(50, requires_grad=True)
    dropped = flambeau.dropout(x, 0.5, True)
    dropped.sum().backward()
    assert x.grad.tolist() == dropped.tolist()


def test_feature_dropout_drops_channels():
    dropped = flambeau.feature_dropout(flambeau.ones(4, 8, 5), 0.5, True)
    rows = dropped.reshape(32, 5).tolist()
    assert all(len(set(row)) == 1 for row in rows)
    assert {row[0] for row in rows} == {0.0, 2.0}


def test_alpha_dropout_keeps_mean_and_variance():
    x = flambeau.randn(20000)
    dropped = flambeau.alpha_dropout(x, 0.3, True)
    assert abs(dropped.mean().item()) < 0.05
    assert abs(dropped.std().item() - 1) < 0.05


def test_inplace_writes_the_tensor():
    x = flambeau.ones(100)
    assert flambeau.dropout_(x, 0.5, True) is x
    assert set(x.tolist()) == {0.0, 2.0}


@pytest.mark.parametrize("p", [-0.1, 1.5])
def test_probability_is_checked(p):
    with pytest.raises(RuntimeError, match="between 0 and 1"):
        flambeau.dropout(flambeau.ones(2), p, True)


def test_rrelu_slopes_lie_between_the_bounds():
    slopes = flambeau.rrelu(-flambeau.ones(1000), 0.1, 0.3, True).neg()
    assert (slopes >= 0.1).all()
    assert (slopes < 0.3).all()
    assert flambeau.rrelu(flambeau.ones(3), 0.1, 0.3, True).tolist() == [1, 1, 1]
