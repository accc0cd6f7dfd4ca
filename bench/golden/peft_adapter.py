"""Prints the logits that PEFT computes with an adapter and saves it anew, for a test of `crates/nn/tests/adapter.rs`.

    pip install peft transformers torch
    python3 bench/golden/peft_adapter.py BASE_FOLDER ADAPTER_FOLDER OUT_FOLDER
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, adapter, out = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, torch_dtype=torch.float32)
model = PeftModel.from_pretrained(model, adapter).eval()
with torch.no_grad():
    logits = model(torch.tensor([[1, 5, 9, 2, 7]])).logits
model.save_pretrained(out)
json.dump(logits.flatten().tolist(), sys.stdout)
