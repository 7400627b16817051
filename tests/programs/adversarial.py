"""DCGAN, WGAN with a gradient penalty, and both kinds of spectral normalisation with R1."""

import random

import numpy as np
import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn
import torch.nn.parallel
import torch.optim as optim
import torch.utils.data
from torch.autograd import Variable
from torch.autograd import grad as torch_grad
from torch.nn.utils import spectral_norm
from torch.nn.utils.parametrizations import spectral_norm as psn

manualSeed = 999
print("Random Seed: ", manualSeed)
random.seed(manualSeed)
torch.manual_seed(manualSeed)
cudnn.benchmark = True
nz, ngf, ndf, nc, ngpu = 16, 8, 8, 1, 0
device = torch.device("cuda:0" if (torch.cuda.is_available() and ngpu > 0) else "cpu")


def weights_init(m):
    classname = m.__class__.__name__
    if classname.find("Conv") != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find("BatchNorm") != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02)
        nn.init.constant_(m.bias.data, 0)


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, x):
        return self.main(x)


class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.main(x).view(-1, 1).squeeze(1)


netG, netD = Generator().to(device), Discriminator().to(device)
if device.type == "cuda" and ngpu > 1:
    netG = nn.DataParallel(netG, list(range(ngpu)))
netG.apply(weights_init)
netD.apply(weights_init)
print(netG)
print(netD)
data = torch.stack([torch.roll(torch.eye(16), k, 0) for k in range(64)])[:, None] * 2 - 1
loader = torch.utils.data.DataLoader(
    torch.utils.data.TensorDataset(data, torch.arange(64)),
    batch_size=16,
    shuffle=True,
    num_workers=0,
    pin_memory=False,
)
criterion = nn.BCELoss()
fixed = torch.randn(4, nz, 1, 1, device=device)
oD = optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
oG = optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
for epoch in range(2):
    for i, (x, _) in enumerate(loader, 0):
        netD.zero_grad()
        b = x.size(0)
        label = torch.full((b,), 1.0, dtype=torch.float, device=device)
        out = netD(x)
        eR = criterion(out, label)
        eR.backward()
        Dx = out.mean().item()
        noise = torch.randn(b, nz, 1, 1, device=device)
        fake = netG(noise)
        label.fill_(0.0)
        out = netD(fake.detach()).view(-1)
        eF = criterion(out, label)
        eF.backward()
        z1 = out.mean().item()
        eD = eR + eF
        oD.step()
        netG.zero_grad()
        label.fill_(1.0)
        out = netD(fake).view(-1)
        eG = criterion(out, label)
        eG.backward()
        z2 = out.mean().item()
        oG.step()
        print(
            "[%d/%d][%d/%d]\tLoss_D: %.4f\tLoss_G: %.4f\tD(x): %.4f\tD(G(z)): %.4f / %.4f"
            % (epoch, 2, i, len(loader), eD.item(), eG.item(), Dx, z1, z2)
        )
with torch.no_grad():
    f = netG(fixed).detach().cpu()
    print(f.mean(), f.std(), np.transpose(f.numpy(), (0, 2, 3, 1)).shape)
# WGAN-GP
D = nn.Sequential(
    nn.Conv2d(1, 8, 4, 2, 1),
    nn.LayerNorm([8, 8, 8]),
    nn.SiLU(),
    nn.Conv2d(8, 16, 4, 2, 1),
    nn.InstanceNorm2d(16, affine=True),
    nn.LeakyReLU(0.2),
    nn.AvgPool2d(2),
    nn.Flatten(),
    nn.Linear(64, 1),
)
G = Generator()
oD, oG = optim.Adam(D.parameters(), 1e-3, betas=(0.0, 0.9)), optim.RMSprop(G.parameters(), 1e-3)


def gp(real, fake):
    a = torch.rand(real.size(0), 1, 1, 1)
    inter = Variable(a * real.data + (1 - a) * fake.data, requires_grad=True)
    o = D(inter)
    g = torch_grad(
        outputs=o,
        inputs=inter,
        grad_outputs=torch.ones(o.size()),
        create_graph=True,
        retain_graph=True,
    )[0].view(real.size(0), -1)
    return 10 * ((torch.sqrt(torch.sum(g**2, dim=1) + 1e-12) - 1) ** 2).mean()


for it in range(4):
    x = data[it * 16 : it * 16 + 16]
    z = torch.randn(16, nz, 1, 1)
    f = G(z).detach()
    p = gp(x, f)
    l = D(f).mean() - D(x).mean() + p
    oD.zero_grad()
    l.backward()
    oD.step()
    for q in D.parameters():
        q.requires_grad = False
    g = -D(G(z)).mean()
    oG.zero_grad()
    g.backward()
    oG.step()
    print(it, l.item(), p.item(), g.item())
    for q in D.parameters():
        q.requires_grad = True
# SN-GAN hinge, R1 penalty, EMA, both kinds of spectral norm
S = nn.Sequential(
    spectral_norm(nn.Conv2d(1, 8, 3, 2, 1)),
    nn.LeakyReLU(0.1),
    psn(nn.Conv2d(8, 8, 3, 2, 1), n_power_iterations=2),
    nn.Flatten(),
    spectral_norm(nn.Linear(128, 1)),
)
print(S, list(S.state_dict()))
oS = optim.SGD(S.parameters(), 1e-2)
for it in range(3):
    x = data[:8].clone().requires_grad_(True)
    r = S(x)
    (r1,) = torch.autograd.grad(r.sum(), x, create_graph=True)
    l = (
        nn.functional.relu(1 - r).mean()
        + nn.functional.relu(1 + S(f[:8])).mean()
        + 5 * r1.square().flatten(1).sum(1).mean()
    )
    oS.zero_grad()
    l.backward()
    oS.step()
    print(
        l.item(), S[0].weight.norm().item(), S[2].weight.norm().item(), S[0].weight_u.norm().item()
    )
S.eval()
a = S(data[:2])
b = S(data[:2])
print(torch.equal(a, b))
torch.nn.utils.remove_spectral_norm(S[0])
torch.nn.utils.parametrize.remove_parametrizations(S[2], "weight")
print(torch.allclose(S(data[:2]), a, atol=1e-6), list(S.state_dict()))
