"""Parameter, Buffer and the lazy forms."""

import copy

import pytest

import flambeau as torch
from flambeau import nn
from flambeau.nn.parameter import UninitializedBuffer, UninitializedParameter


def test_parameter_is_a_leaf_that_requires_grad():
    values = torch.tensor([10.0])
    parameter = nn.Parameter(values)
    assert type(parameter) is nn.Parameter
    assert isinstance(parameter, torch.Tensor)
    assert parameter.requires_grad and parameter.is_leaf
    assert parameter.data_ptr() == values.data_ptr()
    assert not values.requires_grad


def test_text():
    text = "Parameter containing:\ntensor([10.], requires_grad=True)"
    assert repr(nn.Parameter(torch.tensor([10.0]))) == text
    frozen = nn.Parameter(torch.tensor([1.5]), requires_grad=False)
    assert repr(frozen) == "Parameter containing:\ntensor([1.5000])"


def test_empty_and_integer():
    assert nn.Parameter().shape == (0,)
    with pytest.raises(RuntimeError, match="floating point and complex dtype"):
        nn.Parameter(torch.tensor([1]))
    assert not nn.Parameter(torch.tensor([1]), requires_grad=False).requires_grad


def test_operations_give_plain_tensors():
    parameter = nn.Parameter(torch.tensor([1.0, 2.0]))
    assert type(parameter + 1) is torch.Tensor
    assert type(parameter.detach()) is torch.Tensor


def test_deepcopy_keeps_class_and_flag():
    parameter = nn.Parameter(torch.tensor([1.0]), requires_grad=False)
    twin = copy.deepcopy([parameter, parameter])
    assert type(twin[0]) is nn.Parameter and twin[0] is twin[1]
    assert not twin[0].requires_grad
    assert twin[0].data_ptr() != parameter.data_ptr()


def test_buffer_is_a_tagged_tensor():
    buffer = nn.Buffer(torch.tensor(1.0), persistent=False)
    assert isinstance(buffer, nn.Buffer) and not isinstance(buffer, nn.Parameter)
    assert buffer.persistent is False
    assert not isinstance(torch.tensor(1.0), nn.Buffer)


def test_uninitialized_refuses_shape_and_operations():
    parameter = UninitializedParameter(dtype=torch.float64)
    assert repr(parameter) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match="uninitialized"):
        parameter.shape
    with pytest.raises(ValueError, match="uninitialized"):
        parameter + 1


def test_materialize_keeps_the_object():
    parameter = UninitializedParameter(dtype=torch.float64)
    same = parameter
    parameter.materialize((2, 3))
    assert type(same) is nn.Parameter
    assert same.shape == (2, 3) and same.dtype == torch.float64 and same.requires_grad
    buffer = UninitializedBuffer()
    buffer.materialize((4,))
    assert type(buffer) is torch.Tensor and not buffer.requires_grad


def test_uninitialized_counts_are_refused(oracle):
    for engine in (torch, oracle):
        for lazy in (engine.nn.LazyLinear(2).weight, engine.nn.LazyBatchNorm1d().running_mean):
            for count in (len, lambda t: t.numel()):
                with pytest.raises(ValueError, match="uninitialized"):
                    count(lazy)


def test_a_list_is_no_parameter():
    with pytest.raises(AttributeError, match=r"Parameter.*got list.*torch\.tensor"):
        nn.Parameter([1.0, 2.0])
