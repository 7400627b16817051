"""A Gaussian process by Cholesky factors, and distributions of many kinds."""

import math

import torch
from torch.distributions import (
    Beta,
    Categorical,
    Dirichlet,
    Gamma,
    Independent,
    LowRankMultivariateNormal,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    TransformedDistribution,
    biject_to,
    constraints,
    kl_divergence,
)
from torch.distributions import (
    transforms as T,
)

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
torch.set_printoptions(precision=5, sci_mode=False)
x = torch.linspace(0, 1, 20).unsqueeze(-1)
y = torch.sin(6 * x).squeeze() + 0.1 * torch.randn(20)
ls, s2, nz = [torch.nn.Parameter(torch.tensor(v)) for v in (-1.0, 0.0, -2.0)]


def k(a, b):
    return s2.exp() * torch.exp(-0.5 * torch.cdist(a / ls.exp(), b / ls.exp()).pow(2))


def kk(a, b):
    d = (a.unsqueeze(1) - b.unsqueeze(0)).pow(2).sum(-1) / ls.exp() ** 2
    return s2.exp() * torch.exp(-0.5 * d)


opt = torch.optim.Rprop([ls, s2, nz], lr=0.1)
for i in range(15):
    opt.zero_grad()
    Kn = kk(x, x) + nz.exp() * torch.eye(20)
    L = torch.linalg.cholesky(Kn)
    a = torch.cholesky_solve(y.unsqueeze(-1), L)
    nll = 0.5 * (y @ a.squeeze()) + L.diagonal().log().sum() + 10 * math.log(2 * math.pi)
    nll.backward()
    opt.step()
    if i % 3 == 0:
        print(i, nll.item(), ls.item(), nz.item())
print(
    -MultivariateNormal(torch.zeros(20), Kn.detach()).log_prob(y),
    torch.logdet(Kn),
    torch.linalg.slogdet(Kn),
    torch.linalg.cond(Kn.detach()),
)
xs = torch.linspace(-0.2, 1.2, 5)[:, None]
with torch.no_grad():
    V = torch.linalg.solve_triangular(L, kk(x, xs), upper=False)
    mu = kk(xs, x) @ a.squeeze(-1)
    cov = kk(xs, xs) - V.mT @ V
    print(mu, cov.diagonal())
    print(MultivariateNormal(mu, cov + 1e-6 * torch.eye(5)).sample((2,)))
    q, r = torch.linalg.qr(Kn)
    print(
        (q @ r - Kn).abs().max() < 1e-10,
        torch.linalg.eigvalsh(Kn)[-3:],
        torch.linalg.matrix_rank(Kn),
        torch.linalg.lstsq(Kn, y[:, None]).solution[:3],
        torch.linalg.inv(Kn)[0, :2],
        torch.linalg.pinv(Kn)[0, :2],
    )
    print(
        torch.linalg.svdvals(Kn)[:3],
        torch.trace(torch.matrix_exp(Kn * 0.01)),
        torch.linalg.matrix_power(Kn, 3)[0, 0],
        torch.linalg.ldl_factor(Kn).LD.shape,
    )
    print(k(x, xs)[0])
for d in [
    Normal(0.0, 1.0),
    Gamma(2.0, 3.0),
    Beta(2.0, 5.0),
    Dirichlet(torch.tensor([0.5, 1.0, 2.0])),
    LowRankMultivariateNormal(torch.zeros(2), torch.ones(2, 1), torch.ones(2)),
    TransformedDistribution(Normal(0.0, 1.0), [T.ExpTransform(), T.AffineTransform(1.0, 2.0)]),
    MixtureSameFamily(Categorical(torch.ones(3)), Normal(torch.arange(3.0), torch.ones(3))),
    Independent(Normal(torch.zeros(2), torch.ones(2)), 1),
]:
    s = d.sample()
    print(d, s, d.log_prob(s))
print(
    kl_divergence(Gamma(torch.tensor(2.0), 3.0), Gamma(1.0, 1.0)),
    biject_to(constraints.simplex)(torch.tensor([0.1, 0.2])),
)
