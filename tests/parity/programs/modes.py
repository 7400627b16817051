"""Programs about grad modes, inference mode and anomaly mode."""

from __future__ import annotations

import threading
from typing import Any

from tests.parity.programs.autograd import Trial, leaf


def no_grad_forms(torch: Any) -> Any:
    x = leaf(torch)
    log = []

    @torch.no_grad()
    def f(v: Any) -> Any:
        return (v * 2).requires_grad

    @torch.no_grad
    def g(v: Any) -> Any:
        return (v * 2).requires_grad

    @torch.enable_grad()
    def h(v: Any) -> Any:
        return (v * 2).requires_grad

    log += [f(x), g(x), f.__name__]
    with torch.no_grad():
        log += [h(x), torch.is_grad_enabled()]
        with torch.enable_grad():
            log.append((x * 2).requires_grad)
        log.append((x * 2).requires_grad)
    with torch.set_grad_enabled(False):
        log.append((x * 2).requires_grad)
    log.append(torch.is_grad_enabled())
    torch.set_grad_enabled(False)
    log.append(torch.is_grad_enabled())
    torch.set_grad_enabled(True)
    try:
        with torch.no_grad():
            raise ValueError
    except ValueError:
        log.append(torch.is_grad_enabled())
    return log


def no_grad_generator(torch: Any) -> Any:
    log = []

    @torch.no_grad()
    def gen() -> Any:
        try:
            for k in range(3):
                got = yield k, torch.is_grad_enabled()
                log.append((got, torch.is_grad_enabled()))
        finally:
            log.append(("closed", torch.is_grad_enabled()))

    it = gen()
    log.append((next(it), torch.is_grad_enabled()))
    log.append((it.send("hello"), torch.is_grad_enabled()))
    it.close()
    log.append(torch.is_grad_enabled())
    log.append(list(gen()))
    return log


def no_grad_class(torch: Any) -> Any:
    guard = torch.no_grad()
    out = []
    for _ in range(2):
        with guard:
            with torch.no_grad():
                out.append(torch.is_grad_enabled())
            out.append(torch.is_grad_enabled())
        out.append(torch.is_grad_enabled())
    return out


def factories_under_no_grad(torch: Any) -> Any:
    with torch.no_grad():
        x = torch.ones(2, requires_grad=True)
        y = torch.nn.Parameter(torch.ones(2))
        z = x * 2
    return x.requires_grad, y.requires_grad, z.requires_grad, z.is_leaf


def inference(torch: Any) -> Any:
    t = Trial()
    x = leaf(torch)
    with torch.inference_mode():
        y = x * 2
        z = torch.ones(3)
        out = [
            y.requires_grad,
            y.is_inference(),
            z.is_inference(),
            torch.is_inference_mode_enabled(),
            torch.is_grad_enabled(),
            x.is_inference(),
        ]
        t(lambda: z.add_(1).tolist())
        with torch.inference_mode(False):
            out += [
                torch.is_inference_mode_enabled(),
                torch.is_grad_enabled(),
                (x * 2).requires_grad,
            ]
    t(lambda: z.exp_())
    t(lambda: (z * 2).requires_grad)
    t(lambda: z.requires_grad_())
    t(lambda: (z.clone() * x).requires_grad)
    t(lambda: z._version)
    t(lambda: z.view(3, 1).is_inference())
    return out, t.log, torch.is_inference_mode_enabled()


def inference_decorator(torch: Any) -> Any:
    @torch.inference_mode()
    def f(x: Any) -> Any:
        return x * 2

    y = f(leaf(torch))
    return y.is_inference(), y.requires_grad


def anomaly_nan(torch: Any) -> Any:
    t = Trial()
    x = torch.tensor([0.0, 1.0], requires_grad=True)
    with torch.autograd.detect_anomaly():
        y = (x * 0) / (x * 0)
        t(lambda: y.sum().backward())
    with torch.autograd.detect_anomaly(check_nan=False):
        y = (x * 0) / (x * 0)
        t(lambda: y.sum().backward())
    with torch.autograd.set_detect_anomaly(True):
        z = x.sqrt() * 0
        t(lambda: z.sum().backward())
        flag = torch.is_anomaly_enabled()
    return t.log, flag, torch.is_anomaly_enabled()


def anomaly_error(torch: Any) -> Any:
    class Bad(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            raise ZeroDivisionError("mine")

    t = Trial()
    with torch.autograd.detect_anomaly():
        y = Bad.apply(leaf(torch))
        t(lambda: y.sum().backward())
    return t.log


def modes_are_per_thread(torch: Any) -> Any:
    seen = []
    with torch.no_grad():
        thread = threading.Thread(target=lambda: seen.append(torch.is_grad_enabled()))
        thread.start()
        thread.join()
    return seen


def backward_grad_mode(torch: Any) -> Any:
    x = leaf(torch)
    y = (x * x).sum()
    with torch.no_grad():
        y.backward()
        (g,) = torch.autograd.grad(
            (leaf(torch) * 2).sum() if False else _made(torch, x), x, create_graph=True
        )
    return x.grad, g.requires_grad


def _made(torch: Any, x: Any) -> Any:
    with torch.enable_grad():
        return (x**3).sum()


_made.__module__ = "helpers"


def gradcheck_forms(torch: Any) -> Any:
    t = Trial()
    x = torch.tensor([0.3, -1.2], dtype=torch.float64, requires_grad=True)
    check = torch.autograd.gradcheck

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, v: Any) -> Any:
            return v * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return g * 3

    t(lambda: check(torch.sin, (x,)))
    t(lambda: check(torch.sin, x, fast_mode=True))
    t(lambda: check(Wrong.apply, (x,)))
    t(lambda: check(Wrong.apply, (x,), fast_mode=True))
    t(lambda: check(Wrong.apply, (x,), raise_exception=False))
    t(lambda: check(torch.sin, (x.detach(),)))
    t(lambda: check(lambda a: (a * a, a.exp()), (x,), check_batched_grad=True))
    t(lambda: check(lambda a, b: a * b, (x, x.detach())))
    z = torch.tensor([1 + 2j, 0.5 - 1j], dtype=torch.complex128, requires_grad=True)
    t(lambda: check(lambda v: v * v.conj() + v, (z,)))
    t(lambda: check(lambda v: v * v.conj() + v, (z,), fast_mode=True))
    t(lambda: check(torch.sin, (x,), check_forward_ad=True))
    t(lambda: torch.autograd.gradgradcheck(torch.sin, (x,)))
    t(lambda: torch.autograd.gradgradcheck(lambda v: v**3, (x,), fast_mode=True))
    return t.log
