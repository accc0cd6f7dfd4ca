//! Any CSV or Parquet file: the configuration's `[import.columns]` says which column is which field.
//!
//! A field that the mapping leaves out is read from the column of its own name, where there is one. A row without a
//! `message_id` is identified by what it says, so that it counts once however many files bring it.

use std::path::Path;

use events::{
    Currency, DecisionId, EventKind, Identity, IncomingEvent, LineItem, Money, Properties,
};
use jiff::tz::TimeZone;
use serde_json::Map;

use super::columns::{Columns, Wanted};
use super::format::timezone;
use super::row::{Rejection, Row};
use crate::config::Config;
use crate::error::{EngineError, Result};

const FIELDS: [&str; 14] = [
    "timestamp",
    "user_id",
    "anonymous_id",
    "message_id",
    "event",
    "order_id",
    "product_id",
    "title",
    "quantity",
    "price",
    "currency",
    "query",
    "rating",
    "decision_id",
];

/// Reads the rows under one header.
#[derive(Debug)]
pub(crate) struct Mapped {
    columns: Columns<14>,
    timezone: TimeZone,
    currency: Currency,
    event: String,
    max_quantity: i64,
}

impl Mapped {
    /// # Errors
    /// [`EngineError::Config`] naming an unknown field and the nearest known one, [`EngineError::Line`] naming a column
    /// that the mapping names and the file lacks.
    pub(crate) fn new(path: &Path, header: &str, config: &Config) -> Result<Self> {
        let mapping = &config.import.columns;
        if let Some(unknown) = mapping
            .keys()
            .find(|field| !FIELDS.contains(&field.as_str()))
        {
            let nearest = FIELDS
                .into_iter()
                .min_by_key(|known| strsim::damerau_levenshtein(unknown, known));
            return Err(EngineError::Config {
                path: "hawker.toml".into(),
                problem: format!("`import.columns` maps the unknown field `{unknown}`"),
                remedy: format!("did you mean `{}`?", nearest.unwrap_or_default()),
            });
        }
        let names = FIELDS.map(|field| [mapping.get(field).map_or(field, String::as_str)]);
        let mut wanted: [Wanted<'_>; FIELDS.len()] = [(&[], false); FIELDS.len()];
        for ((wanted, field), name) in wanted.iter_mut().zip(FIELDS).zip(&names) {
            let required = field == "timestamp" || mapping.contains_key(field);
            *wanted = (name, required);
        }
        let columns = Columns::find(path, header, b',', wanted)?;
        if !columns.has(1) && !columns.has(2) {
            return Err(EngineError::Line {
                file: path.to_owned(),
                line: 1,
                problem: "the header has neither `user_id` nor `anonymous_id`".to_owned(),
                remedy: "map one of them to a column in `[import.columns]` of hawker.toml"
                    .to_owned(),
            });
        }
        Ok(Self {
            columns,
            timezone: timezone(config)?,
            currency: config.currency()?,
            event: config.import.event.clone(),
            max_quantity: config.import.max_quantity,
        })
    }

    pub(crate) fn map(&self, text: &str) -> Result<Row, Rejection> {
        let [
            timestamp,
            user,
            anonymous,
            message_id,
            event,
            order_id,
            product_id,
            title,
            quantity,
            price,
            currency,
            query,
            rating,
            decision_id,
        ] = self.columns.of(text);
        let at = super::dates::read_timestamp(&timestamp, &self.timezone).ok_or_else(|| {
            invalid(
                "timestamp",
                &timestamp,
                "2010-12-01 08:26:00, RFC 3339 or seconds since 1970",
            )
        })?;
        let (identity, alias) = read_identity(&user, &anonymous)?;
        let kind = EventKind::from_name(some(&event).unwrap_or(&self.event));
        let currency = some(&currency).map_or(Ok(self.currency), Currency::parse)?;
        let products = match some(&product_id) {
            Some(product_id) => vec![LineItem {
                product_id: product_id.to_owned(),
                quantity: self.read_quantity(&quantity)?,
                price_minor: some(&price)
                    .map(|price| read_price(price, currency))
                    .transpose()?,
            }],
            None => Vec::new(),
        };
        let properties = Properties {
            order_id: some(&order_id).map(str::to_owned),
            currency: products
                .iter()
                .any(|line| line.price_minor.is_some())
                .then_some(currency),
            products,
            query: some(&query).map(str::to_owned),
            rating: some(&rating).map(read_rating).transpose()?,
            decision_id: some(&decision_id).map(|id| DecisionId(id.to_owned())),
        };
        let message_id = match some(&message_id) {
            Some(id) => id.to_owned(),
            None => format!("row|{kind:?}|{at}|{identity:?}|{properties:?}"),
        };
        let event = IncomingEvent {
            message_id,
            identity,
            alias,
            kind,
            at,
            properties,
            personal: Map::new(),
        };
        Ok(Row::Event(Box::new(event), some(&title).map(str::to_owned)))
    }

    fn read_quantity(&self, text: &str) -> Result<u32, Rejection> {
        let Some(text) = some(text) else { return Ok(1) };
        let pieces = text
            .parse::<f64>()
            .ok()
            .filter(|pieces| *pieces >= 1.0 && pieces.fract() == 0.0);
        let pieces = pieces
            .ok_or_else(|| invalid("quantity", text, "a whole number of pieces, at least 1"))?;
        if pieces > self.max_quantity as f64 {
            let detail =
                format!("{text} pieces; raise `import.max_quantity` if this was a real order");
            return Err(Rejection::new("implausible_quantity", detail));
        }
        Ok(pieces as u32)
    }
}

/// Who did it, and the browser where the row names both.
fn read_identity(user: &str, anonymous: &str) -> Result<(Identity, Option<Identity>), Rejection> {
    let anonymous = some(anonymous).map(|id| Identity::Anonymous(id.to_owned()));
    match (some(user), anonymous) {
        (Some(user), anonymous) => Ok((Identity::User(user.to_owned()), anonymous)),
        (None, Some(anonymous)) => Ok((anonymous, None)),
        (None, None) => {
            let detail = "`user_id` and `anonymous_id` are empty; give one of them";
            Err(Rejection::new("missing_user_id", detail))
        }
    }
}

fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn invalid(field: &str, text: &str, expected: &str) -> Rejection {
    Rejection::new(
        format!("invalid_{field}"),
        format!("`{field}` is `{text}`; expected {expected}"),
    )
}

fn read_price(text: &str, currency: Currency) -> Result<i64, Rejection> {
    let amount = text.parse::<f64>().ok().filter(|amount| *amount >= 0.0);
    let amount = amount.ok_or_else(|| invalid("price", text, "an amount such as 2.55"))?;
    Ok(Money::from_decimal(amount, currency)?.minor)
}

fn read_rating(text: &str) -> Result<f32, Rejection> {
    let stars = text.parse::<f32>().ok().filter(|stars| stars.is_finite());
    stars.ok_or_else(|| invalid("rating", text, "a number of stars"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(columns: &[(&str, &str)]) -> Config {
        let mut config = Config::default();
        let columns = columns
            .iter()
            .map(|(field, column)| ((*field).to_owned(), (*column).to_owned()));
        config.import.columns = columns.collect();
        config
    }

    fn map(
        header: &str,
        row: &str,
        columns: &[(&str, &str)],
    ) -> Result<(IncomingEvent, Option<String>), Rejection> {
        match Mapped::new(Path::new("f.csv"), header, &config(columns))
            .expect("header")
            .map(row)?
        {
            Row::Event(event, title) => Ok((*event, title)),
            _ => panic!("expected an event"),
        }
    }

    #[test]
    fn the_template_lists_every_field() {
        let listed = crate::config::TEMPLATE
            .lines()
            .find_map(|line| line.strip_prefix("# Fields: "))
            .expect("a line of fields");
        let mut listed: Vec<&str> = listed.split(", ").collect();
        let mut fields = FIELDS;
        listed.sort_unstable();
        fields.sort_unstable();
        assert_eq!(listed, fields);
    }

    #[test]
    fn columns_are_found_by_mapping_and_by_their_own_names() {
        let columns = [
            ("user_id", "Kunde"),
            ("timestamp", "Datum"),
            ("product_id", "Artikel"),
        ];
        let (event, title) = map(
            "Datum,Kunde,Artikel,price,quantity,title",
            "2010-12-01 08:26,7,sku-1,2.55,6,Mug",
            &columns,
        )
        .expect("kept");
        assert_eq!(
            (event.kind, title.as_deref()),
            (EventKind::OrderCompleted, Some("Mug"))
        );
        assert_eq!(event.identity, Identity::User("7".to_owned()));
        assert_eq!(event.properties.currency, Some(Currency::GBP));
        assert_eq!(
            event.properties.products,
            [LineItem {
                product_id: "sku-1".to_owned(),
                quantity: 6,
                price_minor: Some(255)
            }]
        );
    }

    #[test]
    fn other_events_and_sources_are_read() {
        let header = "timestamp,user_id,anonymous_id,event,query,message_id";
        let (event, _) =
            map(header, "1291191960,,b1,Products Searched,mug,m-1", &[]).expect("kept");
        assert_eq!(
            (event.kind, event.message_id.as_str()),
            (EventKind::ProductsSearched, "m-1")
        );
        assert_eq!(event.properties.query.as_deref(), Some("mug"));
        let (event, _) = map(header, "1291191960,u,b1,view_item,,", &[]).expect("kept");
        assert_eq!(event.alias, Some(Identity::Anonymous("b1".to_owned())));
        let (again, _) =
            map(header, "2010-12-01T08:26:00Z,u,b1,Product Viewed,,", &[]).expect("kept");
        assert_eq!(event.message_id, again.message_id);
    }

    #[test]
    fn bad_rows_are_quarantined_by_name() {
        let header = "timestamp,user_id,product_id,quantity,price,currency,rating";
        for (row, reason) in [
            ("soon,u,p,1,1,,", "invalid_timestamp"),
            ("2010-12-01,,p,1,1,,", "missing_user_id"),
            ("2010-12-01,u,p,0,1,,", "invalid_quantity"),
            ("2010-12-01,u,p,1.5,1,,", "invalid_quantity"),
            ("2010-12-01,u,p,60000,1,,", "implausible_quantity"),
            ("2010-12-01,u,p,1,-1,,", "invalid_price"),
            ("2010-12-01,u,p,1,£3,,", "invalid_price"),
            ("2010-12-01,u,p,1,3,pounds,", "invalid_currency"),
            ("2010-12-01,u,p,1,3,,good", "invalid_rating"),
        ] {
            assert_eq!(
                map(header, row, &[]).expect_err(row).reason,
                reason,
                "{row}"
            );
        }
    }

    #[test]
    fn bad_mappings_name_the_nearest_field_and_the_missing_column() {
        let message = |header: &str, columns: &[(&str, &str)]| {
            Mapped::new(Path::new("f.csv"), header, &config(columns))
                .expect_err("bad")
                .to_string()
        };
        assert_eq!(
            message("timestamp", &[("userid", "x")]),
            "hawker.toml: `import.columns` maps the unknown field `userid`; did you mean `user_id`?"
        );
        assert_eq!(
            message("timestamp,kunde", &[("user_id", "Kunden")]),
            "f.csv, line 1: the header has no column `Kunden`; is it `kunde`?; it has: timestamp, kunde"
        );
        assert!(message("timestamp,x", &[]).contains("has neither `user_id` nor `anonymous_id`"));
    }
}
