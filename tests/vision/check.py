"""Compares a case's values with what real torchvision gave for it (``make_goldens``)."""

from functools import cache

import numpy as np

import flambeau
import flambeau.vision
from tests.vision.make_goldens import GOLDENS, plain


@cache
def goldens(room):
    with np.load(GOLDENS / f"{room}.npz") as file:
        return {name: file[name] for name in file.files}


def check(room, name, case, *, rtol=1e-5, atol=2e-6, ties=0.0):
    """Integers and texts are equal; floating point is within float32's rounding.

    ties: the share of integers that may be one off, where they are rounded from float32 sums
        whose order differs: a value within rounding of a half goes either way.
    """
    expected = {k: v for k, v in goldens(room).items() if k.startswith(f"{name}/")}
    found = {
        f"{name}/{index}/{kind}": array
        for index, (array, kind) in enumerate(plain(case(flambeau, flambeau.vision)))
    }
    assert list(found) == list(expected)
    for key, array in found.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(array, expected[key], rtol, atol, err_msg=key)
        elif ties and array.dtype.kind in "iu":
            assert array.shape == expected[key].shape, key
            off = np.abs(array.astype(np.int64) - expected[key])
            assert off.max() <= 1 and off.mean() <= ties, (key, off.max(), off.mean())
        else:
            np.testing.assert_array_equal(array, expected[key], err_msg=key)
