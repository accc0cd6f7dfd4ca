//! Measures how many finished texts a second one core checks with every built-in rule pack: short texts of a shop, in
//! English and Chinese, most of them without fault, with and without a product. Run: `cargo bench -p guard --bench check`.
//! The allocator is the binary's.

use std::hint::black_box;
use std::time::Instant;

use events::{Currency, Fact, Money, Product, Timestamp};
use guard::{Guard, RulePack, TextContext};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 10_000;
const SITTINGS: usize = 15;

const TEXTS: [&str; 20] = [
    "New mugs for slow mornings, fresh from the kiln.",
    "Your order 18-2207 is on its way; track it in the app.",
    "Linen that softens with every wash. See the new colours.",
    "A gift for your best friend: engrave two names.",
    "Save 20% on everything in the garden this weekend",
    "Thanks for your visit, Amira. Here is the teapot you liked.",
    "Best before June 2027. Store in a cool, dry place.",
    "The lid closes tightly, so it travels well in a bag.",
    "Back in the shop: the blue enamel pot, 60 cl.",
    "Only today: the best mug in the world, guaranteed!",
    "新品上架，早上好好喝一杯茶。",
    "您的订单已发货，可在应用内查看物流。",
    "亚麻越洗越柔软，来看看新颜色。",
    "送给好友的礼物，可刻两个名字。",
    "本周末花园用品满减，欢迎选购。",
    "最近上架的陶瓷杯，极简风格，适合办公桌。",
    "最好提前预订，周末人多。",
    "杯盖密封，放进包里也不漏。",
    "第一次购物请先阅读尺码表。",
    "全网最低价，仅限今天，错过不再！",
];

fn main() {
    let guard = Guard::new(RulePack::built_in());
    let product = Product {
        id: "mug-7".to_owned(),
        title: "Blue enamel mug".to_owned(),
        price: Money::from_decimal(12.5, Currency::GBP).ok(),
        facts: vec![Fact {
            name: "capacity".to_owned(),
            value: "60 cl".to_owned(),
            source: "shop".to_owned(),
            valid_until: None,
        }],
        ..Product::default()
    };
    let grounds = guard.ground(&product, Timestamp::UNIX_EPOCH);
    let alone = TextContext::default();
    let about = TextContext {
        product: Some(&grounds),
        ..alone
    };
    let clean: Vec<&str> = TEXTS
        .into_iter()
        .filter(|text| guard.check_text(text, &alone).is_empty())
        .collect();
    let rules = &guard.pack().rules;
    let phrases: usize = rules
        .iter()
        .map(|rule| rule.phrases.len() + rule.except.len())
        .sum();
    eprintln!(
        "{} rules, {phrases} phrases, {} texts without a finding",
        rules.len(),
        clean.len()
    );
    let phrases_alone = Guard::new(RulePack {
        wordings: None,
        ..guard.pack().clone()
    });
    let runs = [
        ("texts as they come", &guard, &TEXTS[..], &alone),
        ("texts without a finding", &guard, &clean[..], &alone),
        (
            "the same by phrases alone",
            &phrases_alone,
            &clean[..],
            &alone,
        ),
        ("about a product", &guard, &TEXTS[..], &about),
    ];
    // Interleaved, since the machine may be busy at times.
    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..SITTINGS {
        for ((_, guard, texts, context), rates) in runs.iter().zip(&mut rates) {
            rates.push(rate(guard, texts, context));
        }
    }
    for ((name, ..), mut rates) in runs.into_iter().zip(rates) {
        rates.sort_by(f64::total_cmp);
        eprintln!(
            "{name}: {:.0} texts a second (median of {SITTINGS})",
            rates[SITTINGS / 2]
        );
    }
    let started = Instant::now();
    black_box(Guard::new(RulePack::built_in()));
    eprintln!("preparing the packs: {:?}", started.elapsed());
}

fn rate(guard: &Guard, texts: &[&str], context: &TextContext) -> f64 {
    let started = Instant::now();
    for text in texts.iter().cycle().take(ROUNDS) {
        black_box(guard.check_text(black_box(text), context));
    }
    ROUNDS as f64 / started.elapsed().as_secs_f64()
}
