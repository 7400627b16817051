"""The reparameterised gradient of a Dirichlet number: how a part moves with its concentration.

Used by ``_dirichlet_grad``. Stands on NumPy and gamma_grad's digamma.
"""

import numpy as np

from flambeau.core.random.gamma_grad import _digamma

__all__ = ["dirichlet_grad"]

# Rational correction p / q in u = log x, a = log(alpha) - u, b = log(total) - a: [p, q][u^i][a^j],
# four coefficients by powers of b. Fitted to PyTorch's values, which they give to 1e-12.
_RATIONAL = np.array(
    [
        [
            [
                [1.003668233, -0.01061107488, -0.0657888334, 0.01201642863],
                [0.6336835991, -0.3557432599, 0.05486251648, -0.001465281033],
                [-0.03276231906, 0.004474107445, 0.002429354597, -0.0001557569013],
            ],
            [
                [0.221950385, -0.3187676331, 0.01799915743, 0.01074823814],
                [-0.2951249643, 0.06219954479, 0.01535556598, 0.001550077057],
                [0.02155310298, 0.004170831599, 0.001292462449, 6.976601077e-05],
            ],
            [
                [-0.05980841433, 0.008441916499, 0.01085618172, 0.002319392565],
                [0.02911413504, 0.01400243777, -0.002721828457, 0.000751041181],
                [0.005900514878, -0.001936558688, -9.495446726e-06, 5.385558597e-05],
            ],
        ],
        [
            [
                [1.0, -0.02924021934, -0.04438342661, 0.007285809825],
                [0.6357567472, -0.3473456711, 0.05454656494, -0.002407477521],
                [-0.03301322327, 0.004845219414, 0.00231480583, -0.0002307248149],
            ],
            [
                [0.5925320577, -0.1757678135, 0.01505928619, 0.000564515273],
                [0.1014815858, -0.06589186703, 0.01272886114, -0.0007316646956],
                [-0.007258481865, 0.001096195486, 0.0003934994223, -4.12701925e-05],
            ],
            [
                [0.06469649321, -0.0236701437, 0.002902096474, -5.896963079e-05],
                [0.001925008108, -0.002869809258, 0.0008000589141, -6.063713228e-05],
                [-0.0003477407336, 6.959756487e-05, 1.097287507e-05, -1.650964693e-06],
            ],
        ],
    ]
)


def dirichlet_grad(x: np.ndarray, alpha: np.ndarray, total: np.ndarray) -> np.ndarray:
    """``-(dF/d alpha) / (f(x) (1 - x))`` of F, f of Beta(alpha, total - alpha) at a draw ``x``.

    Series near 0 and 1; a saddle point expansion where both concentrations are large; between
    them a rational correction of ``x (digamma(total) - digamma(alpha)) / beta``.

    Reference: M. Jankowiak, F. Obermeyer, Pathwise derivatives beyond the reparameterization trick,
    2018, arXiv:1806.01851.
    """
    dtype = x.dtype
    x, alpha, total = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (x, alpha, total)))
    beta = total - alpha
    spread = total * x * (1 - x)
    regions = [
        (x <= 0.5) & (spread < 2.5),
        (x >= 0.5) & (spread < 0.75),
        (alpha > 6) & (beta > 6),
    ]
    found = np.empty(x.shape)
    left = np.ones(x.shape, np.bool_)
    forms = (_near_zero, _near_one, _saddle_point)
    with np.errstate(all="ignore"):
        for region, form in zip(regions, forms, strict=True):
            here = left & region
            if here.any():
                found[here] = form(x[here], alpha[here], beta[here])
            left &= ~region
        if left.any():
            found[left] = _rational(x[left], alpha[left], total[left])
    return found.astype(dtype)


def _near_zero(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The distribution function's power series at 0, differentiated by alpha."""
    factor = _digamma(alpha) - _digamma(alpha + beta) - np.log(x)
    weight = np.ones_like(x)
    series = (factor + 1 / alpha) / alpha
    for i in range(1, 11):
        weight = weight * (i - beta) * x / i
        series = series + weight / (alpha + i) * (factor + 1 / (alpha + i))
    return np.nan_to_num(x * (1 - x) ** -beta * series, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _near_one(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """The same series from the other end: there alpha is the second concentration."""
    x, alpha, beta = 1 - x, beta, alpha
    factor = _digamma(alpha + beta) - _digamma(beta)
    weight, product, slope = np.ones_like(x), np.ones_like(x), np.zeros_like(x)
    series = factor / alpha
    for i in range(1, 9):
        weight = weight * -x / i
        slope = slope * (beta - i) + product
        product = product * (beta - i)
        series = series + weight / (alpha + i) * (slope + factor * product)
    return np.nan_to_num((1 - x) ** (1 - beta) * series, nan=0.0, posinf=np.inf, neginf=-np.inf)


def _saddle_point(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Rice's expansion; near the mean, where that is 0 / 0, its limit."""
    total = alpha + beta
    mean = alpha / total
    deviation = np.sqrt(alpha * beta / (total + 1)) / total
    near = np.abs(x - mean) <= 0.1 * deviation
    return np.where(near, _at_mean(x, alpha, beta, total), _off_mean(x, alpha, beta, total))


def _at_mean(x: np.ndarray, a: np.ndarray, b: np.ndarray, total: np.ndarray) -> np.ndarray:
    # A polynomial in alpha, highest power first.
    poly = 8 * (1 - x) * (135 * b - 11)
    poly = poly * a + (453 + 1620 * b * (1 - x) - 455 * x) * b
    poly = poly * a + 3 * (59 + 180 * b - 90 * x) * b**2
    poly = poly * a + (43 + 20 * (16 + 27 * b) * x) * b**3
    poly = poly * a + 47 * x * b**4
    stirling = (1 + 12 * a) * (1 + 12 * b) / (total**2 * (1 + 12 * total))
    return stirling * poly / ((1 - x) * 12960 * a**3 * b**2)


def _off_mean(x: np.ndarray, a: np.ndarray, b: np.ndarray, total: np.ndarray) -> np.ndarray:
    offset = b * x + a * (x - 1)  # total * (x - mean)
    log_ratio = np.log(a / (total * x))
    divergence = b * np.log(b / (total * (1 - x))) + a * log_ratio
    chord = np.sqrt(8 * a * b / total) / offset
    curve = np.where(offset < 0, 1.0, -1.0) * divergence**-1.5
    slope = 2 * a * a * (x - 1) + a * b * (x - 1) - x * b * b
    slope = slope / (np.sqrt(2 * a / b) * total**1.5 * offset**2)
    stirling = _stirling(a) * _stirling(b) / _stirling(total)
    scale = -x / np.sqrt(2 * a * b / total)
    return stirling * scale * (slope + 0.5 * log_ratio * (chord + curve))


def _stirling(z: np.ndarray) -> np.ndarray:
    return 1 + 1 / (12 * z) + 1 / (288 * z * z)


def _rational(x: np.ndarray, alpha: np.ndarray, total: np.ndarray) -> np.ndarray:
    u = np.log(x)
    a = np.log(alpha) - u
    b = np.log(total) - a
    powers = [np.stack([v**k for k in range(n)]) for v, n in ((u, 3), (a, 3), (b, 4))]
    p, q = np.einsum("nijk,iz,jz,kz->nz", _RATIONAL, *powers)
    guess = x * (_digamma(total) - _digamma(alpha)) / (total - alpha)
    return p / q * guess
