"""Factories, fills and draws as operations: options, gradients, history, meta, strides."""

import pytest

import flambeau


@pytest.fixture(autouse=True)
def _seeded():
    with flambeau.random.fork_rng():
        flambeau.manual_seed(0)
        yield


def close(tensor, expected):
    assert tensor.tolist() == pytest.approx(expected, abs=1e-4)


def test_known_numbers():
    close(flambeau.rand(3), [0.4963, 0.7682, 0.0885])
    flambeau.manual_seed(0)
    close(flambeau.randn(3), [1.5410, -0.2934, -2.1788])
    flambeau.manual_seed(0)
    assert flambeau.randint(10, (5,)).tolist() == [4, 9, 3, 0, 3]
    flambeau.manual_seed(0)
    assert flambeau.randperm(4).tolist() == [0, 1, 3, 2]


@pytest.mark.parametrize("size", [(2, 3), ((2, 3),), ([2, 3],)])
def test_sizes(size):
    assert tuple(flambeau.rand(*size).shape) == (2, 3)
    assert tuple(flambeau.rand(()).shape) == ()
    assert tuple(flambeau.rand(size=(2,)).shape) == (2,)


def test_options():
    drawn = flambeau.randn(2, dtype=flambeau.float64, requires_grad=True, device="cpu")
    assert drawn.dtype is flambeau.float64
    assert drawn.requires_grad
    assert drawn.is_leaf
    assert flambeau.rand(2, dtype=float).dtype is flambeau.float64


def test_meta_draws_nothing():
    before = flambeau.get_rng_state()
    drawn = flambeau.rand(2, 3, device="meta")
    assert drawn.device.type == "meta"
    assert tuple(drawn.shape) == (2, 3)
    assert tuple(flambeau.randn_like(drawn).shape) == (2, 3)
    drawn.uniform_()
    assert before.tolist() == flambeau.get_rng_state().tolist()


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda: flambeau.rand(2, device="cuda"), AssertionError),
        (lambda: flambeau.rand(2, pin_memory=True), RuntimeError),
        (lambda: flambeau.rand(2, layout="strided"), TypeError),
        (lambda: flambeau.rand(-2), RuntimeError),
        (lambda: flambeau.randint(3, (2,), requires_grad=True), RuntimeError),
    ],
)
def test_refused_options_say_the_mend(call, kind):
    with pytest.raises(kind, match=r"\. "):
        call()


def test_like_keeps_the_order_of_dimensions():
    model = flambeau.zeros(3, 4).t()
    assert flambeau.rand_like(model).stride() == (1, 4)
    contiguous = flambeau.rand_like(model, memory_format=flambeau.contiguous_format)
    assert contiguous.stride() == (3, 1)


def test_out_is_written_and_versioned():
    out = flambeau.empty(2)
    before = out._version
    assert flambeau.rand(2, out=out) is out
    assert out._version > before
    close(out, [0.4963, 0.7682])


def test_fill_bumps_the_version_and_zeroes_the_history():
    leaf = flambeau.ones(3, requires_grad=True)
    hidden = leaf * 2
    before = hidden._version
    hidden.uniform_()
    assert hidden._version > before
    (hidden * 3).sum().backward()
    assert leaf.grad.tolist() == [0, 0, 0]


def test_fill_of_a_leaf_is_refused():
    with pytest.raises(RuntimeError, match="leaf"):
        flambeau.ones(3, requires_grad=True).normal_()


@pytest.mark.parametrize(
    "draw",
    [
        lambda p: flambeau.bernoulli(p),
        lambda p: flambeau.poisson(p),
        lambda p: flambeau.normal(p, 1.0),
        lambda p: flambeau.normal(0.0, p),
        lambda p: flambeau.normal(p, p),
        lambda p: flambeau.binomial(flambeau.ones(3), p),
    ],
)
def test_draws_have_zero_gradients(draw):
    p = flambeau.full((3,), 0.5, requires_grad=True)
    drawn = draw(p)
    assert drawn.requires_grad
    drawn.sum().backward()
    assert p.grad.tolist() == [0, 0, 0]


def test_gamma_has_a_gradient():
    alpha = flambeau.full((3,), 2.0, requires_grad=True)
    flambeau._standard_gamma(alpha).sum().backward()
    assert (alpha.grad > 0).all()


def test_multinomial_needs_no_gradient():
    weights = flambeau.ones(4, requires_grad=True)
    drawn = flambeau.multinomial(weights, 4)
    assert not drawn.requires_grad
    assert sorted(drawn.tolist()) == [0, 1, 2, 3]


def test_random_with_bounds_beyond_the_exact_range_warns():
    with pytest.warns(UserWarning, match="out of bounds"):
        flambeau.empty(3).random_(0, 2**30)


@pytest.mark.parametrize("size", [3, 16, 17, 40])
@pytest.mark.parametrize(
    "call",
    [
        "x.uniform_()", "x.uniform_(-1, 2)", "x.normal_()", "x.normal_(1, 0.5)", "t.rand(x.shape)",
        "x.double().normal_()", "x.double().uniform_(0, 3)", "t.randn(x.shape)", "t.rand_like(x)",
        "t.randn_like(x)", "t.nn.functional.dropout(x + 1)", "t.randn(x.shape, dtype=t.float64)",
    ],
)  # fmt: skip
def test_the_usual_calls_draw_what_pytorch_draws(call, size, oracle):
    found = []
    for t in (flambeau, oracle):
        t.manual_seed(size)
        x = t.zeros(size)
        y = eval(call, {"t": t, "x": x})
        found.append((y.tolist(), t.rand(2).tolist(), x._version))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6, abs=1e-6)
    assert found[0][1:] == found[1][1:]


@pytest.mark.parametrize(("dtype", "most"), [("uint8", 256), ("int8", 128), ("float16", 2049)])
def test_a_permutation_is_as_long_as_its_dtype_counts(oracle, dtype, most):
    for engine in (flambeau, oracle):
        kind = getattr(engine, dtype)
        found = engine.randperm(most, dtype=kind)
        assert sorted(found.tolist()) == list(range(most))
        with pytest.raises(RuntimeError):
            engine.randperm(most + 1, dtype=kind)
