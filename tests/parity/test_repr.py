"""The printed text against PyTorch's, over random tensors, dtypes, options and histories."""

from __future__ import annotations

import random
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from flambeau.core import dtypes
from flambeau.core import layout as layouts
from flambeau.core.device import device
from flambeau.core.repr import parameter_text, set_printoptions, tensor_text
from tests.core.repr.standin import Node, Tensor

pytestmark = pytest.mark.filterwarnings("ignore:ComplexHalf", "ignore:Sparse")
PARTS = (
    "_indices", "_values", "values",
    "crow_indices", "col_indices", "ccol_indices", "row_indices",
)  # fmt: skip
OPTIONS: dict[str, tuple[Any, ...]] = {
    "precision": (0, 1, 2, 6, 10),
    "threshold": (0, 5, 100, float("inf")),
    "edgeitems": (0, 1, 2, 5),
    "linewidth": (20, 40, 120, 1),
    "sci_mode": (True, False),
    "profile": ("short", "full", "default"),
}


@pytest.fixture(autouse=True)
def _restored(oracle: ModuleType) -> Iterator[None]:
    yield
    for restore in (set_printoptions, oracle.set_printoptions):
        restore(profile="default")
    dtypes.set_default_dtype(dtypes.float32)
    oracle.set_default_dtype(oracle.float32)


def standin(theirs: Any) -> Tensor:
    """The printer's view of one of PyTorch's tensors, bit for bit."""
    import torch

    kind = dtypes.DTYPES[str(theirs.dtype)[6:]]
    shape = tuple(theirs.shape)
    plain = str(theirs.layout) == "torch.strided" and theirs.device.type == "cpu"
    array = np.empty(shape if plain else 0, kind.numpy)
    if plain and theirs.numel():
        bits = theirs.detach().contiguous().reshape(-1).view(torch.uint8).numpy()
        array = bits.view(kind.numpy).reshape(shape)
    facts: dict[str, Any] = {
        "shape": shape,
        "device": device(str(theirs.device)),
        "layout": getattr(layouts, str(theirs.layout)[6:]),
        "requires_grad": theirs.requires_grad,
        "grad_fn": theirs.grad_fn and Node(theirs.grad_fn.name()),
    }
    if facts["layout"] is not layouts.strided:
        facts["_nnz"] = theirs._nnz
        for part in PARTS:
            facts[part] = lambda part=part: standin(getattr(theirs, part)().detach())
    return Tensor(array, **facts)


def random_values(torch: ModuleType, draw: random.Random, shape: list[int]) -> Any:
    """float64 values of one of the kinds that the notation depends on."""
    x = torch.randn(shape, dtype=torch.float64)
    scale = torch.empty(shape, dtype=torch.float64).uniform_(-6, 6)
    x = draw.choice(
        [
            x,
            x.round(),
            (x * 100).round(),
            x * 10**scale,
            x * 10 ** draw.uniform(-9, 9),
            (x * 1e5).round() * 10 ** draw.randrange(6),
            x * 0,
        ]
    )
    if draw.random() < 0.3:
        special = draw.choice((float("nan"), float("inf"), -float("inf"), 0.0, -0.0))
        x = torch.where(torch.rand(shape) < 0.2, special, x)
    return x


def random_tensor(torch: ModuleType, draw: random.Random) -> Any:
    name = draw.choice(list(dtypes.DTYPES))
    kind = getattr(torch, name)
    ndim = draw.choice((0, 1, 1, 2, 2, 3, 4))
    sizes = (0, 1, 3, 40) if draw.random() < 0.15 else (1, 2, 3, 5, 7, 12, 300 if ndim < 3 else 4)
    shape = [draw.choice(sizes) for _ in range(ndim)]
    if kind.is_complex:
        parts = random_values(torch, draw, shape), random_values(torch, draw, shape)
        return torch.complex(*parts).to(kind)
    if kind.is_floating_point:
        return random_values(torch, draw, shape).to(kind)
    x = torch.randint(0, draw.choice((1, 2, 100, 127)), shape)
    return x * draw.choice((-1, 1, 10**9)) if kind is torch.int64 else x.to(kind)


def choose_surroundings(torch: ModuleType, draw: random.Random) -> None:
    """Print options and the default dtype, the same for both."""
    chosen = {}
    if draw.random() < 0.5:
        chosen = {k: draw.choice(v) for k, v in OPTIONS.items() if draw.random() < 0.3}
    for choose in (set_printoptions, torch.set_printoptions):
        choose(profile="default")
        choose(**chosen)
    name = draw.choice(("float32", "float32", "float32", "float64", "bfloat16", "float16"))
    dtypes.set_default_dtype(dtypes.DTYPES[name])
    torch.set_default_dtype(getattr(torch, name))


@pytest.mark.parametrize("seed", range(4))
def test_random_tensors(oracle: ModuleType, seed: int) -> None:
    draw = random.Random(seed)
    oracle.manual_seed(seed)
    for _ in range(120):
        choose_surroundings(oracle, draw)
        x = random_tensor(oracle, draw)
        large = x.is_floating_point() and x.dtype.itemsize > 1
        if large and draw.random() < 0.4:
            x.requires_grad_()
            if draw.random() < 0.5:
                x = x * 2
        assert tensor_text(standin(x)) == repr(x)
        if draw.random() < 0.1:
            x = x.detach().to("meta")
            assert tensor_text(standin(x)) == repr(x)
        elif large and draw.random() < 0.1:
            x = oracle.nn.Parameter(x.detach())
            assert parameter_text(standin(x)) == repr(x)


@pytest.mark.parametrize("name", ["float32", "float64", "int32"])
@pytest.mark.parametrize("layout", ["coo", "csr", "csc", "bsr", "bsc"])
def test_sparse(oracle: ModuleType, layout: str, name: str) -> None:
    block = ((2, 2),) if layout.startswith("bs") else ()
    method = "to_sparse" if layout == "coo" else f"to_sparse_{layout}"
    for shape in ((2, 4), (6, 2), (40, 60)):
        for keep in (0.0, 0.3, 1.0):
            dense = oracle.randint(1, 9, shape).to(getattr(oracle, name))
            x = getattr(dense * (oracle.rand(shape) < keep), method)(*block)
            assert tensor_text(standin(x)) == repr(x)
            if x.is_floating_point():
                x.requires_grad_()
                assert tensor_text(standin(x)) == repr(x)
