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
