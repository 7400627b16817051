"""Products of matrices as Python calls them: layouts, bias, targets, threads, the ways out."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import flambeau as torch
from flambeau.core.kernels.jit import matrix_unit
from flambeau.core.kernels.native import matmul
from flambeau.core.kernels.native.matmul import mm

SIZES = [(1, 1, 1), (4, 4, 4), (5, 7, 3), (33, 65, 129), (1, 1000, 512), (3, 100, 77),
         (12, 300, 200), (100, 10, 128), (300, 600, 500), (500, 3, 9)]  # fmt: skip
rng = np.random.default_rng(0)


def layouts(x):
    wide = np.zeros((x.shape[0] * 2, x.shape[1] + 3), x.dtype)
    wide[::2, 1:-2] = x
    return [x, np.asfortranarray(x), wide[::2, 1:-2]]


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_products_of_every_layout(dtype, m, n, k):
    function = mm(np.dtype(dtype))
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    bias = rng.standard_normal(n).astype(dtype)
    want = a.astype("f8") @ b.astype("f8")
    near = np.abs(want).max() * {"f4": 1e-5, "f8": 1e-13}[dtype]
    target = np.zeros((m, n + 2), dtype)
    for left in layouts(a):
        for right in layouts(b):
            for got, more in (
                (function(left, right), 0),
                (function(left, right, None, None), 0),
                (function(left, right, bias), bias),
                (function(left, right, bias, target[:, 1:-1]), bias),
            ):
                assert got.shape == (m, n) and got.dtype == dtype
                np.testing.assert_allclose(got, want + more, rtol=0, atol=near)
    assert not target[:, 0].any() and not target[:, -1].any()


def test_what_does_not_fit_is_numpys_business():
    function = mm(np.dtype("f4"))
    a = np.ones((2, 3), "f4")
    assert function(a, np.ones((3, 0), "f4")).shape == (2, 0)
    assert (function(np.ones((2, 0), "f4"), np.ones((0, 2), "f4")) == 0).all()
    assert function(a, np.ones((3, 2), "f8")).dtype == np.float64
    assert function(a, np.ones(3, "f4")).tolist() == [3, 3]
    with pytest.raises(ValueError):
        function(a, a)
    frozen = np.zeros((2, 2), "f4")
    frozen.flags.writeable = False
    with pytest.raises(ValueError):
        function(a, np.ones((3, 2), "f4"), None, frozen)


FAR = [(20, 700, 400), (9, 512, 300), (128, 320, 300), (65, 192, 1030), (50, 333, 550), (333, 50, 1100), (16, 640, 900),
       (700, 45, 90), (13, 1100, 129), (400, 170, 260), (100, 700, 520), (3, 700, 600), (1, 1500, 300),
       (64, 64, 512), (1100, 1, 130)]  # fmt: skip


@pytest.mark.parametrize(("dtype", "tiles"), [("f4", True), ("f4", False), ("f8", False)])
@pytest.mark.parametrize(("m", "n", "k"), FAR)
def test_every_way_gives_the_same_bits_with_any_number_of_threads(
    monkeypatch, dtype, tiles, m, n, k
):
    function = mm(np.dtype(dtype))
    if not tiles and matrix_unit.allowed():
        monkeypatch.setattr(matrix_unit, "allowed", lambda: False)
        monkeypatch.setattr(matmul, "code", matmul.code.__wrapped__)
        monkeypatch.setattr(matmul, "_with_buffer", matmul._with_buffer.__wrapped__)
        function = mm.__wrapped__(np.dtype(dtype))
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    bias = rng.standard_normal(n).astype(dtype)
    want = a.astype("f8") @ b.astype("f8") + bias
    near = np.abs(want).max() * {"f4": 4e-6, "f8": 1e-14}[dtype]
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            for left in layouts(a):
                for right in layouts(b):
                    target = np.full((m, n + 2), 7, dtype)
                    found.append(function(left, right, bias, target[:, 1:-1]))
                    assert (target[:, [0, -1]] == 7).all()
    finally:
        torch.set_num_threads(before)
    np.testing.assert_allclose(found[0], want, rtol=0, atol=near)
    if mm(np.dtype(dtype)).__class__.__name__ == "builtin_function_or_method":
        once = len(found) // 3
        alone = (
            found[:once] if min(m, n) <= 4 else found[:1] * once
        )  # few go along K in some layouts
        assert all(np.array_equal(x, y) for x, y in zip(found, alone * 3, strict=True))


def test_many_python_threads_at_once():
    function = mm(np.dtype("f4"))
    a, b = (rng.standard_normal((200, 200)).astype("f4") for _ in range(2))
    want = a @ b
    wrong: list[float] = []

    def work():
        for _ in range(20):
            error = float(np.abs(function(a, b) - want).max())
            if error > 1e-3:
                wrong.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_infinity_and_nan_travel():
    function = mm(np.dtype("f4"))
    a = np.ones((20, 20), "f4")
    a[3, 4] = np.inf
    b = np.ones((20, 20), "f4")
    b[4, 5] = 0
    got = function(a, b)
    assert np.isnan(got[3, 5]) and np.isinf(got[3, 0]) and np.isfinite(got[2]).all()


def test_openblas_keeps_to_one_thread_beside_generated_products():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    if mm(np.dtype("f4")).__class__.__name__ != "builtin_function_or_method":
        pytest.skip("no code can be generated here: products are OpenBLAS's")
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        torch.ones(4, 4) @ torch.ones(4, 4)
        pools = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
        ours = [p for p in pools if "numpy" in p["filepath"]]
        assert all(pool["num_threads"] == 1 for pool in ours)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_threads_that_multiply_at_once_get_the_same_digits(dtype):
    a, b = (np.random.default_rng(k).standard_normal((300, 300)).astype(dtype) for k in (0, 1))
    alone = mm(a.dtype)(a, b)
    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(lambda _: mm(a.dtype)(a, b), range(200)))
    assert all(np.array_equal(each, alone) for each in found)


def test_digits_beside_an_infinite_number_do_not_depend_on_threads():
    a, b = (np.random.default_rng(k).standard_normal((300, 300)).astype("f4") for k in (0, 1))
    a[7, 11] = np.inf
    before = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            with np.errstate(all="ignore"):
                found.append(mm(a.dtype)(a, b))
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(*found)
