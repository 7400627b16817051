"""Masks, their settings and schedules beside PyTorch's."""

from __future__ import annotations

import importlib

import pytest

import flambeau


def room(t):
    return importlib.import_module(f"{t.__name__}.ao.pruning")


def model(t):
    t.manual_seed(1)
    return t.nn.Sequential(t.nn.Linear(8, 4), t.nn.ReLU(), t.nn.Linear(4, 2))


SETTINGS = (
    {}, {"sparse_block_shape": (2, 2)}, {"sparse_block_shape": (3, 3), "sparsity_level": 0.4},
    {"zeros_per_block": 1, "sparsity_level": 1.0}, {"zeros_per_block": 4, "sparsity_level": 1.0},
    {"sparsity_level": 0.0}, {"norm": 1}, {"norm": 2, "sparse_block_shape": (4, 1)},
    {"norm": lambda w: -w}, {"sparse_block_shape": (1, 1), "sparsity_level": 0.3},
    {"zeros_per_block": 2, "sparse_block_shape": (2, 2)},
)  # fmt: skip


def masks(net):
    return [layer.parametrizations.weight[0].mask.tolist() for layer in (net[0], net[2])]


@pytest.mark.parametrize("settings", SETTINGS)
def test_small_weights_go_as_in_pytorch(settings, oracle):
    found = []
    for t in (flambeau, oracle):
        net = model(t)
        sparsifier = room(t).WeightNormSparsifier(**settings)
        sparsifier.prepare(net, None)
        before = repr(sparsifier)
        sparsifier.step()
        state = sparsifier.state_dict()
        found.append(
            [masks(net), before, repr(net), sorted(net.state_dict()), list(state["groups"][0])]
        )
        assert (net[0].weight == 0).sum() >= 32 - sum(map(sum, masks(net)[0]))
    assert found[0] == found[1]


def scheduled(t, make):
    sparsifier = room(t).WeightNormSparsifier(sparsity_level=0.9)
    sparsifier.prepare(model(t), None)
    schedule = make(room(t), sparsifier)
    found = [repr(schedule), schedule.base_sl, sorted(schedule.state_dict())]
    for _ in range(9):
        sparsifier.step()
        found.append([round(level, 6) for level in schedule.get_last_sl()])
        schedule.step()
    return found


SCHEDULES = (
    lambda p, s: p.LambdaSL(s, lambda epoch: 0.5 * epoch),
    lambda p, s: p.LambdaSL(s, [lambda epoch: 1, lambda epoch: 0.1**epoch]),
    lambda p, s: p.CubicSL(s, init_sl=0.1, delta_t=2, total_t=4),
    lambda p, s: p.CubicSL(s, initially_zero=True, init_t=2, delta_t=1, total_t=3),
)


@pytest.mark.parametrize("make", SCHEDULES)
def test_schedules_as_in_pytorch(make, oracle):
    assert scheduled(flambeau, make) == scheduled(oracle, make)


def test_a_schedule_wants_its_sparsifier_first():
    pruning = room(flambeau)
    sparsifier = pruning.WeightNormSparsifier()
    sparsifier.prepare(model(flambeau), None)
    schedule = pruning.LambdaSL(sparsifier, lambda epoch: 1)
    with pytest.warns(UserWarning, match="BEFORE"):
        schedule.step()
    with pytest.warns(UserWarning, match="get_last_sl"):
        schedule.get_sl()


def test_the_band_along_the_diagonal(oracle):
    found = []
    for t in (flambeau, oracle):
        net = model(t)
        sparsifier = room(t).NearlyDiagonalSparsifier(3)
        sparsifier.prepare(
            net, [{"tensor_fqn": "0.weight"}, {"tensor_fqn": "2.weight", "nearliness": 1}]
        )
        sparsifier.step()
        found.append(masks(net))
        sparsifier.groups[0]["nearliness"] = 2
        with pytest.raises(ValueError, match="odd"):
            sparsifier.step()
    assert found[0] == found[1]


def test_masks_are_squashed_and_loaded():
    pruning = room(flambeau)
    net, other = model(flambeau), model(flambeau)
    first, second = pruning.WeightNormSparsifier(0.75), pruning.WeightNormSparsifier(0.2)
    first.prepare(net, None)
    first.step()
    second.prepare(other, None)
    second.load_state_dict(first.state_dict())
    assert masks(other) == masks(net) and second.groups[0]["sparsity_level"] == 0.75
    assert second.groups[0]["module"] is other[0]
    first.squash_mask(("sparsity_level",), {"2": ("zeros_per_block",)})
    assert type(net[0]) is flambeau.nn.Linear and net[0].sparse_params == {"sparsity_level": 0.75}
    assert net[2].sparse_params == {"sparsity_level": 0.75, "zeros_per_block": 4}
    assert (net[0].weight == 0).sum() == 24


def test_layers_are_swapped():
    class Sparse(flambeau.nn.Module):
        @classmethod
        def from_dense(cls, layer):
            return cls()

    net = model(flambeau)
    sparsifier = room(flambeau).WeightNormSparsifier()
    sparsifier.prepare(net, [{"tensor_fqn": "0.weight"}])
    made = sparsifier.convert(net, {flambeau.nn.Linear: Sparse})
    assert [type(layer).__name__ for layer in made] == ["Sparse", "ReLU", "Linear"]
    with pytest.raises(NotImplementedError, match="mapping"):
        sparsifier.convert(net)


def test_what_is_refused(oracle):
    for t in (flambeau, oracle):
        pruning, net = room(t), model(t)
        with pytest.raises(NotImplementedError, match="L-7"):
            pruning.WeightNormSparsifier(norm=7)
        with pytest.raises(TypeError, match="abstract"):
            pruning.BaseSparsifier(None)
        for config, match in (([3], "dicts"), ([{"module": net[0]}], "required")):
            with pytest.raises(AssertionError, match=match):
                pruning.WeightNormSparsifier().prepare(net, config)
        sparsifier = pruning.WeightNormSparsifier(zeros_per_block=9)
        sparsifier.prepare(net, None)
        with pytest.raises(ValueError, match="cannot be more"):
            sparsifier.step()
        with pytest.raises(ValueError, match="Expected 2"):
            pruning.LambdaSL(sparsifier, [1])


def test_paths(oracle):
    for t in (flambeau, oracle):
        pruning, net = room(t), model(t)
        assert pruning.fqn_to_module(net, "2") is net[2]
        assert pruning.fqn_to_module(net, "9") is None
        assert pruning.module_to_fqn(net, net[2]) == "2"
        assert pruning.module_to_fqn(net, model(t)) is None
        info = pruning.get_arg_info_from_tensor_fqn(net, "2.weight")
        assert list(info) == ["module_fqn", "module", "tensor_name", "tensor_fqn"]
