//! Training and writing with small models.

mod training;
mod writing;

use std::ops::ControlFlow;

use events::{Currency, Money, Product};

use super::*;

fn product(id: &str, title: &str, description: &str) -> Product {
    Product {
        id: id.to_owned(),
        title: title.to_owned(),
        description: description.to_owned(),
        google_product_category: Some("Bags".to_owned()),
        price: Some(Money {
            minor: 1_200,
            currency: Currency::GBP,
        }),
        ..Product::default()
    }
}

fn products() -> Vec<Product> {
    let colours = ["black", "blue", "red", "green", "grey", "pink"];
    let kinds = ["bag", "purse", "wallet", "backpack"];
    let mut products = Vec::new();
    for (number, colour) in colours.iter().enumerate() {
        for kind in kinds {
            let description = format!(
                "{colour} {kind}, has a zip closure, two pockets, a {colour} lining, padded back"
            );
            products.push(product(
                &format!("{kind}{number}"),
                &format!("{colour} {kind}"),
                &description,
            ));
        }
    }
    products
}

fn texts() -> TrainingTexts {
    let texts = TrainingTexts::from_library().expect("valid");
    texts.with_products(&products())
}

/// Settings with which training takes a second.
fn quick() -> NativeConfig {
    NativeConfig {
        max_steps: 12,
        ..NativeConfig::small()
    }
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn finished(run: Training<Native>) -> (Native, TrainingRecord) {
    match run {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(record) => panic!("training paused at step {}", record.steps),
    }
}
