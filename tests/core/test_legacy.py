"""The old constructors: `Tensor(2, 3)`, `FloatTensor([1.0])`."""

import pytest

import flambeau


@pytest.mark.parametrize("device", ["cuda", "meta"])
def test_old_constructors_make_tensors_on_the_cpu_alone(device, oracle):
    for torch in (flambeau, oracle):
        assert torch.Tensor(2, device="cpu").shape == (2,)
        for constructor in (torch.Tensor, torch.FloatTensor):
            with pytest.raises(RuntimeError, match="legacy constructor expects device type: cpu"):
                constructor(2, device=device)


def test_old_types_are_no_bases(oracle):
    for engine in (flambeau, oracle):
        with pytest.raises(TypeError, match="not an acceptable base type"):
            type("Mine", (engine.FloatTensor,), {})
