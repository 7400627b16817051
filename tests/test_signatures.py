"""Parameters of public functions and classes, in PyTorch's order, with its names and defaults.

What PyTorch writes in Python is compared; its compiled functions have no signature to read. Extra
parameters with a default and `**kwargs` that take what is not named are no difference.
"""

from __future__ import annotations

import importlib
import inspect

import pytest

import flambeau

ROOMS = """
    nn nn.functional nn.init nn.utils nn.utils.rnn nn.utils.parametrize nn.utils.parametrizations
    nn.utils.prune nn.parameter nn.attention nn.intrinsic optim optim.lr_scheduler optim.swa_utils
    utils.data utils.checkpoint utils.hooks distributions distributions.transforms
    distributions.kl distributions.constraints autograd autograd.functional autograd.forward_ad
    autograd.graph func amp random backends.cuda library hub fx
""".split()
# What differs -> why.
OWN = {
    "optim.LBFGS.step": "PyTorch, too, refuses a step without a closure, but later",
    "utils.data.random_split": "the default generator is found when it is used",
    "autograd.enable_grad": "the function to be decorated is the one unnamed argument",
    "hub.load_state_dict_from_url": "a file from the web is loaded as weights unless asked",
}
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def room_of(package, path):
    return importlib.import_module(f"{package.__name__}.{path}")


def parameters(function):
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def callables(theirs, ours):
    """Name -> both functions: the room's own, and the methods that PyTorch's classes define."""
    names = getattr(theirs, "__all__", None) or [n for n in vars(theirs) if not n.startswith("_")]
    for name in names:
        pair = getattr(theirs, name, None), getattr(ours, name, None)
        if not callable(pair[0]) or pair[1] is None or name == "Tensor":
            continue
        yield name, *pair
        if inspect.isclass(pair[0]) and pair[0].__module__.startswith("torch"):
            for method, value in vars(pair[0]).items():
                if inspect.isfunction(value) and not method.startswith("_"):
                    yield f"{name}.{method}", value, getattr(pair[1], method, None)


def text(default):
    return getattr(default, "__name__", repr(default)).replace("flambeau", "torch")


def differences(theirs, ours):
    """What a caller by PyTorch's signature could not do."""
    named = {p.name: p for p in ours if p.kind in NAMED}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in ours)
    for p in theirs:
        mine = named.get(p.name)
        if p.kind not in NAMED or p.name.startswith("_") or p.name in ("self", "ctx"):
            continue
        if mine is None:
            if not open_ended:
                yield f"{p.name} is missing"
        elif mine.kind is mine.KEYWORD_ONLY and p.kind is not p.KEYWORD_ONLY:
            yield f"{p.name} is by keyword only"
        elif p.default is not p.empty and mine.default is mine.empty:
            yield f"{p.name} has no default"
        elif isinstance(p.default, (bool, int, float, str, type(None))) and (
            text(mine.default) != text(p.default)
        ):
            yield f"{p.name} is {text(mine.default)} by default, not {text(p.default)}"
    order = [p.name for p in theirs if p.kind is p.POSITIONAL_OR_KEYWORD and p.name in named]
    mine = [p.name for p in ours if p.kind is p.POSITIONAL_OR_KEYWORD and p.name in order]
    if mine != [name for name in order if name in mine]:
        yield f"the order is {mine}"


@pytest.mark.parametrize("room", ROOMS)
def test_parameters_are_as_in_pytorch(room, oracle):
    found = {}
    for name, theirs, ours in callables(room_of(oracle, room), room_of(flambeau, room)):
        pair = parameters(theirs), parameters(ours) if ours is not None else None
        if None in pair or f"{room}.{name}" in OWN:
            continue
        told = list(differences(*pair))
        if told:
            found[name] = told
    assert not found


def test_the_names_work():
    x = flambeau.eye(3)[:, :2]
    tau = flambeau.ones(2)
    flambeau.linalg.householder_product(input=x, tau=tau)
    flambeau.ormqr(x, input2=tau, input3=flambeau.eye(3))
    flambeau.linalg.tensorsolve(input=flambeau.eye(2), other=tau)
    layers = flambeau.nn.Conv2d(1, 1, 1), flambeau.nn.BatchNorm2d(1)
    fused = flambeau.nn.intrinsic.ConvBn2d(conv=layers[0], bn=layers[1])
    assert (fused[0], fused[1]) == layers
    with pytest.raises(TypeError, match="expected"):
        flambeau.nn.intrinsic.ConvBn2d(layers[0], norm=layers[1])
    flambeau.backends.cuda.enable_math_sdp(enabled=False)
    assert not flambeau.backends.cuda.math_sdp_enabled()
    flambeau.backends.cuda.enable_math_sdp(True)


def test_a_kernel_is_not_overridden_unasked():
    library = flambeau.library.Library("signatures", "DEF")
    library.define("f(Tensor x) -> Tensor")
    library.impl("f", lambda x: x, "CPU")
    with pytest.raises(RuntimeError, match="already a kernel"):
        library.impl("f", lambda x: x, "CPU", allow_override=False)
    library.impl("f", lambda x: x + 1, "CPU")
    assert flambeau.ops.signatures.f(flambeau.zeros(())).item() == 1
