//! Any text is checked: spans lie within it, and fixes can be put in their place.
#![no_main]

use std::sync::LazyLock;

use events::{Channel, Currency, Fact, Money, Product, Timestamp};
use guard::{Grounds, Guard, RulePack, TextContext};
use libfuzzer_sys::fuzz_target;

static GUARD: LazyLock<Guard> = LazyLock::new(|| Guard::new(RulePack::built_in()));
static GROUNDS: LazyLock<Grounds> = LazyLock::new(|| {
    let product = Product {
        title: "Best Mug".to_owned(),
        price: Money::from_decimal(12.5, Currency::GBP).ok(),
        sale_price: Money::from_decimal(10.0, Currency::GBP).ok(),
        stock: Some(3),
        facts: vec![Fact {
            name: "材质".to_owned(),
            value: "不锈钢 304, 2 for 1".to_owned(),
            source: "shop".to_owned(),
            valid_until: None,
        }],
        ..Product::default()
    };
    GUARD.ground(&product, Timestamp::UNIX_EPOCH)
});

fuzz_target!(|text: String| {
    let scalars = text.chars().count();
    for product in [None, Some(&*GROUNDS)] {
        for channel in [None, Some(Channel::Sms)] {
            let context = TextContext {
                product,
                channel,
                ..TextContext::default()
            };
            for finding in GUARD.check_text(&text, &context) {
                let (from, to) = finding.span;
                assert!(from <= to && to <= scalars, "{text:?}: {finding:?}");
            }
        }
    }
});
