"""RealNVP as a transformed distribution, MADE, every transform and many distributions."""

import math

import torch
import torch.distributions as D
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import constraints
from torch.distributions import transforms as T

torch.manual_seed(4)


def moons(n):
    t = math.pi * torch.rand(n)
    a = torch.stack([t.cos(), t.sin()], 1)
    b = torch.stack([1 - t.cos(), 0.5 - t.sin()], 1)
    return torch.where((torch.rand(n) < 0.5)[:, None], a, b) + 0.05 * torch.randn(n, 2)


class Coupling(T.Transform):
    bijective = True
    domain = constraints.real_vector
    codomain = constraints.real_vector

    def __init__(self, net, mask):
        super().__init__(cache_size=1)
        self.net, self.mask = net, mask

    def st(self, x):
        s, t = self.net(x * self.mask).chunk(2, -1)
        return s.tanh() * (1 - self.mask), t * (1 - self.mask)

    def _call(self, x):
        s, t = self.st(x)
        return x * s.exp() + t

    def _inverse(self, y):
        s, t = self.st(y)
        return (y - t) * (-s).exp()

    def log_abs_det_jacobian(self, x, y):
        return self.st(x)[0].sum(-1)


nets = nn.ModuleList(
    nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(), nn.Linear(16, 4)) for _ in range(4)
)
masks = [torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])] * 2
flow = D.TransformedDistribution(
    D.MultivariateNormal(torch.zeros(2), torch.eye(2)),
    [Coupling(n, m) for n, m in zip(nets, masks)],
)
opt = torch.optim.Adam(nets.parameters(), 5e-3)
for i in range(6):
    x = moons(64)
    l = -flow.log_prob(x).mean()
    opt.zero_grad()
    l.backward()
    opt.step()
    print("nll", l.item())
    for t in flow.transforms:
        t.clear_cache() if hasattr(t, "clear_cache") else None
with torch.no_grad():
    s = flow.sample((4,))
    print(s, flow.log_prob(s))
    J = torch.func.jacrev(
        lambda z: T.ComposeTransform([Coupling(n, m) for n, m in zip(nets, masks)])(z)
    )(torch.tensor([0.3, -0.2]))
    print(torch.linalg.slogdet(J))
print(flow, flow.event_shape, flow.batch_shape, flow.support)


class MADE(nn.Module):
    class ML(nn.Linear):
        def __init__(self, i, o, mask):
            super().__init__(i, o)
            self.register_buffer("mask", mask)

        def forward(self, x):
            return F.linear(x, self.weight * self.mask, self.bias)

    def __init__(self, d, h):
        super().__init__()
        a, b = torch.arange(1, d + 1), torch.arange(h) % (d - 1) + 1
        self.net = nn.Sequential(
            self.ML(d, h, (b[:, None] >= a[None]).float()),
            nn.ReLU(),
            self.ML(h, 2 * d, (a.repeat(2)[:, None] > b[None]).float()),
        )

    def forward(self, x):
        return self.net(x).chunk(2, 1)


m = MADE(3, 16)
x = torch.randn(32, 3)
o = torch.optim.Adadelta(m.parameters(), 1.0)
for i in range(3):
    mu, la = m(x)
    u = (x - mu) * (-la).exp()
    l = (0.5 * u**2 + la).sum(1).mean()
    o.zero_grad()
    l.backward()
    o.step()
    print(l.item())
print(
    torch.autograd.functional.jacobian(lambda v: m(v[None])[0][0], torch.randn(3))
    .triu()
    .abs()
    .sum()
)
z = torch.zeros(2, 3)
for d in range(3):
    mu, la = m(z)
    z[:, d] = (torch.ones(2, 3) * la.exp() + mu).detach()[:, d]
print(z)
# all transforms
x = torch.linspace(0.1, 0.9, 5)
for t in [
    T.ExpTransform(),
    T.PowerTransform(torch.tensor(2.0)),
    T.SigmoidTransform(),
    T.SoftplusTransform(),
    T.TanhTransform(),
    T.AffineTransform(1.0, 3.0),
    T.StickBreakingTransform(),
    T.AbsTransform(),
    T.CumulativeDistributionTransform(D.Normal(0.0, 1.0)),
    T.LowerCholeskyTransform() if False else T.ReshapeTransform((5,), (5, 1)),
]:
    y = t(x)
    print(
        type(t).__name__,
        y.flatten(),
        t.domain.event_dim,
        t.inv(y).flatten() if t.bijective else "",
        t,
    )
c = D.transform_to(constraints.corr_cholesky)(torch.tensor([0.1, 0.2, -0.3]))
print(
    c,
    D.biject_to(constraints.simplex)(torch.tensor([0.5, -0.5])),
    D.biject_to(constraints.interval(1.0, 3.0))(torch.tensor(0.0)),
    D.transform_to(constraints.lower_cholesky)(torch.ones(2, 2)),
)
for d in [
    D.LogNormal(0.0, 1.0),
    D.Gumbel(0.0, 1.0),
    D.Weibull(1.0, 2.0),
    D.Kumaraswamy(2.0, 3.0),
    D.LKJCholesky(3, 1.0),
    D.Wishart(torch.tensor(4.0), torch.eye(2)),
    D.MixtureSameFamily(D.Categorical(torch.ones(2)), D.Normal(torch.tensor([-1.0, 1.0]), 0.1)),
    D.RelaxedOneHotCategorical(torch.tensor(0.5), torch.ones(3)),
    D.LowRankMultivariateNormal(torch.zeros(3), torch.ones(3, 1), torch.ones(3)),
    D.VonMises(0.0, 2.0),
    D.StudentT(3.0),
    D.Dirichlet(torch.ones(3)),
    D.Beta(2.0, 3.0),
    D.NegativeBinomial(3.0, 0.4),
    D.HalfCauchy(1.0),
    D.ContinuousBernoulli(0.3),
    D.InverseGamma(2.0, 1.0),
    D.GeneralizedPareto(0.0, 1.0, 0.2) if hasattr(D, "GeneralizedPareto") else D.Pareto(1.0, 2.0),
    D.FisherSnedecor(3.0, 5.0),
]:
    s = d.sample()
    print(d, s, d.log_prob(s))
