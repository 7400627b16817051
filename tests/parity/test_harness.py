"""The harness finds what is wrong: torch with one defect fails, torch as it is passes."""

from __future__ import annotations

import contextlib
import os
import re
import time
import types
import warnings
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from .guard import require_torch

require_torch()

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch

    from . import (
        apart,
        compare,
        failing,
        itself,
        modules,
        operators,
        optimizers,
        reference,
        report,
        run,
        shard,
        truth,
    )
    from .aspects import TABLE
    from .compare import TORCH
    from .convert import Converter
    from .engine import Engine
    from .result import Result, cause
    from .selection import BUDGET, choose


pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]


class Defective(types.ModuleType):
    """torch, with some dotted names replaced (None: absent)."""

    def __init__(self, changes: dict[str, Any], base: Any = torch, prefix: str = "") -> None:
        super().__init__("defective")
        self._parts = (changes, base, prefix)

    def __getattr__(self, name: str) -> Any:
        changes, base, prefix = self.__dict__["_parts"]
        path = prefix + name
        if path in changes:
            if changes[path] is None:
                raise AttributeError(f"module has no attribute {path}")
            return changes[path]
        value = getattr(base, name)
        inner = any(change.startswith(path + ".") for change in changes)
        return Defective(changes, value, path + ".") if inner else value


def verdicts(db: Any, name: str, wanted: Any, **changes: Any) -> dict[str, str]:
    """aspect -> kind of failure ("" for a pass) with these names replaced."""
    engine = Engine(Defective({key.replace("__", "."): item for key, item in changes.items()}))
    return {result.aspect: result.kind for result in db.run(name, engine, wanted)}


FORWARD_GRAD = (("float32", ("forward", "grad")),)


class WrongGrad(torch.autograd.Function):
    """sin whose gradient forgets the cosine."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return torch.sin(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return grad


@pytest.mark.parametrize(
    ("name", "change", "kinds"),
    [
        ("sin", lambda x: torch.sin(x), {"forward": "", "grad": ""}),
        ("sin", None, {"forward": "missing", "grad": "missing"}),
        ("sin", lambda x: torch.sin(x) + 0.1, {"forward": "value", "grad": ""}),
        ("sin", lambda x: torch.sin(x) * (1 + 1e-4), {"forward": "rounding", "grad": "rounding"}),
        ("sin", lambda x: torch.sin(x).double(), {"forward": "dtype", "grad": ""}),
        ("sin", lambda x: torch.sin(x)[None], {"forward": "shape", "grad": "RuntimeError"}),
        ("sin", lambda x: torch.sin(x).detach(), {"forward": "", "grad": "requires_grad"}),
        ("sin", WrongGrad.apply, {"forward": "", "grad": "value"}),
        ("split", lambda *a, **k: list(torch.split(*a, **k)), {"forward": "structure", "grad": ""}),
        ("bernoulli", lambda x, **k: (torch.rand(1), torch.bernoulli(x, **k))[1], None),
    ],
)
def test_defect_is_found(name: str, change: Any, kinds: dict[str, str] | None) -> None:
    """Every defect shows up under its own kind, and nothing else does."""
    found = verdicts(operators, name, FORWARD_GRAD, **{name: change})
    assert found == kinds if kinds is not None else found["forward"] == "value"


def test_second_derivative_is_compared() -> None:
    """A right gradient with a wrong derivative fails gradgrad alone."""

    class WrongSecond(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.sin(x)

        @staticmethod
        def backward(ctx: Any, grad: Any) -> Any:
            return grad * torch.cos(ctx.saved_tensors[0].detach())

    wanted = (("float64", ("forward", "grad", "gradgrad")),)
    found = verdicts(operators, "sin", wanted, sin=WrongSecond.apply)
    assert found["forward"] == found["grad"] == ""
    assert found["gradgrad"] != ""


def test_wrapped_operator_is_rebuilt() -> None:
    """A lambda of the database calls the engine's torch, not the real one."""
    found = verdicts(operators, "where", FORWARD_GRAD, where=lambda *a, **k: torch.where(*a) + 1)
    assert found["forward"] == "value"


def test_strides_are_an_aspect() -> None:
    """Right values in another layout fail `strides` alone."""
    wanted = (("float32", ("forward", "strides")),)
    change = {"transpose": lambda *a: torch.transpose(*a).contiguous()}
    assert verdicts(operators, "transpose", wanted, **change) == {
        "forward": "",
        "strides": "strides",
    }


def test_layer_defects() -> None:
    """Other weights fail `init`, another name in the state dict fails everything but `init`."""

    class Wrong(torch.nn.Linear):
        def reset_parameters(self) -> None:
            torch.nn.init.normal_(self.weight)

    class Renamed(torch.nn.Linear):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.register_buffer("extra", torch.zeros(1))

    found = verdicts(modules, "nn.Linear", modules.DEFAULT, nn__Linear=Wrong)
    assert found == {"init": "value", "state": "", "train": "", "eval": "", "grad": ""}
    found = verdicts(modules, "nn.Linear", modules.DEFAULT, nn__Linear=Renamed)
    assert found["state"] == "state" and found["train"] == "RuntimeError"


def test_optimizer_defects() -> None:
    """A wrong step is found, and so is state that a round trip loses."""

    class Forgetful(torch.optim.Adam):
        def load_state_dict(self, state: Any) -> None:
            super().load_state_dict({**state, "state": {}})

    wanted = (("float32", ("steps",)),)
    assert verdicts(optimizers, "Adam", wanted) == {"steps": ""}
    assert verdicts(optimizers, "Adam", wanted, optim__Adam=Forgetful)["steps"] != ""
    assert verdicts(optimizers, "Adam", wanted, optim__Adam=torch.optim.AdamW)["steps"] != ""


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.arange(24.0).reshape(4, 6).t()[1:, ::2],
        lambda: torch.tensor(3.0, requires_grad=True),
        lambda: torch.ones(3, dtype=torch.bfloat16),
        lambda: torch.full((4,), 1 + 2j).conj(),
        lambda: torch.ones(2, 1).expand(2, 5),
        lambda: torch.empty(0, 3),
        lambda: torch.eye(3).to_sparse(),
        lambda: torch.eye(4).to_sparse_csr(),
        lambda: torch.tensor([True, False]),
    ],
)
def test_tensor_arrives_as_it_is(make: Any) -> None:
    """Values, dtype, layout, strides, offset and flags survive the conversion."""
    source = make()
    made = Converter(TORCH)(source)
    assert made is not source and made.is_leaf
    assert (made.dtype, made.layout, made.requires_grad, made.is_conj()) == (
        source.dtype,
        source.layout,
        source.requires_grad,
        source.is_conj(),
    )
    torch.testing.assert_close(made, source)
    if source.layout == torch.strided:
        assert made.stride() == source.stride()
        assert made.storage_offset() == source.storage_offset()


def test_one_tensor_twice_stays_one() -> None:
    """Identity inside a sample is kept."""
    x = torch.ones(2, requires_grad=True)
    convert = Converter(TORCH)
    first, second = convert([x, {"again": x}])
    assert first is second["again"] and convert.leaves == [first]


def test_shared_memory_stays_shared() -> None:
    """Views of one storage see one another's writes, and another sample's do not."""
    x = torch.arange(6.0)
    whole, part = Converter(TORCH)([x, x[2:4]])
    whole[2] = 7
    assert part.tolist() == [7, 3] and x.tolist() == list(range(6))


@pytest.mark.parametrize("refuses_when_strict", [True, False])
def test_errors_are_asked_in_both_modes(refuses_when_strict: bool) -> None:
    """An engine that refuses only when strict is found out, and so is one that only does not."""
    strict: list[bool] = []

    def trace(input: Any) -> Any:
        return torch.trace(input) if bool(strict) == refuses_when_strict else torch.zeros(())

    @contextlib.contextmanager
    def mode() -> Iterator[None]:
        strict.append(True)
        yield
        strict.pop()

    changes = {"compat": types.SimpleNamespace(strict=mode), "trace": trace}
    found = verdicts(operators, "trace", (("float32", ("errors",)),), **changes)
    assert found == {"errors": "accepted"}


def test_list_round_trip(tmp_path: Any, monkeypatch: Any) -> None:
    """Failures are written, what passes is taken out, what was not run stays."""
    monkeypatch.setattr(failing, "FOLDER", tmp_path)

    def result(name: str, state: str) -> Result:
        return Result("op_db", name, "float32", "grad", state, kind="value", reason="out # differs")

    failing.write("op_db", [result("b", "fail"), result("a", "fail")])
    assert failing.read("op_db") == {("a", "float32", "grad"), ("b", "float32", "grad")}
    failing.write("op_db", [result("b", "pass")])
    assert failing.read("op_db") == {("a", "float32", "grad")}


def _work(job: str) -> str:
    if job == "crash":
        os.kill(os.getpid(), 9)
    if job == "hang":
        time.sleep(60)
    return job.upper()


def test_crash_costs_one_job(monkeypatch: Any) -> None:
    """A process that dies or hangs is reported, the other jobs still run."""
    monkeypatch.setattr(shard, "GRACE", 0)
    jobs = ["a", "crash", "b", "hang", "c"]
    answers = {job: (answer, why) for job, answer, why in shard.run(jobs, _work, 2, 1)}
    assert [answers[job][0] for job in "abc"] == ["A", "B", "C"]
    assert answers["crash"][1].startswith("crash")
    assert answers["hang"][1].startswith("timeout")


def test_time_limit() -> None:
    """An operator that does not end is a failure of its open results."""
    engine = Engine(Defective({"sin": lambda x: time.sleep(30)}))
    (result,) = operators.run("sin", engine, (("float32", ("forward",)),), seconds=1)
    assert (result.state, result.kind) == ("fail", "timeout")


def test_score_and_causes() -> None:
    """The combined row needs every aspect; numbers do not make another cause."""

    def result(name: str, aspect: str, state: str, reason: str = "") -> Result:
        return Result("op_db", name, "float32", aspect, state, kind="value", reason=reason)

    results = [
        result("a", "forward", "pass"),
        result("a", "grad", "fail", "out: 3 of 5 differ, at [1] 2.0, torch has 4.0"),
        result("b", "forward", "pass"),
        result("b", "grad", "fail", "out: 1 of 2 differ, at [0, 1] 7.5, torch has nan"),
        result("c", "forward", "void"),
    ]
    assert report.score(results) == {
        "op_db float32 forward": (2, 2),
        "op_db float32 grad": (0, 2),
        "op_db float32 forward+grad": (0, 2),
    }
    assert cause(results[1]) == cause(results[3])


def test_score_is_written_of_a_whole_run_only(tmp_path: Any, capsys: Any) -> None:
    """The file has a dated row for each dtype and aspect; a narrowed run may not write it."""
    results = [
        Result("op_db", "a", "float32", "forward", "pass"),
        Result("op_db", "b", "float32", "forward", "fail"),
    ]
    path = report.write_score(results, {"op_db": {"_c": "private name"}}, tmp_path / "score.md")
    text = path.read_text()
    assert "| float32 | forward | 1 | 2 | 50.0 | 2 |" in text
    assert f"{date.today():%Y-%m-%d}" in text and "`_c` (private name)" in text
    assert run.main(["--full", "--write-score", "-k", "add"]) == 2
    assert "expected --full without" in capsys.readouterr().err


def test_tape_carries_inputs_there_and_results_back() -> None:
    """Played with other inputs, torch gives other results; with the same ones, the same."""
    row = ("float32", "forward")
    tape = itself.Tape()
    result, notes = itself.taped(operators, "sin", row, 60, tape)
    assert result.state == "pass" and len(notes) == result.samples
    inputs = [memory.copy() for memory in tape.inputs]
    there = itself.taped(operators, "sin", row, 60, itself.Tape(list(inputs)))
    itself.verdict(result, "same", notes, there)
    assert result.state == "pass"
    inputs[0].view("f4")[:] += 1
    itself.verdict(
        result, "other", notes, itself.taped(operators, "sin", row, 60, itself.Tape(inputs))
    )
    assert (result.state, result.kind, result.where) == ("fail", "value", "other")


def test_what_torch_reaches_itself_is_listed_and_counted(tmp_path: Any, monkeypatch: Any) -> None:
    """The list goes round; the score has its column, the failing lines say so."""
    monkeypatch.setattr(apart, "LIST", tmp_path / "itself.txt")
    monkeypatch.setattr(failing, "FOLDER", tmp_path)
    row = Result("op_db", "a", "float32", "forward", "fail", kind="rounding", where="AVX2, SSE4.1")
    results = [row, Result("op_db", "b", "float32", "forward", "pass")]
    for all_names, shown in ((False, ""), (True, "0")):  # a part of the names is no row
        apart.write(results, all_names)
        assert apart.read() == {"op_db": {row.key: "AVX2, SSE4.1"}}
        text = report.write_score([row], {}, tmp_path / "score.md").read_text()
        assert f"| float32 | forward | 0 | 1 | 0.0 | {shown} |" in text
    assert apart.whole() == {("op_db", "float32", "forward")}
    assert "itself too: AVX2, SSE4.1" in failing.write("op_db", [row]).read_text()


@pytest.mark.parametrize(
    ("ours", "theirs", "words"),
    [
        (1.001, 1.0, "ours is [0-9.]+ times as far from float64's"),
        (1.0, 1.001, "PyTorch's is [0-9.]+ times as far from float64's"),
        (1.001, 0.999, "both are equally far from float64's"),
    ],
)
def test_failures_say_who_is_nearer_to_the_truth(ours: float, theirs: float, words: str) -> None:
    """Torch in double precision decides, on the same inputs."""
    case = operators.Case(operators.entries()["sin"], TORCH)
    sample = operators.Sample(case.info, next(case.samples("plain", torch.float32)), case)
    exact = torch.sin(sample.sample.input.detach())
    with pytest.raises(compare.Mismatch) as caught:
        sample.compare(exact * theirs, exact * ours)
    check = TABLE["forward"].check
    assert re.fullmatch(words, truth.measured(sample, check, torch.float32, caught.value))


def test_reference_inputs_are_more_and_keep_apart() -> None:
    """`--inputs reference` runs op_db's reference inputs; its results are a database's own."""
    assert run.parse(["--inputs", "reference"]).db == "reference"
    rows = (("float32", ("forward",)),)
    (many,) = reference.run("sinh", TORCH, rows)
    (few,) = operators.run("sinh", TORCH, rows)
    assert many.state == few.state == "pass"
    assert many.samples > few.samples
    assert many.db == reference.lost("sinh", rows, "crash: it died")[0].db == reference.NAME


def test_choice_is_fixed_and_within_budget() -> None:
    """Forward runs whole; derivatives run a choice that the name decides."""
    only = choose("sin")
    assert only("forward", 1000) is None
    assert only("grad", BUDGET["grad"]) is None
    assert len(only("grad", 1000)) == BUDGET["grad"]
    assert only("grad", 1000) == choose("sin")("grad", 1000)
