"""The operations of torch.ops.aten as objects."""

import copy

import flambeau


def test_an_operation_may_be_copied():
    add = flambeau.ops.aten.add
    assert copy.copy(add)(1, flambeau.ones(1)).item() == 2
    assert str(copy.deepcopy(add.Tensor)) == "aten.add.Tensor"
