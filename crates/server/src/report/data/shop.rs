use serde::{Deserialize, Serialize};

/// The shop's orders, shoppers and products at a glance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Shop {
    /// Orders in the log.
    pub(crate) orders: Option<u64>,
    /// What they were worth, returns left out.
    pub(crate) revenue: Option<f64>,
    /// Orders and revenue by month, in time's order.
    pub(crate) months: Vec<MonthlySales>,
    /// Shoppers by recency and frequency.
    pub(crate) rfm: Option<Rfm>,
    /// The configured segments.
    pub(crate) segments: Vec<SegmentSize>,
    /// Price bands, the cheapest first.
    pub(crate) price_bands: Vec<PriceBand>,
    /// The categories that sell most, best first.
    pub(crate) categories: Vec<CategorySales>,
    /// What stands far out of the rest, by name.
    pub(crate) outliers: Vec<Outlier>,
}

/// The sales of one month.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct MonthlySales {
    /// The month, `YYYY-MM`.
    pub(crate) month: String,
    /// Orders.
    pub(crate) orders: u64,
    /// What they were worth.
    pub(crate) revenue: f64,
    /// Whether the log covers only a part of the month.
    pub(crate) partial: bool,
}

/// Shoppers by recency, frequency and monetary value.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Rfm {
    /// The cells of the grid that hold anybody.
    pub(crate) cells: Vec<RfmCell>,
    /// The named groups that the scores are gathered into.
    pub(crate) groups: Vec<RfmGroup>,
}

/// One cell of the grid of recency by frequency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RfmCell {
    /// Recency score, 1 (long ago) to 5 (just now).
    pub(crate) recency: u8,
    /// Frequency score, 1 (seldom) to 5 (often).
    pub(crate) frequency: u8,
    /// Shoppers in the cell.
    pub(crate) shoppers: u64,
    /// What a shopper of the cell spent on average.
    pub(crate) mean_spend: Option<f64>,
}

/// One named group of RFM scores.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RfmGroup {
    /// The group's name, such as `champions`.
    pub(crate) name: String,
    /// Who is in it, in words.
    pub(crate) meaning: String,
    /// Shoppers in it.
    pub(crate) shoppers: u64,
    /// What they spent together.
    pub(crate) revenue: Option<f64>,
}

/// The size of one configured segment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct SegmentSize {
    /// The segment's name.
    pub(crate) name: String,
    /// Its rule, such as `orders >= 5 and recency_days < 60`.
    pub(crate) rule: String,
    /// Shoppers in it.
    pub(crate) shoppers: u64,
}

/// One price band with what it sells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PriceBand {
    /// Lowest price; absent for the first band.
    pub(crate) from: Option<f64>,
    /// Price at which the next band begins; absent for the last.
    pub(crate) until: Option<f64>,
    /// Products in it.
    pub(crate) products: u64,
    /// Order lines with such a product.
    pub(crate) order_lines: u64,
    /// What they were worth.
    pub(crate) revenue: Option<f64>,
}

/// One category with what it sells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CategorySales {
    /// The category's name.
    pub(crate) name: String,
    /// Products in it.
    pub(crate) products: u64,
    /// Order lines with such a product.
    pub(crate) order_lines: u64,
    /// What they were worth.
    pub(crate) revenue: Option<f64>,
}

/// A shopper, product or order that stands far out of the rest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Outlier {
    /// What it is: `shopper`, `product` or `order`.
    pub(crate) kind: String,
    /// Which one: a pseudonym, a product's title, an order's number.
    pub(crate) name: String,
    /// The feature in which it stands out.
    pub(crate) feature: String,
    /// The feature's value.
    pub(crate) value: f64,
    /// The feature's middle value over all, to compare with.
    pub(crate) typical: Option<f64>,
    /// The modified z-score, negative below the middle.
    pub(crate) robust_z: Option<f64>,
    /// What was done about it, in words; empty where nothing was.
    pub(crate) note: String,
}
