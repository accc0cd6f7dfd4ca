use askama::Template;

use crate::report::chart::{Chart, Shape, Tone, Unit};
use crate::report::data::campaign::{Campaign, HistogramBin, ReasonCount, TakenShare};
use crate::report::format::{self, Formats, share};

/// Products or variants shown in a list of shares.
const LISTED: usize = 8;

/// The campaigns: who got what, and why the rest got nothing.
#[derive(Template)]
#[template(path = "report/campaigns.html")]
pub(super) struct CampaignsView<'a> {
    campaigns: Vec<One<'a>>,
}

struct One<'a> {
    campaign: &'a Campaign,
    nothing: Vec<Bar<'a, ReasonCount>>,
    strategies: Vec<Strategy>,
    shares: Vec<Shares<'a>>,
    propensities: Option<Chart>,
}

struct Bar<'a, T> {
    of: &'a T,
    width: String,
    share: f64,
    /// Whether it is over a cap.
    over: bool,
}

struct Strategy {
    name: String,
    messages: u64,
    share: f64,
    /// Number of its colour.
    colour: usize,
}

/// What the messages speak of most, against the cap.
struct Shares<'a> {
    title: &'static str,
    distinct: Option<u64>,
    /// The cap and its place on the bars.
    cap: Option<(f64, String)>,
    /// How many of the rows are over the cap.
    over: usize,
    rows: Vec<Bar<'a, TakenShare>>,
}

/// Prepares the section; nothing where there was no campaign.
pub(super) fn view<'a>(campaigns: &'a [Campaign], formats: &Formats) -> Option<CampaignsView<'a>> {
    let campaigns: Vec<One<'_>> = campaigns
        .iter()
        .map(|campaign| one(campaign, formats))
        .collect();
    (!campaigns.is_empty()).then_some(CampaignsView { campaigns })
}

fn one<'a>(campaign: &'a Campaign, formats: &Formats) -> One<'a> {
    let mut nothing: Vec<&ReasonCount> = campaign.nothing.iter().collect();
    nothing.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    let most = nothing.first().map_or(0, |reason| reason.count);
    let nothing = nothing.into_iter().map(|reason| Bar {
        of: reason,
        width: format::width(reason.count as f64, most as f64),
        share: share(reason.count, campaign.shoppers),
        over: false,
    });
    let products = shares(
        "Products",
        &campaign.top_products,
        campaign.distinct_products,
        campaign.max_product_share,
    );
    let variants = shares(
        "Variants",
        &campaign.top_variants,
        campaign.distinct_variants,
        campaign.max_variant_share,
    );
    One {
        campaign,
        nothing: nothing.collect(),
        strategies: strategies(campaign),
        shares: [products, variants].into_iter().flatten().collect(),
        propensities: histogram(&campaign.propensities, formats),
    }
}

fn strategies(campaign: &Campaign) -> Vec<Strategy> {
    let all: u64 = campaign
        .strategies
        .iter()
        .map(|strategy| strategy.messages)
        .sum();
    let mut rows: Vec<Strategy> = campaign
        .strategies
        .iter()
        .map(|strategy| Strategy {
            name: format::words(&strategy.strategy),
            messages: strategy.messages,
            share: share(strategy.messages, all),
            colour: colour(&strategy.strategy),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.messages));
    rows
}

/// The number of the strategy's colour, the same in every campaign.
fn colour(strategy: &str) -> usize {
    const KNOWN: [&str; 5] = [
        "benefit",
        "novelty",
        "social_proof",
        "replenishment",
        "complement",
    ];
    let place = KNOWN.iter().position(|known| *known == strategy);
    place.unwrap_or(KNOWN.len()) + 1
}

fn shares<'a>(
    title: &'static str,
    taken: &'a [TakenShare],
    distinct: Option<u64>,
    cap: Option<f64>,
) -> Option<Shares<'a>> {
    let largest = taken.iter().map(|row| row.share).fold(0.0, f64::max);
    // The scale ends a little behind the cap or the largest share, so that the cap's line is inside.
    let scale = largest.max(cap.unwrap_or(0.0)) * 1.04;
    let is_over = |row: &TakenShare| cap.is_some_and(|cap| row.share > cap + 1e-9);
    let rows = taken.iter().take(LISTED).map(|row| Bar {
        of: row,
        width: format::width(row.share, scale),
        share: row.share,
        over: is_over(row),
    });
    (!taken.is_empty()).then(|| Shares {
        title,
        distinct,
        cap: cap.map(|cap| (cap, format::width(cap, scale))),
        over: taken.iter().filter(|row| is_over(row)).count(),
        rows: rows.collect(),
    })
}

fn histogram(bins: &[HistogramBin], formats: &Formats) -> Option<Chart> {
    let edge = |value: f64| format::number(&value);
    Chart::new(
        "Propensity of what was chosen",
        "propensity",
        Unit::Count,
        formats,
    )
    .over(
        bins.iter()
            .map(|bin| format!("{}–{}", edge(bin.from), edge(bin.until))),
    )
    .series(
        "Decisions",
        Shape::Bar,
        Tone::Accent,
        bins.iter().map(|bin| Some(bin.count as f64)),
    )
    .note("How probable each choice was under the policy; small values are the explored ones.")
    .if_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_lies_within_the_bars() {
        let taken = [TakenShare {
            share: 0.02,
            ..TakenShare::default()
        }];
        let shares = shares("Products", &taken, Some(1), Some(0.025)).expect("shares");
        assert_eq!(shares.cap, Some((0.025, "96.15%".to_owned())));
        assert_eq!(shares.rows[0].width, "76.92%");
        assert_eq!(shares.over, 0);
        let tight = super::shares("Products", &taken, Some(1), Some(0.01)).expect("shares");
        assert!(
            tight.over == 1 && tight.rows[0].over,
            "a share over the cap is told"
        );
        assert!(super::shares("Products", &[], None, Some(0.1)).is_none());
    }
}
