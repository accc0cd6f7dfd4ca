"""What both peers share: the files, the rules in words, unpacking, and the report.

The rules are those of `hawker import online-retail`, in its order:

1. A line whose stock code is a service (postage, manual entry, fees, gifts, tests, adjustments) is dropped.
2. A line with a negative price, one with a negative quantity outside a cancellation, one with a price that rounds to
   0.00, and one with more than 50,000 pieces is dropped.
3. Of the rest, lines that agree in invoice, stock code (upper case), quantity, date, price in pence and customer are one
   line, however many files bring it. A customer that is empty, `0` or `0.0` is a guest.
4. An invoice that starts with `C` is a cancellation. It is matched to the latest earlier order line of the same customer,
   product and price that has at least as many pieces; guests cannot be matched.
5. A product's title is its latest description in capitals; the shop writes its own remarks in small letters.
"""

import argparse
import json
import lzma
import os
import resource
import shutil
import tempfile
import time

MAX_QUANTITY = 50_000
SERVICE_CODES = ["", "POST", "DOT", "C2", "C3", "M", "D", "S", "B", "BANK CHARGES", "AMAZONFEE", "CRUK", "GIFT"]
SERVICE_PREFIXES = ("GIFT_", "TEST", "ADJUST")
COLUMNS = ["invoice", "code", "description", "quantity", "date", "price", "customer", "country"]


def main(peer, version, clean):
    """Unpacks the files, times `clean(paths)` and prints one JSON object.

    `clean` returns a dict with `kept` and `quarantined`; what it read beyond them was merged.
    """
    parser = argparse.ArgumentParser(description=f"Cleans both online-retail years with {peer}.")
    parser.add_argument("data", help="folder with the two .csv.xz files")
    folder = parser.parse_args().data
    packed = sorted(os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".csv.xz"))
    if not packed:
        parser.error(f"{folder} holds no .csv.xz file")
    with tempfile.TemporaryDirectory() as scratch:
        started = time.perf_counter()
        paths = [unpack(path, scratch) for path in packed]
        unpacked = time.perf_counter()
        counts = clean(paths)
        cleaned = time.perf_counter()
    rows = counts["rows_read"]
    report = {
        "peer": f"{peer} {version}",
        "cores": len(os.sched_getaffinity(0)),
        **counts,
        "merged": rows - counts["kept"] - counts["quarantined"],
        "unpack_s": round(unpacked - started, 3),
        "clean_s": round(cleaned - unpacked, 3),
        "rows_per_s": round(rows / (cleaned - unpacked)),
        "rows_per_s_with_unpacking": round(rows / (cleaned - started)),
        "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(report))


def unpack(path, folder):
    """Writes the CSV in an .xz file into `folder` and returns its path."""
    plain = os.path.join(folder, os.path.basename(path)[: -len(".xz")])
    with lzma.open(path, "rb") as source, open(plain, "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return plain
