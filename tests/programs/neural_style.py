"""Neural style: Gram matrices, LBFGS on the image."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(2)
cnn = nn.Sequential(
    nn.Conv2d(3, 8, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(8, 16, 3, padding=1),
    nn.ReLU(),
).eval()
for p in cnn.parameters():
    p.requires_grad_(False)


def gram(x):
    a, b, c, d = x.size()
    f = x.view(a * b, c * d)
    return torch.mm(f, f.t()).div(a * b * c * d)


class Content(nn.Module):
    def __init__(s, t):
        super().__init__()
        s.t = t.detach()

    def forward(s, x):
        s.loss = F.mse_loss(x, s.t)
        return x


class Style(nn.Module):
    def __init__(s, t):
        super().__init__()
        s.t = gram(t).detach()

    def forward(s, x):
        s.loss = F.mse_loss(gram(x), s.t)
        return x


content, style = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
model = nn.Sequential()
cl, sl = [], []
i = 0
for l in cnn.children():
    if isinstance(l, nn.Conv2d):
        i += 1
        name = f"conv_{i}"
    elif isinstance(l, nn.ReLU):
        name = f"relu_{i}"
        l = nn.ReLU(inplace=False)
    else:
        name = f"pool_{i}"
    model.add_module(name, l)
    if name == "conv_2":
        c = Content(model(content))
        model.add_module("content", c)
        cl.append(c)
    if name.startswith("conv"):
        s = Style(model(style))
        model.add_module(f"style_{i}", s)
        sl.append(s)
print(model)
x = content.clone().requires_grad_(True)
opt = torch.optim.LBFGS([x])
run = [0]
while run[0] < 40:

    def closure():
        with torch.no_grad():
            x.clamp_(0, 1)
        opt.zero_grad()
        model(x)
        s = sum(l.loss for l in sl) * 1e4
        c = sum(l.loss for l in cl)
        loss = s + c
        loss.backward()
        run[0] += 1
        if run[0] % 20 == 0:
            print(run, "Style %.3f Content %.3f" % (s.item(), c.item()))
        return s + c

    opt.step(closure)
