"""U-Net with both ways up, Dice loss, a scheduler on a plateau."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(7)


class DC(nn.Sequential):
    def __init__(s, i, o):
        super().__init__(
            nn.Conv2d(i, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
            nn.Conv2d(o, o, 3, padding=1, bias=False),
            nn.BatchNorm2d(o),
            nn.ReLU(inplace=True),
        )


class Up(nn.Module):
    def __init__(s, i, o, bil):
        super().__init__()
        s.up = (
            nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            if bil
            else nn.ConvTranspose2d(i, i // 2, 2, 2)
        )
        s.c = DC(i if not bil else i + o, o)

    def forward(s, a, b):
        a = s.up(a)
        dy, dx = b.size(2) - a.size(2), b.size(3) - a.size(3)
        a = F.pad(a, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return s.c(torch.cat([b, a], 1))


class UNet(nn.Module):
    def __init__(s, bil):
        super().__init__()
        s.i = DC(1, 4)
        s.d1 = DC(4, 8)
        s.d2 = DC(8, 16)
        s.u1 = Up(16, 8, bil)
        s.u2 = Up(8, 4, bil)
        s.o = nn.Conv2d(4, 2, 1)

    def forward(s, x):
        a = s.i(x)
        b = s.d1(F.max_pool2d(a, 2))
        c = s.d2(F.max_pool2d(b, 2))
        return s.o(s.u2(s.u1(c, b), a))


def dice(p, t, eps=1e-6):
    p = p.softmax(1)
    t = F.one_hot(t, 2).permute(0, 3, 1, 2).float()
    i = (p * t).sum((2, 3))
    return 1 - ((2 * i + eps) / (p.sum((2, 3)) + t.sum((2, 3)) + eps)).mean()


for bil in (False, True):
    m = UNet(bil)
    o = torch.optim.RMSprop(m.parameters(), lr=1e-3, weight_decay=1e-8, momentum=0.9)
    sch = torch.optim.lr_scheduler.ReduceLROnPlateau(o, "max", patience=1)
    x = torch.randn(2, 1, 18, 22)
    t = (x[:, 0] > 0).long()
    for i in range(4):
        l = F.cross_entropy(m(x), t) + dice(m(x), t)
        o.zero_grad(set_to_none=True)
        l.backward()
        nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        o.step()
        sch.step(-l)
        print(l.item(), o.param_groups[0]["lr"])
    m.eval()
    print((m(x).argmax(1) == t).float().mean())
