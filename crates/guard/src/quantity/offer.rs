//! Offers that are no single number: `2 for 1`, `buy one get one free`, 买一送一, half price.

use super::{Quantity, Stated};
use crate::number::{self, Number};

/// Words that take a share off a price, in percent.
const SHARES: [(&str, f64); 22] = [
    ("half price", 50.0),
    ("half-price", 50.0),
    ("half the price", 50.0),
    ("half off", 50.0),
    ("半价", 50.0),
    ("对折", 50.0),
    ("五折", 50.0),
    ("5折", 50.0),
    ("省一半", 50.0),
    ("便宜一半", 50.0),
    ("减一半", 50.0),
    ("降一半", 50.0),
    ("一半的价", 50.0),
    ("一半价", 50.0),
    ("便宜一大半", 60.0),
    ("a third off", 100.0 / 3.0),
    ("one third off", 100.0 / 3.0),
    ("two thirds off", 200.0 / 3.0),
    ("a quarter off", 25.0),
    ("three quarters off", 75.0),
    ("a fifth off", 20.0),
    ("a tenth off", 10.0),
];

/// Every `2 for 1`, `buy 2 get 1 free`, 买二送一 of a text.
pub(super) fn bundles(text: &str) -> Vec<Stated> {
    let mut found = Vec::new();
    for word in ["bogo", "bogof"] {
        for (at, _) in text.match_indices(word) {
            found.push(bundle(at, at + word.len(), 2.0, 1.0));
        }
    }
    for (at, _) in text.match_indices("买") {
        let from = at + "买".len();
        let chain = |from: usize| {
            let bought = number_at(text, from)?;
            let rest = from + bought.len;
            let gift = ["送", "赠", "得"]
                .iter()
                .find(|word| text[rest..].starts_with(**word))?;
            let given = number_at(text, rest + gift.len())?;
            let get = if *gift == "得" {
                given.value
            } else {
                bought.value + given.value
            };
            Some((rest + gift.len() + given.len, get, bought.value))
        };
        if let Some((end, get, pay)) = chain(from) {
            found.push(bundle(at, end, get, pay));
        }
    }
    for (at, _) in text.match_indices("buy ") {
        let chain = || {
            let bought = number_at(text, at + 4)?;
            let rest = at + 4 + bought.len;
            let get = [" get ", ", get ", " and get "]
                .iter()
                .find(|word| text[rest..].starts_with(**word))?;
            let given = number_at(text, rest + get.len())?;
            Some((
                rest + get.len() + given.len,
                bought.value + given.value,
                bought.value,
            ))
        };
        if let Some((end, get, pay)) = chain() {
            found.push(bundle(at, end, get, pay));
        }
    }
    for (at, _) in text.match_indices(" for ") {
        let chain = || {
            let len = number::length_before(&text[..at])?;
            let get = number_at(text, at - len)?;
            let rest = at + " for ".len();
            let price_of = if text[rest..].starts_with("the price of ") {
                "the price of ".len()
            } else {
                0
            };
            let pay = number_at(text, rest + price_of)?;
            let end = rest + price_of + pay.len;
            // `2 for 10 pounds` and `2 for 1.50` are prices.
            let counts = pay.value < get.value
                && pay.value.fract() == 0.0
                && !text[end..].starts_with(['%', ' '])
                || price_of > 0;
            let ends = text[end..].trim_start().is_empty()
                || text[end..].starts_with(' ') && pay.value < get.value;
            (counts || ends).then_some((at - len, end, get.value, pay.value))
        };
        if let Some((from, end, get, pay)) = chain() {
            found.push(bundle(from, end, get, pay));
        }
    }
    found
}

/// Every `half price` of a text.
pub(super) fn shares(text: &str) -> Vec<Stated> {
    let mut found = Vec::new();
    if !["half", "off", "半", "折"]
        .iter()
        .any(|part| text.contains(part))
    {
        return found;
    }
    for (word, percent) in SHARES {
        for (at, _) in text.match_indices(word) {
            let before = text[..at].chars().next_back();
            // 七五折 is a fifth digit of its own, 第二件半价 an offer for the second piece.
            if !before.is_some_and(|c| c.is_ascii_alphanumeric() || "一二三四六七八九.".contains(c))
            {
                found.push(Stated {
                    quantity: Quantity::PercentOff(percent),
                    range: at..at + word.len(),
                });
            }
        }
    }
    found
}

fn bundle(from: usize, to: usize, get: f64, pay: f64) -> Stated {
    Stated {
        quantity: Quantity::Bundle { get, pay },
        range: from..to,
    }
}

fn number_at(text: &str, at: usize) -> Option<Number> {
    number::at(&text[at..])
}
