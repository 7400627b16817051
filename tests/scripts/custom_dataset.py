"""Custom datasets, samplers, collate functions, splits and worker processes."""

import torch
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    WeightedRandomSampler,
    get_worker_info,
    random_split,
)


class Squares(Dataset):
    def __init__(self, n, transform=None):
        self.n, self.transform = n, transform

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        x = torch.tensor([i, i * i], dtype=torch.float32)
        return {"x": self.transform(x) if self.transform else x, "y": i % 2, "name": f"s{i}"}


class Stream(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        start, step = (info.id, info.num_workers) if info else (0, 1)
        return iter(range(start, 10, step))


def collate(batch):
    return torch.stack([b["x"] for b in batch]), torch.tensor([b["y"] for b in batch])


if __name__ == "__main__":
    torch.manual_seed(8)
    data = Squares(10, transform=lambda t: t / 10)
    for batch in DataLoader(data, batch_size=4, shuffle=True, drop_last=True):
        print(batch)
    for x, y in DataLoader(Squares(6), batch_size=3, collate_fn=collate, num_workers=2):
        print(x, y)
    print(list(DataLoader(Stream(), batch_size=3)))
    print(sorted(torch.cat(list(DataLoader(Stream(), batch_size=3, num_workers=2))).tolist()))
    train, test = random_split(data, [0.7, 0.3], generator=torch.Generator().manual_seed(1))
    print(len(train), len(test), train.indices, test.indices)
    print(len(ConcatDataset([train, Subset(data, [0, 1])])))
    sampler = WeightedRandomSampler([0.1, 0.9, 0.5], num_samples=6)
    print(list(sampler), list(RandomSampler(range(5))))
    loader = DataLoader(list(range(7)), batch_size=2, num_workers=1, persistent_workers=True)
    print([b.tolist() for b in loader], [b.tolist() for b in loader], len(loader))
    print(next(iter(DataLoader([(1, 2.0, "a"), (3, 4.0, "b")], batch_size=2))))
