"""A Gaussian process, Hamiltonian Monte Carlo, special functions, in float64."""

import math

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
X = torch.linspace(0, 1, 12)[:, None]
y = torch.sin(6 * X[:, 0]) + 0.1 * torch.randn(12)
raw = torch.zeros(3, requires_grad=True)
o = torch.optim.LBFGS([raw], line_search_fn="strong_wolfe", max_iter=15)


def nll():
    ls, os_, nz = raw.exp()
    K = os_ * torch.exp(-0.5 * torch.cdist(X, X).pow(2) / ls**2) + (nz + 1e-6) * torch.eye(12)
    L = torch.linalg.cholesky(K)
    a = torch.cholesky_solve(y[:, None], L)[:, 0]
    return 0.5 * y @ a + L.diagonal().log().sum() + 6 * math.log(2 * math.pi)


def c():
    o.zero_grad()
    l = nll()
    l.backward()
    return l


print(o.step(c))
print(nll(), raw.exp())
print(
    -torch.distributions.MultivariateNormal(
        torch.zeros(12),
        raw.exp()[1] * torch.exp(-0.5 * torch.cdist(X, X).pow(2) / raw.exp()[0] ** 2)
        + (raw.exp()[2] + 1e-6) * torch.eye(12),
    ).log_prob(y)
)
H = torch.autograd.functional.hessian(lambda r: (r.exp().sum() - r.prod()) ** 2, torch.ones(3))
print(H)
J = torch.func.jacfwd(lambda r: torch.stack([r.prod(), r.norm()]))(torch.tensor([1.0, 2.0, 3.0]))
print(J)


def logp(q):
    return -0.5 * (q[0] ** 2 / 4 + (q[1] - q[0] ** 2 / 4) ** 2)


def g(q):
    q = q.detach().requires_grad_()
    return torch.autograd.grad(logp(q), q)[0]


q = torch.zeros(2)
acc = 0
S = []
for i in range(20):
    p = torch.randn(2)
    q1, p1 = q.clone(), p + 0.1 * g(q) / 2
    for _ in range(8):
        q1 = q1 + 0.1 * p1
        p1 = p1 + 0.1 * g(q1)
    p1 = p1 - 0.1 * g(q1) / 2
    if torch.rand(1).log() < logp(q1) - 0.5 * p1 @ p1 - logp(q) + 0.5 * p @ p:
        q = q1
        acc += 1
    S.append(q)
print(acc, torch.stack(S).mean(0), torch.stack(S).std(0))
A = torch.randn(5, 5)
A = A @ A.T + 5 * torch.eye(5)
v = torch.randn(5)
for _ in range(50):
    v = A @ v
    v = v / v.norm()
print(v @ A @ v, torch.linalg.eigvalsh(A)[-1])
print(
    torch.special.gammaln(torch.tensor([0.5, 5.0])),
    torch.special.i0(torch.tensor(1.0)),
    torch.erfinv(torch.tensor(0.5)),
    torch.special.zeta(torch.tensor(2.0), 1.0),
    torch.special.logit(torch.tensor(0.3)),
    torch.polygamma(1, torch.tensor(2.0)),
    torch.special.bessel_j0(torch.tensor(2.0)),
    torch.special.ndtri(torch.tensor(0.9)),
    torch.special.xlog1py(torch.tensor(2.0), torch.tensor(1.0)),
    torch.mvlgamma(torch.tensor(3.0), 2),
)
