"""ModuleList, ModuleDict, ParameterList, buffers, apply, init, freezing, deepcopy, to."""

import copy

import torch
import torch.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 2)})
        self.scales = nn.ParameterList([nn.Parameter(torch.ones(1)) for _ in range(2)])
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("temp", torch.zeros(2), persistent=False)
        self.register_parameter("none", None)
        self.alpha = nn.Parameter(torch.tensor(0.5))

    def forward(self, x, head="a"):
        self.count += 1
        for layer, scale in zip(self.layers, self.scales):
            x = torch.relu(layer(x)) * scale + self.alpha
        return self.heads[head](x)


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight, gain=nn.init.calculate_gain("relu"))
        nn.init.constant_(m.bias, 0.1)


torch.manual_seed(16)
net = Net()
print(net.apply(init))
print([n for n, _ in net.named_parameters()], [n for n, _ in net.named_buffers()])
print(
    list(net.state_dict()),
    [n for n, _ in net.named_modules()],
    [n for n, _ in net.named_children()],
)
x = torch.randn(3, 4)
print(net(x), net(x, "b").shape, net.count)
for p in net.layers.parameters():
    p.requires_grad_(False)
net(x).sum().backward()
print([n for n, p in net.named_parameters() if p.grad is not None])
twin = copy.deepcopy(net)
twin.double().eval()
print(twin.alpha.dtype, twin.count.dtype, twin.training, net.training, twin.layers[0].training)
net.zero_grad()
print(
    all(p.grad is None for p in net.parameters()), "a" in net.heads, list(net.heads.items())[0][0]
)
net.layers.append(nn.Linear(4, 4))
net.layers.extend([nn.Identity()])
print(len(net.layers), net.layers[-1], net.layers[:2], net.get_submodule("heads.a"))
net.extra = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
del net.extra
print(hasattr(net, "extra"), net.get_parameter("layers.0.bias"), net.get_buffer("count"))
for name in (
    "kaiming_normal_",
    "kaiming_uniform_",
    "xavier_normal_",
    "orthogonal_",
    "trunc_normal_",
    "normal_",
):
    w = getattr(nn.init, name)(torch.empty(3, 5))
    print(name, f"{w.sum().item():.4f} {w.std().item():.4f}")
print(
    nn.init.eye_(torch.empty(2, 2)),
    nn.init.dirac_(torch.empty(2, 2, 3)),
    nn.init.sparse_(torch.empty(4, 2), 0.5).eq(0).sum(),
)
seq = nn.Sequential()
seq.add_module("one", nn.Linear(2, 2))
seq.append(nn.Tanh())
print(seq, seq[0] is seq.one, [type(m).__name__ for m in seq])
