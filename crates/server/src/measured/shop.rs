//! Cleaning, the shop at a glance and some shoppers.

use std::collections::BTreeMap;

use engine::{ImportNote, Overview, Shop, Store};

use super::words;
use crate::Outcome;
use crate::report::data::Contribution;
use crate::report::data::cleaning::{Cleaning, CleaningReason, RowFate, SourceFile};
use crate::report::data::shop as page;
use crate::report::data::shopper::{LabelShare, PastPurchase, Recommendation, ShopperInterests};

/// What became of the rows of all imports.
pub(super) fn cleaning(store: &Store, imports: &[ImportNote]) -> Outcome<Option<Cleaning>> {
    if imports.is_empty() {
        return Ok(None);
    }
    let sum = |of: fn(&ImportNote) -> u64| imports.iter().map(of).sum();
    let mut rows: BTreeMap<&String, u64> = BTreeMap::new();
    for (reason, count) in imports.iter().flat_map(|import| &import.by_reason) {
        *rows.entry(reason).or_default() += count;
    }
    let mut reasons = rows
        .into_iter()
        .map(|(reason, rows)| {
            let example = store.quarantine_entries(Some(reason), 1)?.pop();
            Ok(CleaningReason {
                reason: reason.clone(),
                fate: RowFate::Quarantined,
                rows,
                meaning: words::quarantine(reason).to_owned(),
                // The row itself may name a person; what is wrong with it does not.
                example: example
                    .map(|entry| format!("{}, line {}: {}", entry.file, entry.line, entry.detail)),
            })
        })
        .collect::<Outcome<Vec<_>>>()?;
    reasons.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.reason.cmp(&b.reason)));
    Ok(Some(Cleaning {
        rows_read: sum(|import| import.rows_read),
        kept: sum(|import| import.kept),
        merged: sum(|import| import.merged),
        quarantined: sum(|import| import.quarantined),
        reasons,
        files: imports
            .iter()
            .map(|import| SourceFile {
                name: import.files.join(", "),
                format: import.format.clone(),
                rows_read: import.rows_read,
                kept: import.kept,
                merged: import.merged,
                quarantined: import.quarantined,
            })
            .collect(),
        seconds: None,
    }))
}

/// The shop at a glance.
pub(super) fn shop(shop: &Shop, overview: &Overview) -> page::Shop {
    page::Shop {
        orders: Some(overview.months.values().map(|month| month.orders).sum()),
        revenue: Some(overview.months.values().map(|month| month.revenue).sum()),
        months: months(shop, overview),
        rfm: Some(rfm(overview)),
        segments: overview
            .segments
            .iter()
            .map(|(name, rule, shoppers)| page::SegmentSize {
                name: name.clone(),
                rule: rule.clone(),
                shoppers: *shoppers as u64,
            })
            .collect(),
        price_bands: price_bands(overview),
        categories: overview
            .categories
            .iter()
            .map(|category| page::CategorySales {
                name: last_step(&category.name),
                products: category.products,
                order_lines: category.lines,
                revenue: Some(category.revenue),
            })
            .collect(),
        outliers: overview
            .outliers
            .iter()
            .map(|outlier| page::Outlier {
                kind: "shopper".to_owned(),
                name: outlier.user.to_string(),
                feature: outlier.feature.clone(),
                value: outlier.value,
                typical: Some(outlier.typical),
                robust_z: Some(outlier.robust_z),
                note: String::new(),
            })
            .collect(),
    }
}

fn months(shop: &Shop, overview: &Overview) -> Vec<page::MonthlySales> {
    let month_of = |ms: i64| {
        events::Timestamp::from_millisecond(ms)
            .map(|at| {
                shop.index
                    .time_zone()
                    .to_datetime(at)
                    .strftime("%Y-%m")
                    .to_string()
            })
            .unwrap_or_default()
    };
    let (first, last) = (month_of(shop.log.first_ms), month_of(shop.log.last_ms));
    overview
        .months
        .iter()
        .map(|(month, sales)| page::MonthlySales {
            month: month.clone(),
            orders: sales.orders,
            revenue: sales.revenue,
            partial: *month == first || *month == last,
        })
        .collect()
}

fn rfm(overview: &Overview) -> page::Rfm {
    let mut cells = Vec::new();
    for (row, counts) in overview.rfm_grid.iter().enumerate() {
        for (column, shoppers) in counts
            .iter()
            .enumerate()
            .filter(|(_, shoppers)| **shoppers > 0)
        {
            cells.push(page::RfmCell {
                recency: 5 - row as u8,
                frequency: column as u8 + 1,
                shoppers: *shoppers as u64,
                mean_spend: None,
            });
        }
    }
    page::Rfm {
        cells,
        groups: overview
            .rfm_groups
            .iter()
            .map(|(name, shoppers)| page::RfmGroup {
                name: name.clone(),
                meaning: words::rfm_group(name).to_owned(),
                shoppers: *shoppers as u64,
                revenue: None,
            })
            .collect(),
    }
}

fn price_bands(overview: &Overview) -> Vec<page::PriceBand> {
    let mut from = None;
    let mut bands = Vec::new();
    for (until, sales) in &overview.price_bands {
        bands.push(page::PriceBand {
            from,
            until: *until,
            products: sales.products,
            order_lines: sales.lines,
            revenue: Some(sales.revenue),
        });
        from = *until;
    }
    bands
}

/// Some shoppers with what was learnt of them.
pub(super) fn portraits(overview: &Overview) -> Vec<ShopperInterests> {
    let shares = |labels: &[(String, f64)]| {
        labels
            .iter()
            .map(|(label, share)| LabelShare {
                label: label.clone(),
                share: *share,
            })
            .collect()
    };
    let price_label = |bands: &[(String, f64)]| {
        let names = [
            "cheapest fifth",
            "cheaper fifth",
            "middle fifth",
            "dearer fifth",
            "dearest fifth",
        ];
        let named: Vec<(String, f64)> = bands
            .iter()
            .map(|(band, share)| {
                let place = band
                    .parse::<usize>()
                    .ok()
                    .and_then(|band| names.get(band.wrapping_sub(1)));
                (
                    place.map_or_else(|| band.clone(), |name| (*name).to_owned()),
                    *share,
                )
            })
            .collect();
        shares(&named)
    };
    overview
        .portraits
        .iter()
        .map(|portrait| ShopperInterests {
            shopper: portrait.user.to_string(),
            orders: portrait.orders,
            spend: Some(portrait.spend),
            first_order: portrait
                .seen
                .as_ref()
                .and_then(|(first, _)| first.get(..10).map(str::to_owned)),
            last_order: portrait
                .seen
                .as_ref()
                .and_then(|(_, last)| last.get(..10).map(str::to_owned)),
            groups: portrait.segments.clone(),
            categories: shares(
                &portrait
                    .categories
                    .iter()
                    .map(|(name, share)| (last_step(name), *share))
                    .collect::<Vec<_>>(),
            ),
            brands: shares(&portrait.brands),
            price_bands: price_label(&portrait.price_bands),
            preferred_hour: portrait.preferred_hour,
            cadence_days: portrait.cadence_days,
            purchases: portrait
                .purchases
                .iter()
                .map(|(title, day)| PastPurchase {
                    title: title.clone(),
                    day: day.clone(),
                })
                .collect(),
            recommendations: portrait
                .recommendations
                .iter()
                .map(recommendation)
                .collect(),
        })
        .collect()
}

fn recommendation(product: &engine::Recommended) -> Recommendation {
    Recommendation {
        product_id: product.product_id.clone(),
        title: product.title.clone(),
        score: product.score,
        reason: product.reason.clone(),
        contributions: product
            .parts
            .iter()
            .map(|(model, part)| Contribution {
                feature: model.clone(),
                value: None,
                contribution: *part,
            })
            .collect(),
    }
}

/// The last step of a category's path: `Mugs` of `Home & Garden > Decor > Mugs`.
fn last_step(path: &str) -> String {
    path.rsplit('>').next().unwrap_or(path).trim().to_owned()
}
