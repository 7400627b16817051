"""Names of old scripts: those that are gone say what to call, those that are left compute."""

import pytest

import flambeau as torch


@pytest.mark.parametrize("name", ["eig", "lstsq", "matrix_rank", "solve", "symeig"])
def test_what_is_gone_names_its_successor(name):
    with pytest.raises(RuntimeError, match=r"Use torch\.linalg\."):
        getattr(torch, name)(torch.eye(2))


@pytest.mark.filterwarnings("ignore:at.*norm is deprecated")
def test_what_is_left_equals_pytorch(oracle):
    for engine in (torch, oracle):
        x = engine.arange(12.0).reshape(3, 4)
        found = [
            engine.frobenius_norm(x, (0, 1)),
            engine.nuclear_norm(x),
            engine.norm_except_dim(x, 2, 1),
        ]
        if engine is torch:
            ours = [value.tolist() for value in found]
    for mine, theirs in zip(ours, found, strict=True):
        assert torch.allclose(torch.tensor(mine), torch.tensor(theirs.tolist()), rtol=1e-4)
