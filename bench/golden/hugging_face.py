"""Small random checkpoints in the Hugging Face layout, with the logits that `transformers` gives for them.

    pip install transformers torch
    python3 bench/golden/hugging_face.py                 # writes crates/nn/tests/data/hugging_face/
    python3 bench/golden/hugging_face.py FOLDER IDS.json # prints what `transformers` makes of a checkpoint

The second form serves the test that reads back what `nn::hugging_face::save` wrote. The files in the repository were
made with transformers 5.24.0 and torch 2.15.0; a rerun with the same versions gives the same weights.

| folder | shows |
|---|---|
| `llama` | untied weights in f32, two query heads to a key head |
| `llama3` | stretched rotary positions of type `llama3`, f16, three shards with an index |
| `qwen2` | tied weights in bf16, biases on queries, keys and values |
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

DATA = Path(__file__).resolve().parents[2] / "crates/nn/tests/data/hugging_face"
SIZES = dict(
    vocab_size=61,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    intermediate_size=48,
    max_position_embeddings=64,
    bos_token_id=None,
    eos_token_id=None,
)
STRETCHED = dict(
    rope_type="llama3",
    rope_theta=10000.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    # Of the four frequencies of a head one stays, one lies between, and two are divided by the factor.
    original_max_position_embeddings=64,
)


def draw(model, seed):
    """Draws every weight: wide enough that logits vary, gains and biases away from their usual start."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "norm" in name:
                weight.uniform_(0.5, 1.5, generator=generator)
            else:
                weight.normal_(0.0, 0.3, generator=generator)


def logits(folder, ids):
    """The logits of a checkpoint, computed in f32."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        return model.eval()(torch.tensor(ids)).logits.tolist()


def write(name, model, dtype, seed, time, **saving):
    """Writes one checkpoint with its expected logits."""
    folder = DATA / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    draw(model, seed)
    model.to(dtype).save_pretrained(folder, **saving)
    (folder / "generation_config.json").unlink(missing_ok=True)
    for file in folder.iterdir():
        file.chmod(0o644)
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(0, SIZES["vocab_size"], (2, time), generator=generator).tolist()
    rows = [[[float(f"{x:.8g}") for x in row] for row in sequence] for sequence in logits(folder, ids)]
    (folder / "expected.json").write_text(json.dumps({"ids": ids, "logits": rows}) + "\n")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(logits(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()))))
        sys.exit()
    write("llama", LlamaForCausalLM(LlamaConfig(**SIZES)), torch.float32, 1, 12)
    stretched = LlamaConfig(**SIZES | dict(max_position_embeddings=512, rope_parameters=STRETCHED))
    write("llama3", LlamaForCausalLM(stretched), torch.float16, 2, 40, max_shard_size="15KB")
    write("qwen2", Qwen2ForCausalLM(Qwen2Config(**SIZES, tie_word_embeddings=True)), torch.bfloat16, 3, 12)
