"""Reads the scalars of a folder of event files as TensorBoard does: python3 read_tensorboard.py FOLDER

Prints one JSON object, {tag: [[step, value, wall time], …]}, from TensorBoard's event accumulator, and fails where the
data provider behind TensorBoard's scalars page lists other tags or other points.
"""

import json
import sys

from tensorboard.backend.event_processing import data_provider, event_accumulator, plugin_event_multiplexer
from tensorboard.context import RequestContext
from tensorboard.data.provider import RunTagFilter
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME


def accumulated(folder):
    """What the event accumulator holds."""
    accumulator = event_accumulator.EventAccumulator(folder, size_guidance={event_accumulator.SCALARS: 0})
    accumulator.Reload()
    return {
        tag: [[event.step, event.value, event.wall_time] for event in accumulator.Scalars(tag)]
        for tag in accumulator.Tags()["scalars"]
    }


def shown(folder):
    """What the scalars page shows."""
    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={PLUGIN_NAME: 0})
    multiplexer.AddRun(folder, "run")
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, folder)
    tags = provider.read_scalars(
        RequestContext(), experiment_id="", plugin_name=PLUGIN_NAME, downsample=1_000_000, run_tag_filter=RunTagFilter(runs=["run"])
    ).get("run", {})
    return {tag: [[point.step, point.value, point.wall_time] for point in points] for tag, points in tags.items()}


if __name__ == "__main__":
    found = accumulated(sys.argv[1])
    page = shown(sys.argv[1])
    if found != page:
        sys.exit(f"the event accumulator holds {found}, the scalars page shows {page}")
    print(json.dumps(found))
