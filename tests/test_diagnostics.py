"""Hints on the line that failed, from `why_error` and in the runner's tracebacks."""

import os
import subprocess
import sys

import pytest

import flambeau as torch
from flambeau import nn

CASES = {
    "x.contiguous.view(4)": "x.contiguous is a method and was not called: x.contiguous().",
    "x + x.detach": "x.detach is a method and was not called: x.detach().",
    "torch.exp(x.detach)": "x.detach is a method and was not called: x.detach().",
    "x[x.bool]": "x.bool is a method and was not called: x.bool().",
    "torch.zeros(x.size)": "x.size is a method and was not called: x.size().",
    "sum(m.parameters)": "m.parameters is a method and was not called: m.parameters().",
    "float(m.weight.data.mean)": "m.weight.data.mean is a method and was not called: "
    "m.weight.data.mean().",
    "torch.optim.SGD(m.parameters, lr=1.0)": "m.parameters is a method and was not called: "
    "m.parameters().",
    "torch.optim.SGD(m, lr=1.0)": "m is a module; its parameters are wanted: m.parameters().",
    "nn.utils.clip_grad_norm_(m, 1.0)": "m is a module; its parameters are wanted: m.parameters().",
    "x.shape()": "x.shape is no method, it is a Size: leave the parentheses out.",
    "x.T()": "x.T is no method, it is a Tensor: leave the parentheses out.",
    "m.bias.zero_()": "m.bias is None.",
}


def failing(line, **names):
    """The error of one line, whose text can be read as a file's can."""
    import linecache

    name = f"<line {line}>"
    linecache.cache[name] = (len(line), None, [line + "\n"], name)
    with pytest.raises(Exception) as caught:
        exec(compile(line, name, "exec"), {"torch": torch, "nn": nn, **names})
    return caught.value


@pytest.mark.parametrize("line", CASES)
def test_a_line_is_told_what_is_wrong(line):
    error = failing(line, x=torch.ones(2, 2), m=nn.Linear(2, 2, bias=False))
    assert torch.why_error(error) == [CASES[line]]


def test_a_gradient_that_is_none_has_its_reason():
    m = nn.Linear(2, 2)
    (hint,) = torch.why_error(failing("m.weight.grad.zero_()", m=m))
    assert hint.startswith("m.weight.grad is None: no backward has reached it")


@pytest.mark.parametrize(
    "line",
    [
        "map(m.forward, [x]) and x.view(3)",  # handing a method on is no mistake
        "x + 'a'",
        "x.nothing",
        "raise KeyError(x.sum)",
        "(lambda f: 1 / 0)(x.sum)",
    ],
)
def test_other_errors_get_no_hint(line):
    assert torch.why_error(failing(line, x=torch.ones(2, 2), m=nn.Linear(2, 2))) == []


def test_nothing_of_the_program_runs_again():
    class Counting(nn.Module):
        asked = 0

        @property
        def size(self):
            Counting.asked += 1
            return None

    failing_error = failing("m.size.grad", m=Counting())
    assert Counting.asked == 1
    assert torch.why_error(failing_error) == [] and Counting.asked == 1


def test_it_wants_an_exception():
    with pytest.raises(TypeError, match="expected an exception"):
        torch.why_error("text")


def test_the_runner_adds_it_to_the_traceback(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(
        "import torch\nx = torch.ones(2, 3)\nfor _ in range(2):\n"
        "    y = (\n        x.contiguous\n        .view(6)\n    )\n"
    )
    run = subprocess.run(
        [sys.executable, "-m", "flambeau", str(script)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        check=False,
    )
    assert run.returncode == 1
    assert run.stderr.splitlines()[-2:] == [
        "AttributeError: 'function' object has no attribute 'view'",
        "Hint: x.contiguous is a method and was not called: x.contiguous().",
    ]
