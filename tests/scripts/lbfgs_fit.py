"""Curve fitting with L-BFGS, linear regression by several solvers, Rosenbrock."""

import torch

torch.manual_seed(12)
x = torch.linspace(0, 1, 40, dtype=torch.float64)
y = 2.5 * torch.exp(-1.3 * x) + 0.5 + 0.01 * torch.randn(40, dtype=torch.float64)
p = torch.ones(3, dtype=torch.float64, requires_grad=True)
optimizer = torch.optim.LBFGS([p], lr=1, max_iter=50, line_search_fn="strong_wolfe")


def closure():
    optimizer.zero_grad()
    loss = ((p[0] * torch.exp(-p[1] * x) + p[2] - y) ** 2).mean()
    loss.backward()
    return loss


print(f"{optimizer.step(closure).item():.4f} -> {closure().item():.6f}", p.detach())
A = torch.stack((x, torch.ones_like(x)), dim=1)
print(torch.linalg.lstsq(A, y.unsqueeze(1)).solution.squeeze())
print(torch.linalg.solve(A.T @ A, A.T @ y), torch.linalg.pinv(A) @ y)
M = torch.tensor([[4.0, 1, 0], [1, 3, 1], [0, 1, 2]])
L = torch.linalg.cholesky(M)
print(L, torch.allclose(L @ L.T, M), torch.cholesky_inverse(L))
values, vectors = torch.linalg.eigh(M)
print(values, torch.linalg.det(M), torch.linalg.inv(M), torch.linalg.slogdet(M))
U, S, Vh = torch.linalg.svd(torch.arange(6.0).view(2, 3), full_matrices=False)
print(S, (U * S @ Vh).round())
Q, R = torch.linalg.qr(M)
print(torch.dist(Q @ R, M) < 1e-5, torch.linalg.matrix_rank(M), torch.trace(M), M.diag())
print(torch.linalg.norm(M), torch.linalg.norm(M, 1), torch.linalg.cond(M), torch.matrix_exp(M * 0))
print(torch.einsum("ij,jk->ik", M, M), torch.einsum("bij,bjk->bik", M[None], M[None]).shape)
print(torch.einsum("ii", M), torch.einsum("i,j", M[0], M[1]), torch.einsum("ij->j", M))
print(torch.kron(torch.eye(2), M[:2, :2]), torch.outer(M[0], M[1]), torch.cross(M[0], M[1], dim=0))
xy = torch.tensor([-1.0, 2.0], requires_grad=True)
opt = torch.optim.Adam([xy], lr=0.05)
for _ in range(200):
    opt.zero_grad()
    rosen = (1 - xy[0]) ** 2 + 100 * (xy[1] - xy[0] ** 2) ** 2
    rosen.backward()
    opt.step()
print(f"{rosen.item():.3f}", xy.detach())
