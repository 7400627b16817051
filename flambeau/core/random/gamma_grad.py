"""The reparameterised gradient of a gamma number: how a draw moves with its shape parameter.

Used by the gradient of ``_standard_gamma``. Stands on NumPy.
"""

import numpy as np

__all__ = ["gamma_grad"]

# Rational approximation exp(p(u, v) / q(u, v)), u = log(x / alpha), v = log(alpha):
# rows are powers of u; four coefficients of p by powers of v, then four of q.
_RATIONAL = np.array(
    [
        [0.16009398, -0.094634809, 0.025146376, -0.0030648343]
        + [1.0, 0.32668115, 0.10406089, 0.0014179084],
        [0.53487893, 0.1298071, 0.065735949, -0.0015649758]
        + [0.16639465, 0.020070113, -0.0035938915, -0.00058392623],
        [0.040121004, -0.0065914022, -0.0026286047, -0.0013441777]
        + [0.017050642, -0.0021309326, 0.00085092367, -1.5247877e-07],
    ]
)


def gamma_grad(alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``d x / d alpha`` at a draw ``x`` of shape ``alpha``, its quantile held.

    Small ``x``: Taylor series of the distribution function; large ``alpha``: saddle point
    expansion; between them a rational approximation.

    Reference: M. Jankowiak, F. Obermeyer, Pathwise derivatives beyond the
    reparameterization trick, 2018,
    arXiv:1806.01851.
    """
    dtype = alpha.dtype
    alpha, x = np.broadcast_arrays(alpha.astype(np.float64), x.astype(np.float64))
    with np.errstate(all="ignore"):
        near = (0.9 * alpha <= x) & (x <= 1.1 * alpha)
        conditions = [x < 0.8, (alpha > 8) & near, alpha > 8]
        found = np.select(
            conditions,
            [_series(alpha, x), _near_mode(alpha, x), _saddle_point(alpha, x)],
            _rational(alpha, x),
        )
    return found.astype(dtype)


def _series(alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
    numerator, denominator = np.ones_like(x), alpha.copy()
    first, second = 1 / denominator, 1 / denominator**2
    for i in range(1, 6):
        numerator = numerator * (-x / i)
        denominator = denominator + 1
        first = first + numerator / denominator
        second = second + numerator / denominator**2
    power = x**alpha
    density = x ** (alpha - 1) * np.exp(-x)
    slope = (np.log(x) - _digamma(alpha)) * power * first - power * second
    return np.nan_to_num(-slope / density, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _near_mode(alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
    first = 1 + 24 * alpha * (1 + 12 * alpha)
    second = (
        1440 * alpha**2 + 6 * x * (53 - 120 * x) - 65 * x * x / alpha + alpha * (107 + 3600 * x)
    )
    return first * second / (1244160 * alpha**4)


def _saddle_point(alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
    scale = np.sqrt(8 * alpha)
    log_ratio = np.log(x / alpha)
    chord = scale / (alpha - x)
    curve = (x - alpha - alpha * log_ratio) ** -1.5
    both = np.where(x < alpha, chord - curve, chord + curve)
    term = log_ratio * both - np.sqrt(2 / alpha) * (alpha + x) / (alpha - x) ** 2
    stirling = 1 + 1 / (12 * alpha) * (1 + 1 / (24 * alpha))
    return -stirling * x * term / scale


def _rational(alpha: np.ndarray, x: np.ndarray) -> np.ndarray:
    u, v = np.log(x / alpha), np.log(alpha)
    c = [a + u * (b + u * d) for a, b, d in _RATIONAL.T]
    p = c[0] + v * (c[1] + v * (c[2] + v * c[3]))
    q = c[4] + v * (c[5] + v * (c[6] + v * c[7]))
    return np.exp(p / q)


def _digamma(x: np.ndarray) -> np.ndarray:
    """The digamma function for x > 0: recurrence up to 10, then the asymptotic series."""
    shift = np.zeros_like(x)
    for _ in range(10):
        small = x < 10
        shift = np.where(small, shift - 1 / x, shift)
        x = np.where(small, x + 1, x)
    z = 1 / (x * x)
    tail = z * (
        1 / 12 - z * (1 / 120 - z * (1 / 252 - z * (1 / 240 - z * (1 / 132 - z * 691 / 32760))))
    )
    return shift + np.log(x) - 0.5 / x - tail
