//! What the simulated shop sells: its categories and the words they are written in.
//!
//! Lists of words are written `english=中文; english=中文`, so that one category reads as one paragraph.

mod indoors;
mod leisure;

use indoors::INDOORS;
use leisure::LEISURE;

/// One category of the catalogue.
#[derive(Clone, Copy)]
pub(crate) struct Category {
    /// A short stable name, used by `goes_with`.
    pub(crate) key: &'static str,
    /// The world it belongs to; categories of one world attract the same shoppers.
    pub(crate) world: usize,
    /// Merchant Center's path, English and Chinese.
    pub(crate) path: (&'static str, &'static str),
    /// Usual prices in pounds, lowest and highest.
    pub(crate) price: (f64, f64),
    /// Day of the year when it sells best, and by how much in the exponent; 0 for no season.
    pub(crate) season: (f64, f64),
    /// Days that a pack lasts; 0 for what is not used up.
    pub(crate) lasts_days: f64,
    /// What the things are called.
    pub(crate) nouns: &'static str,
    /// What they look or are like.
    pub(crate) styles: &'static str,
    /// What they are made of, the fact `material`.
    pub(crate) materials: &'static str,
    /// The name of the measured fact, such as `capacity`, and its values.
    pub(crate) measure: (&'static str, &'static str),
    /// A property that the whole category shares, the fact `care` or `use`, as a sentence.
    pub(crate) claim: (&'static str, &'static str),
    /// Keys of the categories that are bought with it.
    pub(crate) goes_with: &'static [&'static str],
}

/// A word in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

/// Splits a list written `english=中文; english=中文`.
pub(crate) fn terms(list: &'static str) -> Vec<Term> {
    list.split(';')
        .filter_map(|entry| entry.trim().split_once('='))
        .map(|(en, zh)| Term { en, zh })
        .collect()
}

/// Colours, shared by every category.
pub(crate) const COLOURS: &str = "Sage Green=鼠尾草绿; Navy=藏青; Cream=奶油白; Terracotta=赤陶; Charcoal=炭灰; Blush Pink=淡粉; Mustard=芥末黄; Sky Blue=天蓝; Ivory=象牙白; Forest Green=森林绿; Rust=铁锈红; Slate=石板灰";

/// Number of worlds.
pub(crate) const WORLDS: usize = 6;

/// Every category.
pub(crate) const CATEGORIES: [Category; INDOORS.len() + LEISURE.len()] = joined();

const fn joined() -> [Category; INDOORS.len() + LEISURE.len()] {
    let mut all = [INDOORS[0]; INDOORS.len() + LEISURE.len()];
    let mut place = 1;
    while place < all.len() {
        all[place] = if place < INDOORS.len() {
            INDOORS[place]
        } else {
            LEISURE[place - INDOORS.len()]
        };
        place += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_bilingual_and_every_complement_exists() {
        for category in &CATEGORIES {
            for list in [
                category.nouns,
                category.styles,
                category.materials,
                category.measure.1,
            ] {
                let parsed = terms(list);
                assert_eq!(parsed.len(), list.split(';').count(), "{list}");
                assert!(parsed.len() >= 3, "{}", category.key);
                for term in parsed {
                    assert!(!term.en.is_empty() && !term.zh.is_empty(), "{list}");
                }
            }
            assert!(category.world < WORLDS && category.price.0 < category.price.1);
            for key in category.goes_with {
                assert!(CATEGORIES.iter().any(|other| other.key == *key), "{key}");
            }
        }
        assert_eq!(CATEGORIES.len(), 27);
        assert_eq!(terms(COLOURS).len(), 12);
    }
}
