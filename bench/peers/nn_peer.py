"""What the peers of `hawker bench nn` share: the line protocol, and the network in PyTorch.

A peer is started once with one argument, a JSON object of sizes. It loads, compiles and warms up, prints one line
`{"peer": NAME, "check": NUMBER}`, and then answers every line that it reads with one line
`{"seconds": {VARIANT: SECONDS}}`: the time of one turn, by each way that it knows to do the work. The check is a number
that everybody who does the same work must come to.
"""

import json
import os
import sys

LINES = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(2, 1)  # Whatever a library prints is not an answer.


def options():
    """The sizes, and under `weights` the path of the file with the weights and token ids."""
    return json.loads(sys.argv[1])


def take_turns(peer, check, turn):
    """Says that the peer is ready and takes a turn for every line, until there are no more."""
    print(json.dumps({"peer": peer, "check": check}), file=LINES)
    for _ in sys.stdin:
        print(json.dumps({"seconds": turn()}), file=LINES)


def tensors(path):
    """The tensors of a file by name; token ids as PyTorch wants them."""
    import torch
    from safetensors.torch import load_file

    return {name: t if t.is_floating_point() else t.to(torch.int64) for name, t in load_file(path).items()}


def transformer(sizes, weights):
    """A decoder of the Llama family, with projections of the same input as one product."""
    import torch
    from torch import nn
    from torch.nn import functional as F

    width, heads, time = sizes["width"], sizes["heads"], sizes["positions"]
    size = width // heads
    rates = sizes["rotary_base"] ** -(torch.arange(0, size, 2).double() / size)
    angles = torch.outer(torch.arange(time).double(), rates)
    angles = torch.cat([angles, angles], -1)

    def turned(x, cos, sin):
        first, second = x.chunk(2, -1)
        return x * cos + torch.cat([-second, first], -1) * sin

    def linear(*names):
        weight = torch.cat([weights[f"{name}.weight"] for name in names])
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight.data = weight.clone()
        return layer

    def norm(name):
        layer = nn.RMSNorm(width, eps=sizes["norm_epsilon"])
        layer.weight.data = weights[f"{name}.weight"].clone()
        return layer

    class Block(nn.Module):
        def __init__(self, name):
            super().__init__()
            attention, gated = f"{name}.self_attn", f"{name}.mlp"
            self.before = norm(f"{name}.input_layernorm")
            self.qkv = linear(*(f"{attention}.{part}_proj" for part in "qkv"))
            self.out = linear(f"{attention}.o_proj")
            self.after = norm(f"{name}.post_attention_layernorm")
            self.gate_up = linear(f"{gated}.gate_proj", f"{gated}.up_proj")
            self.down = linear(f"{gated}.down_proj")

        def forward(self, x, cos, sin, cache, start):
            batch, time, _ = x.shape
            q, k, v = self.qkv(self.before(x)).view(batch, time, 3, heads, size).permute(2, 0, 3, 1, 4)
            q, k = turned(q, cos, sin), turned(k, cos, sin)
            if cache is not None:
                end = start + time
                cache[0][:, :, start:end] = k
                cache[1][:, :, start:end] = v
                k, v = cache[0][:, :, :end], cache[1][:, :, :end]
            y = F.scaled_dot_product_attention(q, k, v, is_causal=time > 1)
            x = x + self.out(y.transpose(1, 2).reshape(batch, time, width))
            gate, up = self.gate_up(self.after(x)).chunk(2, -1)
            return x + self.down(F.silu(gate) * up)

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Parameter(weights["model.embed_tokens.weight"].clone())
            self.blocks = nn.ModuleList(Block(f"model.layers.{n}") for n in range(sizes["layers"]))
            self.norm = norm("model.norm")
            self.register_buffer("cos", angles.cos().float())
            self.register_buffer("sin", angles.sin().float())

        def states(self, ids, caches=None, start=0):
            end = start + ids.shape[1]
            x = F.embedding(ids, self.table)
            for n, block in enumerate(self.blocks):
                cache = None if caches is None else caches[n]
                x = block(x, self.cos[start:end], self.sin[start:end], cache, start)
            return self.norm(x)

        def forward(self, ids):
            return self.states(ids) @ self.table.t()

    return Transformer()
