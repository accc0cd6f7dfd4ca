//! Reviews as texts of shoppers with a past.

use std::collections::{BTreeMap, HashMap};

use copywriter::decoder::{Example, Fact, Meaning};
use datasets::{Review, ReviewSet};

use crate::train::{ShopperEvent, ShopperTexts, Told};

/// Words by which an item is told, at most.
const ITEM_WORDS: usize = 6;
/// Earlier reviews of an item in which a word must stand before it tells the item.
const LEAST_REVIEWS: u32 = 2;
/// Events of a shopper that are read, the latest.
const LATEST: usize = 50;
/// Words after which a review is cut at the end of a sentence, and at once where there is none.
const PIECE_WORDS: (usize, usize) = (50, 80);
/// Of a piece that is not the first of its review.
const GOES_ON: &str = "goes_on";

/// Reviews as texts: the last of a shopper is the test, the one before the validation, the others are learnt. A long one is
/// several texts, each a piece of it.
///
/// What is told of a text is its rating and the words that others' earlier reviews of the item, among those that are learnt,
/// use more than most: the set has no titles. A shopper's past is the reviews of earlier days, since within a day nobody
/// knows which came first; its words, and as things its length, item and rating, hashed into `columns`.
pub(crate) fn of_reviews(set: &ReviewSet, columns: usize) -> ShopperTexts {
    let reviews = &set.reviews;
    let parts = parts(reviews);
    let learnt: Vec<bool> = parts.iter().map(|part| *part == Part::Train).collect();
    let rarity = Rarity::of(reviews, &learnt);
    let item_words = item_words(reviews, &learnt, &rarity);
    let (shoppers, items) = (
        numbered(reviews, |r| &r.shopper),
        numbered(reviews, |r| &r.item),
    );
    let mut texts = ShopperTexts {
        events: reviews.iter().map(|r| event(r, columns)).collect(),
        interests: items.len(),
        ..ShopperTexts::default()
    };
    let mut pasts: HashMap<&str, Vec<u32>> = HashMap::new();
    for (at, (review, words)) in reviews.iter().zip(item_words).enumerate() {
        let past = pasts.entry(&review.shopper).or_default();
        let earlier = past.partition_point(|event| reviews[*event as usize].at_s < review.at_s);
        let facts = facts(review, words);
        let told = |(number, text): (usize, String)| Told {
            shopper: shoppers[review.shopper.as_str()],
            past: past[earlier.saturating_sub(LATEST)..earlier].to_vec(),
            interest: items[review.item.as_str()] as u32,
            most_gain: None,
            example: Example {
                meaning: Meaning {
                    controls: vec![GOES_ON.to_owned(); usize::from(number > 0)],
                    ..Meaning::of_facts(facts.clone())
                },
                text,
            },
        };
        let told = pieces(&review.text).into_iter().enumerate().map(told);
        match parts[at] {
            Part::Train => texts.train.extend(told),
            Part::Validation => texts.validation.extend(told),
            Part::Test => texts.test.extend(told),
        }
        past.push(at as u32);
    }
    texts
}

/// A text in pieces that are short enough to be learnt; none of an empty one.
fn pieces(text: &str) -> Vec<String> {
    let (least, most) = PIECE_WORDS;
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        piece.push(word);
        let ends = word.ends_with(['.', '!', '?']);
        if piece.len() >= most || (ends && piece.len() >= least) {
            pieces.push(piece.join(" "));
            piece.clear();
        }
    }
    if !piece.is_empty() {
        pieces.push(piece.join(" "));
    }
    pieces
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

/// The part of each review; shoppers of fewer than three give to what is learnt alone.
fn parts(reviews: &[Review]) -> Vec<Part> {
    let mut of_shopper: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, review) in reviews.iter().enumerate() {
        of_shopper.entry(&review.shopper).or_default().push(at);
    }
    let mut parts = vec![Part::Train; reviews.len()];
    for own in of_shopper.values() {
        if let [_, .., before, last] = own[..] {
            parts[before] = Part::Validation;
            parts[last] = Part::Test;
        }
    }
    parts
}

fn numbered<'a>(
    reviews: &'a [Review],
    name: impl Fn(&'a Review) -> &'a String,
) -> BTreeMap<&'a str, usize> {
    let mut numbers = BTreeMap::new();
    for review in reviews {
        let next = numbers.len();
        numbers.entry(name(review).as_str()).or_insert(next);
    }
    numbers
}

fn facts(review: &Review, words: Vec<String>) -> Vec<Fact> {
    let rating = Fact::new("rating", review.rating.to_string());
    let words = words.into_iter().map(|word| Fact::new("item", word));
    std::iter::once(rating).chain(words).collect()
}

/// For each review, the words that tell its item as far as others had said before.
fn item_words(reviews: &[Review], learnt: &[bool], rarity: &Rarity) -> Vec<Vec<String>> {
    let mut said: HashMap<&str, HashMap<String, u32>> = HashMap::new();
    let mut told = vec![Vec::new(); reviews.len()];
    let mut day = 0;
    for at in 0..reviews.len() {
        // Words of a day are counted once the day is over.
        while reviews[day].at_s < reviews[at].at_s {
            if learnt[day] {
                let counts = said.entry(&reviews[day].item).or_default();
                for word in words(&reviews[day].text) {
                    *counts.entry(word).or_default() += 1;
                }
            }
            day += 1;
        }
        if let Some(counts) = said.get(reviews[at].item.as_str()) {
            told[at] = telling(counts, rarity);
        }
    }
    told
}

fn telling(counts: &HashMap<String, u32>, rarity: &Rarity) -> Vec<String> {
    let often = counts.iter().filter(|(_, count)| **count >= LEAST_REVIEWS);
    let mut scored: Vec<(f64, &String)> = often
        .map(|(word, count)| (f64::from(*count) * rarity.of_word(word), word))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let best = scored.into_iter().take(ITEM_WORDS);
    best.map(|(_, word)| word.clone()).collect()
}

/// The different words of a text, in lower case.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect();
    words.sort_unstable();
    words.dedup();
    words
}

/// How rare words are among the texts that are learnt.
struct Rarity {
    words: HashMap<String, u32>,
    texts: u32,
}

impl Rarity {
    fn of(reviews: &[Review], learnt: &[bool]) -> Self {
        let mut all = Self {
            words: HashMap::new(),
            texts: 0,
        };
        for (review, _) in reviews.iter().zip(learnt).filter(|(_, learnt)| **learnt) {
            all.texts += 1;
            for word in words(&review.text) {
                *all.words.entry(word).or_default() += 1;
            }
        }
        all
    }

    fn of_word(&self, word: &str) -> f64 {
        let texts = self.words.get(word).copied().unwrap_or(0);
        (f64::from(self.texts + 1) / f64::from(texts + 1)).ln()
    }
}

/// A review as an event: what was written, how much of it, about what and with how many stars.
fn event(review: &Review, columns: usize) -> ShopperEvent {
    let column = |name: &str| (nn::name_seed(name) % columns as u64) as u32;
    let letters = review.text.chars().count();
    let size = (letters.max(1) as f64).log2().round();
    let things = [
        format!("size:{size}"),
        format!("item:{}", review.item),
        format!("rating:{}", review.rating),
    ];
    ShopperEvent {
        texts: [&review.headline, &review.text]
            .into_iter()
            .filter(|text| !text.is_empty())
            .cloned()
            .collect(),
        things: things.iter().map(|name| (column(name), 1.0)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(shopper: &str, item: &str, at_s: i64, text: &str) -> Review {
        Review {
            shopper: shopper.to_owned(),
            item: item.to_owned(),
            rating: 5,
            headline: String::new(),
            text: text.to_owned(),
            at_s,
        }
    }

    fn facts_of(told: &Told) -> Vec<&str> {
        let facts = told.example.meaning.facts.iter();
        facts.map(|fact| fact.value.as_str()).collect()
    }

    #[test]
    fn a_state_and_the_facts_come_from_earlier_days_alone() {
        let set = ReviewSet {
            reviews: vec![
                review("a", "x", 1, "warm strings"),
                review("b", "x", 1, "Warm strings!"),
                review("a", "y", 2, "a loud amp"),
                review("a", "z", 2, "a loud pedal"),
                review("c", "x", 2, "I like them"),
                review("a", "x", 3, "bright strings"),
            ],
        };
        let texts = of_reviews(&set, 64);
        let found = |part: &[Told]| -> Vec<(String, Vec<u32>)> {
            let one = |told: &Told| (told.example.text.clone(), told.past.clone());
            part.iter().map(one).collect()
        };
        assert_eq!(
            found(&texts.test),
            [("bright strings".to_owned(), vec![0, 2, 3])]
        );
        // The review of the same day is no past.
        assert_eq!(
            found(&texts.validation),
            [("a loud pedal".to_owned(), vec![0])]
        );
        assert_eq!(texts.train.len(), 4);
        for told in &texts.train[..2] {
            assert_eq!(
                facts_of(told),
                ["5"],
                "nobody had said anything of x before"
            );
        }
        // Two had said so a day before; words of held-out texts tell nothing.
        assert_eq!(facts_of(&texts.train[3]), ["5", "strings", "warm"]);
        assert_eq!(facts_of(&texts.test[0]), ["5", "strings", "warm"]);
    }
}
