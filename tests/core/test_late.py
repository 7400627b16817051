"""Areas of operations that load at the first use of a name."""

import subprocess
import sys

import pytest

from flambeau.core import late


def fresh(code: str) -> str:
    """What a new process prints that runs the code."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LOADED = "print('flambeau.core.ops.{0}' in sys.modules, end=' ');"


@pytest.mark.parametrize(
    ("area", "use"),
    [
        ("linalg_old", "f.svd"),
        ("linalg_old", "f.Tensor.svd"),
        ("linalg_old", "f.ones(2, 2).svd"),
        ("activation", "f.ones(2).relu_()"),
        ("pooling", "f.nn.functional.max_pool1d(f.ones(1, 1, 4), 2)"),
        ("bessel", "f.special.i1"),
        ("activation", "hasattr(f, 'relu')"),
    ],
)
def test_an_area_loads_at_the_first_use(area, use):
    asked = LOADED.format(area)
    printed = fresh(f"import sys, flambeau as f; {asked} {use}; {asked}")
    assert printed == "False True"


def test_a_name_means_the_same_before_and_after():
    code = "import flambeau as f; m = f.Tensor.svd; print(f.svd is m is f.Tensor.svd is f.svd)"
    assert fresh(code) == "True"


def test_every_late_name_is_found():
    """The stand-ins are gone once all is loaded, and no room keeps one."""
    code = (
        "import flambeau as f, flambeau.nn.functional, flambeau.special, flambeau.linalg, "
        "flambeau.fft\n"
        "from flambeau.core import declare, late\n"
        "late.load_all()\n"
        "assert all(callable(getattr(f, name)) for name in late.FUNCTIONS)\n"
        "places = [vars(declare.ops), vars(f.Tensor), vars(f), vars(f.special), vars(f.linalg),\n"
        "    vars(f.fft), vars(f.nn.functional)]\n"
        "print([k for p in places for k, v in p.items() if late.stands_in(v)])"
    )
    assert fresh(code) == "[]"


def test_what_is_late_is_listed():
    import flambeau

    assert set(late.FUNCTIONS) <= set(dir(flambeau))


@pytest.mark.parametrize("before", ["gc.enable()", "gc.disable()", "gc.freeze()"])
def test_the_collector_is_as_it_was(before):
    code = (
        f"import gc; {before}; state = gc.isenabled(), bool(gc.get_freeze_count()); import flambeau;"
        "print((gc.isenabled(), bool(gc.get_freeze_count())) == state, gc.get_count()[0] < 700)"
    )
    assert fresh(code).split()[0] == "True"
    if before == "gc.enable()":
        assert fresh(code) == "True True"


def test_rooms_that_few_need_are_not_loaded():
    rooms = (
        "autograd.function autograd.graph autograd.variable core.anomaly core.repr.text "
        "core.kernels.native.views core.kernels.native.picks core.kernels.generate.folds "
        "core.kernels.generate.twister core.kernels.generate.picked"
    )
    code = (
        "import sys, flambeau as f\n"
        f"print([r for r in '{rooms}'.split() if f'flambeau.{{r}}' in sys.modules])\n"
        "f.autograd.Function, f.autograd.graph.Node, f.autograd.Variable, repr(f.ones(2))\n"
        "from flambeau.autograd import gradcheck, graph, saved_tensors_hooks\n"
        "assert callable(gradcheck)"
    )
    assert fresh(code) == "[]"
