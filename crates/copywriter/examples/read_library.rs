//! Prints every text of the built-in library as a shopper would read it, to be read by people.
//!
//! ```text
//! cargo run -p copywriter --example read_library -- en "JUMBO BAG RED RETROSPOT" "SET OF 3 CAKE TINS PANTRY DESIGN"
//! ```
//!
//! The products are the titles given, in turn; the shopper bought the title before.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;

use copywriter::templates;
use events::{Channel, Currency, Fact, Language, Money, Product, Timestamp};
use guard::{Facts, Guard, RulePack, Value};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let language = match arguments.next().as_deref() {
        Some("zh") => Language::Zh,
        _ => Language::En,
    };
    let mut titles: Vec<String> = arguments.collect();
    if titles.is_empty() {
        titles.push("WHITE HANGING HEART T-LIGHT HOLDER".to_owned());
    }
    let guard = Guard::new(RulePack::built_in());
    let mut out = std::io::stdout().lock();
    let mut turn = 0;
    for channel in Channel::ALL {
        for variant in templates::library(channel, language) {
            let product = product(&titles[turn % titles.len()]);
            let before = &titles[(turn + titles.len() - 1) % titles.len()];
            turn += 1;
            let (stats, user) = history(before)?;
            let facts = Facts {
                product: &product,
                stats: &stats,
                user: &user,
                now: "2011-11-24T10:00:00Z".parse()?,
                version: "example",
            };
            writeln!(out, "{}", variant.id)?;
            match guard.render(&variant, &facts) {
                Ok(rendered) => {
                    for (name, text) in rendered.plain.fields() {
                        writeln!(out, "  {name}: {text}")?;
                    }
                }
                Err(refusal) => writeln!(out, "  {refusal}")?,
            }
        }
    }
    Ok(())
}

/// A product on sale with this title.
fn product(title: &str) -> Product {
    let pounds = |minor| Money {
        minor,
        currency: Currency::GBP,
    };
    Product {
        id: "p".to_owned(),
        title: title.to_owned(),
        price: Some(pounds(495)),
        sale_price: Some(pounds(395)),
        brand: Some("Retro Works".to_owned()),
        google_product_category: Some("candle holder".to_owned()),
        link: Some("https://shop.example/p".to_owned()),
        facts: vec![Fact {
            name: "material".to_owned(),
            value: "cotton".to_owned(),
            source: "shop".to_owned(),
            valid_until: None,
        }],
        ..Product::default()
    }
}

type Values = BTreeMap<String, Value>;

/// The counts of the product, and the history of a shopper who bought the title `before`.
fn history(before: &str) -> Result<(Values, Values), Box<dyn Error>> {
    let at = |text: &str| text.parse::<Timestamp>().map(Value::Date);
    let stats = [
        ("orders_30d", Value::Count(87)),
        ("orders_total", Value::Count(2_310)),
        ("first_sold", at("2011-11-04T10:00:00Z")?),
        ("rating", Value::Number(4.6)),
    ];
    let user = [
        ("last_bought_title", Value::Text(before.to_owned())),
        ("last_bought_at", at("2011-09-12T10:00:00Z")?),
        ("times_bought", Value::Count(5)),
        ("usual_gap_days", Value::Count(28)),
        ("last_bought_this_at", at("2011-10-24T10:00:00Z")?),
    ];
    let named = |(name, value): (&str, Value)| (name.to_owned(), value);
    Ok((
        stats.into_iter().map(named).collect(),
        user.into_iter().map(named).collect(),
    ))
}
