"""Generated matrix products against NumPy's in double precision: sizes, strides, batches, bias."""

from __future__ import annotations

import ctypes
import itertools

import numpy as np
import pytest

from flambeau.core.kernels.generate import gemm
from flambeau.core.kernels.jit import build

pytestmark = pytest.mark.skipif(
    not build.available(), reason="no code can be generated here: products are OpenBLAS's"
)
NAMES = {"float": "f4", "double": "f8"}
TOLERANCE = {"f4": 3e-6, "f8": 1e-14}
rng = np.random.default_rng(0)


def widths():
    """Registers of this machine, and the half as long ones of others that it has, too."""
    host = build.host()
    return [(host.bits, host.masked), (256, False)] if host.bits > 256 else [host[3:]]


def shorter(host):
    """A machine with half as many registers of half the length."""
    newer = ("avx512", "avx10", "amx")
    features = [f"-{x[1:]}" if x[1:].startswith(newer) else x for x in host.features.split(",")]
    return host._replace(cpu="haswell", features=",".join(features), bits=256, masked=False)


@pytest.fixture(scope="module", params=["float", "double"])
def type(request):
    return request.param


@pytest.fixture(scope="module", params=widths() if build.available() else [])
def kernel(request, type):
    """(dtype, shape of tiles, run(name, words))."""
    shape = gemm.shape_of(type, *request.param)
    addresses = build.load(gemm.module(shape))

    def run(name, *words):
        context = (ctypes.c_int64 * len(words))(*words)
        function = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        for thread in range(3):  # three threads' shares, one after the other
            function(addresses[name])(ctypes.addressof(context), thread, 3)

    return np.dtype(NAMES[type]), shape, run


def steps(array):
    return [s // array.itemsize for s in array.strides]


def product(kernel, a, b, bias=None, c=None, rows=None):
    """Packed: what `matmul` does."""
    dtype, shape, run = kernel
    *batch, m, k = a.shape
    n = b.shape[-1]
    count = int(np.prod(batch, dtype=int))
    accumulate = c is not None
    c = np.zeros((*batch, m, n), dtype) if c is None else c
    size = -(-n // shape.lanes) * shape.lanes * k
    packed = np.full(count * size, np.nan, dtype)
    sa, sb, sc = steps(a), steps(b), steps(c)
    one = lambda s: s[-3] if batch else 0
    run("pack", b.ctypes.data, sb[-2], sb[-1], one(sb), packed.ctypes.data, size, n, k, count)
    last = -(-(n % shape.panel) // shape.lanes) * shape.lanes
    run(
        "product",
        a.ctypes.data, sa[-2], sa[-1], one(sa),
        packed.ctypes.data, shape.panel, last, shape.panel * k, size,
        c.ctypes.data, sc[-2], one(sc),
        0 if bias is None else bias.ctypes.data, int(accumulate), m, n, k, count, rows or m,
    )  # fmt: skip
    return c


SIZES = [(1, 1, 1), (5, 7, 3), (33, 65, 129), (7, 130, 50), (100, 10, 128), (128, 784, 10),
         (13, 48, 2100), (3, 16, 5), (6, 0, 4), (25, 17, 16)]  # fmt: skip


@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_products(kernel, m, n, k):
    dtype = kernel[0]
    a = rng.standard_normal((m, k)).astype(dtype)
    b = rng.standard_normal((k, n)).astype(dtype)
    bias = rng.standard_normal(n).astype(dtype)
    want = a.astype("f8") @ b.astype("f8")
    scale = np.abs(want).max(initial=1) * TOLERANCE[dtype.str[1:]]

    def near(got, more=0):
        np.testing.assert_allclose(got, want + more, rtol=0, atol=scale)

    near(product(kernel, a, b))
    near(product(kernel, a, b, rows=4))
    near(product(kernel, a, b, bias=bias), bias)
    near(product(kernel, np.asfortranarray(a), b))
    near(product(kernel, a, np.asfortranarray(b)))
    near(product(kernel, a, b, c=np.ones((m, n), dtype)), 1)
    wide = np.zeros((m, n + 5), dtype)
    near(product(kernel, a, b, c=wide[:, 2 : 2 + n]))
    assert not wide[:, :2].any() and not wide[:, 2 + n :].any()


def test_batches(kernel):
    a = rng.standard_normal((3, 9, 20)).astype(kernel[0])
    b = rng.standard_normal((3, 20, 70)).astype(kernel[0])
    np.testing.assert_allclose(product(kernel, a, b), a @ b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("m", "n", "k"), [(1, 10, 33), (3, 5, 64), (5, 7, 1), (4, 4, 100)])
def test_products_along_k(kernel, m, n, k):
    dtype, _, run = kernel
    a = rng.standard_normal((m, k)).astype(dtype)
    b = rng.standard_normal((n, k)).astype(dtype)
    bias = rng.standard_normal(n).astype(dtype)
    c = np.zeros((m, n), dtype)
    run("dots", a.ctypes.data, k, 0, b.ctypes.data, k, 0, c.ctypes.data, n, 0,
        bias.ctypes.data, 0, m, n, k, 1)  # fmt: skip
    want = a.astype("f8") @ b.astype("f8").T + bias
    np.testing.assert_allclose(c, want, rtol=0, atol=TOLERANCE[dtype.str[1:]] * 20)


def test_tiles_stay_in_registers(kernel):
    """No sum is stored on the stack between two multiplications, also with 16 registers."""
    _, shape, _ = kernel
    target = build.host()
    if target.bits < 256:
        pytest.skip("assembly of another processor")
    if target.bits > 256 and not shape.masked:
        target = shorter(target)
    text = build.compiled(gemm.module(shape), target, assembly=True)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    multiplied = [k for k, line in enumerate(lines) if "vfmadd" in line]
    assert len(multiplied) > 100
    for k, after in itertools.pairwise(multiplied):
        if after - k < 8:
            between = lines[k + 1 : after]
            assert not [x for x in between if x.endswith("(%rsp)") and "mm" in x.split(",")[0]]
