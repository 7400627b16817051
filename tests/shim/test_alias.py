"""`import torch` gives flambeau's own modules, here and in child processes, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flambeau.shim.children import SITE


def check(run, script, text, *flags):
    ours = run("-m", "flambeau", *flags, script(text))
    assert ours.returncode == 0, ours.stderr
    return ours.stdout


def test_the_same_module_objects(run, script):
    check(
        run,
        script,
        """
import torch, flambeau
assert torch is flambeau
import torch.version, flambeau.version
assert torch.version is flambeau.version
import torch.serialization as s
assert s is flambeau.serialization is torch.serialization
from torch.cuda import amp
assert amp is flambeau.cuda.amp
assert flambeau.__spec__.name == "flambeau" and flambeau.version.__spec__.name == "flambeau.version"
import torch.nn.functional as F
from torch.utils.data import DataLoader
assert F is flambeau.nn.functional and DataLoader is flambeau.utils.data.DataLoader
import importlib
assert importlib.import_module("torch.nn") is torch.nn
""",
    )


def test_a_function_stays_where_a_module_of_its_name_is_imported(run, script):
    check(
        run,
        script,
        """
import torch.nn.utils.spectral_norm, torch.nn.utils.weight_norm, torch.autograd.gradcheck
import torch.multiprocessing.spawn, torch.nn.parallel.data_parallel, sys
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils import spectral_norm, weight_norm
for function in (spectral_norm, weight_norm, torch.autograd.gradcheck,
                 torch.multiprocessing.spawn, torch.nn.parallel.data_parallel):
    assert type(function).__name__ == "function", function
assert sys.modules["torch.nn.utils.spectral_norm"].SpectralNorm is SpectralNorm
""",
    )


def test_files_of_torchvision_are_its_packages(run, script):
    check(
        run,
        script,
        """
from torchvision.ops.roi_align import RoIAlign, roi_align
from torchvision.transforms.transforms import Compose
from torchvision.datasets.celeba import CelebA
from torchvision.datasets.vision import VisionDataset
from torchvision.models.resnet import ResNet18_Weights
import torchvision.ops.roi_align, torchvision.version
from torchvision import datasets, ops, transforms
assert ops.roi_align is roi_align and callable(roi_align)
assert CelebA is datasets.CelebA and Compose is transforms.Compose
assert torchvision.version.__version__ == torchvision.__version__
""",
    )


def test_version_and_metadata(run, script):
    check(
        run,
        script,
        """
import importlib.metadata as m, importlib.util as u
assert m.version("torch").startswith("2.13.0")
assert u.find_spec("torch") is not None and u.find_spec("torch.nothing_here") is None
assert "torch" in m.packages_distributions()
import torch
assert torch.__version__ == "2.13.0+flambeau" and isinstance(torch.__version__, str)
assert torch.__version__ >= (2, 4) and torch.__version__ > "2.9" and torch.__version__ < (3,)
assert torch.version.__version__ == torch.__version__ and torch.version.cuda is None
""",
    )


def test_nothing_is_imported_before_torch(run, script):
    assert (
        check(
            run,
            script,
            """
import sys
print([n for n in ("numpy", "flambeau", "torch") if n in sys.modules])
""",
        )
        == "[]\n"
    )


def test_missing_modules_say_who_stands_in(run, script):
    ours = run("-m", "flambeau", script("x = 1\nimport torch.verson\n"))
    assert ours.returncode == 1
    lines = ours.stderr.splitlines()
    assert "flambeau stands in for torch" in lines[-1] and "'torch.version'" in lines[-1]
    assert sum(line.lstrip().startswith("File ") for line in lines) == 1


def test_missing_extras_keep_their_own_error(run, script):
    script("import a_package_nobody_has\n", "helper.py")
    ours = run("-m", "flambeau", script("import torch\nimport helper\n"))
    assert "No module named 'a_package_nobody_has'" in ours.stderr


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_multiprocessing(run, script, method):
    out = check(
        run,
        script,
        f"""
import multiprocessing as mp
def job(x):
    import torch
    return torch.__version__, __name__
if __name__ == "__main__":
    with mp.get_context({method!r}).Pool(1) as pool:
        print(pool.map(job, [0])[0][0])
""",
    )
    assert out == "2.13.0+flambeau\n"


def test_subprocess_and_its_own_subprocess(run, script):
    script("import torch; print(torch.__version__)", "inner.py")
    script("import subprocess, sys; subprocess.run([sys.executable, 'inner.py'])", "middle.py")
    out = check(
        run, script, "import subprocess, sys; subprocess.run([sys.executable, 'middle.py'])"
    )
    assert out == "2.13.0+flambeau\n"


def test_the_hidden_sitecustomize_still_runs(run, script, tmp_path, pythonpath):
    script("import builtins; builtins.mine = 'customized'", "mine/sitecustomize.py")
    name = script("import torch, sys; print(mine, 'mine' in sys.modules['sitecustomize'].__file__)")
    ours = run("-m", "flambeau", name, PYTHONPATH=pythonpath(tmp_path / "mine"))
    assert ours.stdout == "customized True\n", ours.stderr


def test_flambeau_is_found_without_being_on_the_path(script, tmp_path, pythonpath):
    """Run from a checkout, `-m` finds flambeau in the working folder; the script must too."""
    name = script("import torch; print(torch.__version__)", "elsewhere/program.py")
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    ours = subprocess.run(
        [sys.executable, "-m", "flambeau", str(tmp_path / name)],
        cwd=pythonpath(), env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert ours.stdout == "2.13.0+flambeau\n", ours.stderr


def test_install_and_uninstall(run, script):
    ours = run(
        script("""
import os, subprocess, sys
import flambeau, flambeau.shim as shim
own = flambeau.__version__
before = dict(os.environ)
shim.install(); shim.install()
import torch, torch.version
assert torch is flambeau and shim.installed() and torch.__name__ == "torch"
assert torch.__version__ == "2.13.0+flambeau"
ask = "import torch; print(torch.__version__)"
assert subprocess.check_output([sys.executable, "-c", ask]) == b"2.13.0+flambeau\\n"
shim.uninstall(); shim.uninstall()
assert flambeau.__name__ == "flambeau"
assert not shim.installed() and "torch" not in sys.modules and "torch.version" not in sys.modules
assert dict(os.environ) == before and flambeau.__version__ == own
print("fine")
""")
    )
    assert ours.stdout == "fine\n", ours.stderr


def test_the_alias_wins_over_an_installed_torch(run, script, tmp_path, pythonpath):
    script("raise ImportError('the real one')", "site/torch/__init__.py")
    name = script("import torch; print(torch.__version__)")
    ours = run("-m", "flambeau", name, PYTHONPATH=pythonpath(tmp_path / "site"))
    assert ours.stdout == "2.13.0+flambeau\n", ours.stderr
    ours = run(name, PYTHONPATH=pythonpath(tmp_path / "site"))
    assert "the real one" in ours.stderr


def test_install_after_the_real_torch_is_refused(run, script, tmp_path, pythonpath):
    script("", "site/torch/__init__.py")
    name = script("import torch, flambeau.shim\nflambeau.shim.install()\n")
    ours = run(name, PYTHONPATH=pythonpath(tmp_path / "site"))
    assert "RuntimeError" in ours.stderr and "before the first import of torch" in ours.stderr


def test_another_python_stays_as_it_is(run, script, pythonpath):
    name = script(
        "import sys; print(any(type(f).__name__ == 'AliasFinder' for f in sys.meta_path))"
    )
    ours = run(name, FLAMBEAU_SHIM="cpython-399:/elsewhere", PYTHONPATH=pythonpath(SITE))
    assert ours.stdout == "False\n"


def test_annotations_of_renamed_classes_are_read_where_they_were_written(run):
    """Libraries call `typing.get_type_hints` on subclasses of Module."""
    code = (
        "import flambeau.shim; flambeau.shim.install()\n"
        "import torch, typing\n"
        "class Net(torch.nn.Linear):\n    width: int\n"
        "hints = typing.get_type_hints(Net)\n"
        "print(hints['width'], hints['training'], typing.get_type_hints(torch.Tensor) != {})\n"
    )
    done = run("-c", code)
    assert done.stdout.split("\n")[0] == "<class 'int'> <class 'bool'> True", done.stderr


def test_handles_nodes_and_errors_are_pickled_under_pytorchs_names(run, script):
    check(
        run,
        script,
        """
import pickle, torch, torch.utils.hooks, torch.autograd.graph
for cls, name in (
    (torch.utils.hooks.RemovableHandle, "torch.utils.hooks.RemovableHandle"),
    (torch.autograd.graph.Node, "torch.autograd.graph.Node"),
    (torch.linalg.LinAlgError, "torch._C._LinAlgError"),
):
    assert f"{cls.__module__}.{cls.__qualname__}" == name, cls
    assert pickle.loads(pickle.dumps(cls)) is cls
lazy = pickle.loads(pickle.dumps(torch.nn.Sequential(torch.nn.LazyLinear(3))))
assert lazy(torch.ones(2, 4)).shape == (2, 3)
""",
    )


def test_classes_say_pytorchs_modules_and_those_modules_are_found(run, script):
    check(
        run,
        script,
        """
import importlib, torch, torch.utils.benchmark, torch.masked, torch.profiler, torch.distributed
for cls, home in (
    (torch.no_grad, "torch.autograd.grad_mode"),
    (torch.autocast, "torch.amp.autocast_mode"),
    (torch.profiler.profile, "torch.profiler.profiler"),
    (torch.masked.MaskedTensor, "torch.masked.maskedtensor.core"),
    (torch.UntypedStorage, "torch.storage"),
    (torch.utils.benchmark.Timer, "torch.utils.benchmark.utils.timer"),
    (torch.distributed.ProcessGroup, "torch.distributed.distributed_c10d"),
    (torch.nn.Linear, "torch.nn.modules.linear"),
):
    assert cls.__module__ == home, cls
    assert getattr(importlib.import_module(home), cls.__name__) is cls
layer = torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2))
assert str(type(layer)) == "<class 'torch.nn.utils.parametrize.ParametrizedLinear'>"
""",
    )
