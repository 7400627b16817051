"""Module: registration rules, attributes, the call, text, pickling."""

import copy

import pytest

import flambeau as torch
from flambeau import nn
from flambeau.nn.modules.module import register_module_module_registration_hook


class Scale(nn.Module):
    def __init__(self, size=2):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, x):
        return x * self.weight


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Scale()
        self.second = Scale()

    def forward(self, x):
        return self.second(self.first(x))


def test_assignment_before_init():
    class Early(nn.Module):
        def __init__(self, value):
            self.value = value

    with pytest.raises(AttributeError, match="cannot assign parameters before"):
        Early(nn.Parameter(torch.ones(1)))
    with pytest.raises(AttributeError, match="cannot assign module before"):
        Early(Scale())


def test_assignment_of_another_kind():
    module = Pair()
    with pytest.raises(TypeError, match="cannot assign .* as child module 'first'"):
        module.first = 3
    with pytest.raises(TypeError, match="cannot assign .* as parameter 'weight'"):
        module.first.weight = torch.ones(2)
    with pytest.raises(TypeError, match="cannot assign .* as buffer 'mean'"):
        module.first.mean = "text"
    module.first.weight = None
    assert module.first.weight is None
    module.first.mean = torch.ones(2)
    assert "mean" in dict(module.first.named_buffers())


def test_a_name_changes_its_kind():
    module = Scale()
    module.thing = 3
    module.thing = nn.Parameter(torch.ones(1))
    assert "thing" in module._parameters and "thing" not in module.__dict__
    del module.thing
    module.thing = Scale()
    assert list(module._modules) == ["thing"]


@pytest.mark.parametrize(
    ("name", "error"), [("a.b", KeyError), ("", KeyError), ("forward", KeyError), (3, TypeError)]
)
def test_names(name, error):
    module = Scale()
    with pytest.raises(error):
        module.register_buffer(name, torch.ones(1))
    with pytest.raises(error):
        module.register_parameter(name, nn.Parameter(torch.ones(1)))
    with pytest.raises(error):
        module.add_module(name, Scale())


def test_wrong_members():
    module = Scale()
    with pytest.raises(TypeError):
        module.register_parameter("other", torch.ones(1))
    with pytest.raises(TypeError):
        module.register_buffer("other", 1)
    with pytest.raises(TypeError):
        module.add_module("other", 1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'size'"):
        nn.Module(size=3)


def test_missing_attribute_and_forward():
    with pytest.raises(AttributeError, match="'Scale' object has no attribute 'wieght'"):
        Scale().wieght
    with pytest.raises(NotImplementedError, match='missing the required "forward"'):
        nn.Module()(1)


def test_walks():
    module = Pair()
    module.third = module.first
    names = [name for name, _ in module.named_modules()]
    assert names == ["", "first", "second"]
    twice = [name for name, _ in module.named_modules(remove_duplicate=False)]
    assert twice == ["", "first", "second", "third"]
    assert [n for n, _ in module.named_parameters()] == ["first.weight", "second.weight"]
    assert [n for n, _ in module.named_parameters(prefix="m", recurse=False)] == []
    assert [n for n, _ in module.named_children()] == ["first", "second"]
    assert len(list(module.buffers())) == 2


def test_apply_is_post_order():
    seen = []
    module = Pair()
    assert module.apply(lambda m: seen.append(type(m).__name__)) is module
    assert seen == ["Scale", "Scale", "Pair"]


def test_paths():
    module = Pair()
    assert module.get_submodule("") is module
    assert module.get_submodule("first") is module.first
    assert module.get_parameter("first.weight") is module.first.weight
    assert module.get_buffer("first.mean") is module.first.mean
    for bad in ("third", "first.weight", "first.weight.data"):
        with pytest.raises(AttributeError):
            module.get_submodule(bad)
    with pytest.raises(AttributeError):
        module.get_parameter("first.mean")
    with pytest.raises(AttributeError):
        module.get_buffer("first.weight")
    new = Scale()
    module.set_submodule("first", new)
    assert module.first is new
    with pytest.raises(AttributeError):
        module.set_submodule("first.none", new, strict=True)
    with pytest.raises(ValueError):
        module.set_submodule("", new)


def test_train_and_freeze():
    module = Pair()
    assert module.training and module.eval() is module
    assert not module.second.training
    with pytest.raises(ValueError):
        module.train("yes")
    module.requires_grad_(False)
    assert not any(p.requires_grad for p in module.parameters())


def test_zero_grad():
    module = Scale()
    module(torch.ones(2)).sum().backward()
    module.zero_grad(set_to_none=False)
    assert module.weight.grad.tolist() == [0.0, 0.0]
    module.zero_grad()
    assert module.weight.grad is None


def test_conversion_keeps_parameters_and_gradients():
    module = Scale()
    weight = module.weight
    module(torch.ones(2)).sum().backward()
    assert module.double() is module
    assert module.weight is weight and weight.dtype == torch.float64
    assert weight.grad.dtype == torch.float64
    assert module.mean.dtype == torch.float64
    module.to(torch.float32)
    assert weight.dtype == torch.float32
    module.count = torch.tensor(1)
    module.register_buffer("steps", torch.tensor(1))
    module.half()
    assert module.steps.dtype == torch.int64
    with pytest.raises(TypeError, match="floating point or complex"):
        module.to(torch.int64)


def test_meta_and_back():
    module = Scale().to("meta")
    assert module.weight.is_meta
    with pytest.raises(NotImplementedError, match="to_empty"):
        module.to("cpu")
    module.to_empty(device="cpu")
    assert not module.weight.is_meta and module.weight.shape == (2,)


def test_text():
    assert repr(Scale()) == "Scale()"
    assert repr(Pair()) == "Pair(\n  (first): Scale()\n  (second): Scale()\n)"

    class Noted(Pair):
        def extra_repr(self):
            return "a=1\nb=2"

    text = "Noted(\n  a=1\n  b=2\n  (first): Scale()\n  (second): Scale()\n)"
    assert repr(Noted()) == text


def test_dir_lists_members():
    names = dir(Pair().first)
    assert {"weight", "mean", "forward", "training"} <= set(names)
    assert names == sorted(names)


def test_deepcopy_is_separate():
    module = Pair()
    twin = copy.deepcopy(module)
    with torch.no_grad():
        twin.first.weight.fill_(5.0)
    assert module.first.weight.tolist() == [1.0, 1.0]
    assert twin(torch.ones(2)).tolist() == [5.0, 5.0]


def test_registration_hook_replaces():
    replacement = Scale(3)
    handle = register_module_module_registration_hook(lambda m, name, sub: replacement)
    try:
        module = nn.Module()
        module.part = Scale()
    finally:
        handle.remove()
    assert module.part is replacement


def test_a_raising_property_is_named():
    class Broken(nn.Module):
        @property
        def size(self):
            return self.missing

    with pytest.raises(AttributeError, match="'Broken' object has no attribute 'size'"):
        Broken().size


def test_members_in_the_class_change_nothing_but_the_time():
    class Net(nn.Module):
        def __init__(self, deep):
            super().__init__()
            if deep:
                self.part = Scale()
            else:
                self.part = 3

    deep, flat = Net(True), Net(False)
    assert isinstance(deep.part, Scale) and flat.part == 3
    del deep.part
    assert not hasattr(deep, "part")
    with pytest.raises(AttributeError, match="'Net' object has no attribute 'part'"):
        deep.part
    deep.part = nn.Parameter(torch.ones(1))
    assert isinstance(deep.part, nn.Parameter)


def test_a_class_attribute_hides_a_member():
    class Net(nn.Module):
        part = None

    net = Net()
    net.part = Scale()
    assert net.part is None and list(net._modules) == ["part"]


def test_an_overridden_getattr_is_asked():
    class Net(nn.Module):
        def __getattr__(self, name):
            return ("asked", name) if name == "part" else super().__getattr__(name)

    net = Net()
    net._modules["part"] = Scale()
    assert net.part == ("asked", "part")


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (lambda of: ("cpu",), {"copy": True}),
        (lambda of: ("cpu",), {"copy": False}),
        (lambda of: ("cpu", of.float32, True, True), {}),
        (lambda of: ("cpu", of.float32, True, False), {}),
        (lambda of: (of.float32, of.float32), {}),
        (lambda of: ("cpu", None, 3), {}),
        (lambda of: (of.ones(1), "cpu"), {}),
        (lambda of: (of.ones(1), True), {}),
    ],
)
def test_what_to_takes(oracle, args, kwargs):
    def run(of):
        try:
            return str(of.nn.Linear(2, 2).to(*args(of), **kwargs).weight.dtype)
        except Exception as error:
            return type(error)

    assert run(torch) == run(oracle)
