use askama::Template;

use crate::report::chart::{Chart, Shape, Tone, Unit};
use crate::report::data::shop::{MonthlySales, PriceBand, Rfm, Shop};
use crate::report::format::{self, Formats, share};

/// The shop's orders, shoppers and products at a glance.
#[derive(Template)]
#[template(path = "report/shop.html")]
pub(super) struct ShopView<'a> {
    shop: &'a Shop,
    formats: &'a Formats,
    charts: Vec<Chart>,
    has_partial_month: bool,
    grid: Option<Grid>,
    lists: Vec<BarList>,
    /// Whether any outlier tells its middle value.
    has_typical: bool,
    /// Whether anything was done about any outlier.
    has_note: bool,
}

/// The grid of recency by frequency, the most frequent shoppers on top.
struct Grid {
    rows: Vec<GridRow>,
}

struct GridRow {
    frequency: u8,
    cells: Vec<GridCell>,
}

struct GridCell {
    shoppers: u64,
    mean_spend: Option<f64>,
    /// How dark the cell is, in whole per cent of the darkest.
    shade: u8,
}

/// A titled list of named sizes as bars.
struct BarList {
    title: &'static str,
    note: &'static str,
    /// What the sizes count, as a column's name.
    unit: &'static str,
    rows: Vec<BarRow>,
}

struct BarRow {
    name: String,
    detail: String,
    size: u64,
    share: Option<f64>,
    width: String,
    revenue: Option<f64>,
}

/// Prepares the section.
pub(super) fn view<'a>(shop: &'a Shop, formats: &'a Formats) -> ShopView<'a> {
    ShopView {
        shop,
        formats,
        charts: charts(&shop.months, formats),
        has_partial_month: shop.months.iter().any(|month| month.partial),
        grid: shop.rfm.as_ref().and_then(grid),
        lists: lists(shop, formats),
        has_typical: shop
            .outliers
            .iter()
            .any(|outlier| outlier.typical.is_some()),
        has_note: shop.outliers.iter().any(|outlier| !outlier.note.is_empty()),
    }
}

fn charts(months: &[MonthlySales], formats: &Formats) -> Vec<Chart> {
    let pale: Vec<usize> = (0..months.len()).filter(|i| months[*i].partial).collect();
    let chart = |title: &str, unit| {
        Chart::new(title, "month", unit, formats)
            .over(months.iter().map(|month| format::day(&month.month)))
    };
    let revenue = months.iter().map(|month| Some(month.revenue));
    let orders = months.iter().map(|month| Some(month.orders as f64));
    [
        chart("Revenue by month", Unit::Money)
            .series("Revenue", Shape::Bar, Tone::Accent, revenue)
            .pale(&pale),
        chart("Orders by month", Unit::Count)
            .series("Orders", Shape::Bar, Tone::Second, orders)
            .pale(&pale),
    ]
    .into_iter()
    .filter_map(Chart::if_any)
    .collect()
}

fn grid(rfm: &Rfm) -> Option<Grid> {
    let most = rfm.cells.iter().map(|cell| cell.shoppers).max()?;
    let cell = |recency, frequency| {
        let found = rfm
            .cells
            .iter()
            .find(|cell| cell.recency == recency && cell.frequency == frequency);
        let shoppers = found.map_or(0, |cell| cell.shoppers);
        GridCell {
            shoppers,
            mean_spend: found.and_then(|cell| cell.mean_spend),
            shade: (100.0 * share(shoppers, most)).round() as u8,
        }
    };
    let row = |frequency| GridRow {
        frequency,
        cells: (1..=5).map(|recency| cell(recency, frequency)).collect(),
    };
    Some(Grid {
        rows: (1..=5).rev().map(row).collect(),
    })
}

fn lists(shop: &Shop, formats: &Formats) -> Vec<BarList> {
    let groups = shop.rfm.iter().flat_map(|rfm| &rfm.groups);
    let grouped: u64 = groups.clone().map(|group| group.shoppers).sum();
    let groups = groups.map(|group| BarRow {
        name: format::words(&group.name),
        detail: group.meaning.clone(),
        share: Some(share(group.shoppers, grouped)),
        ..BarRow::new(group.shoppers, group.revenue)
    });
    let segments = shop.segments.iter().map(|segment| BarRow {
        name: segment.name.clone(),
        detail: segment.rule.clone(),
        ..BarRow::new(segment.shoppers, None)
    });
    let bands = shop.price_bands.iter().map(|band| BarRow {
        name: band_name(band, formats),
        detail: format!("{} products", format::count(&band.products)),
        ..BarRow::new(band.order_lines, band.revenue)
    });
    let categories = shop.categories.iter().map(|category| BarRow {
        name: category.name.clone(),
        detail: format!("{} products", format::count(&category.products)),
        ..BarRow::new(category.order_lines, category.revenue)
    });
    [
        BarList::new(
            "Groups by recency, frequency and spend",
            "",
            "Shoppers",
            groups.collect(),
        ),
        BarList::new(
            "Segments",
            "A shopper may be in several.",
            "Shoppers",
            segments.collect(),
        ),
        BarList::new("Price bands", "", "Order lines", bands.collect()),
        BarList::new("Top categories", "", "Order lines", categories.collect()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn band_name(band: &PriceBand, formats: &Formats) -> String {
    match (band.from, band.until) {
        (Some(from), Some(until)) => {
            format!("{} – {}", formats.money(&from), formats.money(&until))
        }
        (None, Some(until)) => format!("under {}", formats.money(&until)),
        (Some(from), None) => format!("{} and more", formats.money(&from)),
        (None, None) => "any price".to_owned(),
    }
}

impl BarRow {
    fn new(size: u64, revenue: Option<f64>) -> Self {
        Self {
            name: String::new(),
            detail: String::new(),
            size,
            share: None,
            width: String::new(),
            revenue,
        }
    }
}

impl BarList {
    /// The list with its bars measured against the largest; nothing where there are no rows.
    fn new(
        title: &'static str,
        note: &'static str,
        unit: &'static str,
        mut rows: Vec<BarRow>,
    ) -> Option<Self> {
        let most = rows.iter().map(|row| row.size).max()?;
        for row in &mut rows {
            row.width = format::width(row.size as f64, most as f64);
        }
        Some(Self {
            title,
            note,
            unit,
            rows,
        })
    }

    fn has_revenue(&self) -> bool {
        self.rows.iter().any(|row| row.revenue.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::shop::RfmCell;

    #[test]
    fn the_grid_has_every_cell_once() {
        let cell = |recency, frequency, shoppers| RfmCell {
            recency,
            frequency,
            shoppers,
            mean_spend: None,
        };
        let rfm = Rfm {
            cells: vec![cell(5, 5, 40), cell(1, 1, 10)],
            groups: Vec::new(),
        };
        let grid = grid(&rfm).expect("a grid");
        assert_eq!((grid.rows[0].frequency, grid.rows[4].frequency), (5, 1));
        assert_eq!(
            (grid.rows[0].cells[4].shoppers, grid.rows[0].cells[4].shade),
            (40, 100)
        );
        assert_eq!(
            (grid.rows[4].cells[0].shoppers, grid.rows[4].cells[0].shade),
            (10, 25)
        );
        assert_eq!(grid.rows[2].cells[2].shoppers, 0);
        assert!(super::grid(&Rfm::default()).is_none());
    }

    #[test]
    fn price_bands_are_named_by_their_ends() {
        let pounds = Formats::new("GBP");
        let name = |from, until| {
            let band = PriceBand {
                from,
                until,
                ..PriceBand::default()
            };
            band_name(&band, &pounds)
        };
        assert_eq!(name(None, Some(1.25)), "under £1.25");
        assert_eq!(name(Some(1.25), Some(2.5)), "£1.25 – £2.50");
        assert_eq!(name(Some(20.0), None), "£20.00 and more");
    }
}
