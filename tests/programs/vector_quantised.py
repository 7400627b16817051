"""VQ-VAE with moving averages, a masked convolution over its codes, a beta-VAE and its bound."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


class VectorQuantizerEMA(nn.Module):
    def __init__(self, n, d, beta=0.25, decay=0.9, eps=1e-5):
        super().__init__()
        self.n, self.d, self.beta, self.decay, self.eps = n, d, beta, decay, eps
        self.embedding = nn.Embedding(n, d)
        self.embedding.weight.data.uniform_(-1 / n, 1 / n)
        self.embedding.weight.requires_grad_(False)
        self.register_buffer("cluster", torch.zeros(n))
        self.register_buffer("w", self.embedding.weight.data.clone())
        self.register_buffer("tmp", torch.zeros(1), persistent=False)

    def forward(self, x: Tensor):
        x = x.permute(0, 2, 3, 1).contiguous()
        shp = x.shape
        flat = x.view(-1, self.d)
        dist = (
            flat.pow(2).sum(1, keepdim=True)
            + self.embedding.weight.pow(2).sum(1)
            - 2 * flat @ self.embedding.weight.t()
        )
        idx = dist.argmin(1).unsqueeze(1)
        enc = torch.zeros(idx.shape[0], self.n).scatter_(1, idx, 1)
        q = torch.matmul(enc, self.embedding.weight).view(shp)
        if self.training:
            self.cluster.mul_(self.decay).add_(enc.sum(0), alpha=1 - self.decay)
            n = self.cluster.sum()
            self.cluster = (self.cluster + self.eps) / (n + self.n * self.eps) * n
            self.w.mul_(self.decay).add_(enc.t() @ flat.detach(), alpha=1 - self.decay)
            self.embedding.weight.data.copy_(self.w / self.cluster.unsqueeze(1))
        loss = self.beta * F.mse_loss(q.detach(), x)
        q = x + (q - x).detach()
        p = enc.mean(0)
        perp = torch.exp(-torch.sum(p * torch.log(p + 1e-10)))
        return loss, q.permute(0, 3, 1, 2).contiguous(), perp, idx.view(shp[:-1])


class Residual(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.block = nn.Sequential(
            nn.ReLU(True),
            nn.Conv2d(c, c // 2, 3, padding=1, bias=False),
            nn.ReLU(True),
            nn.Conv2d(c // 2, c, 1, bias=False),
        )

    def forward(self, x):
        return x + self.block(x)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(
            nn.Conv2d(3, 16, 4, 2, 1),
            nn.ReLU(True),
            nn.Conv2d(16, 16, 4, 2, 1),
            Residual(16),
            Residual(16),
        )
        self.pre = nn.Conv2d(16, 8, 1)
        self.vq = VectorQuantizerEMA(32, 8)
        self.dec = nn.Sequential(
            nn.Conv2d(8, 16, 3, 1, 1),
            Residual(16),
            nn.ConvTranspose2d(16, 16, 4, 2, 1),
            nn.ReLU(True),
            nn.ConvTranspose2d(16, 3, 4, 2, 1),
        )

    def forward(self, x):
        loss, q, p, i = self.vq(self.pre(self.enc(x)))
        return loss, self.dec(q), p, i


yy, xx = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
c = torch.rand(64, 2) - 0.5
imgs = (
    torch.exp(-((xx - c[:, 0, None, None]) ** 2 + (yy - c[:, 1, None, None]) ** 2) * 8)[:, None]
    * torch.rand(64, 3, 1, 1)
    - 0.5
)
var = imgs.var().item()
m = Model()
opt = torch.optim.Adam(m.parameters(), lr=2e-3, amsgrad=False)
print(sum(p.numel() for p in m.parameters()), len(list(m.parameters())), var)
for ep in range(3):
    for (x,) in DataLoader(TensorDataset(imgs), batch_size=16, shuffle=True):
        opt.zero_grad()
        vq, r, perp, idx = m(x)
        rec = F.mse_loss(r, x) / var
        (rec + vq).backward()
        opt.step()
    print(
        f"{ep} rec {rec.item():.5f} vq {vq.item():.6f} perplexity {perp.item():.4f} {idx[0].flatten().tolist()}"
    )
print(list(m.state_dict())[-8:], m.vq.cluster.sum())
# Gumbel softmax and straight-through
lg = torch.randn(4, 5, requires_grad=True)
y = F.gumbel_softmax(lg, tau=0.5, hard=True)
(y * torch.arange(5.0)).sum().backward()
print(y.detach(), lg.grad)


# PixelCNN masked convolution over codes
class MaskedConv2d(nn.Conv2d):
    def __init__(self, kind, *a, **k):
        super().__init__(*a, **k)
        self.register_buffer("mask", self.weight.data.clone())
        _, _, h, w = self.weight.size()
        self.mask.fill_(1)
        self.mask[:, :, h // 2, w // 2 + (kind == "B") :] = 0
        self.mask[:, :, h // 2 + 1 :] = 0

    def forward(self, x):
        self.weight.data *= self.mask
        return super().forward(x)


net = nn.Sequential(
    MaskedConv2d("A", 1, 16, 7, 1, 3, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(True),
    MaskedConv2d("B", 16, 16, 7, 1, 3, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(True),
    nn.Conv2d(16, 32, 1),
)
o = torch.optim.RMSprop(net.parameters(), 1e-3)
with torch.no_grad():
    codes = m(imgs[:16])[3]
for i in range(4):
    l = F.cross_entropy(net(codes.float().unsqueeze(1) / 31), codes)
    o.zero_grad(set_to_none=False)
    l.backward()
    o.step()
    print(l.item())
net.eval()
s = torch.zeros(2, 1, 4, 4)
with torch.no_grad():
    for i in range(4):
        for j in range(4):
            p = F.softmax(net(s)[:, :, i, j], -1).data
            s[:, :, i, j] = torch.multinomial(p, 1).float() / 31
print((s * 31).round().int().squeeze(1))


# beta-VAE, ELBO by distributions, IWAE
class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.e = nn.Sequential(nn.Flatten(), nn.Linear(768, 32), nn.ELU())
        self.mu, self.lv = nn.Linear(32, 4), nn.Linear(32, 4)
        self.d = nn.Sequential(
            nn.Linear(4, 32),
            nn.ELU(),
            nn.Linear(32, 768),
            nn.Unflatten(1, (3, 16, 16)),
            nn.Sigmoid(),
        )

    def forward(self, x):
        h = self.e(x)
        q = torch.distributions.Normal(self.mu(h), F.softplus(self.lv(h)))
        z = q.rsample()
        return self.d(z), q


v = VAE()
o = torch.optim.AdamW(v.parameters(), 1e-3)
X = imgs + 0.5
for i in range(5):
    r, q = v(X)
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(-1).mean()
    bce = F.binary_cross_entropy(r, X.clamp(0, 1), reduction="none").flatten(1).sum(1).mean()
    l = bce + 4 * (kl - 1.0).abs()
    o.zero_grad()
    l.backward()
    o.step()
    print(bce.item(), kl.item())
h = v.e(X[:4])
q = torch.distributions.Normal(v.mu(h), F.softplus(v.lv(h)))
z = q.rsample((8,))
w = -F.binary_cross_entropy(
    v.d(z.flatten(0, 1)), X[:4].clamp(0, 1).repeat(8, 1, 1, 1), reduction="none"
).flatten(1).sum(1).view(8, 4) + (torch.distributions.Normal(0, 1).log_prob(z) - q.log_prob(z)).sum(
    -1
)
print((torch.logsumexp(w, 0) - torch.log(torch.tensor(8.0))).mean())
