"""Seconds an epoch of SASRec in PyTorch on a file of sequences, beside those that `hawker evaluate` prints.

    python bench/peers/sasrec.py Beauty.txt [--width 128 --layers 2 --heads 2 --length 50 --batch 128 --epochs 2]

The model is that of Kang and McAuley (2018) as its PyTorch ports train it: learnt positions, post-embedding dropout, causal
attention by scaled_dot_product_attention, a point-wise feed-forward layer, binary cross-entropy of the next item against one
negative, Adam. One epoch shows every shopper once, the last `length` items but the held-out two. It says nothing of quality.
"""

import argparse
import json
import lzma
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, x):
        batch, time_, width = x.shape
        parts = self.qkv(self.first(x)).view(batch, time_, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        rate = self.dropout if self.training else 0.0
        read = F.scaled_dot_product_attention(*parts, is_causal=True, dropout_p=rate)
        x = x + self.out(read.transpose(1, 2).reshape(batch, time_, width))
        return x + F.dropout(self.down(F.relu(self.up(self.second(x)))), self.dropout, self.training)


class SASRec(nn.Module):
    def __init__(self, items, width, layers, heads, length, dropout):
        super().__init__()
        self.items = nn.Embedding(items + 1, width, padding_idx=0)
        self.positions = nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(layers))
        self.norm, self.dropout = nn.LayerNorm(width), nn.Dropout(dropout)

    def forward(self, read):
        x = self.items(read) * self.items.embedding_dim**0.5
        x = self.dropout(x + self.positions(torch.arange(read.shape[1])))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def sequences(path):
    """The items of each shopper, from `user item item …` lines or `user item` pairs."""
    opened = lzma.open(path, "rt") if path.endswith(".xz") else open(path)
    with opened as file:
        lines = [line.split() for line in file if line.strip()]
    numbers, shoppers = {}, {}
    for user, *items in lines:
        known = shoppers.setdefault(user, [])
        known.extend(numbers.setdefault(item, len(numbers) + 1) for item in items)
    return list(shoppers.values()), len(numbers)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path")
    for name, default in [("width", 128), ("layers", 2), ("heads", 2), ("length", 50), ("batch", 128), ("epochs", 2)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    shoppers, items = sequences(given.path)
    rows = torch.zeros(len(shoppers), given.length + 1, dtype=torch.long)
    for row, known in zip(rows, shoppers):
        learnt = torch.tensor(known[:-2][-(given.length + 1):])
        row[len(row) - len(learnt):] = learnt
    model = SASRec(items, given.width, given.layers, given.heads, given.length, 0.2)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), fused=True)
    for epoch in range(given.epochs):
        start, total = time.perf_counter(), 0.0
        for chosen in torch.randperm(len(rows)).split(given.batch):
            read, target = rows[chosen, :-1], rows[chosen, 1:]
            states = model(read)
            negative = torch.randint(1, items + 1, target.shape)
            real = (target > 0) & (read > 0)
            scores = [(states * model.items(of)).sum(-1)[real] for of in (target, negative)]
            loss = F.softplus(-scores[0]).mean() + F.softplus(scores[1]).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        print(json.dumps({"epoch": epoch, "loss": total, "seconds": round(time.perf_counter() - start, 1)}), flush=True)


if __name__ == "__main__":
    main()
