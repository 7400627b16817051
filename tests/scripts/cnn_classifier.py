"""A convolutional network with batch norm, pooling and dropout on made-up images."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, stride=2)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout2d(0.25)
        self.head = nn.LazyLinear(classes)

    def forward(self, x):
        x = self.pool(F.relu(self.bn1(self.conv1(x))))
        x = self.drop(F.gelu(self.conv2(x)))
        x = F.adaptive_avg_pool2d(x, (2, 2))
        return self.head(torch.flatten(x, 1))


torch.manual_seed(1)
net = Net()
print(net)
images, labels = torch.randn(64, 3, 16, 16), torch.randint(0, 4, (64,))
images += labels.view(-1, 1, 1, 1) * 0.3
net(images[:2])
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
for epoch in range(3):
    net.train()
    for batch, target in zip(images.split(16), labels.split(16)):
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(net(batch), target)
        loss.backward()
        optimizer.step()
    scheduler.step()
    net.eval()
    with torch.no_grad():
        out = net(images)
    accuracy = (out.argmax(1) == labels).float().mean()
    print(f"{epoch} {loss.item():.3f} {accuracy:.3f} {scheduler.get_last_lr()[0]:.5f}")
print(net.bn1.running_mean, net.bn1.num_batches_tracked)
print({k: tuple(v.shape) for k, v in net.state_dict().items()})
