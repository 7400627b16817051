"""Every public name of PyTorch with its state here: writes ``docs/coverage.md``.

``python scripts/coverage.py`` walks both packages and reads what the last full run saw
(``tests/parity/seen.txt``, written by ``FLAMBEAU_SEEN=1 pytest tests``) and the lists of what does
not pass (``tests/parity/failing``). ``--check`` writes nothing and fails where the page is stale.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import sys
import types
import warnings
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
PARITY = ROOT / "tests" / "parity"
sys.path.insert(0, str(ROOT))

# The rooms PyTorch documents, below torch; "" is torch itself.
ROOMS = """
    . Tensor nn nn.functional nn.init nn.attention nn.attention.bias nn.attention.flex_attention
    nn.attention.varlen nn.grad nn.parallel nn.parameter nn.utils nn.utils.fusion
    nn.utils.parametrizations nn.utils.parametrize nn.utils.prune nn.utils.rnn nn.utils.stateless
    optim optim.lr_scheduler optim.swa_utils autograd autograd.forward_ad autograd.function
    autograd.functional autograd.grad_mode autograd.gradcheck autograd.graph autograd.profiler
    func linalg fft special quasirandom masked signal.windows sparse nested distributions
    distributions.constraints distributions.transforms distributions.kl amp random hub functional
    utils utils.benchmark utils.checkpoint utils.collect_env utils.cpp_extension utils.data
    utils.data.distributed utils.deterministic utils.dlpack utils.flop_counter utils.hooks
    utils.model_zoo utils.module_tracker utils.tensorboard utils.weak serialization storage
    UntypedStorage Generator return_types testing types overrides library compiler profiler jit fx
    export onnx package futures multiprocessing monitor accelerator cpu cpu.amp cuda cuda.amp mps
    mtia xpu backends.cpu backends.cuda backends.cudnn backends.cusparselt backends.mha
    backends.mkl backends.mkldnn backends.mps backends.nnpack backends.openmp backends.opt_einsum
    backends.quantized ao.quantization nn.intrinsic nn.qat nn.quantized quantization distributed
    version __config__ __future__
""".split()
STATES = ("exact", "differs", "present", "absent")


def find(package: types.ModuleType, path: str) -> Any:
    """The object at a dotted path, importing what is a module.

    Raises:
        AttributeError, ImportError: nothing is there.
    """
    found: Any = package
    for part in path.split(".") if path else ():
        if isinstance(found, types.ModuleType) and not hasattr(found, part):
            found = importlib.import_module(f"{found.__name__}.{part}")
        else:
            found = getattr(found, part)
    return found


def public(room: Any) -> list[str]:
    """The public names of a module or class of PyTorch's, modules left out."""
    listed = set(getattr(room, "__all__", ()))
    if room.__name__ == "torch" or not listed:
        listed |= {n for n in dir(room) if not n.startswith("_") and _own(room, n)}
    if room.__name__ == "Tensor":
        listed |= {n for n in dir(room) if n.startswith("__") and n not in dir(object)}
    return sorted(
        n for n in listed
        if not isinstance(getattr(room, n, room), types.ModuleType) and hasattr(room, n)
    )  # fmt: skip


def _own(room: Any, name: str) -> bool:
    """Whether a name of a module without ``__all__`` is its own, not an import of its code."""
    module = getattr(getattr(room, name), "__module__", None)
    return not isinstance(module, str) or module.startswith("torch")


def read_seen() -> dict[str, str]:
    """What the last full run compared: dotted name -> the database or test that saw it."""
    lines = (PARITY / "seen.txt").read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)


def read_failing() -> dict[str, list[str]]:
    """Dotted name -> the rows of the databases that do not pass."""
    rows: dict[str, list[str]] = defaultdict(list)
    for database, prefix in (("op_db", ""), ("module_db", ""), ("optim_db", "optim.")):
        for line in (PARITY / "failing" / f"{database}.txt").read_text().splitlines():
            key, _, why = line.partition("  # ")
            name, row = key.split(" ", 1)
            rows[prefix + name].append(f"{row}: {why.partition(':')[0]}")
    return rows


def share_aliases(
    theirs: types.ModuleType, ours: types.ModuleType, seen: dict[str, str]
) -> dict[str, str]:
    """What was seen, for every name: one that is the same object as a seen one in both packages
    was seen with it."""
    known: dict[tuple[int, int], str] = {}
    pairs: dict[str, tuple[int, int]] = {}
    for room in ROOMS:
        room = room.strip(".")
        expected = find(theirs, room)
        with contextlib.suppress(AttributeError, ImportError, RuntimeError):
            actual = find(ours, room)
            for name in public(expected):
                objects = getattr(expected, name), getattr(actual, name, None)
                if callable(objects[0]) and objects[1] is not None:
                    path = f"{room}.{name}" if room else name
                    pairs[path] = id(objects[0]), id(objects[1])
    for path, pair in pairs.items():
        if path in seen:
            known.setdefault(pair, seen[path])
    return seen | {p: known[pair] for p, pair in pairs.items() if p not in seen and pair in known}


def state_of(path: str, there: bool, seen: dict[str, str], failing: dict[str, Any]) -> str:
    """One of STATES."""
    if not there:
        return "absent"
    if path in failing:
        return "differs"
    return "exact" if path in seen else "present"


def page() -> str:
    """The whole text of the page."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, ours = importlib.import_module("torch"), importlib.import_module("flambeau")
        seen, failing = share_aliases(theirs, ours, read_seen()), read_failing()
        sections, table, together = [], [], dict.fromkeys(STATES, 0)
        for room in ROOMS:
            room = room.strip(".")
            found = survey(theirs, ours, room, seen, failing)
            counts = {s: sum(state == s for state in found.values()) for s in STATES}
            for state, count in counts.items():
                together[state] += count
            if found:
                label = f"torch.{room}" if room else "torch"
                table.append(row(label, counts))
                sections.append(section(label, room, found, seen, failing))
    intro = INTRO.format(version=theirs.__version__.partition("+")[0])
    head = ["| room | " + " | ".join(STATES) + " |", "| --- |" + " ---: |" * len(STATES)]
    return "\n".join([intro, *head, *table, row("**all**", together), "", *sections])


def survey(
    theirs: types.ModuleType, ours: types.ModuleType, room: str, seen: Any, failing: Any
) -> dict[str, str]:
    """The public names of one room with their states."""
    expected = find(theirs, room)
    try:
        actual = find(ours, room)
    except (AttributeError, ImportError, RuntimeError):
        actual = None
    states = {}
    for name in public(expected):
        path = f"{room}.{name}" if room else name
        states[name] = state_of(path, hasattr(actual, name), seen, failing)
    return states


def row(label: str, counts: dict[str, int]) -> str:
    """One line of the table of counts."""
    return f"| {label} | " + " | ".join(str(counts[s] or "") for s in STATES) + " |"


def section(label: str, room: str, found: dict[str, str], seen: Any, failing: Any) -> str:
    """The names of one room, grouped by state, and by what saw them or keeps them away."""
    from flambeau.shim.absent import reason

    groups: dict[tuple[int, str], list[str]] = defaultdict(list)
    for name, state in found.items():
        path = f"{room}.{name}" if room else name
        text = f"`{name}`"
        if state == "exact":
            note = seen[path]
        elif state == "differs":
            note, text = "", f"`{name}` ({'; '.join(failing[path])})"
        else:
            note = (reason(path) or "not built yet") if state == "absent" else ""
        groups[STATES.index(state), note].append(text)
    lines = [f"## {label}", ""]
    for (state, note), names in sorted(groups.items()):
        head = STATES[state] + (f" ({note})" if note else "")
        lines.append(f"- **{head}**: {', '.join(names)}")
    return "\n".join([*lines, ""])


INTRO = """# Coverage

Every public name of PyTorch {version} (CPU build), generated by `scripts/coverage.py` from both
packages, from what the last full run of the tests saw and from the lists of what does not pass.
Not written by hand.

- **exact**: a test that compares with PyTorch used the name in both, and passed; in brackets the
  database or the test file.
- **differs**: compared, and at least one row of a database does not pass; in brackets which, why.
- **present**: the name is there, no comparing test used it.
- **absent**: the name is not there; in brackets why.
"""


def main() -> int:
    """Write the page, or with ``--check`` say whether it is current."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the page is stale")
    arguments = parser.parse_args()
    text = page()
    if not arguments.check:
        PAGE.write_text(text)
        print(f"written {PAGE}")
        return 0
    if PAGE.read_text() == text:
        return 0
    print(f"{PAGE} is stale: run python scripts/coverage.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
