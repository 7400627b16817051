"""The stream of random bits: MT19937, seeded, stored and restored as PyTorch does it.

``Stream`` gives 32-bit words and the few numbers that laws build on, keeps the spare normal of the
double Box-Muller pair, and packs its state into PyTorch's 5056 bytes. The laws themselves live in
the neighbouring files; the public ``Generator`` (tensors, devices) stands in ``generator.py``.
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from flambeau.core.errors import fail
from flambeau.core.kernels import late

__all__ = ["DEFAULT_SEED", "STATE_BYTES", "Stream"]

DEFAULT_SEED = 67280421310721
STATE_BYTES = 5056

_WORDS = 624
_BLOCK = 32768  # words drawn at once: the raw block, its mask and the result stay in the L2 cache
_HEAD = struct.Struct("<QiiQ")  # seed, words left, seeded, next word
_TAIL = struct.Struct("<dddiifB3x")  # normal_x, _y, _rho, valid, pad, float normal, its flag
_INT32, _FLOAT32 = (
    np.dtype(np.int32),
    np.dtype(np.float32),
)  # dtype objects: a type costs 0.3 us a call
_MASK24, _STEP24 = np.int32((1 << 24) - 1), np.float32(2.0**-24)
_MASK21 = np.uint64((1 << 21) - 1)
_MASK53 = np.uint64((1 << 53) - 1)

_drawn = late.placed("generate.twister", "draw")


class _Cells(ctypes.Structure):
    """What generated code reads and writes beside NumPy's state (``kernels.native.draws``)."""

    _fields_ = [
        ("spares", ctypes.c_int64),  # whether there is a spare normal
        ("spare", ctypes.c_double),
        ("busy", ctypes.c_int64),  # draws in several steps that go on now
        ("fresh", ctypes.c_int64),
    ]


class _Turn:
    """``with``: one draw of several steps. Who draws in one step, with the interpreter's lock held,
    asks whether one goes on.
    """

    __slots__ = ("_cells", "_lock")

    def __init__(self, cells: _Cells) -> None:
        self._lock, self._cells = threading.RLock(), cells

    def acquire(self) -> None:
        self._lock.acquire()
        self._cells.busy += 1

    def release(self) -> None:
        self._cells.busy -= 1
        self._lock.release()

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Stream:
    """A seeded MT19937 stream with PyTorch's state layout.

    ``lock`` guards one draw of a whole tensor: a law holds it from its first word to its last, so
    that two threads never share out one tensor's words. NumPy's bit generator is made at the first
    use, because ``numpy.random`` costs 17 ms to import and programs that only infer never draw.
    """

    __slots__ = ("__weakref__", "_bits", "_cells", "_seed", "lock", "normal_float")

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._cells = _Cells()
        self.lock = _Turn(self._cells)
        self._bits: np.random.MT19937 | None = None
        self.reseed(seed)

    @property
    def fresh(self) -> bool:
        """Whether nothing was drawn since the seed."""
        return bool(self._cells.fresh)

    @fresh.setter
    def fresh(self, value: bool) -> None:
        self._cells.fresh = value

    @property
    def normal_spare(self) -> float | None:
        """The second of the last pair of normals, where nobody took it."""
        return self._cells.spare if self._cells.spares else None

    @normal_spare.setter
    def normal_spare(self, normal: float | None) -> None:
        self._cells.spares, self._cells.spare = normal is not None, normal or 0.0

    # seeding

    def reseed(self, seed: int) -> None:
        """Starts the stream of ``seed`` (modulo 2^64; its low 32 bits initialise MT19937)."""
        with self.lock:
            self._seed = seed & 0xFFFFFFFFFFFFFFFF
            self.fresh = True
            self.normal_spare = None
            self.normal_float: float | None = None
            if self._bits is not None:
                self._initialise(self._bits)

    def reseed_from_entropy(self) -> int:
        """Seeds with 64 bits from the operating system and returns them."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.reseed(seed)
        return seed

    def _initialise(self, bits: np.random.MT19937) -> None:
        np.random.RandomState(bits).seed(self._seed & 0xFFFFFFFF)

    def _generator(self) -> np.random.MT19937:
        bits = self._bits
        if bits is None:
            bits = np.random.MT19937()
            self._initialise(bits)
            self._bits = bits
        self.fresh = False
        return bits

    # words

    def words(self, n: int) -> np.ndarray:
        """The next ``n`` 32-bit words, as uint32."""
        if n == 0:
            return np.empty(0, np.uint32)
        raw = self._generator().random_raw
        if n <= _BLOCK:
            return raw(n).astype(np.uint32)
        out = np.empty(n, np.uint32)
        for start in range(0, n, _BLOCK):
            stop = min(start + _BLOCK, n)
            out[start:stop] = raw(stop - start)
        return out

    def words64(self, n: int) -> np.ndarray:
        """The next ``n`` 64-bit words, as uint64; a pair's first word is the high half."""
        pairs = self.words(2 * n).astype(np.uint64).reshape(n, 2)
        pairs[:, 0] <<= np.uint64(32)
        return pairs[:, 0] | pairs[:, 1]

    def word(self) -> int:
        """The next 32-bit word."""
        return int(self._generator().random_raw())

    def word64(self) -> int:
        """The next 64-bit word (two 32-bit words, high half first)."""
        raw = self._generator().random_raw
        high = int(raw())
        return high << 32 | int(raw())

    # numbers in [0, 1)

    def doubles(self, n: int) -> np.ndarray:
        """``n`` float64 uniforms in [0, 1): the low 53 bits of 64-bit words times 2^-53."""
        out = np.empty(n)
        if self.draw("doubles", out, 1.0, 0.0):
            return out
        for start in range(0, n, _BLOCK):
            stop = min(start + _BLOCK, n)
            out[start:stop] = self._doubles(stop - start)
        return out

    def _doubles(self, n: int) -> np.ndarray:
        words = self.words64(n)
        words &= _MASK53
        out = words.view(np.int64).astype(np.float64)
        out *= 2.0**-53
        return out

    def below(self, n: int, p: float) -> np.ndarray:
        """``doubles(n) < p`` as bools, at the cost of the words alone.

        The first word of a pair decides, but for one pair in two million that ties with ``p``.
        """
        bound = math.ceil(p * 2.0**53)
        high, low = divmod(bound, 1 << 32)
        out = np.empty(n, np.bool_)
        if self.draw("below", out, bound):
            return out
        for start in range(0, n, _BLOCK):
            part = out[start : start + _BLOCK]
            words = self._generator().random_raw(2 * part.size)
            first = words[0::2] & _MASK21
            np.less(first, np.uint64(high), out=part)
            (ties,) = (first == np.uint64(high)).nonzero()
            if ties.size:
                part[ties] = words[2 * ties + 1] < np.uint64(low)
        return out

    def double(self) -> float:
        """One float64 uniform in [0, 1)."""
        return (self.word64() & 0x1FFFFFFFFFFFFF) * 2.0**-53

    def floats(self, n: int, out: np.ndarray | None = None) -> np.ndarray:
        """``n`` float32 uniforms in [0, 1), in ``out`` if given: 24 low bits times 2^-24."""
        if out is None:
            out = np.empty(n, np.float32)
        if self.draw("floats", out, 1.0, 0.0):
            return out
        for start in range(0, n, _BLOCK):
            part = out[start : start + _BLOCK]
            words = self._generator().random_raw(part.size).astype(_INT32)
            words &= _MASK24
            np.multiply(words, _STEP24, out=part, casting="unsafe", dtype=_FLOAT32)
        return out

    def draw(self, law: str, out: np.ndarray, *given: Any) -> bool:
        """Fill a contiguous array by a law of ``kernels.generate.twister``; whether it was done:
        where there is code for it, and something to draw."""
        return out.size > 0 and _drawn(law, self._generator(), out, *given)

    def drawing(self, name: str) -> Callable[..., Any] | None:
        """The native function of ``kernels.native.draws`` that draws from this stream; None where
        there is none.
        """
        from flambeau.core.kernels.native.draws import native

        fresh = self.fresh
        place = self._generator().ctypes.state_address
        self.fresh = fresh
        return native(name, place, ctypes.addressof(self._cells))

    # going back

    def mark(self) -> Any:
        """The place in the stream, for :meth:`rewind`."""
        return self._generator().state

    def rewind(self, mark: Any, words: int) -> None:
        """Goes to ``words`` 32-bit words after ``mark``."""
        bits = self._generator()
        bits.state = mark
        if words:
            bits.random_raw(words, output=False)

    # state

    def pack(self) -> np.ndarray:
        """The state as PyTorch's 5056 bytes (uint8), on every platform in little-endian order."""
        with self.lock:
            fresh = self.fresh
            bits = self._bits or self._generator()
            self.fresh = fresh
            inner = bits.state["state"]
            position = 0 if self.fresh else int(inner["pos"])
            left = 1 if self.fresh else _WORDS + 1 - position
            spare, single = self.normal_spare, self.normal_float
            return np.frombuffer(
                _HEAD.pack(self._seed, left, 1, position)
                + inner["key"].astype("<u8").tobytes()
                + _TAIL.pack(
                    0.0, spare or 0.0, 0.0, spare is not None, 0, single or 0.0, single is not None
                ),
                np.uint8,
            ).copy()

    def unpack(self, state: np.ndarray) -> None:
        """Restores a state of :meth:`pack` or of PyTorch's ``get_rng_state``.

        Raises:
            RuntimeError: the size is not 5056 bytes, or the bytes are no MT19937 state.
        """
        raw = np.ascontiguousarray(state).tobytes()
        if len(raw) != STATE_BYTES:
            raise fail(
                RuntimeError,
                "set_state",
                f"new_state has {len(raw)} bytes, the state of a CPU generator has {STATE_BYTES}. "
                "Give what get_state() or get_rng_state() returned.",
            )
        seed, left, seeded, position = _HEAD.unpack_from(raw)
        key = np.frombuffer(raw, "<u8", _WORDS, _HEAD.size)
        if not (seeded and 0 < left <= _WORDS and position <= _WORDS):
            raise fail(
                RuntimeError,
                "set_state",
                "new_state is no valid MT19937 state: it wants 1 to 624 words left and a next word "
                f"of at most 624, the bytes say {left} and {position}. "
                "Give what get_state() or get_rng_state() returned.",
            )
        _, spare, _, valid, _, single, single_valid = _TAIL.unpack_from(
            raw, _HEAD.size + 8 * _WORDS
        )
        with self.lock:
            self._generator().state = {
                "bit_generator": "MT19937",
                "state": {
                    "key": key.astype(np.uint32),
                    "pos": _WORDS if left == 1 else int(position),
                },
            }
            self._seed = seed
            self.fresh = left == 1 and position == 0
            self.normal_spare = spare if valid else None
            self.normal_float = single if single_valid else None
