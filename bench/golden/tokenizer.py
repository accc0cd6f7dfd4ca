"""Learns the golden tokenizer with Python's `tokenizers` and cuts mixed texts by it, for the test that equals both.

Run with `pip install tokenizers jieba`. The corpus is that of `mixed` in `crates/copywriter/src/decoder/tests.rs`.
"""

import json
from pathlib import Path

import jieba
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

FOLDER = Path(__file__).parents[2] / "crates/copywriter/src/decoder/tests"
# The corpus' texts, cut where the exact value `mug` stands.
PIECES = [
    ["The blue ", " is back: it's made of china, holds 350 ml and costs less than before."],
    ["这款连衣裙采用柔软的棉质面料，穿着舒适透气，显瘦又百搭。"],
    ["A soft cotton dress that's easy to match — in red, white or blue."],
    ["简约的圆领设计修饰颈部线条，宽松的版型穿着舒适，T恤百搭。"],
]
VALUE = "蓝色"
SPECIAL = ["<padding>", "<begin>", "<write>", "<end>", "<fact>", "<control:push>", "<fact:title>", "<fact:颜色>"]
SLOTS = ["<slot:title>", "<slot:title.2>", "<slot:title.3>", "<slot:title.4>"]
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


def words():
    for pieces in PIECES:
        for text in [*pieces, VALUE]:
            chinese = any("\u4e00" <= letter <= "\u9fff" for letter in text)
            yield from (jieba.cut(text) if chinese else [text])


tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
trainer = trainers.BpeTrainer(
    vocab_size=420,
    min_frequency=2,
    show_progress=False,
    special_tokens=SPECIAL + SLOTS,
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
)
tokenizer.train_from_iterator(words(), trainer)
(FOLDER / "tokenizer.json").write_text(tokenizer.to_str() + "\n", encoding="utf-8")
cuts = [{"text": text, "ids": tokenizer.encode(text).ids} for text in TEXTS]
rows = ",\n".join(json.dumps(cut, ensure_ascii=False) for cut in cuts)
(FOLDER / "tokenizer_ids.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
