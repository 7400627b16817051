"""Compile, keep, load: the same addresses' worth of code whatever the cache holds."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from flambeau.core.kernels.jit import build, cache, ir
from flambeau.core.kernels.jit.target import describe


def adder(name: str = "adder", lanes: int = 4, bias: float = 0.0) -> ir.Module:
    module = ir.Module(name)
    f = module.function("add", [("ptr", "out"), ("ptr", "a"), ("ptr", "b"), ("i64", "n")])
    a = f.argument
    with f.loop(0, a["n"], lanes) as i:
        x = f.load(ir.vector("float", lanes), a["a"], i)
        y = f.load(ir.vector("float", lanes), a["b"], i)
        f.store(x + y + bias, a["out"], i)
    return module


def run(address: int) -> list[float]:
    a, b, out = np.arange(8, dtype="f4"), np.full(8, 0.5, "f4"), np.zeros(8, "f4")
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 3, ctypes.c_int64)(address)
    call(out.ctypes.data, a.ctypes.data, b.ctypes.data, 8)
    return out.tolist()


WANTED = [k + 0.5 for k in range(8)]


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; what the process has loaded is forgotten."""
    monkeypatch.setenv("FLAMBEAU_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(build, "_LOADED", {})
    return tmp_path


def entries(path: Path) -> list[Path]:
    return [p for p in path.iterdir() if p.name.startswith("adder")]


def test_runs_from_the_compiler_and_from_the_cache(fresh: Path, monkeypatch: pytest.MonkeyPatch):
    assert run(build.load(adder())["add"]) == WANTED
    assert len(entries(fresh)) == 1
    monkeypatch.setattr(build, "_LOADED", {})
    monkeypatch.setattr(build, "compiled", lambda *_: pytest.fail("compiled twice"))
    assert run(build.load(adder())["add"]) == WANTED


def test_another_text_is_another_entry(fresh: Path):
    build.load(adder())
    assert run(build.load(adder(bias=1.0))["add"]) == [w + 1 for w in WANTED]
    assert len(entries(fresh)) == 2


@pytest.mark.parametrize("damage", [b"", b"rubbish", "half", "flipped"])
def test_damaged_entries_are_written_anew(fresh: Path, monkeypatch, damage):
    build.load(adder())
    (path,) = entries(fresh)
    whole = path.read_bytes()
    if damage == "half":
        damage = whole[: len(whole) // 2]
    elif damage == "flipped":
        damage = whole[:-1] + bytes([whole[-1] ^ 1])
    path.write_bytes(damage)
    monkeypatch.setattr(build, "_LOADED", {})
    assert run(build.load(adder())["add"]) == WANTED
    assert path.read_bytes() == whole


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of files here")
def test_files_others_may_write_are_not_run(fresh: Path):
    cache.write("key", b"code")
    assert cache.read("key") == b"code"
    (fresh / "key").chmod(0o666)
    assert cache.read("key") is None


def test_a_directory_that_cannot_be_made_does_no_harm(tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FLAMBEAU_CACHE_DIR", str(tmp_path / "file" / "deeper"))
    monkeypatch.setattr(build, "_LOADED", {})
    assert run(build.load(adder())["add"]) == WANTED


def test_the_directory_stays_within_its_limit(fresh: Path, monkeypatch):
    monkeypatch.setattr(cache, "LIMIT", 0.001)
    for k in range(4):
        cache.write(f"k{k}", bytes(400))
        os.utime(fresh / f"k{k}", (k, k))
    cache.write("last", bytes(400))
    assert cache.read("k0") is None and cache.read("last") == bytes(400)


def test_llvm_links_objects_where_images_do_not_serve(fresh: Path):
    module = adder()
    content = build.compiled(module, build.host())
    assert run(build._linked(module, content, "adder-by-llvm")["add"]) == WANTED


def test_a_target_without_features_is_compiled_for():
    plain = describe(build.host().triple, "", {})
    assert plain.bits == 128 and not plain.masked
    assert build.compiled(adder(lanes=plain.lanes(4)), plain, assembly=True)


def test_importing_the_package_imports_no_compiler():
    code = "import sys, flambeau; assert 'llvmlite' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_switched_off():
    code = "from flambeau.core.kernels.jit import build; assert not build.available()"
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"FLAMBEAU_JIT": "0"})
