//! The catalogue: products with a place in the latent space, a popularity, a launch day and complements.

use events::{Availability, Currency, Language, Money, Product};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::brands::BRANDS;
use super::calendar::DAY;
use super::categories::{CATEGORIES, Category, Term, WORLDS};
use super::config::ShopConfig;
use super::params as p;
use super::random::{Domain, lognormal, normal, one_of, stream};
use super::taste::{Vector, affinity, blend, direction};
use super::wording::{Parts, describe};

/// A product with what the simulator knows about it and the shop does not.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) product: Product,
    pub(crate) category: usize,
    /// What it is called, for searches.
    pub(crate) noun: Term,
    pub(crate) vector: Vector,
    /// Log popularity at equal taste and price.
    pub(crate) appeal: f64,
    /// Share of the catalogue that is less popular, 0 to 1.
    pub(crate) popularity: f64,
    /// Standardised log price: 0 is the shop's typical price.
    pub(crate) price_z: f64,
    /// When it entered the shop, in seconds since 1970.
    pub(crate) launched: i64,
    /// Indices of the products that go with it.
    pub(crate) complements: Vec<usize>,
}

impl Item {
    /// Days that one piece lasts; 0 for what is not used up.
    pub(crate) fn lasts_days(&self) -> f64 {
        CATEGORIES[self.category].lasts_days
    }

    /// What a shopper pays at `unix`: the sale price counts in the last weeks of the history and after it.
    pub(crate) fn price_minor(&self, unix: i64, end: i64) -> i64 {
        let price = if unix >= end - p::SALE_DAYS * DAY {
            self.product.current_price()
        } else {
            self.product.price
        };
        price.map_or(0, |money| money.minor)
    }
}

/// Everything that is for sale.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) items: Vec<Item>,
    /// Directions of the categories.
    pub(crate) categories: Vec<Vector>,
    /// Indices of the items of each category.
    pub(crate) members: Vec<Vec<usize>>,
}

impl Catalogue {
    pub(crate) fn generate(config: &ShopConfig, start: i64, end: i64, seed: u64) -> Self {
        let mut rng = stream(seed, Domain::Catalogue, 0);
        let worlds: Vec<Vector> = (0..WORLDS).map(|_| direction(&mut rng)).collect();
        let categories: Vec<Vector> = CATEGORIES
            .iter()
            .map(|category| {
                blend(&[
                    (p::CATEGORY_WORLD, worlds[category.world]),
                    (1.0, direction(&mut rng)),
                ])
            })
            .collect();
        let brands: Vec<Vector> = BRANDS.iter().map(|_| direction(&mut rng)).collect();
        let mut items: Vec<Item> = Vec::with_capacity(config.products);
        let mut titles = std::collections::BTreeSet::new();
        for index in 0..config.products {
            let mut rng = stream(seed, Domain::Catalogue, 1 + index as u64);
            let mut item = draft(index, config, (start, end), &categories, &brands, &mut rng);
            for number in 2.. {
                if titles.insert(item.product.title.clone()) {
                    break;
                }
                item = draft(index, config, (start, end), &categories, &brands, &mut rng);
                if number > 20 {
                    item.product.title = format!("{} No. {number}", item.product.title);
                }
            }
            items.push(item);
        }
        standardise(&mut items);
        let mut members = vec![Vec::new(); CATEGORIES.len()];
        for (index, item) in items.iter().enumerate() {
            members[item.category].push(index);
        }
        link_complements(&mut items, &members);
        Self {
            items,
            categories,
            members,
        }
    }
}

/// Draws one product; its standing among the others and its complements are filled in later.
fn draft(
    index: usize,
    config: &ShopConfig,
    (start, end): (i64, i64),
    categories: &[Vector],
    brands: &[Vector],
    rng: &mut ChaCha8Rng,
) -> Item {
    let place = index % CATEGORIES.len();
    let category = &CATEGORIES[place];
    let makers: Vec<usize> = (0..BRANDS.len())
        .filter(|brand| BRANDS[*brand].worlds.contains(&category.world))
        .collect();
    let brand = *one_of(&makers, rng);
    let parts = Parts::draw(category, &BRANDS[brand], rng);
    let launched = if rng.random_bool(p::LAUNCHED_WITHIN) {
        start + (rng.random::<f64>() * (end - start - 7 * DAY) as f64) as i64
    } else {
        start - DAY
    };
    let mut product = describe(&parts, category, launched, config.language);
    product.id = format!("{}-{:04}", category.key, index + 1);
    product.link = Some(format!("https://shop.example/p/{}", product.id));
    price(&mut product, category, BRANDS[brand].tier, config, rng);
    Item {
        vector: blend(&[
            (p::PRODUCT_CATEGORY, categories[place]),
            (p::PRODUCT_BRAND, brands[brand]),
            (p::PRODUCT_OWN, direction(rng)),
        ]),
        product,
        category: place,
        noun: parts.noun,
        appeal: p::APPEAL_SD * normal(rng),
        popularity: 0.0,
        price_z: 0.0,
        launched,
        complements: Vec::new(),
    }
}

fn price(
    product: &mut Product,
    category: &Category,
    tier: f64,
    config: &ShopConfig,
    rng: &mut ChaCha8Rng,
) {
    let (low, high) = category.price;
    let position: f64 = rng.random();
    let pounds = tier * low * (high / low).powf(position);
    let (currency, major) = match config.language {
        Language::En => (Currency::GBP, pounds),
        Language::Zh => (Currency::CNY, pounds * p::CNY_PER_GBP),
    };
    let ending = *one_of(&[0_i64, 50, 95, 99], rng);
    let minor = (major.floor() as i64).max(1) * 100 + ending;
    let money = |minor| Some(Money { minor, currency });
    product.price = money(minor);
    if rng.random_bool(p::ON_SALE) {
        let discount = *one_of(&[10_i64, 15, 20, 25, 30], rng);
        product.sale_price = money(minor * (100 - discount) / 100);
    }
    product.cost = money((minor as f64 * rng.random_range(p::COST_SHARE)) as i64);
    let sold_out = rng.random_bool(p::SOLD_OUT);
    product.stock = Some(if sold_out {
        0
    } else {
        lognormal(rng, p::STOCK, p::STOCK_SD).ceil() as i64
    });
    product.availability = if sold_out {
        Availability::OutOfStock
    } else {
        Availability::InStock
    };
}

/// Fills in the standardised log prices and the popularity percentiles.
fn standardise(items: &mut [Item]) {
    let logs: Vec<f64> = items
        .iter()
        .map(|item| (item.price_minor(i64::MAX, 0) as f64).max(1.0).ln())
        .collect();
    let count = items.len() as f64;
    let mean = logs.iter().sum::<f64>() / count;
    let sd = (logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| items[*a].appeal.total_cmp(&items[*b].appeal));
    for (rank, index) in order.into_iter().enumerate() {
        items[index].popularity = rank as f64 / (count - 1.0);
        items[index].price_z = (logs[index] - mean) / sd.max(1e-9);
    }
}

/// Gives each product the products of the complementary categories that are nearest to it in style.
fn link_complements(items: &mut [Item], members: &[Vec<usize>]) {
    for index in 0..items.len() {
        let mut complements = Vec::new();
        for key in CATEGORIES[items[index].category].goes_with {
            let place = CATEGORIES.iter().position(|other| other.key == *key);
            let mut near: Vec<(f64, usize)> = place
                .map_or(&[][..], |place| &members[place])
                .iter()
                .map(|other| {
                    (
                        affinity(&items[index].vector, &items[*other].vector),
                        *other,
                    )
                })
                .collect();
            near.sort_by(|a, b| b.0.total_cmp(&a.0));
            let nearest = near.into_iter().take(p::COMPLEMENTS_PER_CATEGORY);
            complements.extend(nearest.map(|(_, other)| other));
        }
        items[index].complements = complements;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let config = ShopConfig::default();
        Catalogue::generate(&config, 0, 365 * DAY, 4)
    }

    #[test]
    fn prices_and_popularity_are_standardised() {
        let items = catalogue().items;
        let count = items.len() as f64;
        let mean = items.iter().map(|item| item.price_z).sum::<f64>() / count;
        let variance = items.iter().map(|item| item.price_z.powi(2)).sum::<f64>() / count;
        assert!(mean.abs() < 1e-9 && (variance - 1.0).abs() < 1e-9);
        let best = items.iter().max_by(|a, b| a.appeal.total_cmp(&b.appeal));
        assert!(best.is_some_and(|item| (item.popularity - 1.0).abs() < 1e-12));
    }

    #[test]
    fn complements_come_from_the_categories_that_go_with_it() {
        let catalogue = catalogue();
        for item in &catalogue.items {
            assert_eq!(item.complements.len(), 2 * p::COMPLEMENTS_PER_CATEGORY);
            for other in &item.complements {
                let key = CATEGORIES[catalogue.items[*other].category].key;
                let goes_with = CATEGORIES[item.category].goes_with;
                assert!(goes_with.contains(&key), "{key} with {}", item.product.id);
            }
        }
    }

    #[test]
    fn products_of_one_category_are_nearer_to_each_other_than_to_the_others() {
        let catalogue = catalogue();
        let (mut near, mut far) = ((0.0, 0.0), (0.0, 0.0));
        for a in catalogue.items.iter().step_by(5) {
            for b in catalogue.items.iter().step_by(7) {
                let sum = if a.category == b.category {
                    &mut near
                } else {
                    &mut far
                };
                sum.0 += affinity(&a.vector, &b.vector);
                sum.1 += 1.0;
            }
        }
        let (near, far) = (near.0 / near.1, far.0 / far.1);
        assert!(near > 0.6 && far < 0.3, "{near} against {far}");
    }

    #[test]
    fn a_sale_holds_from_its_day_on() {
        let items = catalogue().items;
        let end = 365 * DAY;
        let mut sales = 0;
        for item in items {
            let (before, now) = (item.price_minor(0, end), item.price_minor(end, end));
            sales += usize::from(now < before);
            assert_eq!(now < before, item.product.sale_price.is_some());
        }
        assert!((40..110).contains(&sales), "{sales}");
    }
}
