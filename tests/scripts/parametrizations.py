"""weight_norm, spectral_norm, orthogonal, pruning and a parametrization of one's own."""

import torch
import torch.nn as nn
import torch.nn.utils.parametrize as parametrize
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch.nn.utils.parametrizations import orthogonal, spectral_norm, weight_norm

torch.manual_seed(11)


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).transpose(-1, -2)


layer = nn.Linear(3, 3)
parametrize.register_parametrization(layer, "weight", Symmetric())
print(layer)
print(torch.equal(layer.weight, layer.weight.T), [n for n, _ in layer.named_parameters()])
print(parametrize.is_parametrized(layer, "weight"))
with parametrize.cached():
    layer(torch.randn(2, 3)).sum().backward()
print(layer.parametrizations.weight.original.grad.shape)
parametrize.remove_parametrizations(layer, "weight")
print(layer, type(layer.weight).__name__)
wn = weight_norm(nn.Linear(4, 2))
print(wn, list(wn.state_dict()))
print(wn.weight.norm(dim=1))
sn = spectral_norm(nn.Linear(4, 3), n_power_iterations=20)
print(sn.state_dict().keys(), f"{torch.linalg.matrix_norm(sn.weight, 2):.3f}")
q = orthogonal(nn.Linear(3, 3)).weight
print(torch.allclose(q @ q.T, torch.eye(3), atol=1e-5))
old = torch.nn.utils.spectral_norm(nn.Conv2d(2, 3, 3))
old(torch.randn(1, 2, 5, 5)).sum().backward()
print(old, sorted(old.state_dict()))
vector = parameters_to_vector(layer.parameters())
vector_to_parameters(torch.zeros_like(vector), layer.parameters())
print(vector.shape, layer.bias)
big = [nn.Parameter(torch.ones(2)) for _ in range(2)]
for p in big:
    p.grad = torch.full((2,), 5.0)
print(nn.utils.clip_grad_norm_(big, 1.0), big[0].grad)
nn.utils.clip_grad_value_(big, 0.25)
print(big[0].grad)
