"""Variational regression, and 27 distributions one after another."""

import torch
import torch.nn as nn
from torch import distributions as D
from torch.distributions import constraints, kl_divergence, transform_to

torch.manual_seed(0)
x = torch.randn(50, 2)
w = torch.tensor([1.5, -2.0])
y = x @ w + 0.3 * torch.randn(50)
mu = nn.Parameter(torch.zeros(2))
rho = nn.Parameter(torch.full((2,), -1.0))
o = torch.optim.Adam([mu, rho], 0.05)
prior = D.Normal(torch.zeros(2), torch.ones(2))
for i in range(60):
    q = D.Normal(mu, nn.functional.softplus(rho))
    s = q.rsample((8,))
    ll = D.Normal(s @ x.T, 0.3).log_prob(y).sum(-1).mean()
    l = -(ll - kl_divergence(q, prior).sum())
    o.zero_grad()
    l.backward()
    o.step()
    if i % 20 == 19:
        print(i, l.item(), mu)
ds = [
    D.Bernoulli(0.3),
    D.Beta(2.0, 3.0),
    D.Binomial(5, torch.tensor(0.4)),
    D.Categorical(torch.tensor([0.2, 0.3, 0.5])),
    D.Cauchy(0.0, 1.0),
    D.Chi2(3.0),
    D.Dirichlet(torch.tensor([1.0, 2.0, 3.0])),
    D.Exponential(2.0),
    D.Gamma(2.0, 3.0),
    D.Geometric(0.3),
    D.Gumbel(0.0, 1.0),
    D.HalfNormal(1.0),
    D.Laplace(0.0, 1.0),
    D.LogNormal(0.0, 0.5),
    D.Multinomial(4, torch.tensor([0.3, 0.7])),
    D.MultivariateNormal(torch.zeros(2), torch.tensor([[2.0, 0.5], [0.5, 1.0]])),
    D.NegativeBinomial(3, 0.4),
    D.OneHotCategorical(torch.tensor([0.5, 0.5])),
    D.Pareto(1.0, 3.0),
    D.Poisson(3.0),
    D.StudentT(4.0),
    D.Uniform(-1.0, 2.0),
    D.VonMises(torch.tensor(0.0), torch.tensor(4.0)),
    D.Weibull(1.0, 2.0),
    D.Kumaraswamy(torch.tensor(2.0), torch.tensor(3.0)),
    D.RelaxedBernoulli(torch.tensor(0.5), torch.tensor(0.3)),
    D.LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2)),
]
for d in ds:
    s = d.sample((2,))
    print(d)
    print(s, d.log_prob(s))
    try:
        print(d.entropy(), d.mean, d.variance)
    except NotImplementedError:
        print("none")
print(
    kl_divergence(D.Gamma(2.0, 1.0), D.Gamma(3.0, 2.0)),
    kl_divergence(D.Dirichlet(torch.ones(3)), D.Dirichlet(torch.tensor([1.0, 2.0, 3.0]))),
)
try:
    D.Normal(0.0, torch.tensor(-1.0))
except ValueError as e:
    print("scale (Tensor of shape ())" in str(e))
print(
    transform_to(constraints.simplex)(torch.zeros(3)),
    transform_to(constraints.lower_cholesky)(torch.eye(2)),
)
g = nn.functional.gumbel_softmax(torch.zeros(2, 3), tau=0.5, hard=True)
print(g)
