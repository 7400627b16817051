"""What the machine can do at most: multiply-adds per second, and bytes per second.

``python bench/roofline.py [--threads N]`` measures both on the spot. Arithmetic is the best of
large matrix products through flambeau and NumPy: a lower bound of the peak, and what a kernel can
hope for. Bandwidth is the best of copies of arrays larger than the last cache's share.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SIZE, COPIED = 1536, 64 * 1024 * 1024
ROUNDS = 15


def best(call: Callable[[], Any]) -> float:
    """The shortest of some rounds, in seconds."""
    call()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def measure(threads: int) -> dict[str, float]:
    """Floating-point operations and bytes per second with so many threads (0: the default)."""
    import numpy as np

    import flambeau as torch

    if threads:
        torch.set_num_threads(threads)
    a, b = torch.rand(SIZE, SIZE), torch.rand(SIZE, SIZE)
    x, y = a.numpy(), b.numpy()
    z = np.empty_like(x)
    work = 2 * SIZE**3
    arithmetic = work / min(best(lambda: a @ b), best(lambda: np.matmul(x, y, out=z)))
    source = torch.rand(COPIED // 4)
    target = torch.empty(COPIED // 4)
    flow = 2 * COPIED / best(lambda: target.copy_(source))
    return {"flops": arithmetic, "bytes": flow}


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=0)
    threads = parser.parse_args().threads
    if threads:
        os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    sys.path[:0] = [str(ROOT)]
    print(json.dumps(measure(threads)))


if __name__ == "__main__":
    main()
