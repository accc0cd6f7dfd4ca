"""Prints the logits that PEFT computes with an adapter, for the test `peft_reads_what_was_saved` of `crates/nn`.

    python peft_adapter.py BASE_FOLDER ADAPTER_FOLDER
"""

import json
import sys

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

base, adapter = sys.argv[1:]
model = AutoModelForCausalLM.from_pretrained(base, torch_dtype=torch.float32)
model = PeftModel.from_pretrained(model, adapter).eval()
with torch.no_grad():
    logits = model(torch.tensor([[1, 5, 9, 2, 7]])).logits
json.dump(logits.flatten().tolist(), sys.stdout)
