//! The UCI Online Retail files: two years of a gift shop's invoices, with all their dirt.
//!
//! One row is one order line. Service lines, gifts, tests and stock adjustments are quarantined by name, a line
//! without a customer is a guest checkout, and a cancelled invoice becomes an `Order Refunded` whose pieces the
//! profile matches to the order that they undo. The two files overlap in December 2010; a line is
//! identified by what it says, so that it counts once however many files bring it.

use std::path::Path;

use events::{
    Currency, EventKind, Identity, IncomingEvent, LineItem, Money, Properties, Timestamp,
};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::Map;

use super::columns::Columns;
use super::format::timezone;
use super::row::{Rejection, Row};
use crate::config::Config;
use crate::error::{EngineError, Result};

/// Reads the rows under one header.
#[derive(Debug)]
pub(crate) struct OnlineRetail {
    columns: Columns<7>,
    timezone: TimeZone,
    max_quantity: i64,
}

impl OnlineRetail {
    /// # Errors
    /// [`EngineError::Line`] naming a missing column, [`EngineError::Config`] for a shop in another currency.
    pub(crate) fn new(path: &Path, header: &str, config: &Config) -> Result<Self> {
        if config.currency()? != Currency::GBP {
            return Err(EngineError::Config {
                path: "hawker.toml".into(),
                problem: format!(
                    "`shop.currency` is {}, but online-retail prices are in GBP",
                    config.shop.currency
                ),
                remedy: "set it to GBP for this data directory".to_owned(),
            });
        }
        let columns = Columns::find(
            path,
            header,
            b',',
            [
                (&["Invoice", "InvoiceNo"], true),
                (&["StockCode"], true),
                (&["Description"], true),
                (&["Quantity"], true),
                (&["InvoiceDate"], true),
                (&["Price", "UnitPrice"], true),
                (&["Customer ID", "CustomerID"], true),
            ],
        )?;
        Ok(Self {
            columns,
            timezone: timezone(config)?,
            max_quantity: config.import.max_quantity,
        })
    }

    pub(crate) fn map(&self, text: &str) -> Result<Row, Rejection> {
        let [invoice, code, description, quantity, date, price, customer] = self.columns.of(text);
        if invoice.is_empty() {
            return Err(Rejection::new(
                "missing_invoice",
                "`Invoice` is empty; give the order's number",
            ));
        }
        if let Some(reason) = service_line(&code) {
            return Err(Rejection::new(
                reason,
                format!("stock code `{code}` is no product"),
            ));
        }
        let quantity = read_quantity(&quantity)?;
        let price_minor = read_price(&price)?;
        check_line(
            quantity,
            price_minor,
            &invoice,
            &description,
            self.max_quantity,
        )?;
        let cancelled = invoice.starts_with('C');
        let customer = known_customer(&customer);
        let code = code.to_uppercase();
        let (civil, at) = self.read_date(&date)?;
        let message_id = format!(
            "online-retail|{invoice}|{code}|{quantity}|{civil}|{price_minor}|{}",
            customer.unwrap_or_default()
        );
        let properties = Properties {
            order_id: (!cancelled).then(|| invoice.to_string()),
            products: vec![LineItem {
                product_id: code,
                quantity: u32::try_from(quantity.unsigned_abs()).unwrap_or(u32::MAX),
                price_minor: Some(price_minor),
            }],
            currency: Some(Currency::GBP),
            ..Properties::default()
        };
        let event = IncomingEvent {
            message_id,
            // A guest checkout has no customer number; the invoice then names the guest.
            identity: match customer {
                Some(customer) => Identity::User(customer.to_owned()),
                None => Identity::Anonymous(format!("guest:{}", invoice.trim_start_matches('C'))),
            },
            alias: None,
            kind: if cancelled {
                EventKind::OrderRefunded
            } else {
                EventKind::OrderCompleted
            },
            at,
            properties,
            personal: Map::new(),
        };
        let title = (!cancelled && is_title(&description)).then(|| squeeze(&description));
        Ok(Row::Event(Box::new(event), title))
    }

    fn read_date(&self, date: &str) -> Result<(DateTime, Timestamp), Rejection> {
        let fault = |why: &str| {
            Rejection::new(
                "invalid_date",
                format!("`InvoiceDate` is `{date}`{why}; expected 2010-12-01 08:26:00"),
            )
        };
        let civil = super::dates::read_civil(date).ok_or_else(|| fault(""))?;
        let at = self
            .timezone
            .to_timestamp(civil)
            .map_err(|error| fault(&format!(" ({error})")))?;
        Ok((civil, at))
    }
}

/// The customer's number; the files write a missing one as nothing or `0`, and a known one as `13085` or `13085.0`.
fn known_customer(text: &str) -> Option<&str> {
    let number = text.strip_suffix(".0").unwrap_or(text);
    (!matches!(number, "" | "0")).then_some(number)
}

/// The reason for which a stock code is no product, if it is none.
fn service_line(code: &str) -> Option<&'static str> {
    let upper = code.to_uppercase();
    Some(match upper.as_str() {
        "" => "missing_stock_code",
        "POST" | "DOT" | "C2" | "C3" => "postage",
        "M" => "manual_entry",
        "D" => "discount",
        "S" => "sample",
        "B" => "bad_debt",
        "BANK CHARGES" => "bank_charges",
        "AMAZONFEE" => "marketplace_fee",
        "CRUK" => "charity_commission",
        "GIFT" => "gift_voucher",
        _ if upper.starts_with("GIFT_") => "gift_voucher",
        _ if upper.starts_with("TEST") => "test_product",
        _ if upper.starts_with("ADJUST") => "adjustment",
        _ => return None,
    })
}

fn read_quantity(text: &str) -> Result<i64, Rejection> {
    text.parse::<i64>()
        .ok()
        .filter(|quantity| *quantity != 0)
        .ok_or_else(|| {
            Rejection::new(
                "invalid_quantity",
                format!("`Quantity` is `{text}`; expected a whole number of pieces"),
            )
        })
}

/// The price in pence.
fn read_price(text: &str) -> Result<i64, Rejection> {
    text.parse::<f64>()
        .ok()
        .and_then(|price| Money::from_decimal(price, Currency::GBP).ok())
        .map(|money| money.minor)
        .ok_or_else(|| {
            Rejection::new(
                "invalid_price",
                format!("`Price` is `{text}`; expected an amount such as 2.55"),
            )
        })
}

fn check_line(
    quantity: i64,
    price_minor: i64,
    invoice: &str,
    description: &str,
    max_quantity: i64,
) -> Result<(), Rejection> {
    let fault = |reason: &str, detail: String| Err(Rejection::new(reason, detail));
    if price_minor < 0 {
        return fault(
            "negative_price",
            format!(
                "the price is {}; a debt was adjusted",
                price_minor as f64 / 100.0
            ),
        );
    }
    if quantity < 0 && !invoice.starts_with('C') {
        return fault(
            "stock_adjustment",
            format!("{quantity} pieces without a cancellation: `{description}`"),
        );
    }
    if price_minor == 0 {
        let reason = if is_title(description) {
            "zero_price"
        } else {
            "stock_adjustment"
        };
        return fault(
            reason,
            format!("the price is below a penny: `{description}`"),
        );
    }
    if quantity.abs() > max_quantity {
        let detail =
            format!("{quantity} pieces; raise `import.max_quantity` if this was a real order");
        return fault("implausible_quantity", detail);
    }
    Ok(())
}

/// Whether a description names the product: the shop writes titles in capitals and its remarks (`damaged`,
/// `?`, `came coded as 20713`) in small letters.
fn is_title(description: &str) -> bool {
    let letters = description.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = description.chars().filter(|c| c.is_uppercase()).count();
    letters >= 3 && capitals * 2 > letters
}

/// Collapses runs of white space.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str =
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country";
    const SECOND_HEADER: &str =
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country";

    fn map(header: &str, text: &str) -> Result<(IncomingEvent, Option<String>), Rejection> {
        let format =
            OnlineRetail::new(Path::new("f.csv"), header, &Config::default()).expect("header");
        match format.map(text)? {
            Row::Event(event, title) => Ok((*event, title)),
            _ => panic!("expected an event"),
        }
    }

    #[test]
    fn the_same_line_is_the_same_message_in_both_years() {
        let (first, title) =
            map(HEADER, "536365,85123a, WHITE  HANGING HEART ,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom").expect("kept");
        let (second, _) = map(
            SECOND_HEADER,
            "536365,85123A,WHITE HANGING HEART,6,2010-12-01 08:26:00,2.550,17850,United Kingdom",
        )
        .expect("kept");
        assert_eq!(first, second);
        assert_eq!(title.as_deref(), Some("WHITE HANGING HEART"));
        assert_eq!(first.identity, Identity::User("17850".to_owned()));
        assert_eq!(first.properties.products[0].price_minor, Some(255));
    }

    #[test]
    fn cancellations_are_refunds_and_lines_without_customer_are_guests() {
        let (event, title) = map(
            HEADER,
            "C489449,22087,PAPER BUNTING,-12,2009-12-01 10:33:00,2.95,16321.0,Australia",
        )
        .expect("kept");
        assert_eq!(
            (event.kind, event.properties.products[0].quantity),
            (EventKind::OrderRefunded, 12)
        );
        assert_eq!((event.properties.order_id, title), (None, None));
        for customer in ["", "0", "0.0"] {
            let (event, _) = map(
                HEADER,
                &format!("5,22087,PAPER BUNTING,1,2009-12-01 10:33:00,2.95,{customer},UK"),
            )
            .expect("kept");
            assert_eq!(event.identity, Identity::Anonymous("guest:5".to_owned()));
        }
    }

    #[test]
    fn the_dirt_is_quarantined_by_name() {
        for (row, reason) in [
            ("5,POST,POSTAGE,1,2010-01-01 10:00:00,18,1,UK", "postage"),
            ("5,m,Manual,1,2010-01-01 10:00:00,18,1,UK", "manual_entry"),
            (
                "5,BANK CHARGES,Bank Charges,1,2010-01-01 10:00:00,18,1,UK",
                "bank_charges",
            ),
            (
                "5,gift_0001_30,Voucher,1,2010-01-01 10:00:00,18,1,UK",
                "gift_voucher",
            ),
            (
                "5,TEST001,This is a test product.,1,2010-01-01 10:00:00,18,1,UK",
                "test_product",
            ),
            (
                "5,ADJUST2,Adjustment by Peter,1,2010-01-01 10:00:00,18,1,UK",
                "adjustment",
            ),
            (
                "A5,B,Adjust bad debt,1,2010-01-01 10:00:00,-53594.36,,UK",
                "bad_debt",
            ),
            ("5,22087,BUNTING,1,2010-01-01 10:00:00,0,1,UK", "zero_price"),
            (
                "5,22087,damaged,1,2010-01-01 10:00:00,0,,UK",
                "stock_adjustment",
            ),
            ("5,22087,,-40,2010-01-01 10:00:00,0,,UK", "stock_adjustment"),
            (
                "5,22087,BUNTING,1,2010-01-01 10:00:00,-2,1,UK",
                "negative_price",
            ),
            (
                "581483,23843,PAPER CRAFT,80995,2011-12-09 09:15:00,2.08,16446,UK",
                "implausible_quantity",
            ),
            (
                "541431,23166,STORAGE JAR,74215,2011-01-18 10:01:00,1.04,12346,UK",
                "implausible_quantity",
            ),
            (
                "5,22087,BUNTING,x,2010-01-01 10:00:00,2,1,UK",
                "invalid_quantity",
            ),
            (
                "5,22087,BUNTING,1,2010-01-01 10:00:00,two,1,UK",
                "invalid_price",
            ),
            ("5,22087,BUNTING,1,yesterday,2,1,UK", "invalid_date"),
            (
                ",22087,BUNTING,1,2010-01-01 10:00:00,2,1,UK",
                "missing_invoice",
            ),
            (
                "5,,BUNTING,1,2010-01-01 10:00:00,2,1,UK",
                "missing_stock_code",
            ),
        ] {
            assert_eq!(map(HEADER, row).expect_err(row).reason, reason, "{row}");
        }
    }
}
