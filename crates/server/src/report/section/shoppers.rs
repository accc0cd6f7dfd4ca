use askama::Template;

use crate::report::data::shopper::{LabelShare, ShopperInterests};
use crate::report::format::{self, Formats};

/// Labels shown of a field; the rest is too small to tell anything.
const LABELS: usize = 5;

/// What was learnt of some shoppers.
#[derive(Template)]
#[template(path = "report/shoppers.html")]
pub(super) struct ShoppersView<'a> {
    shoppers: Vec<Card<'a>>,
}

struct Card<'a> {
    shopper: &'a ShopperInterests,
    facts: Vec<(&'static str, String)>,
    fields: Vec<Field<'a>>,
    /// The largest share of the card, which makes a full bar.
    largest: f64,
}

/// The likely labels of one field.
struct Field<'a> {
    name: &'static str,
    labels: &'a [LabelShare],
}

/// Prepares the section; nothing where no shopper is shown.
pub(super) fn view<'a>(
    shoppers: &'a [ShopperInterests],
    formats: &Formats,
) -> Option<ShoppersView<'a>> {
    let cards: Vec<Card<'_>> = shoppers
        .iter()
        .map(|shopper| card(shopper, formats))
        .collect();
    (!cards.is_empty()).then_some(ShoppersView { shoppers: cards })
}

impl Card<'_> {
    fn width(&self, label: &LabelShare) -> String {
        format::width(label.share, self.largest)
    }
}

fn card<'a>(shopper: &'a ShopperInterests, formats: &Formats) -> Card<'a> {
    let facts = [
        Some(("Orders", format::count(&shopper.orders))),
        shopper.spend.map(|spend| ("Spent", formats.money(&spend))),
        shopper.cadence_days.map(|days| {
            (
                "Orders every",
                format!("{} days", format::number(&days.round())),
            )
        }),
        shopper
            .preferred_hour
            .map(|hour| ("Preferred hour", format!("{hour:02}:00"))),
        shopper
            .last_order
            .as_ref()
            .map(|day| ("Last order", format::day(day))),
    ];
    let fields = [
        ("Categories", &shopper.categories),
        ("Brands", &shopper.brands),
        ("Price bands", &shopper.price_bands),
    ];
    let fields = fields.into_iter().filter(|(_, labels)| !labels.is_empty());
    let shares = fields.clone().flat_map(|(_, labels)| labels);
    let largest = shares.map(|label| label.share).fold(0.0, f64::max);
    Card {
        shopper,
        largest,
        facts: facts.into_iter().flatten().collect(),
        fields: fields
            .map(|(name, labels)| Field {
                name,
                labels: &labels[..labels.len().min(LABELS)],
            })
            .collect(),
    }
}
