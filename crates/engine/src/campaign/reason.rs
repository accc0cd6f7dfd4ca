//! Why this product: a sentence for people, made of nothing but the shopper's own history and the shop's counts.

use events::{Language, Timestamp};
use guard::title_case;

use super::person::Pair;

/// Orders from which on the taste of a shopper counts as known.
const KNOWN_FROM_ORDERS: u32 = 3;

/// Fewer orders in a month do not make a product popular.
const WORTH_TELLING: u32 = 5;

/// The reason in the shopper's language.
pub(crate) fn reason(pair: &Pair<'_>, language: Language) -> String {
    if let Some(due) = &pair.due {
        let gap = due.median_gap_days.round().max(1.0);
        return match language {
            Language::En => format!(
                "because you buy it about every {gap} days, {} times so far, and last did on {}",
                due.times_bought,
                day(due.last_at, language)
            ),
            Language::Zh => format!(
                "因为您大约每{gap}天购买一次，已购买{}次，上次是在{}",
                due.times_bought,
                day(due.last_at, language)
            ),
        };
    }
    let bought: Vec<String> = pair
        .earlier
        .iter()
        .take(2)
        .map(|earlier| {
            let title = title_case(&pair.shop.products[earlier.position].title);
            match language {
                Language::En => format!("{title} in {}", month(earlier.at, language)),
                Language::Zh => format!("{}购买了{title}", month(earlier.at, language)),
            }
        })
        .collect();
    match (bought.as_slice(), language) {
        ([], _) => without_history(pair, language),
        ([first], Language::En) => format!("because you bought {first}"),
        ([first, second, ..], Language::En) => format!("because you bought {first} and {second}"),
        ([first], Language::Zh) => format!("因为您在{first}"),
        ([first, second, ..], Language::Zh) => format!("因为您在{first}，又在{second}"),
    }
}

/// The reason where no purchase speaks for the product.
fn without_history(pair: &Pair<'_>, language: Language) -> String {
    let category = pair
        .shop
        .index
        .get(&pair.shop.products[pair.position].id)
        .and_then(|fields| fields.category.as_deref())
        .filter(|category| {
            let kind = features::InterestKind::Category;
            pair.known
                .profile
                .interest_share(kind, category, pair.shop.now)
                > 0.05
        });
    let orders = pair.shop.sales[pair.position].orders_recent;
    match (category, language) {
        (Some(category), Language::En) => {
            format!("because you are often drawn to {}", last_step(category))
        }
        (Some(category), Language::Zh) => format!("因为您常关注{}", last_step(category)),
        (None, _) => without_interest(
            language,
            orders,
            pair.known.profile.orders() >= KNOWN_FROM_ORDERS,
        ),
    }
}

/// The reason where nothing that the shopper did points to the product.
fn without_interest(language: Language, orders: u32, is_known: bool) -> String {
    let is_popular = orders >= WORTH_TELLING;
    match (language, is_popular, is_known) {
        (Language::En, true, true) => format!(
            "popular now, with {orders} orders in the past month, and among what ranks highest for you"
        ),
        (Language::En, true, false) => format!(
            "popular now, with {orders} orders in the past month; little is known of your taste yet"
        ),
        (Language::En, false, true) => {
            "among what ranks highest for you, though no single purchase stands behind it"
                .to_owned()
        }
        (Language::En, false, false) => {
            "to find out whether you like it: little is known of your taste yet".to_owned()
        }
        (Language::Zh, true, true) => {
            format!("近期热门，过去一个月有{orders}笔订单，在为您排出的商品里名列前茅")
        }
        (Language::Zh, true, false) => {
            format!("近期热门，过去一个月有{orders}笔订单；我们对您的喜好还了解不多")
        }
        (Language::Zh, false, true) => {
            "在为您排出的商品里名列前茅，虽然没有哪一次购买单独指向它".to_owned()
        }
        (Language::Zh, false, false) => "想知道您是否喜欢：我们对您的喜好还了解不多".to_owned(),
    }
}

/// The last step of a category's path.
fn last_step(category: &str) -> &str {
    category.rsplit('>').next().unwrap_or(category).trim()
}

fn month(at: Timestamp, language: Language) -> String {
    match language {
        Language::En => at.strftime("%B %Y").to_string(),
        Language::Zh => at.strftime("%Y年%-m月").to_string(),
    }
}

fn day(at: Timestamp, language: Language) -> String {
    match language {
        Language::En => at.strftime("%-d %B %Y").to_string(),
        Language::Zh => at.strftime("%Y年%-m月%-d日").to_string(),
    }
}
