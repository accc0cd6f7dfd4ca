//! From a product's own text to words and clauses without the values of its facts.

use events::{Language, Product};

use super::piece::{is_han, shows_number};
use crate::tokenise;

/// Words of a clause at most, or Han characters.
const LONGEST: usize = 9;
/// Share of a clause's words that may repeat the title.
const MAX_REPEATED: f64 = 0.6;
/// Beginnings that say "has" in front of a feature, from long to short.
const LEAD_INS: [&str; 12] = [
    "it comes with a ",
    "it comes with ",
    "comes with a ",
    "comes with ",
    "it has a ",
    "it has ",
    "has an ",
    "has a ",
    "has ",
    "and a ",
    "and ",
    "with a ",
];
/// A clause with such a word speaks to somebody or promises something instead of naming a feature.
const NO_FEATURE: [&str; 32] = [
    "you",
    "your",
    "we",
    "our",
    "us",
    "please",
    "how",
    "what",
    "why",
    "refer",
    "warranty",
    "disclaimer",
    "note",
    "click",
    "shipping",
    "delivery",
    "return",
    "returns",
    "model",
    "guarantee",
    "not",
    "no",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "dozen",
];
/// The same in Chinese.
const NO_FEATURE_ZH: [&str; 10] = [
    "你", "您", "我们", "请", "保修", "退换", "包邮", "客服", "不", "没有",
];

/// The values of a product's facts, each of which a slot shows.
#[derive(Debug)]
pub(super) struct Names {
    values: Vec<String>,
    title_words: Vec<String>,
}

impl Names {
    pub(super) fn of(product: &Product) -> Self {
        let fields = [
            Some(&product.title),
            product.brand.as_ref(),
            product.google_product_category.as_ref(),
        ];
        let facts = product.facts.iter().map(|fact| &fact.value);
        Self {
            values: fields
                .into_iter()
                .flatten()
                .chain(facts)
                .map(|value| value.trim().to_lowercase())
                .filter(|value| !value.is_empty())
                .collect(),
            title_words: tokenise(&product.title),
        }
    }

    fn shown_in(&self, clause: &str) -> bool {
        let clause = clause.to_lowercase();
        self.values.iter().any(|value| clause.contains(value))
    }
}

/// The words by which the model knows a product: those of its title, then those of its category.
pub(super) fn words_of(product: &Product) -> Vec<String> {
    let category = product.google_product_category.as_deref();
    let mut words = Vec::new();
    for text in [Some(product.title.as_str()), category]
        .into_iter()
        .flatten()
    {
        let fresh = tokenise(text).into_iter();
        for word in fresh.filter(|word| !shows_number(word)) {
            if !words.contains(&word) {
                words.push(word);
            }
        }
    }
    words
}

/// Chinese where a third of the letters are Han characters.
pub(super) fn language_of(text: &str) -> Language {
    let letters = text.chars().filter(|c| c.is_alphabetic());
    let (all, han) = letters.fold((0, 0), |(all, han), c| {
        (all + 1, han + usize::from(is_han(c)))
    });
    if han * 3 > all {
        Language::Zh
    } else {
        Language::En
    }
}

/// The clauses of a description that name features and can be quoted: a few words, no number, no value that a slot
/// shows, nothing that speaks to the reader, nothing that the title says already.
pub(super) fn clauses(description: &str, language: Language, names: &Names) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for clause in split(description) {
        let clause = without_lead_in(clause.trim());
        if is_feature(clause, language) && !names.shown_in(clause) {
            let words = tokenise(clause);
            let repeated = words.iter().filter(|word| names.title_words.contains(word));
            let share = repeated.count() as f64 / words.len().max(1) as f64;
            let lowered = lower_first(clause);
            if share <= MAX_REPEATED && !kept.contains(&lowered) {
                kept.push(lowered);
            }
        }
    }
    kept
}

/// Cuts at marks, and where catalogues glue two sentences: `lockOne handle`.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut small = 0;
    for (at, c) in text.char_indices() {
        let glued = c.is_uppercase() && small >= 3;
        let is_mark = matches!(
            c,
            '.' | ';' | ',' | ':' | '\n' | '|' | '•' | '。' | '；' | '，' | '：' | '、'
        );
        if glued || is_mark {
            parts.push(&text[start..at]);
            start = if is_mark { at + c.len_utf8() } else { at };
        }
        small = if c.is_lowercase() { small + 1 } else { 0 };
    }
    parts.push(&text[start..]);
    parts
}

fn without_lead_in(clause: &str) -> &str {
    let begins = |lead: &str| {
        let head = clause.get(..lead.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(lead))
    };
    match LEAD_INS.into_iter().find(|lead| begins(lead)) {
        Some(lead) => clause[lead.len()..].trim(),
        None => clause,
    }
}

fn is_feature(clause: &str, language: Language) -> bool {
    let plain = |c: char| match language {
        Language::En => c.is_ascii_alphabetic() || matches!(c, ' ' | '-' | '\''),
        Language::Zh => is_han(c),
    };
    let words = tokenise(clause);
    let least = if language == Language::En { 2 } else { 3 };
    let forbidden = match language {
        Language::En => words.iter().any(|word| NO_FEATURE.contains(&word.as_str())),
        Language::Zh => NO_FEATURE_ZH.iter().any(|word| clause.contains(word)),
    };
    (least..=LONGEST).contains(&words.len())
        && clause.chars().all(plain)
        && language_of(clause) == language
        && !forbidden
        && !clause.ends_with("ed")
}

/// A clause goes on within a sentence; a word in capitals, such as `TSA`, stays.
fn lower_first(clause: &str) -> String {
    let mut letters = clause.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            let rest = &clause[first.len_utf8()..];
            first.to_lowercase().chain(rest.chars()).collect()
        }
        _ => clause.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(title: &str, brand: &str) -> Product {
        Product {
            title: title.to_owned(),
            brand: Some(brand.to_owned()),
            google_product_category: Some("Bags".to_owned()),
            ..Product::default()
        }
    }

    #[test]
    fn features_remain_and_the_rest_goes() {
        let product = product("DKNY Unisex Black Trolley Bag", "DKNY");
        let names = Names::of(&product);
        let text = "Black trolley bag, secured with a TSA lockOne handle on the top, has 3 pockets. Has a zip \
                    lining; DKNY tag attached, made for your travels. Please handle with careTwo compression straps";
        let expected = [
            "secured with a TSA lock",
            "one handle on the top",
            "zip lining",
        ];
        assert_eq!(clauses(text, Language::En, &names), expected);
        assert_eq!(
            words_of(&product),
            ["dkny", "unisex", "black", "trolley", "bag", "bags"]
        );
    }

    #[test]
    fn chinese_is_cut_at_its_marks() {
        let product = product("手绘青花马克杯", "景德镇");
        let names = Names::of(&product);
        let text = "釉面细腻光滑，杯口圆润，容量350毫升，景德镇制造。请轻拿轻放";
        let found = clauses(text, Language::Zh, &names);
        assert_eq!(found, ["釉面细腻光滑", "杯口圆润"]);
        assert_eq!(language_of("Mug 马克杯 好看"), Language::Zh);
        assert_eq!(language_of("Red mug"), Language::En);
        assert_eq!(language_of(""), Language::En);
    }
}
