"""The names of operations that work element by element: on jagged tensors they run on all values at
once. Any other operation runs part by part. Data only.
"""

from __future__ import annotations

__all__ = ["POINTWISE"]

POINTWISE = frozenset(
    """
    abs absolute acos acosh add addcdiv addcmul airy_ai alias alpha_dropout and angle arccos
    arcsin arctan asin asinh atan atan2 atanh bernoulli bessel_j0 bessel_j1 bessel_y0 bessel_y1
    bfloat16 bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
    bitwise_xor bool byte ceil celu char chebyshev_polynomial_t chebyshev_polynomial_u
    chebyshev_polynomial_v chebyshev_polynomial_w clamp clamp_max clamp_min clip clone conj
    conj_physical copysign cos cosh cpu deg2rad detach digamma div divide double dropout elu
    empty_like entr eq erf erfc erfcx erfinv exp exp2 expm1 feature_alpha_dropout fix float
    float_power floor floor_divide floordiv fmax fmin fmod frac frexp full_like gcd ge gelu
    greater greater_equal gt half hardshrink hardsigmoid hardswish hardtanh heaviside
    hermite_polynomial_h hermite_polynomial_he hypot i0 i0e i1 i1e igamma igammac imag int
    invert is_nan isclose isfinite isinf isnan isneginf isposinf isreal laguerre_polynomial_l
    lcm ldexp le leaky_relu legendre_polynomial_p lerp less less_equal lgamma log log10 log1p
    log2 log_ndtr logaddexp logaddexp2 logical_and logical_not logical_or logical_xor logit
    logsigmoid long lshift lt masked_fill max maximum min minimum mish mod modified_bessel_i0
    modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 mul multiply mvlgamma nan_to_num
    native_dropout ndtri ne neg negative nextafter not_equal ones_like or polygamma positive pow
    rad2deg radd rand_like randint_like randn_like real reciprocal relu relu6 remainder
    rfloordiv rmod rmul round rpow rrelu rshift rsqrt rsub rtruediv scaled_modified_bessel_k0
    scaled_modified_bessel_k1 selu sgn shifted_chebyshev_polynomial_t
    shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w
    short sigmoid sign signbit silu sin sinc sinh softplus softshrink softsign special_expit
    spherical_bessel_j0 sqrt square sub subtract tan tanh tanhshrink threshold to true_divide
    truediv trunc type type_as view_as where xlog1py xlogy xor zeros_like zeta
    """.split()
)
