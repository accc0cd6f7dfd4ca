use std::collections::{BTreeMap, BTreeSet};

mod words;

use words::{LONGEST_SUFFIX, Word, no_objects, parts_of};

/// Products that a word must name before it is a category.
const MIN_PRODUCTS: usize = 8;
/// Rounds of assignment after which the categories are taken as they stand; the gift shop settles after six.
const MAX_ROUNDS: usize = 20;
/// A category is named by two words where this share of its titles has the same word before the object; lower, and
/// the name is false for the other titles: two thirds of the bottles of a gift shop are water bottles.
const TWO_WORDS_FROM: f64 = 0.9;
/// Worth of a word that is not the last candidate of its part: a candle holder is a holder.
const NOT_LAST: f64 = 0.7;

/// Derives a category for each title, for a shop whose catalogue has none: the title's object word, in the titles' order.
///
/// The method is unsupervised and deterministic. A title is cut at commas and before `in`, `with`, `on`, `for`; words of
/// colour, material, pattern, size and occasion are set aside; the rest is made singular. Of a run of Chinese
/// characters, the longest suffix (1 to 4 characters) that ends eight products' runs stands for the word, since the
/// object comes last; Latin words beside it are makes and models. Then two steps alternate, as in hard expectation–maximisation:
///
/// 1. each title takes, from its first part with a candidate, the word `w` with the largest `p(w) · ln(1 + n(w))`, times
///    0.7 for all but the last candidate of the part, the later of equals;
/// 2. `n(w)` becomes the number of titles that took `w`, `p(w) = (n(w) + ½) / (titles with w + 1)`, and a word taken
///    by fewer than eight titles is no candidate any more.
///
/// It starts with `n(w)` = titles with `w` and with the titles that *end* in `w` in the place of those that took it: the
/// object of a noun phrase comes last. A title left without a word gets `None`.
///
/// A category is called by two words, as in `drawer knob`, where nine tenths of its titles have the same first one.
pub fn derive_categories<S: AsRef<str>>(titles: &[S]) -> Vec<Option<String>> {
    let titles: Vec<Vec<Vec<Word>>> = titles
        .iter()
        .map(|title| parts_of(title.as_ref()))
        .collect();
    let candidates = object_candidates(&titles);
    let objects = choose_objects(&candidates);
    let names = name_categories(&titles, &objects);
    objects
        .iter()
        .map(|object| names.get(object.as_ref()?).cloned())
        .collect()
}

/// The words of each part of each title that may name an object.
fn object_candidates(titles: &[Vec<Vec<Word>>]) -> Vec<Vec<Vec<String>>> {
    let no_objects = no_objects();
    let suffixes = frequent_suffixes(titles, &no_objects);
    let candidate = |word: &Word| {
        if !word.is_chinese {
            let is_object =
                word.text.chars().count() > 1 && !no_objects.contains(word.text.as_str());
            return is_object.then(|| word.text.clone());
        }
        suffixes_of(&word.text)
            .find(|suffix| suffixes.contains(*suffix))
            .map(str::to_owned)
    };
    let candidates_of = |part: &Vec<Word>| {
        let chinese: Vec<String> = part
            .iter()
            .filter(|word| word.is_chinese)
            .filter_map(candidate)
            .collect();
        if chinese.is_empty() {
            part.iter().filter_map(candidate).collect()
        } else {
            chinese
        }
    };
    titles
        .iter()
        .map(|parts| parts.iter().map(candidates_of).collect())
        .collect()
}

/// The Chinese suffixes that end a run in at least eight titles.
fn frequent_suffixes(titles: &[Vec<Vec<Word>>], no_objects: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for parts in titles {
        let of_title: BTreeSet<&str> = parts
            .iter()
            .flatten()
            .filter(|word| word.is_chinese)
            .filter(|word| !suffixes_of(&word.text).any(|suffix| no_objects.contains(suffix)))
            .flat_map(|word| suffixes_of(&word.text))
            .collect();
        for suffix in of_title {
            *counts.entry(suffix).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .filter(|(_, count)| *count >= MIN_PRODUCTS)
        .map(|(suffix, _)| suffix.to_owned())
        .collect()
}

/// The suffixes of 4 characters to 1, the longest first.
fn suffixes_of(run: &str) -> impl Iterator<Item = &str> {
    let mut starts: Vec<usize> = run
        .char_indices()
        .rev()
        .take(LONGEST_SUFFIX)
        .map(|(start, _)| start)
        .collect();
    starts.reverse();
    starts.into_iter().map(|start| &run[start..])
}

/// The object word of each title, by the two alternating steps.
fn choose_objects(titles: &[Vec<Vec<String>>]) -> Vec<Option<String>> {
    let mut with_word: BTreeMap<&str, usize> = BTreeMap::new();
    let mut ending: BTreeMap<&str, usize> = BTreeMap::new();
    for parts in titles {
        let Some(part) = parts.iter().find(|part| !part.is_empty()) else {
            continue;
        };
        for word in part.iter().map(String::as_str).collect::<BTreeSet<&str>>() {
            *with_word.entry(word).or_default() += 1;
        }
        if let Some(last) = part.last() {
            *ending.entry(last).or_default() += 1;
        }
    }
    let share = |taken: usize, word: &str| {
        (taken as f64 + 0.5) / (with_word.get(word).copied().unwrap_or(0) as f64 + 1.0)
    };
    let mut scores: BTreeMap<&str, f64> = with_word
        .iter()
        .filter(|(_, count)| **count >= MIN_PRODUCTS)
        .map(|(word, count)| {
            let ends = ending.get(word).copied().unwrap_or(0);
            (*word, share(ends, word) * (*count as f64).ln_1p())
        })
        .collect();
    let mut chosen = take_best(titles, &scores);
    for _ in 0..MAX_ROUNDS {
        let mut taken: BTreeMap<&str, usize> = BTreeMap::new();
        for word in chosen.iter().flatten() {
            *taken.entry(word).or_default() += 1;
        }
        scores = taken
            .into_iter()
            .filter(|(_, count)| *count >= MIN_PRODUCTS)
            .map(|(word, count)| (word, share(count, word) * (count as f64).ln_1p()))
            .collect();
        let next = take_best(titles, &scores);
        if next == chosen {
            break;
        }
        chosen = next;
    }
    drop_small(&chosen)
}

/// For each title the best scored word of the first part that has one.
fn take_best<'t>(
    titles: &'t [Vec<Vec<String>>],
    scores: &BTreeMap<&str, f64>,
) -> Vec<Option<&'t str>> {
    let best_of = |part: &'t Vec<String>| {
        let scored = part
            .iter()
            .rev()
            .filter_map(|word| Some((word.as_str(), *scores.get(word.as_str())?)));
        // Read from the end, where `max_by` would keep the last of equals: the earlier word must be worth more.
        scored
            .enumerate()
            .map(|(place, (word, score))| (word, if place == 0 { score } else { NOT_LAST * score }))
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map(|(word, _)| word)
    };
    titles
        .iter()
        .map(|parts| parts.iter().find_map(best_of))
        .collect()
}

fn drop_small(chosen: &[Option<&str>]) -> Vec<Option<String>> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in chosen.iter().flatten() {
        *counts.entry(word).or_default() += 1;
    }
    chosen
        .iter()
        .map(|word| {
            word.filter(|word| counts[word] >= MIN_PRODUCTS)
                .map(str::to_owned)
        })
        .collect()
}

/// The name of each object word: with the word before it where that is nearly always the same.
fn name_categories(
    titles: &[Vec<Vec<Word>>],
    objects: &[Option<String>],
) -> BTreeMap<String, String> {
    let mut before: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut totals: BTreeMap<&str, usize> = BTreeMap::new();
    for (parts, object) in titles.iter().zip(objects) {
        let Some(object) = object else { continue };
        *totals.entry(object).or_default() += 1;
        let preceding = parts
            .iter()
            .flat_map(|part| part.windows(2))
            .find(|pair| pair[1].text == *object && !pair[0].is_chinese);
        if let Some(pair) = preceding {
            *before
                .entry(object)
                .or_default()
                .entry(&pair[0].text)
                .or_default() += 1;
        }
    }
    totals
        .into_iter()
        .map(|(object, total)| {
            let common = before
                .get(object)
                .into_iter()
                .flatten()
                .find(|(_, count)| **count as f64 >= TWO_WORDS_FROM * total as f64);
            let name = match common {
                Some((word, _)) => format!("{word} {object}"),
                None => object.to_owned(),
            };
            (object.to_owned(), name)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The category of each title, by the title.
    fn categories_of(titles: &[String]) -> BTreeMap<&str, Option<String>> {
        let categories = derive_categories(titles);
        titles.iter().map(String::as_str).zip(categories).collect()
    }

    fn shop() -> Vec<String> {
        let designs = [
            "SPACEBOY",
            "WOODLAND",
            "SKULLS",
            "DOLLY GIRL",
            "CIRCUS PARADE",
            "SUKI",
            "PEONY",
            "TROPICAL",
            "OWL",
            "APPLES",
        ];
        designs
            .iter()
            .flat_map(|design| {
                [
                    format!("LUNCH BAG {design} DESIGN"),
                    format!("PACK OF 12 {design} CAKE CASES"),
                    format!("{design} T-LIGHT HOLDER"),
                    format!("{design} CANDLES IN BAG"),
                    format!("HAND WARMER {design} DESIGN"),
                ]
            })
            .chain(["SUKI GNOME".to_owned(), "12 36".to_owned()])
            .collect()
    }

    #[test]
    fn the_object_is_found_before_a_motif_and_before_its_box() {
        let titles = shop();
        let categories = categories_of(&titles);
        for (title, category) in [
            ("LUNCH BAG SUKI DESIGN", Some("lunch bag")),
            ("PACK OF 12 CIRCUS PARADE CAKE CASES", Some("cake case")),
            ("PEONY T-LIGHT HOLDER", Some("t-light holder")),
            ("TROPICAL CANDLES IN BAG", Some("candle")),
            ("HAND WARMER APPLES DESIGN", Some("hand warmer")),
            ("SUKI GNOME", None),
            ("12 36", None),
        ] {
            assert_eq!(categories[title].as_deref(), category, "{title}");
        }
    }

    #[test]
    fn seven_products_are_no_category() {
        let titles: Vec<String> = ["A", "B", "C", "D", "E", "F", "G"]
            .iter()
            .map(|name| format!("{name}{name} LAMP"))
            .collect();
        assert_eq!(derive_categories(&titles), vec![None; 7]);
    }

    #[test]
    fn a_chinese_title_is_named_by_its_last_characters() {
        let makes = [
            "陶瓷",
            "玻璃",
            "不锈钢",
            "北欧",
            "简约",
            "卡通",
            "竹制",
            "复古",
        ];
        let titles: Vec<String> = makes
            .iter()
            .flat_map(|make| {
                [
                    format!("{make}马克杯 红色"),
                    format!("2026新款 {make}双肩背包，大容量"),
                    format!("{make}台灯 LED 12W"),
                ]
            })
            .collect();
        let categories = categories_of(&titles);
        let of = |title: &str| categories[title].as_deref();
        assert_eq!(of("陶瓷马克杯 红色"), Some("马克杯"));
        assert_eq!(of("2026新款 卡通双肩背包，大容量"), Some("双肩背包"));
        assert_eq!(of("竹制台灯 LED 12W"), Some("台灯"));
    }

    #[test]
    fn the_order_of_the_products_does_not_matter() {
        let titles = shop();
        let reversed: Vec<String> = titles.iter().rev().cloned().collect();
        assert_eq!(categories_of(&titles), categories_of(&reversed));
    }
}
