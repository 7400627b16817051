"""``same``: one program run in flambeau and in the oracle from one seed, its results compared."""

import math
import warnings

import pytest

import flambeau


def plain(value):
    """Tensors as lists with their shape and dtype, everything else as it is."""
    if isinstance(value, (flambeau.Tensor,)) or hasattr(value, "tolist"):
        return (list(value.shape), str(value.dtype), value.detach().tolist())
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def assert_close(mine, theirs, path="result"):
    """Equal in structure, numbers within 1e-5."""
    if isinstance(theirs, (list, tuple)):
        assert len(mine) == len(theirs), path
        for i, (a, b) in enumerate(zip(mine, theirs)):
            assert_close(a, b, f"{path}[{i}]")
    elif isinstance(theirs, float) and not isinstance(theirs, bool):
        assert mine == theirs or math.isclose(mine, theirs, rel_tol=1e-5, abs_tol=1e-5), path
    else:
        assert mine == theirs, path


@pytest.fixture
def same(oracle):
    """Run ``program(torch)`` in both; results, or the type of the exception, agree."""

    def run(program):
        outcomes = []
        for torch in (flambeau, oracle):
            torch.manual_seed(3)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    outcomes.append((None, plain(program(torch))))
            except Exception as error:
                outcomes.append((error, None))
        (my_error, mine), (error, theirs) = outcomes
        if error is not None or my_error is not None:
            assert type(my_error) is type(error), f"{my_error!r}, PyTorch: {error!r}"
        else:
            assert_close(mine, theirs)

    return run
