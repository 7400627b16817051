"""Residual blocks, a U-Net, depthwise and dilated convolutions, 1-d and 3-d, group norm."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Block(nn.Module):
    expansion = 1

    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.short = nn.Sequential()
        if stride != 1 or cin != cout:
            self.short = nn.Sequential(
                nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout)
            )
        for m in self.modules():
            if isinstance(m, nn.Conv2d):
                nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(out)) + self.short(x))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.down = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.Mish())
        self.mid = nn.Conv2d(4, 8, 3, padding=2, dilation=2, padding_mode="reflect")
        self.up = nn.ConvTranspose2d(8, 4, 2, stride=2)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        d = self.down(x)
        m = F.relu(self.mid(F.max_pool2d(d, 2)))
        return self.out(torch.cat([d, self.up(m)], dim=1))


torch.manual_seed(19)
net = nn.Sequential(
    Block(3, 8), Block(8, 16, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5)
)
x, y = torch.randn(8, 3, 8, 8), torch.randint(0, 5, (8,))
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for _ in range(4):
    loss = F.cross_entropy(net(x), y, weight=torch.tensor([1.0, 2, 1, 1, 0.5]))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{loss.item():.4f}")
u = UNet()
image = torch.rand(2, 1, 12, 12)
mask = (image > 0.5).float()
loss = F.binary_cross_entropy_with_logits(u(image), mask, pos_weight=torch.tensor(2.0))
loss.backward()
print(f"{loss.item():.4f}", {n: f"{p.grad.norm().item():.3f}" for n, p in u.named_parameters()})
print(
    nn.Conv2d(4, 4, 3, groups=4)(torch.ones(1, 4, 5, 5)).shape,
    nn.Conv1d(2, 3, 4, stride=2)(torch.ones(1, 2, 9)).shape,
)
print(
    nn.Conv3d(1, 2, 2)(torch.ones(1, 1, 3, 3, 3)).shape,
    nn.AvgPool2d(3, 1, 1)(torch.ones(1, 1, 3, 3)),
)
print(
    F.interpolate(torch.arange(4.0).view(1, 1, 2, 2), scale_factor=2, mode="bilinear"),
    F.unfold(torch.ones(1, 1, 3, 3), 2).shape,
)
print(
    F.pad(torch.ones(1, 1, 2, 2), (1, 0, 0, 1), value=3),
    nn.InstanceNorm2d(2)(torch.rand(1, 2, 2, 2)).shape,
)
values, where = F.max_pool2d(torch.arange(16.0).view(1, 1, 4, 4), 2, return_indices=True)
print(values, where, F.max_unpool2d(values, where, 2))
