"""A GAN on a ring of points: two optimizers, detach, one-sided labels."""

import torch
import torch.nn as nn

torch.manual_seed(5)
angle = torch.rand(256) * 2 * torch.pi
real = torch.stack((angle.cos(), angle.sin()), dim=1)
G = nn.Sequential(nn.Linear(3, 16), nn.ReLU(True), nn.Linear(16, 2))
D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2, inplace=True), nn.Linear(16, 1), nn.Sigmoid())
opt_g = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.999))
opt_d = torch.optim.Adam(D.parameters(), lr=2e-3, betas=(0.5, 0.999))
criterion = nn.BCELoss()
fixed = torch.randn(3, 3)
for step in range(40):
    batch = real[torch.randperm(256)[:64]]
    ones, zeros = torch.full((64, 1), 0.9), torch.zeros(64, 1)
    fake = G(torch.randn(64, 3))
    opt_d.zero_grad()
    loss_d = criterion(D(batch), ones) + criterion(D(fake.detach()), zeros)
    loss_d.backward()
    opt_d.step()
    opt_g.zero_grad()
    loss_g = criterion(D(fake), torch.ones_like(ones))
    loss_g.backward()
    opt_g.step()
    if step % 10 == 0:
        print(f"{step} D {loss_d.item():.4f} G {loss_g.item():.4f}")
with torch.inference_mode():
    sample = G(fixed)
print(sample, sample.is_inference())
print(G, D, sep="\n")
