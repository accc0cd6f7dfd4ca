"""Writes crates/guard/src/matcher/common.txt: what words, characters and pairs of characters are in shop texts, and in how many
of 10,000. The guard looks for a phrase by the rarest of them.

Run: python3 bench/guard/common.py ../shared/data > crates/guard/src/matcher/common.txt
"""

import collections
import csv
import json
import lzma
import re
import sys

TOKEN = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")
SENTENCE = re.compile(r"(?<=[.!?。！？；;])")
# How many of the most frequent are kept of words, of single characters and of pairs.
KEPT = {"word": 2500, "sign": 1200, "pair": 2500}


def texts(data):
    def rows(path):
        opened = lzma.open(path, "rt") if path.endswith(".xz") else open(path, encoding="utf-8")
        return csv.DictReader(opened)

    csv.field_size_limit(10**8)
    for row in rows(f"{data}/product_catalogues/myntra_products_catalog.csv.xz"):
        yield "english", row["Description"]
    for row in rows(f"{data}/upworthy/upworthy_exploratory_packages.csv.xz"):
        yield "english", row["headline"]
    for row in rows(f"{data}/bitext_support/bitext_27k_instruction_category.csv.xz"):
        yield "english", row["instruction"]
    for row in rows(f"{data}/email_subject_lines/subject_lines.csv"):
        yield "english", row["SUBJECT"]
    for name in ["dev", "train_first5000"]:
        for line in open(f"{data}/advertisegen/{name}.jsonl", encoding="utf-8"):
            yield "chinese", json.loads(line)["summary"]
    for row in rows(f"{data}/cn_reviews/online_shopping_10_cats.csv.xz"):
        yield "chinese", row["review"]


def grams(sentence):
    """The distinct words, signs and pairs of signs of a sentence."""
    found, before = set(), None
    for token in TOKEN.finditer(sentence):
        if token[0][0].isascii() and token[0][0].isalnum():
            found.add(("word", token[0]))
            before = None
            continue
        found.add(("sign", token[0]))
        if before and before.end() == token.start():
            found.add(("pair", before[0] + token[0]))
        before = token
    return found


def main():
    counts = {"english": collections.Counter(), "chinese": collections.Counter()}
    total = collections.Counter()
    for language, text in texts(sys.argv[1]):
        for sentence in SENTENCE.split((text or "").lower()):
            if sentence.strip():
                total[language] += 1
                counts[language].update(grams(sentence))
    shares = collections.Counter()
    for language, counter in counts.items():
        for gram, count in counter.items():
            shares[gram] = max(shares[gram], round(10_000 * count / total[language]))
    for kind, kept in KEPT.items():
        of_kind = [(gram, share) for gram, share in shares.items() if gram[0] == kind and share > 0]
        of_kind.sort(key=lambda entry: (-entry[1], entry[0][1]))
        for (_, text), share in of_kind[:kept]:
            print(text, share)


main()
