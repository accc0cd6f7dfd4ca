//! The shop at a glance: what the report shows beside models and campaigns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use events::{EventKind, Language, LineItem, Money, Pseudonym};
use features::{FEATURE_NAMES, Features, InterestKind, PriceBands, RfmTable, Segment, outliers};
use recommender::{Task, bought, top_k};

use crate::campaign::reason_for;
use crate::config::Config;
use crate::error::Result;
use crate::shop::{KnownShopper, Shop};
use crate::store::Store;
use crate::train::Ranker;

/// Modified z-scores beyond this are far out; the literature's 3.5 flags a tenth of a shop with skewed amounts.
const OUTLIER_Z: f64 = 8.0;
const OUTLIERS: usize = 8;
const PORTRAITS: usize = 8;
const INTERESTS: usize = 4;
const RECOMMENDED: usize = 3;

/// Sales of one calendar month.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Month {
    /// Distinct orders.
    pub orders: u64,
    /// Price times pieces of the order lines less that of the returned ones, in major units.
    pub revenue: f64,
}

/// Sales of a group of products.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupSales {
    /// What the products have in common.
    pub name: String,
    /// Products in the group.
    pub products: u64,
    /// Order lines.
    pub lines: u64,
    /// Price times pieces, in major units.
    pub revenue: f64,
}

/// One shopper, as the models see them.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// Who it is.
    pub user: Pseudonym,
    /// Orders that were kept.
    pub orders: u64,
    /// What was spent after returns, in major units.
    pub spend: f64,
    /// First and last activity, RFC 3339.
    pub seen: Option<(String, String)>,
    /// The strongest categories with their shares.
    pub categories: Vec<(String, f64)>,
    /// The strongest brands.
    pub brands: Vec<(String, f64)>,
    /// The price bands, 1 the cheapest.
    pub price_bands: Vec<(String, f64)>,
    /// The local hour of most activity.
    pub preferred_hour: Option<u8>,
    /// Median days between orders.
    pub cadence_days: Option<f64>,
    /// Segments that the shopper is in.
    pub segments: Vec<String>,
    /// The latest purchases: title and day.
    pub purchases: Vec<(String, String)>,
    /// What is recommended.
    pub recommendations: Vec<Recommended>,
}

/// A recommended product with its reason.
#[derive(Debug, Clone, PartialEq)]
pub struct Recommended {
    /// The product's id.
    pub product_id: String,
    /// Its title.
    pub title: String,
    /// Its score.
    pub score: f64,
    /// Why, in words.
    pub reason: String,
    /// The exact parts of the score, by the model that gave them, where a blend ranks.
    pub parts: Vec<(String, f64)>,
}

/// A shopper whose numbers stand far out.
#[derive(Debug, Clone, PartialEq)]
pub struct OutlyingShopper {
    /// Who it is.
    pub user: Pseudonym,
    /// The feature.
    pub feature: String,
    /// Its raw value.
    pub value: f64,
    /// The raw value in the middle of all who ordered.
    pub typical: f64,
    /// The modified z-score of the logged value.
    pub robust_z: f64,
}

/// The shop at a glance.
#[derive(Debug, Clone, Default)]
pub struct Overview {
    /// Sales by month, `YYYY-MM`.
    pub months: BTreeMap<String, Month>,
    /// Shoppers by recency (row 0 is the best fifth) and frequency (column 0 is the lowest).
    pub rfm_grid: [[usize; 5]; 5],
    /// Shoppers by group of recency, frequency and monetary value.
    pub rfm_groups: Vec<(String, usize)>,
    /// Segments of the configuration: name, rule, shoppers.
    pub segments: Vec<(String, String, usize)>,
    /// The price bands, cheapest first: highest price in major units (none for the last) and sales.
    pub price_bands: Vec<(Option<f64>, GroupSales)>,
    /// The categories with the most revenue.
    pub categories: Vec<GroupSales>,
    /// Shoppers whose numbers stand far out, the furthest first.
    pub outliers: Vec<OutlyingShopper>,
    /// Some shoppers, from those with few orders to those with many.
    pub portraits: Vec<Portrait>,
}

impl Overview {
    /// Looks at a shop.
    ///
    /// # Errors
    /// Those of the store and of the models.
    pub fn of(store: &Store, config: &Config, shop: &Shop) -> Result<Self> {
        let profiles = || shop.shoppers.iter().map(|known| &known.profile);
        let rfm = RfmTable::new(profiles(), shop.now);
        let mut overview = Self {
            rfm_grid: rfm.grid(),
            rfm_groups: rfm
                .groups()
                .into_iter()
                .map(|group| (group.name.to_owned(), group.shoppers))
                .collect(),
            segments: segment_sizes(config, shop),
            outliers: outlying(shop)?,
            portraits: portraits(store, config, shop)?,
            ..Self::default()
        };
        overview.count_sales(store, config, shop)?;
        Ok(overview)
    }

    /// One pass over the log for what profiles do not keep.
    fn count_sales(&mut self, store: &Store, config: &Config, shop: &Shop) -> Result<()> {
        let currency = config.currency()?;
        let major = |minor| Money { minor, currency }.decimal();
        let mut orders: BTreeSet<(String, u64)> = BTreeSet::new();
        let mut by_product: HashMap<usize, (u64, i64)> = HashMap::new();
        store.for_each_event(|_, event| {
            let is_order = event.kind == EventKind::OrderCompleted;
            if !(is_order || event.kind == EventKind::OrderRefunded) || event.at > shop.now {
                return Ok(());
            }
            let month = shop
                .index
                .time_zone()
                .to_datetime(event.at)
                .strftime("%Y-%m")
                .to_string();
            let amount: i64 = event
                .properties
                .products
                .iter()
                .map(LineItem::amount_minor)
                .sum();
            let entry = self.months.entry(month.clone()).or_default();
            entry.revenue += if is_order {
                major(amount)
            } else {
                -major(amount)
            };
            if is_order {
                let order = event.properties.order_id.as_deref().unwrap_or_default();
                let mut bytes = [0; 8];
                bytes.copy_from_slice(&blake3::hash(order.as_bytes()).as_bytes()[..8]);
                entry.orders += u64::from(orders.insert((month, u64::from_le_bytes(bytes))));
                for line in &event.properties.products {
                    if let Some(position) = shop.position(&line.product_id) {
                        let sold = by_product.entry(position).or_default();
                        *sold = (sold.0 + 1, sold.1 + line.amount_minor());
                    }
                }
            }
            Ok(())
        })?;
        self.group_sales(shop, &by_product, &major);
        Ok(())
    }

    fn group_sales(
        &mut self,
        shop: &Shop,
        sold: &HashMap<usize, (u64, i64)>,
        major: &dyn Fn(i64) -> f64,
    ) {
        let mut categories: BTreeMap<&str, GroupSales> = BTreeMap::new();
        let mut bands: Vec<GroupSales> = vec![GroupSales::default(); PriceBands::COUNT];
        for (position, (_, fields)) in shop.index.iter().enumerate() {
            let (lines, minor) = sold.get(&position).copied().unwrap_or_default();
            let add = |group: &mut GroupSales| {
                group.products += 1;
                group.lines += lines;
                group.revenue += major(minor);
            };
            if let Some(category) = &fields.category {
                add(categories.entry(category).or_insert_with(|| GroupSales {
                    name: category.clone(),
                    ..GroupSales::default()
                }));
            }
            if let Some(band) = fields.price_band {
                add(&mut bands[usize::from(band) - 1]);
            }
        }
        self.categories = categories.into_values().collect();
        self.categories.sort_by(|a, b| {
            b.revenue
                .total_cmp(&a.revenue)
                .then_with(|| a.name.cmp(&b.name))
        });
        self.categories.truncate(12);
        let boundaries = shop.index.price_bands().map(|bands| bands.boundaries_minor);
        self.price_bands = bands
            .into_iter()
            .enumerate()
            .map(|(band, mut sales)| {
                sales.name = format!("band {}", band + 1);
                let upper = boundaries
                    .and_then(|minor| minor.get(band).copied())
                    .map(major);
                (upper, sales)
            })
            .collect();
    }
}

fn segment_sizes(config: &Config, shop: &Shop) -> Vec<(String, String, usize)> {
    config
        .segments
        .iter()
        .filter_map(|(name, rule)| {
            let segment = Segment::parse(rule).ok()?;
            let shoppers = shop
                .shoppers
                .iter()
                .filter(|known| segment.matches(&known.profile, shop.now))
                .count();
            Some((name.clone(), rule.clone(), shoppers))
        })
        .collect()
}

/// The shoppers whose features stand furthest out, one feature each.
fn outlying(shop: &Shop) -> Result<Vec<OutlyingShopper>> {
    const WATCHED: [&str; 4] = ["spend", "orders", "pieces_per_order", "refund_share"];
    let columns: Vec<usize> = WATCHED
        .iter()
        .filter_map(|name| FEATURE_NAMES.iter().position(|feature| feature == name))
        .collect();
    let buyers: Vec<&KnownShopper> = shop
        .shoppers
        .iter()
        .filter(|known| known.profile.orders() > 0)
        .collect();
    if buyers.is_empty() {
        return Ok(Vec::new());
    }
    let features: Vec<_> = buyers
        .iter()
        .map(|known| known.profile.features(shop.now))
        .collect();
    let rows: Vec<Vec<f64>> = features
        .iter()
        .map(|features| {
            columns
                .iter()
                .map(|column| features.values[*column])
                .collect()
        })
        .collect();
    let mut seen = BTreeSet::new();
    Ok(outliers(&rows, &WATCHED, OUTLIER_Z)?
        .into_iter()
        .filter(|outlier| seen.insert(outlier.row))
        .take(OUTLIERS)
        .map(|outlier| OutlyingShopper {
            user: buyers[outlier.row].shopper.pseudonym,
            value: features[outlier.row]
                .raw(&outlier.feature)
                .unwrap_or(outlier.value),
            typical: middle(&features, &outlier.feature),
            feature: outlier.feature,
            robust_z: outlier.robust_z,
        })
        .collect())
}

/// The median of a raw feature.
fn middle(features: &[Features], name: &str) -> f64 {
    let mut values: Vec<f64> = features.iter().filter_map(|of| of.raw(name)).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Some shoppers with their interests, evenly spread over the number of orders.
fn portraits(store: &Store, config: &Config, shop: &Shop) -> Result<Vec<Portrait>> {
    let mut buyers: Vec<&KnownShopper> = shop
        .shoppers
        .iter()
        .filter(|known| known.profile.orders() > 0)
        .collect();
    buyers.sort_by_key(|known| (known.profile.orders(), known.shopper.pseudonym));
    let step = buyers.len().div_ceil(PORTRAITS).max(1);
    let chosen: Vec<&KnownShopper> = buyers.into_iter().skip(step / 2).step_by(step).collect();
    let ranker = Ranker::load(store.dir(), shop)?;
    let scores = ranker.scores(shop, &chosen, Task::NewItems)?;
    let sellable = crate::campaign::sellable(shop);
    chosen
        .iter()
        .zip(scores)
        .map(|(known, scores)| portrait(config, shop, &ranker, known, &scores, &sellable))
        .collect()
}

fn portrait(
    config: &Config,
    shop: &Shop,
    ranker: &Ranker,
    known: &KnownShopper,
    scores: &[f32],
    sellable: &[bool],
) -> Result<Portrait> {
    let profile = &known.profile;
    let interests = |kind| {
        let top = profile.top_interests(kind, INTERESTS, shop.now);
        top.into_iter()
            .map(|interest| (interest.name, interest.share))
            .collect()
    };
    let mut mask = sellable.to_vec();
    for item in bought(shop.history(known)) {
        mask[item as usize] = false;
    }
    let recommendations = top_k(scores, &mask, RECOMMENDED)
        .into_iter()
        .map(|item| {
            let product = &shop.products[item as usize];
            Ok(Recommended {
                product_id: product.id.clone(),
                title: product.title.clone(),
                score: scores[item as usize].into(),
                reason: reason_for(shop, ranker, known, item as usize, Language::En),
                parts: ranker.parts(shop, known, item as usize)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let segments = config.segments.iter().filter(|(_, rule)| {
        Segment::parse(rule).is_ok_and(|segment| segment.matches(profile, shop.now))
    });
    Ok(Portrait {
        user: known.shopper.pseudonym,
        orders: profile.orders().into(),
        spend: Money {
            minor: profile.spend_minor(),
            currency: config.currency()?,
        }
        .decimal(),
        seen: profile
            .seen()
            .map(|(first, last)| (first.to_string(), last.to_string())),
        categories: interests(InterestKind::Category),
        brands: interests(InterestKind::Brand),
        price_bands: interests(InterestKind::PriceBand),
        preferred_hour: profile.preferred_hour(),
        cadence_days: profile.median_gap_days(),
        segments: segments.map(|(name, _)| name.clone()).collect(),
        purchases: latest_purchases(shop, known),
        recommendations,
    })
}

/// Titles and days of the latest distinct purchases.
fn latest_purchases(shop: &Shop, known: &KnownShopper) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let history = shop.history(known).iter().rev();
    history
        .filter(|line| {
            line.kind == recommender::InteractionKind::Purchase && seen.insert(line.item)
        })
        .take(6)
        .map(|line| {
            let at = jiff::Timestamp::from_second(line.at_s).unwrap_or(shop.now);
            (
                shop.products[line.item as usize].title.clone(),
                at.strftime("%Y-%m-%d").to_string(),
            )
        })
        .collect()
}
