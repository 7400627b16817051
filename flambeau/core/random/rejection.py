"""Laws that draw until a number is accepted: poisson, binomial, gamma, dirichlet.

How many words an element takes depends on the words, so these run element by element in Python
over a block of words drawn ahead; the stream is put back to the exact word afterwards.
"""

import math
from types import TracebackType

import numpy as np

from flambeau.core.random.stream import Stream

__all__ = ["binomial", "dirichlet", "gamma", "poisson"]

_DIRECT = 8  # below this many elements drawing one number at a time is cheaper than rewinding
_AHEAD = 4096

_TAIL = (
    0.0810614667953272,
    0.0413406959554092,
    0.0276779256849983,
    0.02079067210376509,
    0.0166446911898211,
    0.0138761288230707,
    0.0118967099458917,
    0.0104112652619720,
    0.00925546218271273,
    0.00833056343336287,
)


class _Ahead:
    """Numbers of a stream one by one at the price of blocks: ``with _Ahead(stream, n) as draw``.

    Leaving puts the stream where the numbers taken end.
    """

    def __init__(self, stream: Stream, elements: int) -> None:
        self.stream = stream
        self.direct = elements < _DIRECT
        self.block: list[float] = []
        self.at = 0
        self.taken = 0

    def __enter__(self) -> "_Ahead":
        self.stream.lock.acquire()
        if not self.direct:
            self.start = self.stream.mark()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self.direct:
            self.stream.rewind(self.start, 2 * (self.taken + self.at))
        self.stream.lock.release()

    def uniform(self) -> float:
        if self.direct:
            return self.stream.double()
        if self.at == len(self.block):
            self.taken += self.at
            self.block = self.stream.doubles(_AHEAD).tolist()
            self.at = 0
        self.at += 1
        return self.block[self.at - 1]

    def normal(self) -> float:
        stream = self.stream
        spare = stream.normal_spare
        if spare is not None:
            stream.normal_spare = None
            return spare
        angle = 2.0 * math.pi * self.uniform()
        radius = math.sqrt(-2.0 * math.log1p(-self.uniform()))
        stream.normal_spare = radius * math.sin(angle)
        return radius * math.cos(angle)


def poisson(stream: Stream, rate: np.ndarray) -> np.ndarray:
    """Poisson counts of the given rates, in the rates' dtype.

    Rates under 10 multiply uniforms (Knuth), others use transformed rejection.

    Reference: W. Hoermann, The transformed rejection method for generating Poisson random
    variables, 1993.
    """
    with _Ahead(stream, rate.size) as draw:
        drawn = [_poisson(draw, value) for value in _values(rate)]
    return np.array(drawn, np.float64).reshape(rate.shape).astype(rate.dtype)


def _poisson(draw: _Ahead, rate: float) -> float:
    if rate == 0:
        return 0.0
    uniform = draw.uniform
    if not rate >= 10:
        floor, product, count = math.exp(-rate), 1.0, 0
        while True:
            product *= uniform()
            if not product > floor:
                return float(count)
            count += 1
    root, log_rate = math.sqrt(rate), math.log(rate)
    b = 0.931 + 2.53 * root
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2)
    while True:
        u = uniform() - 0.5
        v = uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= v_r:
            return float(k)
        if k < 0 or (us < 0.013 and v > us):
            continue
        left = _log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b)
        if left <= -rate + k * log_rate - math.lgamma(k + 1.0):
            return float(k)


def binomial(stream: Stream, count: np.ndarray, prob: np.ndarray) -> np.ndarray:
    """Numbers of successes in ``count`` trials of probability ``prob``, in ``count``'s dtype.

    Few expected successes: sums of geometric waiting times; else transformed rejection (BTRS).

    Reference: W. Hoermann, The generation of binomial random variates, 1993.
    """
    probs = _values(np.broadcast_to(prob, count.shape))
    with _Ahead(stream, count.size) as draw:
        drawn = [_binomial(draw, n, p) for n, p in zip(_values(count), probs, strict=True)]
    return np.array(drawn, np.float64).reshape(count.shape).astype(count.dtype)


def _binomial(draw: _Ahead, count: float, prob: float) -> float:
    if count <= 0 or prob <= 0:
        return 0.0
    if prob >= 1:
        return count
    if prob <= 0.5:
        return _successes(draw, count, prob)
    if prob > 0.5:
        return count - _successes(draw, count, 1.0 - prob)
    return math.nan


def _successes(draw: _Ahead, count: float, prob: float) -> float:
    return (_btrs if count * prob >= 10 else _waiting)(draw, count, prob)


def _waiting(draw: _Ahead, count: float, prob: float) -> float:
    log_miss = math.log1p(-prob)
    trials, successes = 0.0, 0
    while True:
        u = draw.uniform()
        trials += math.ceil(math.log(u) / log_miss) if u > 0 else math.inf
        if trials > count:
            return float(successes)
        successes += 1


def _btrs(draw: _Ahead, count: float, prob: float) -> float:
    deviation = math.sqrt(count * prob * (1 - prob))
    b = 1.15 + 2.53 * deviation
    a = -0.0873 + 0.0248 * b + 0.01 * prob
    c = count * prob + 0.5
    v_r = 0.92 - 4.2 / b
    odds = prob / (1 - prob)
    alpha = (2.83 + 5.1 / b) * deviation
    mode = math.floor((count + 1) * prob)
    while True:
        u = draw.uniform() - 0.5
        v = draw.uniform()
        us = 0.5 - abs(u)
        if us == 0:
            continue
        k = math.floor((2 * a / us + b) * u + c)
        if us >= 0.07 and v <= v_r:
            return float(k)
        if k < 0 or k > count:
            continue
        bound = (
            (mode + 0.5) * math.log((mode + 1) / (odds * (count - mode + 1)))
            + (count + 1) * math.log((count - mode + 1) / (count - k + 1))
            + (k + 0.5) * math.log(odds * (count - k + 1) / (k + 1))
            + _stirling(mode)
            + _stirling(count - mode)
            - _stirling(k)
            - _stirling(count - k)
        )
        if _log(v * alpha / (a / (us * us) + b)) <= bound:
            return float(k)


def _stirling(k: float) -> float:
    """What Stirling's formula leaves of ``log(k!)``."""
    if k <= 9:
        return _TAIL[int(k)]
    square = (k + 1) * (k + 1)
    return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 / square) / square) / (k + 1)


def gamma(stream: Stream, alpha: np.ndarray) -> np.ndarray:
    """Gamma numbers of shape ``alpha`` and rate 1, at least the dtype's smallest normal one.

    Reference: G. Marsaglia, W. W. Tsang, A simple method for generating gamma variables, 2000.
    """
    return np.maximum(_gammas(stream, alpha).astype(alpha.dtype), _tiny(alpha.dtype))


def dirichlet(stream: Stream, alpha: np.ndarray) -> np.ndarray:
    """Dirichlet numbers over the last dimension: gammas over their sum, inside (0, 1)."""
    gammas = np.maximum(_gammas(stream, alpha.astype(np.float64)), _tiny(alpha.dtype))
    gammas /= gammas.sum(-1, keepdims=True)
    below_one = np.nextafter(alpha.dtype.type(1), alpha.dtype.type(0))
    return np.clip(gammas.astype(alpha.dtype), _tiny(alpha.dtype), below_one)


def _gammas(stream: Stream, alpha: np.ndarray) -> np.ndarray:
    boosted = np.where(alpha < 1, alpha + alpha.dtype.type(1), alpha)
    parameters = zip(
        _values(alpha), _values(1 / alpha), _values(boosted - alpha.dtype.type(_THIRD)), strict=True
    )
    with _Ahead(stream, alpha.size) as draw:
        drawn = [_gamma(draw, *values) for values in parameters]
    return np.array(drawn, np.float64).reshape(alpha.shape)


def _values(parameter: np.ndarray) -> list[float]:
    """The parameters in C order: these laws fill a new contiguous array always."""
    return parameter.astype(np.float64).ravel().tolist()


def _gamma(draw: _Ahead, alpha: float, inverse: float, d: float) -> float:
    """One gamma number. ``inverse`` is 1 / alpha and ``d`` is alpha - 1/3 (alpha + 2/3 below one).

    Both come rounded to the tensor's dtype, as PyTorch's arithmetic leaves them.
    """
    scale = 1.0
    if alpha < 1:
        if alpha == 0:
            return 0.0
        scale = (1.0 - draw.uniform()) ** inverse
    c = 1.0 / math.sqrt(9.0 * d)
    while True:
        x = draw.normal()
        y = 1.0 + c * x
        if y <= 0:
            continue
        v = y * y * y
        u = 1.0 - draw.uniform()
        xx = x * x
        if u < 1.0 - _SQUEEZE * xx * xx:
            return scale * d * v
        if math.log(u) < 0.5 * xx + d * (1.0 - v + math.log(v)):
            return scale * d * v


_THIRD = float(np.float32(1) / np.float32(3))  # float32 constants, as in PyTorch: the digits show
_SQUEEZE = float(np.float32(0.0331))


def _tiny(dtype: np.dtype) -> float:
    if dtype.name == "bfloat16":
        return dtype.type(np.finfo(np.float32).tiny)
    return np.finfo(dtype).tiny


def _log(x: float) -> float:
    return math.log(x) if x > 0 else -math.inf
