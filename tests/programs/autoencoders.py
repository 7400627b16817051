"""A vector-quantised autoencoder, a denoising one, and what resamples images."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class VQ(nn.Module):
    def __init__(s, n=8, d=4):
        super().__init__()
        s.e = nn.Embedding(n, d)
        s.e.weight.data.uniform_(-1 / n, 1 / n)

    def forward(s, z):
        f = z.permute(0, 2, 3, 1).contiguous().view(-1, 4)
        d = f.pow(2).sum(1, keepdim=True) + s.e.weight.pow(2).sum(1) - 2 * f @ s.e.weight.t()
        i = d.argmin(1)
        oh = F.one_hot(i, 8).float()
        q = (oh @ s.e.weight).view(z.shape[0], z.shape[2], z.shape[3], 4).permute(0, 3, 1, 2)
        l = F.mse_loss(q.detach(), z) * 0.25 + F.mse_loss(q, z.detach())
        q = z + (q - z).detach()
        p = oh.mean(0)
        return q, l, torch.exp(-(p * (p + 1e-10).log()).sum())


class AE(nn.Module):
    def __init__(s):
        super().__init__()
        s.en = nn.Sequential(nn.Conv2d(1, 8, 4, 2, 1), nn.ELU(), nn.Conv2d(8, 4, 3, padding=1))
        s.vq = VQ()
        s.de = nn.Sequential(
            nn.ConvTranspose2d(4, 8, 4, 2, 1),
            nn.Softplus(),
            nn.Conv2d(8, 1, 3, padding="same", padding_mode="reflect"),
        )

    def forward(s, x):
        q, l, p = s.vq(s.en(x))
        return s.de(q), l, p


m = AE()
o = torch.optim.NAdam(m.parameters(), 1e-2)
x = torch.rand(8, 1, 8, 8)
for i in range(5):
    r, l, p = m(x)
    t = F.mse_loss(r, x) / x.var() + l
    o.zero_grad()
    t.backward()
    o.step()
    print(i, t.item(), p.item())
den = nn.Sequential(
    nn.Flatten(),
    nn.Linear(64, 16),
    nn.PReLU(),
    nn.Linear(16, 64),
    nn.Unflatten(1, (1, 8, 8)),
    nn.Sigmoid(),
)
o = torch.optim.Rprop(den.parameters())
for i in range(3):
    l = F.binary_cross_entropy(den(x + 0.1 * torch.randn_like(x)), x) + 1e-3 * sum(
        p.abs().sum() for p in den.parameters()
    )
    o.zero_grad()
    l.backward()
    o.step()
    print(l.item())
ps = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2))
print(
    ps(x).shape,
    F.interpolate(x, scale_factor=2, mode="bicubic").mean(),
    F.grid_sample(
        x,
        F.affine_grid(torch.eye(2, 3).repeat(8, 1, 1), x.shape, align_corners=False),
        align_corners=False,
    )
    .sub(x)
    .abs()
    .max()
    < 1e-5,
    F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2).sum(),
    F.unfold(x, 3).shape,
    F.fold(F.unfold(x, 2, stride=2), (8, 8), 2, stride=2).equal(x),
    nn.LPPool2d(2, 2)(x).mean(),
    nn.FractionalMaxPool2d(2, output_size=3)(x).shape,
)
