"""Averaged weights, moving averages, gradient accumulation."""

import torch
import torch.nn as nn
from torch.optim.swa_utils import SWALR, AveragedModel, get_ema_multi_avg_fn, update_bn

torch.manual_seed(0)
m = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1))
o = torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9, nesterov=True)
s = torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=10)
swa = AveragedModel(m)
ema = AveragedModel(m, multi_avg_fn=get_ema_multi_avg_fn(0.9), use_buffers=True)
ss = SWALR(o, anneal_strategy="linear", anneal_epochs=3, swa_lr=0.05)
x = torch.randn(40, 4)
y = x.sum(1, keepdim=True)
dl = torch.utils.data.DataLoader(list(zip(x, y)), 10)
for e in range(10):
    for a, b in dl:
        o.zero_grad()
        l = nn.functional.mse_loss(m(a), b)
        l.backward()
        o.step()
        ema.update_parameters(m)
    if e > 5:
        swa.update_parameters(m)
        ss.step()
    else:
        s.step()
    print(e, l.item(), o.param_groups[0]["lr"])
update_bn(dl, swa)
swa.eval()
print(swa(x[:3]))
print(swa.n_averaged, list(swa.state_dict())[:3], swa.module[1].running_mean)
ema.eval()
print(ema(x[:2]))


class Acc:
    pass


o.zero_grad()
for i, (a, b) in enumerate(dl):
    (nn.functional.mse_loss(m(a), b) / 2).backward()
    if (i + 1) % 2 == 0:
        o.step()
        o.zero_grad()
print(m(x).mean())
