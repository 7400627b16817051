"""Sobol sequences, beside PyTorch's."""

from __future__ import annotations

import pytest

import flambeau

PROGRAMS = (
    "e = E(3); (e.draw(5), e.num_generated, e)",
    "e = E(1); (e.draw(), e.draw(), e.draw(3))",
    "e = E(40); (e.draw(1), e.draw(2), e.quasi)",
    "e = E(5, scramble=True, seed=3); (e, e.draw(9), e.shift, e.sobolstate)",
    "e = E(2, scramble=True); (e.draw(4), torch.rand(2))",
    "e = E(3); (e.fast_forward(4).draw(2), e.fast_forward(3).num_generated, e.draw(1))",
    "e = E(3); e.draw(3); (e.reset().draw(2), e.num_generated)",
    "e = E(2); (e.draw_base2(2), e.draw_base2(2), e.draw(2, dtype=torch.float64))",
    "e = E(2); out = torch.empty(0); e.draw(3, out=out); (out,)",
    "E(300).draw(64).sum(0)",
)


@pytest.mark.parametrize("program", PROGRAMS)
def test_points_are_pytorchs(oracle, program):
    def printed(torch):
        names = {"torch": torch, "E": torch.quasirandom.SobolEngine}
        torch.manual_seed(0)
        *statements, last = program.split("; ")
        for statement in statements:
            exec(statement, names)
        torch.set_printoptions(threshold=10**6)
        return repr(eval(last, names))

    try:
        assert printed(flambeau) == printed(oracle)
    finally:
        for torch in (flambeau, oracle):
            torch.set_printoptions(profile="default")


@pytest.mark.parametrize("dimension", [0, 21202])
def test_dimensions_out_of_range(oracle, dimension):
    for torch in (flambeau, oracle):
        with pytest.raises(ValueError, match="dimensionality"):
            torch.quasirandom.SobolEngine(dimension)
    engine = flambeau.quasirandom.SobolEngine(2)
    engine.draw(3)
    with pytest.raises(ValueError, match="power of 2"):
        engine.draw_base2(2)
