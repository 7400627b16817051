"""An autoencoder and a variational autoencoder with the reparametrisation trick."""

import torch
import torch.nn.functional as F
from torch import nn, optim


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc21 = nn.Linear(32, 4)
        self.fc22 = nn.Linear(32, 4)
        self.decoder = nn.Sequential(
            nn.Linear(4, 32), nn.LeakyReLU(0.1), nn.Linear(32, 64), nn.Sigmoid()
        )

    def forward(self, x):
        h = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h), self.fc22(h)
        std = torch.exp(0.5 * logvar)
        z = mu + torch.randn_like(std) * std
        return self.decoder(z), mu, logvar


torch.manual_seed(4)
x = (torch.rand(50, 64) > 0.6).float()
model = VAE()
optimizer = optim.Adam(model.parameters(), lr=5e-3, amsgrad=True)
for epoch in range(10):
    recon, mu, logvar = model(x)
    bce = F.binary_cross_entropy(recon, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    loss = (bce + kld) / len(x)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 3 == 0:
        print(f"{epoch:2d} {loss:.3f} {bce.item() / 50:.3f} {kld.item() / 50:.4f}")


class ConvAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Conv2d(1, 4, 3, 2, 1), nn.ELU(), nn.Conv2d(4, 8, 3, 2, 1))
        self.dec = nn.Sequential(
            nn.ConvTranspose2d(8, 4, 4, 2, 1),
            nn.PReLU(),
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
            nn.Conv2d(4, 1, 1),
        )

    def forward(self, x):
        return self.dec(self.enc(x))


ae = ConvAE()
optimizer = optim.Adagrad(ae.parameters(), lr=0.05)
images = x.view(-1, 1, 8, 8)
for _ in range(5):
    optimizer.zero_grad()
    loss = F.smooth_l1_loss(ae(images), images)
    loss.backward()
    optimizer.step()
print(f"{loss.item():.4f}", ae(images).shape)
print(ae)
