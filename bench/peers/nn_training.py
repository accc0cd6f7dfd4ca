"""What a training step of PyTorch takes: forward, backward and fused AdamW, in eager mode and under torch.compile.

The network, its first weights and its batches are those of `hawker bench nn`, which starts this script and gives each turn;
the check is the loss of the first batch before any step.
"""

import copy
import time

import torch
from torch import nn
from torch.nn import functional as F

from nn_peer import options, take_turns, tensors, transformer

WARM_UP = 3


class Recurrent(nn.Module):
    """Table → recurrent layers → products with the table."""

    def __init__(self, sizes, weights):
        super().__init__()
        cell = {"gru": nn.GRU, "lstm": nn.LSTM}[sizes["encoder"]]
        self.table = nn.Parameter(weights["model.embed_tokens.weight"].clone())
        self.layers = cell(sizes["width"], sizes["width"], num_layers=sizes["layers"], batch_first=True)
        for n in range(sizes["layers"]):
            for theirs, ours in [("ih", "input"), ("hh", "state")]:
                for kind in ["weight", "bias"]:
                    value = weights[f"model.layers.{n}.{ours}.{kind}"]
                    getattr(self.layers, f"{kind}_{theirs}_l{n}").data.copy_(value)

    def forward(self, ids):
        return self.layers(F.embedding(ids, self.table))[0] @ self.table.t()


def optimiser(model):
    """AdamW that, as ours, leaves the table, the gains and the biases out of the decay."""
    matrices = [p for name, p in model.named_parameters() if p.dim() > 1 and name != "table"]
    others = [p for name, p in model.named_parameters() if p.dim() == 1 or name == "table"]
    groups = [{"params": matrices, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)


def trainer(model, batches, compiled):
    """A function that takes a number of steps and returns their seconds and the first loss."""

    def loss_of(ids):
        logits = model(ids[:, :-1])
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())

    loss = torch.compile(loss_of) if compiled else loss_of
    adam = optimiser(model)
    taken = 0

    def steps(count):
        nonlocal taken
        first, started = None, time.perf_counter()
        for _ in range(count):
            value = loss(batches[taken % len(batches)])
            adam.zero_grad()
            value.backward()
            adam.step()
            first = value.item() if first is None else first
            taken += 1
        return time.perf_counter() - started, first

    return steps


def main():
    sizes = options()
    torch.set_num_threads(sizes["threads"])
    torch.manual_seed(0)
    weights = tensors(sizes["weights"])
    batches = list(weights.pop("batches"))
    model = (transformer if sizes["encoder"] == "transformer" else Recurrent)(sizes, weights)
    ways = {
        "eager": trainer(copy.deepcopy(model), batches, compiled=False),
        "torch.compile": trainer(model, batches, compiled=True),
    }
    checks = []
    for name in list(ways):
        try:
            checks.append(ways[name](WARM_UP)[1])
        except Exception as error:  # No C++ compiler, say: eager mode is left.
            if name == "eager":
                raise
            print(f"without {name}: {error}")
            del ways[name]
    worst = max(checks, key=lambda check: abs(check - checks[0]))
    take_turns(
        f"PyTorch {torch.__version__}",
        worst if abs(worst - checks[0]) > 1e-3 else checks[0],
        lambda: {name: steps(sizes["steps"])[0] for name, steps in ways.items()},
    )


main()
