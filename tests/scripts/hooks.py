"""Hooks on tensors, modules, gradients, state dicts and optimizers."""

import torch
import torch.nn as nn

torch.manual_seed(9)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
seen = {}


def save(name):
    def hook(module, args, output):
        seen[name] = output.detach()

    return hook


handles = [m.register_forward_hook(save(n)) for n, m in model.named_children()]
model[0].register_forward_pre_hook(lambda m, args: (args[0] * 2,))
model[2].register_full_backward_hook(
    lambda m, gi, go: print("backward", type(m).__name__, [g.shape for g in gi], go[0].sum().item())
)
model[0].register_full_backward_pre_hook(lambda m, go: print("pre", go[0].shape))
x = torch.ones(2, 3, requires_grad=True)
x.register_hook(lambda g: g * 10)
out = model(x)
out.retain_grad()
handle = out.register_hook(lambda g: print("out grad", g))
out.sum().backward()
print({k: v.shape for k, v in seen.items()}, x.grad, out.grad)
for h in handles:
    h.remove()
handle.remove()
seen.clear()
model(x)
print(seen)
p = model[0].weight
p.register_post_accumulate_grad_hook(lambda t: print("accumulated", t.grad.shape))
model(x).mean().backward()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
optimizer.register_step_pre_hook(lambda opt, args, kwargs: print("step pre"))
optimizer.register_step_post_hook(lambda opt, args, kwargs: print("step post"))
optimizer.step()
model.register_state_dict_post_hook(lambda m, d, prefix, meta: d.update(extra=torch.tensor(1)))
print(list(model.state_dict()))
with torch.autograd.graph.saved_tensors_hooks(lambda t: print("pack", t.shape) or t, lambda t: t):
    y = (x * x).sum()
y.backward()
remove = nn.modules.module.register_module_forward_hook(
    lambda m, i, o: print("any", type(m).__name__)
)
model(x)
remove.remove()
print(y.grad_fn, y.grad_fn.next_functions, y.grad_fn.next_functions[0][0].next_functions)
