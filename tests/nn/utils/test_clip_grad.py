"""Clipping against the oracle."""

import pytest


@pytest.mark.parametrize("norm", [1.0, 2.0, 3, float("inf")])
def test_clip(same, norm):
    def program(torch):
        parameters = [torch.nn.Parameter(torch.randn(3, 4)) for _ in range(3)]
        for parameter in parameters:
            parameter.grad = torch.randn(3, 4) * 5
        total = torch.nn.utils.clip_grad_norm_(parameters, 1.0, norm)
        clipped = [p.grad.clone() for p in parameters]
        torch.nn.utils.clip_grad_value_(parameters, 0.1)
        return [total, clipped, [p.grad for p in parameters]]

    same(program)


def test_nothing_and_nonfinite(same):
    same(lambda torch: torch.nn.utils.clip_grad_norm_([], 1.0))

    def program(torch):
        parameter = torch.nn.Parameter(torch.ones(2))
        parameter.grad = torch.tensor([float("inf"), 1.0])
        return torch.nn.utils.clip_grad_norm_(parameter, 1.0, error_if_nonfinite=True)

    same(program)
