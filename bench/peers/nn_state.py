"""What ONNX Runtime takes for the state of one shopper: the user model in f32, the last position's state alone.

The network is exported by PyTorch from the weights of `hawker bench nn`, which starts this script and gives each turn; the
check is the sum of the state's absolute values.
"""

import tempfile
import time
from pathlib import Path

import numpy
import onnxruntime
import torch

from nn_peer import options, take_turns, tensors, transformer


class LastState(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model.states(ids)[:, -1]


def session(path, threads):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])


def main():
    sizes = options()
    weights = tensors(sizes["weights"])
    ids = weights.pop("ids")
    model = LastState(transformer(sizes, weights)).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.onnx")
        torch.onnx.export(model, (ids,), path, input_names=["ids"], output_names=["state"], dynamo=True)
        sessions = {f"{n} threads": session(path, n) for n in sorted({1, sizes["threads"]})}
    inputs = {"ids": ids.numpy()}

    def seconds(session):
        started = time.perf_counter()
        for _ in range(sizes["count"]):
            session.run(None, inputs)
        return time.perf_counter() - started

    for each in sessions.values():
        seconds(each)
    state = next(iter(sessions.values())).run(None, inputs)[0]
    take_turns(
        f"ONNX Runtime {onnxruntime.__version__}",
        float(numpy.abs(state).sum()),
        lambda: {name: seconds(each) for name, each in sessions.items()},
    )


main()
