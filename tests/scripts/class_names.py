"""What a program sees of the classes' names, in prints, in logs and in pickles."""

import io
import pickle

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch import optim
from torch.distributions import Normal, constraints, transforms
from torch.optim import lr_scheduler
from torch.utils.data import DataLoader, TensorDataset

x = torch.ones(2, 3)
print(type(x), type(x.shape), type(x.dtype), type(x.device), torch.Tensor)
print(type(nn.Parameter(x)), nn.Module, nn.Linear, type(nn.ReLU()), nn.Sequential)
print(nn.Conv2d, nn.LSTM, nn.LSTMCell, nn.CrossEntropyLoss, nn.MultiheadAttention)
print(optim.Adam, optim.Optimizer, lr_scheduler.StepLR, Normal, DataLoader, TensorDataset)
print(type(constraints.positive), transforms.ExpTransform)
print(torch.autograd.Function.__module__, type(x.layout))
print(repr(str(type(x))).count("torch"), "torch" in str(type(x)))


class Net(nn.Module):
    def forward(self, x):
        return F.relu(x)


print(Net, type(Net()).__mro__[1], Net.__mro__[1].__module__)
for thing in (nn.Linear(2, 2), x, nn.Sequential(nn.ReLU()), Normal(0.0, 1.0)):
    again = pickle.loads(pickle.dumps(thing))
    print(type(again), type(again) is type(thing))
file = io.BytesIO()
torch.save(nn.Linear(2, 2), file)
file.seek(0)
print(type(torch.load(file, weights_only=False)))
try:
    nn.Sequential(3)
except TypeError as error:
    print(type(error))
