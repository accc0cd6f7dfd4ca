"""Reads and cleans both online-retail years with pandas: python3 import_pandas.py DATA"""

import pandas as pd

import online_retail as rules

KEY = ["invoice", "code", "quantity", "date", "price_minor", "customer"]


def read(path):
    text = dict.fromkeys(["invoice", "code", "description", "customer", "country"], "str")
    return pd.read_csv(
        path, names=rules.COLUMNS, header=0, dtype=text, keep_default_na=False, parse_dates=["date"], date_format="ISO8601"
    )


def clean(paths):
    lines = pd.concat([read(path) for path in paths], ignore_index=True)
    lines["code"] = lines["code"].str.strip().str.upper()
    lines["description"] = lines["description"].str.strip()
    lines["price_minor"] = (lines["price"] * 100 * (1 + 1e-12)).round().astype("int64")
    lines["customer"] = lines["customer"].str.removesuffix(".0").replace("0", "")
    lines["cancelled"] = lines["invoice"].str.startswith("C")
    dropped = (
        lines["code"].isin(rules.SERVICE_CODES)
        | lines["code"].str.startswith(rules.SERVICE_PREFIXES)
        | (lines["price_minor"] <= 0)
        | ((lines["quantity"] < 0) & ~lines["cancelled"])
        | (lines["quantity"].abs() > rules.MAX_QUANTITY)
    )
    kept = lines[~dropped].drop_duplicates(KEY)
    orders = kept[~kept["cancelled"]]
    return {
        "rows_read": len(lines),
        "kept": len(kept),
        "quarantined": int(dropped.sum()),
        "cancelled": int(kept["cancelled"].sum()),
        "cancelled_matched": len(match(kept[kept["cancelled"]], orders)),
        "products": len(titles(orders)),
    }


def titles(orders):
    """Returns each product's latest description in capitals; none where it never had one."""
    letters = orders["description"].str.count("[A-Za-z]")
    capitals = orders["description"].str.count("[A-Z]")
    named = orders["description"].where((letters >= 3) & (capitals * 2 > letters))
    return orders.assign(title=named).sort_values("date", kind="stable").groupby("code")["title"].last()


def match(cancelled, orders):
    """Returns for each cancelled line of a known customer the latest order line that it can undo."""
    by = ["customer", "code", "price_minor"]
    known = cancelled[cancelled["customer"] != ""]
    pairs = known.reset_index().merge(orders, on=by, suffixes=("", "_order"))
    pairs = pairs[(pairs["date_order"] <= pairs["date"]) & (pairs["quantity_order"] >= -pairs["quantity"])]
    return pairs.sort_values("date_order", kind="stable").drop_duplicates("index", keep="last")


if __name__ == "__main__":
    rules.main("pandas", pd.__version__, clean)
