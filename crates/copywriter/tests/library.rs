//! What holds for every text of the built-in library.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use copywriter::{metrics, templates, tokenise};
use events::{
    Channel, CopyVariant, Currency, Fact, Language, Money, Product, Strategy, Timestamp,
    VariantStatus,
};
use guard::{Facts, Guard, Refusal, Rendered, RulePack, Template, Value};

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// The paths that the engine gives values to.
const PATHS: [&str; 18] = [
    "fact.material",
    "product.brand",
    "product.category",
    "product.current_price",
    "product.link",
    "product.price",
    "product.sale_price",
    "product.title",
    "stat.first_sold",
    "stat.orders_30d",
    "stat.orders_total",
    "stat.rating",
    "user.last_bought_at",
    "user.last_bought_this_at",
    "user.last_bought_title",
    "user.times_bought",
    "user.usual_gap_days",
    "product.description",
];

fn all() -> impl Iterator<Item = (Language, CopyVariant)> {
    LANGUAGES.into_iter().flat_map(|language| {
        Channel::ALL.into_iter().flat_map(move |channel| {
            templates::library(channel, language)
                .into_iter()
                .map(move |variant| (language, variant))
        })
    })
}

/// Titles of a real gift shop, some at the limit of 60 characters, and Chinese ones.
const TITLES: [&str; 8] = [
    "WHITE HANGING HEART T-LIGHT HOLDER",
    "60 TEATIME FAIRY CAKE CASES",
    "BLUE CHARLIE+LOLA PERSONAL DOORSIGN",
    "Set of 3 Cake Tins Pantry Design, Red, White & Blue, Limited",
    "S/4 PINK FLOWER CANDLES IN BOWL",
    "Mug",
    "手绘青花陶瓷马克杯",
    "日式复古手工陶瓷情侣马克杯带盖勺礼盒装办公室家用咖啡杯",
];

fn product(title: &str, minor: i64) -> Product {
    let money = |minor| Money {
        minor,
        currency: Currency::GBP,
    };
    Product {
        id: "p".to_owned(),
        title: title.to_owned(),
        price: Some(money(minor)),
        sale_price: Some(money(minor - 100)),
        brand: Some("Retro Works & Sons of London".to_owned()),
        google_product_category: Some("Home & Garden > Kitchen & Dining > Tableware".to_owned()),
        link: Some("https://shop.example/products/white-hanging-heart".to_owned()),
        facts: vec![Fact {
            name: "material".to_owned(),
            value: "recycled cotton, hand-printed".to_owned(),
            source: "shop".to_owned(),
            valid_until: None,
        }],
        ..Product::default()
    }
}

fn at(text: &str) -> Value {
    Value::Date(text.parse().expect("valid"))
}

/// Renders a variant for a product, after a shopper bought `before`.
fn render(variant: &CopyVariant, product: &Product, before: &str) -> Result<Rendered, Refusal> {
    let stats = BTreeMap::from([
        ("orders_30d".to_owned(), Value::Count(1_087)),
        ("orders_total".to_owned(), Value::Count(12_310)),
        ("first_sold".to_owned(), at("2011-09-30T10:00:00Z")),
        ("rating".to_owned(), Value::Number(4.65)),
    ]);
    let user = BTreeMap::from([
        (
            "last_bought_title".to_owned(),
            Value::Text(before.to_owned()),
        ),
        ("last_bought_at".to_owned(), at("2011-09-12T10:00:00Z")),
        ("times_bought".to_owned(), Value::Count(12)),
        ("usual_gap_days".to_owned(), Value::Count(128)),
        ("last_bought_this_at".to_owned(), at("2011-09-24T10:00:00Z")),
    ]);
    let facts = Facts {
        product,
        stats: &stats,
        user: &user,
        now: "2011-11-24T10:00:00Z".parse::<Timestamp>().expect("valid"),
        version: "test",
    };
    GUARD.render(variant, &facts)
}

#[test]
fn every_strategy_has_four_texts_where_the_channel_allows() {
    for language in LANGUAGES {
        for channel in Channel::ALL {
            let mut counts = BTreeMap::new();
            for variant in templates::library(channel, language) {
                assert_eq!(variant.channel, channel);
                assert_eq!(variant.locale.language(), language);
                *counts.entry(variant.strategy).or_insert(0) += 1;
            }
            for strategy in Strategy::ALL {
                // A post is public: it never speaks of what one shopper bought.
                let is_personal =
                    matches!(strategy, Strategy::Replenishment | Strategy::Complement);
                let count = counts.get(&strategy).copied().unwrap_or(0);
                if channel == Channel::Social && is_personal {
                    assert_eq!(count, 0);
                } else {
                    assert!(count >= 4, "{channel} {language:?} {strategy:?}: {count}");
                }
            }
        }
    }
}

#[test]
fn ids_are_unique_and_say_where_a_text_belongs() {
    let mut ids = BTreeSet::new();
    for (language, variant) in all() {
        let tag = match language {
            Language::En => "en",
            Language::Zh => "zh",
        };
        let prefix = format!("t/{}/{tag}/{}/", variant.channel, variant.strategy.name());
        let number = variant.id.strip_prefix(&prefix);
        assert!(
            number.is_some_and(|n| n.parse::<u32>().is_ok()),
            "{}",
            variant.id
        );
        assert!(
            ids.insert(variant.id.clone()),
            "{} stands twice",
            variant.id
        );
        assert_eq!(variant.generator.provider, templates::PROVIDER);
        assert!(
            variant
                .generator
                .model
                .starts_with(&format!("library/{tag}@"))
        );
        assert_eq!(variant.status, VariantStatus::Approved);
        assert_eq!(variant.approved_by.as_deref(), Some(templates::APPROVED_BY));
    }
}

#[test]
fn bindings_are_exactly_the_names_used_and_known_to_the_engine() {
    for (_, variant) in all() {
        let mut used = BTreeSet::new();
        for (_, template) in variant.template.fields() {
            let template = Template::parse(template).expect("in the subset");
            used.extend(template.names().map(String::from));
        }
        let bound: BTreeSet<String> = variant.bindings.iter().map(|b| b.name.clone()).collect();
        assert_eq!(bound, used, "{}", variant.id);
        for binding in &variant.bindings {
            assert!(PATHS.contains(&binding.path.as_str()), "{}", binding.path);
        }
    }
}

#[test]
fn strategies_say_what_they_are_named_for() {
    for (_, variant) in all() {
        let any = |root: &[&str]| {
            variant
                .bindings
                .iter()
                .any(|b| root.contains(&b.path.as_str()))
        };
        let says_it = match variant.strategy {
            Strategy::Benefit => any(&["product.title"]) && !any(&["product.sale_price"]),
            Strategy::Novelty => any(&["stat.first_sold"]),
            Strategy::SocialProof => any(&["stat.orders_30d", "stat.orders_total", "stat.rating"]),
            Strategy::Replenishment => any(&[
                "user.times_bought",
                "user.usual_gap_days",
                "user.last_bought_this_at",
            ]),
            Strategy::Complement => any(&["user.last_bought_title"]),
            Strategy::Value => any(&["product.current_price", "product.sale_price"]),
        };
        assert!(says_it, "{} does not", variant.id);
        let is_public = variant.channel == Channel::Social;
        assert!(!is_public || !variant.bindings.iter().any(|b| b.path.starts_with("user.")));
    }
}

#[test]
fn no_digit_is_typed() {
    for (_, variant) in all() {
        for (field, template) in variant.template.fields() {
            for piece in template.split('}') {
                let literal = piece.split('{').next().unwrap_or_default();
                assert!(
                    !literal.contains(char::is_numeric),
                    "{} {field}",
                    variant.id
                );
            }
        }
    }
}

#[test]
fn the_guard_passes_every_variant() {
    let mut failed = Vec::new();
    for (_, variant) in all() {
        for check in GUARD.check_variant(&variant) {
            if !check.passed {
                failed.push(format!("{} {}: {}", variant.id, check.rule, check.detail));
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn the_guard_passes_every_text_for_every_title() {
    let mut refused = Vec::new();
    for (index, title) in TITLES.iter().enumerate() {
        let before = TITLES[(index + 3) % TITLES.len()];
        for (language, variant) in all() {
            // A Chinese title counts double: the guard refuses the few English texts that it is too long for.
            let is_wide = |title: &str| !title.is_ascii() && title.chars().count() > 20;
            if language == Language::En && (is_wide(title) || is_wide(before)) {
                continue;
            }
            if let Err(refusal) = render(&variant, &product(title, 123_495), before) {
                refused.push(format!("{} for {title}: {}", variant.id, refusal.reason));
            }
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn text_messages_carry_the_opt_out_and_stay_cheap() {
    for (language, title) in [(Language::En, TITLES[0]), (Language::Zh, TITLES[6])] {
        for variant in templates::library(Channel::Sms, language) {
            let product = Product {
                link: None,
                ..product(title, 495)
            };
            let body = render(&variant, &product, title)
                .expect("passes")
                .plain
                .body;
            assert!(body.contains(guard::sms::opt_out(language)), "{body}");
            assert_eq!(guard::sms::segments(&body).segments, 1, "{body}");
        }
    }
}

#[test]
fn the_link_is_left_out_where_there_is_none() {
    for channel in [Channel::Email, Channel::Social] {
        for (_, variant) in all().filter(|(_, variant)| variant.channel == channel) {
            let with = render(&variant, &product(TITLES[5], 495), TITLES[6]).expect("passes");
            assert!(
                with.text.body.contains("https://shop.example/"),
                "{}",
                with.text.body
            );
            let product = Product {
                link: None,
                ..product(TITLES[5], 495)
            };
            let without = render(&variant, &product, TITLES[6])
                .expect("passes")
                .text
                .body;
            assert!(
                !without.contains("http") && !without.contains("  "),
                "{without}"
            );
            assert_eq!(
                without.matches("<p>").count(),
                without.matches("</p>").count()
            );
        }
    }
}

#[test]
fn a_text_whose_name_has_no_value_is_not_shown() {
    let plain = Product {
        sale_price: None,
        ..product(TITLES[0], 495)
    };
    let variant = templates::library(Channel::Push, Language::En)
        .into_iter()
        .find(|variant| variant.id == "t/push/en/value/5")
        .expect("a text about a sale");
    let error = render(&variant, &plain, TITLES[1]).expect_err("there is no sale");
    assert_eq!(error.reason, "unbound:product.sale_price");
}

#[test]
fn texts_of_one_strategy_differ() {
    for language in LANGUAGES {
        for channel in Channel::ALL {
            for strategy in Strategy::ALL {
                let texts: Vec<Vec<String>> = templates::library(channel, language)
                    .into_iter()
                    .filter(|variant| variant.strategy == strategy)
                    .map(|variant| tokenise(&own_words(&variant)))
                    .collect();
                let repeats = metrics::self_bleu(&texts);
                assert!(
                    repeats < MAX_SELF_BLEU,
                    "{channel} {language:?} {strategy:?}: {repeats}"
                );
            }
        }
    }
}

/// The mean BLEU-4 among the texts of one strategy; the same sentence with one word changed has 0.5 and more.
const MAX_SELF_BLEU: f64 = 0.25;

/// What the template itself says, without its outputs.
fn own_words(variant: &CopyVariant) -> String {
    let mut words = String::new();
    for (_, template) in variant.template.fields() {
        for piece in template.split("}}") {
            words.push_str(piece.split('{').next().unwrap_or_default());
            words.push(' ');
        }
    }
    words
        .replace(guard::sms::opt_out(variant.locale.language()), " ")
        .replace("<p>", " ")
        .replace("</p>", " ")
        .replace("<br>", " ")
}
