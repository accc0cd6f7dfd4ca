"""Cuts mixed texts with Python's `tokenizers` by the golden tokenizer.json, for the test that equals it.

Run with `pip install tokenizers` after
`cargo test -p copywriter --lib write_the_golden_tokenizer -- --ignored`.
"""

import json
from pathlib import Path

from tokenizers import Tokenizer

FOLDER = Path(__file__).parents[2] / "crates/copywriter/src/decoder/tests"
TEXTS = [
    "The blue mug is back.",
    "这款连衣裙穿着舒适，百搭。",
    "Blue 连衣裙 — it's 350 ml, isn't it?",
    "  two  spaces\tand a tab\nand a line",
    "Café £2.10 ｆｕｌｌ　width ½ off!!!",
    "表情 😀👍🏽 e\u0301 combining",
    "مرحبا right to left",
    "12345 6789",
    "T恤T恤 red,white;blue",
]

tokenizer = Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
cuts = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
rows = ",\n".join(json.dumps(cut, ensure_ascii=False) for cut in cuts)
(FOLDER / "tokenizer_ids.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
