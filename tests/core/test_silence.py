"""Kernels run where NumPy does not warn, and the user's settings stay."""

import threading

import numpy as np
import pytest

from flambeau.core.silence import quiet, run


def divide():
    return np.ones(2) / np.zeros(2)


def test_nothing_warns_at_any_depth():
    assert np.isinf(quiet(lambda: quiet(divide))).all()
    assert np.isinf(run(lambda: quiet(divide))).all()


def test_the_users_settings_stay():
    with np.errstate(all="raise"):
        quiet(divide)
        with pytest.raises(FloatingPointError):
            divide()


def test_a_setting_changed_inside_does_not_outlive_the_call():
    quiet(np.seterr, all="raise")
    quiet(divide)


def test_another_thread_may_be_quiet_at_once():
    found = []
    thread = threading.Thread(target=lambda: found.append(quiet(divide)))
    quiet(lambda: (thread.start(), thread.join()))
    assert np.isinf(found[0]).all()
