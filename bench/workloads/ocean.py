"""Two programs of ocean modelling, chains of elementwise work and of slices, without gradients.

The equation of state is EOS-80: the density of sea water from salinity, temperature and pressure
(Fofonoff and Millard 1983, UNESCO technical papers in marine science 44). Isoneutral mixing
follows the tapered slopes of Griffies (1998, J. Phys. Oceanogr. 28): both are written from their
formulas, in the sizes that the benchmark collection pyhpc made customary.
"""

from __future__ import annotations

from typing import Any

from bench.workloads.workload import Workload, tensor

POINTS = 262_144
GRID = (64, 64, 26)  # longitude, latitude, depth


def density(s: Any, t: Any, p: Any) -> Any:
    """kg/m^3 of sea water at practical salinity `s`, degrees Celsius `t`, bar `p`."""
    root = s.sqrt()
    water = 999.842594 + t * (
        6.793952e-2 + t * (-9.09529e-3 + t * (1.001685e-4 + t * (-1.120083e-6 + t * 6.536332e-9)))
    )
    linear = 8.24493e-1 + t * (-4.0899e-3 + t * (7.6438e-5 + t * (-8.2467e-7 + t * 5.3875e-9)))
    surface = water + s * (
        linear + root * (-5.72466e-3 + t * (1.0227e-4 + t * -1.6546e-6)) + s * 4.8314e-4
    )
    bulk = 19652.21 + t * (148.4206 + t * (-2.327105 + t * (1.360477e-2 + t * -5.155288e-5)))
    bulk = bulk + s * (
        54.6746
        + t * (-0.603459 + t * (1.09987e-2 + t * -6.167e-5))
        + root * (7.944e-2 + t * (1.6483e-2 + t * -5.3009e-4))
    )
    first = 3.239908 + t * (1.43713e-3 + t * (1.16092e-4 + t * -5.77905e-7))
    first = first + s * (2.2838e-3 + t * (-1.0981e-5 + t * -1.6078e-6) + root * 1.91075e-4)
    second = 8.50935e-5 + t * (-6.12293e-6 + t * 5.2787e-8)
    second = second + s * (-9.9348e-7 + t * (2.0816e-8 + t * 9.1697e-10))
    return surface / (1 - p / (bulk + p * (first + p * second)))


def equation_of_state(torch: Any) -> Any:
    """Density at many points."""
    s = tensor(torch, POINTS, low=30, high=40)
    t = tensor(torch, POINTS, seed=1, low=-2, high=30)
    p = tensor(torch, POINTS, seed=2, low=0, high=500)
    return lambda: density(s, t, p)[:10]


def mixing(torch: Any, salt: Any, heat: Any, steps: tuple[float, float, float]) -> Any:
    """The diagonal of the mixing tensor from tapered isoneutral slopes, on the inner points."""
    dx, dy, dz = steps
    kappa, critical, width, tiny = 1000.0, 0.004, 0.001, 1e-20
    thermal, haline = -0.15 - 0.005 * heat, 0.78 - 0.001 * heat

    def slope(along: Any, side: int) -> Any:
        up = drdz[:, :, side : side + along.shape[2]]
        return -along / (torch.minimum(up, torch.zeros_like(up)) - tiny)

    def tapered(s: Any) -> Any:
        return kappa * 0.5 * (1 + torch.tanh((critical - s.abs()) / width))

    inner = slice(1, -1)
    drdz = (
        thermal[inner, inner, 1:] * (heat[inner, inner, 1:] - heat[inner, inner, :-1])
        + haline[inner, inner, 1:] * (salt[inner, inner, 1:] - salt[inner, inner, :-1])
    ) / dz
    total = torch.zeros_like(drdz)
    east = torch.zeros_like(drdz)
    for shift in (0, 1):
        here, there = slice(1 + shift, -1 + shift or None), slice(shift, -2 + shift or None)
        for axis, width_of in ((0, dx), (1, dy)):
            a = (here, inner, slice(1, None)) if axis == 0 else (inner, here, slice(1, None))
            b = (there, inner, slice(1, None)) if axis == 0 else (inner, there, slice(1, None))
            change = thermal[a] * (heat[a] - heat[b]) + haline[a] * (salt[a] - salt[b])
            s = slope(change / width_of, 0)
            k = tapered(s)
            total += 0.25 * k * s * s
            if axis == 0:
                east += 0.25 * k
    return torch.where(drdz < 0, total, torch.zeros_like(total)), east


def isoneutral_mixing(torch: Any) -> Any:
    """One evaluation on a grid."""
    salt = tensor(torch, *GRID, low=34, high=36)
    heat = tensor(torch, *GRID, seed=1, low=0, high=25)

    def once() -> Any:
        total, east = mixing(torch, salt, heat, (1e5, 1e5, 100.0))
        return [total[3, 4, :10] * 1e3, east[3, 4, :10]]

    return once


def table() -> list[Workload]:
    """The lines of this file."""
    return [
        Workload("ocean", "equation of state, 262144 points", equation_of_state, 0.8),
        Workload("ocean", "isoneutral mixing, 64x64x26", isoneutral_mixing, 0.8),
    ]
