"""torch.func: grad, vmap, jacrev, functional_call; double backward; anomaly mode; EMA."""

import torch
import torch.nn as nn
from torch.func import functional_call, grad, hessian, jacrev, vmap

torch.manual_seed(20)
x = torch.tensor([1.0, 2.0, 3.0])
print(grad(lambda t: (t**3).sum())(x), jacrev(torch.sin)(x), hessian(lambda t: (t**2).prod())(x))
print(vmap(lambda a, b: a @ b)(torch.ones(4, 3), torch.arange(12.0).view(4, 3)))
model = nn.Linear(3, 2)
params = {k: v.detach() for k, v in model.named_parameters()}
print(torch.equal(functional_call(model, params, (x,)), model(x)))
data, target = torch.randn(5, 3), torch.randn(5, 2)


def loss(params, x, y):
    return ((functional_call(model, params, (x,)) - y) ** 2).mean()


per_sample = vmap(grad(loss), in_dims=(None, 0, 0))(params, data, target)
print({k: v.shape for k, v in per_sample.items()})
whole = grad(loss)(params, data, target)
print(torch.allclose(per_sample["weight"].mean(0), whole["weight"], atol=1e-5))
ema = torch.optim.swa_utils.AveragedModel(
    model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
)
with torch.no_grad():
    model.weight.add_(1)
ema.update_parameters(model)
print(ema.n_averaged, (ema.module.weight - model.weight).abs().max())
with torch.autograd.set_detect_anomaly(True):
    try:
        t = torch.tensor([0.0], requires_grad=True)
        (torch.sqrt(t) * 0).backward()
    except RuntimeError as error:
        print(type(error).__name__, "nan" in str(error))
w = torch.randn(3, 3, requires_grad=True)
y = torch.logsumexp(w @ w.T, dim=1).sum() + torch.linalg.slogdet(w @ w.T + torch.eye(3)).logabsdet
(g,) = torch.autograd.grad(y, w, create_graph=True)
g.pow(2).sum().backward()
print(f"{w.grad.norm().item():.3f}")
v = torch.ones(3)
print(
    torch.autograd.functional.vjp(lambda t: t * t, x, v),
    torch.autograd.functional.hvp(lambda t: (t**3).sum(), x, v),
)
a = torch.zeros(3, requires_grad=True)
torch.autograd.backward([a.sum(), (a + 1).prod()])
print(a.grad, torch.autograd.grad(a.sum(), [a, w], allow_unused=True))
