"""Reads and cleans both online-retail years with DuckDB: python3 import_duckdb.py DATA"""

import duckdb

import online_retail as rules

READ = """
create temp table lines as
select
    * exclude (price),
    code in (select unnest($codes)) or starts_with(code, 'GIFT_') or starts_with(code, 'TEST')
        or starts_with(code, 'ADJUST') or price_minor <= 0 or (quantity < 0 and not cancelled)
        or abs(quantity) > $most as dropped,
    length(regexp_replace(description, '[^A-Z]', '', 'g')) as capitals,
    length(regexp_replace(description, '[^A-Za-z]', '', 'g')) as letters,
from (
    select
        * replace (
            upper(trim(code)) as code,
            trim(description) as description,
            case when customer in ('0', '0.0') then '' else regexp_replace(coalesce(customer, ''), '\\.0$', '') end
                as customer),
        cast(round(price * 100 * (1 + 1e-12)) as bigint) as price_minor,
        invoice like 'C%' as cancelled,
    from read_csv($paths, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {
        'invoice': 'varchar', 'code': 'varchar', 'description': 'varchar', 'quantity': 'bigint',
        'date': 'timestamp', 'price': 'double', 'customer': 'varchar', 'country': 'varchar'}))
"""

CLEAN = """
create temp table clean as
select
    invoice, code, quantity, date, price_minor, customer,
    any_value(cancelled) as cancelled,
    any_value(description) filter (letters >= 3 and capitals * 2 > letters) as title,
from lines
where not dropped
group by invoice, code, quantity, date, price_minor, customer
"""

TITLES = "create temp table products as select code, arg_max(title, date) as title from clean where not cancelled group by code"

MATCH = """
create temp table matched as
select c.invoice, c.code, c.quantity, max_by(o.invoice, o.date) as order_invoice
from clean c
join clean o on o.customer = c.customer and o.code = c.code and o.price_minor = c.price_minor
    and o.date <= c.date and o.quantity >= -c.quantity
where c.cancelled and not o.cancelled and c.customer <> ''
group by c.invoice, c.code, c.quantity, c.date, c.price_minor, c.customer
"""


def clean(paths):
    base = duckdb.connect()
    base.execute(READ, {"paths": paths, "codes": rules.SERVICE_CODES, "most": rules.MAX_QUANTITY})
    for statement in [CLEAN, TITLES, MATCH]:
        base.execute(statement)
    counted = {
        "rows_read": "lines",
        "kept": "clean",
        "quarantined": "lines where dropped",
        "cancelled": "clean where cancelled",
        "cancelled_matched": "matched",
        "products": "products",
    }
    return {name: base.execute(f"select count(*) from {what}").fetchone()[0] for name, what in counted.items()}


if __name__ == "__main__":
    rules.main("duckdb", duckdb.__version__, clean)
