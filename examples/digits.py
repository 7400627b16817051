"""Trains a small convolutional network on real handwritten digits: 1797 images of 8x8 pixels.

An ordinary PyTorch script. Leaves a checkpoint, the learning curve and the misread digits in out/.
"""

import argparse
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split

try:
    from tqdm import tqdm
except ImportError:

    def tqdm(batches, desc, **_):
        for done, batch in enumerate(batches, 1):
            yield batch
            bar = "#" * (30 * done // len(batches))
            print(f"\r{desc} [{bar:30}] {done}/{len(batches)}", end="", file=sys.stderr)
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)


class Net(nn.Module):
    """Smooth throughout (SiLU, mean pooling): no kink turns a rounding into another path."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(32)
        self.dropout = nn.Dropout(0.2)
        self.fc1 = nn.Linear(32 * 4 * 4, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):  # (N, 1, 8, 8)
        x = F.silu(self.norm1(self.conv1(x)))  # (N, 16, 8, 8)
        x = F.silu(self.norm2(self.conv2(x)))  # (N, 32, 8, 8)
        x = F.avg_pool2d(x, 2).flatten(1)  # (N, 512)
        x = F.silu(self.fc1(self.dropout(x)))
        return self.fc2(self.dropout(x))  # (N, 10)


def load_digits():
    """The images from 0 (paper) to 1 (ink), split at random: 1437 to learn from, 360 to test on."""
    with np.load(Path(__file__).parent / "data" / "digits.npz") as data:
        images = torch.from_numpy(data["images"]).float().unsqueeze(1) / 16
        labels = torch.from_numpy(data["labels"]).long()
    return random_split(TensorDataset(images, labels), [1437, 360])


def train(model, loader, optimizer, title):
    """One epoch; returns the mean loss."""
    model.train()
    total = 0.0
    for x, y in tqdm(loader, desc=title, leave=False):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(x)
    return total / len(loader.dataset)


@torch.no_grad()
def predict(model, loader):
    """The images, what they show, and what the model reads."""
    model.eval()
    x, y = (torch.cat(parts) for parts in zip(*loader))
    return x, y, model(x).argmax(dim=1)


def write_png(path, ink):
    """A grey picture from an array of 0 (white) to 1 (black), with nothing but zlib."""

    def chunk(kind, body):
        data = kind + body
        return struct.pack(">I", len(body)) + data + struct.pack(">I", zlib.crc32(data))

    rows = b"".join(b"\0" + row.tobytes() for row in (255 * (1 - ink)).astype(np.uint8))
    head = struct.pack(">IIBBBBB", ink.shape[1], ink.shape[0], 8, 0, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))


def draw(curve_path, misread_path, losses, accuracies, pairs):
    """The learning curve; and each misread digit above the usual look of what it was read as."""
    columns = [np.vstack([np.pad(image, 1) for image in pair]) for pair in pairs]
    write_png(misread_path, np.kron(np.hstack(columns or [np.zeros((20, 10))]), np.ones((12, 12))))
    try:
        from matplotlib.figure import Figure
    except ImportError:  # bars, the loss above the accuracy
        rows = np.linspace(1, 0, 100)[:, None]
        bars = np.vstack([rows <= np.array(v) / max(v) for v in (losses, accuracies)])
        return write_png(curve_path, np.kron(bars, np.eye(1, 20) == 0))
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for axis, values in zip(axes, (losses, accuracies)):
        axis.plot(range(1, len(values) + 1), values, ".-")
    axes[0].set_ylabel("training loss")
    axes[1].set(xlabel="epoch", ylabel="test accuracy, %")
    figure.savefig(curve_path, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("out"))
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train_set, test_set = load_digits()
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=120)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=args.epochs)

    start, losses, accuracies = time.perf_counter(), [], []
    for epoch in range(1, args.epochs + 1):
        title = f"epoch {epoch:2d}/{args.epochs}"
        losses.append(train(model, train_loader, optimizer, title))
        schedule.step()
        x, labels, read = predict(model, test_loader)
        accuracies.append(100 * (read == labels).float().mean().item())
        print(f"{title}  loss {losses[-1]:.6f}  test accuracy {accuracies[-1]:.2f} %", flush=True)
    wrong = (read != labels).nonzero().flatten().tolist()
    print(f"{len(wrong)} of {len(labels)} misread, {time.perf_counter() - start:.1f} s")

    args.out.mkdir(parents=True, exist_ok=True)
    torch.save({"model": model.state_dict(), "epochs": args.epochs}, args.out / "digits.pt")
    usual = [x[labels == digit].mean(dim=0) for digit in range(10)]
    pairs = [(x[i, 0].numpy(), usual[read[i].item()][0].numpy()) for i in wrong[:10]]
    draw(args.out / "curve.png", args.out / "misread.png", losses, accuracies, pairs)


if __name__ == "__main__":
    main()
