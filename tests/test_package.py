"""The package as a user gets it: what the wheel holds, what an import brings, what it leaves alone."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load_script(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def python(code: str, cwd: Path) -> str:
    """Run code in a fresh interpreter that finds this tree."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_brings_numpy_and_little_else(tmp_path):
    code = "import flambeau; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = set(python(code, tmp_path).split())
    assert "numpy" in loaded
    optional = {"torch", "scipy", "llvmlite", "PIL", "tensorboardX", "mpi4py", "safetensors"}
    heavy = {"matplotlib", "multiprocessing", "asyncio", "unittest", "http", "tqdm"}
    assert not loaded & (optional | heavy)


def test_import_leaves_numpy_errors_and_warnings_alone(tmp_path):
    code = """
import warnings, numpy
before = numpy.geterr(), list(warnings.filters), sys.flags.int_max_str_digits
import flambeau
assert before == (numpy.geterr(), list(warnings.filters), sys.flags.int_max_str_digits)
"""
    python(code, tmp_path)


def test_import_does_not_claim_the_name_torch(tmp_path):
    python("import flambeau; assert 'torch' not in sys.modules", tmp_path)


def test_version_is_the_distributions(tmp_path):
    version = python("import flambeau; print(flambeau.__version__)", tmp_path).strip()
    assert version == version.strip() and version.count(".") >= 2


def test_flambeau_never_imports_torch():
    """The oracle is never a dependency: no module under flambeau/ imports real PyTorch."""
    import ast

    guilty = []
    for file in sorted((ROOT / "flambeau").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            if any(name.split(".")[0] in ("torch", "torchvision") for name in names):
                guilty.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert not guilty


@pytest.mark.parametrize("script", ["areas.py", "stubs.py"])
def test_what_scripts_write_is_current(script, tmp_path):
    """What the declarations publish is what editors see and what loads late: `make format`."""
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / script, "--check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_stubs_show_what_the_declarations_bind():
    import ast

    def members(path: str, owner: str | None = None) -> dict[str, str]:
        tree = ast.parse((ROOT / "flambeau" / path).read_text(encoding="utf-8"))
        nodes = tree.body
        if owner:
            (nodes,) = (n.body for n in nodes if isinstance(n, ast.ClassDef) and n.name == owner)
        return {n.name: ast.unparse(n.args) for n in nodes if isinstance(n, ast.FunctionDef)}

    tensor = members("core/tensor.pyi", "Tensor")
    assert tensor["add_"] == "self, other: Tensor | complex, *, alpha: Any=1"
    assert tensor["__radd__"] == "self, other: Tensor | complex"
    assert tensor["sum"].startswith("self, dim: Any=None, keepdim: builtins.bool=False")
    assert "out: Tensor | None=None" in members("linalg/__init__.pyi")["det"]
    assert {"zeros", "matmul", "where", "conv2d"} <= members("__init__.pyi").keys()


@pytest.mark.package
@pytest.mark.slow
def test_wheel_is_pure_complete_and_works_outside_the_tree(tmp_path):
    script = load_script("wheel_test")
    wheel = script.build_wheel(tmp_path)
    assert script.complaints(wheel) == []
    environment = script.core_environment(tmp_path / "environment", wheel)
    script.run(environment, "-c", script.SMOKE, cwd=tmp_path)
    (tmp_path / "script.py").write_text(script.SCRIPT)
    assert "the wheel works" in script.run(environment, "-m", "flambeau", "script.py", cwd=tmp_path)
