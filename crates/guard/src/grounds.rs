//! What bears out a finished text about one product: its names, quantities, attributes, stock and ends.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::ops::Range;

use events::{Availability, Money, Product, Timestamp};

use crate::guard::Guard;
use crate::matcher::{Match, Scope};
use crate::normal::Normal;
use crate::pack::{PhraseKind, PhraseRule, Support};
use crate::quantity::{Day, Quantity, Stated, stated};

/// How few pieces are few, where a rule does not say.
const FEW: u32 = 20;
/// Hours by which a day may be shifted from UTC where a shop's own clock is meant: China's.
const HOURS_EAST: i64 = 8;
/// How far around an offer its object is looked for, in bytes of the reduced text.
const OBJECT_BYTES: usize = 30;

/// What may be free, in the words for it: free delivery does not bear out a free gift.
const OBJECTS: [&[&str]; 5] = [
    &[
        "deliver", "shipping", "postage", "包邮", "运费", "免运", "邮费", "配送", "送货",
    ],
    &["return", "退货", "退换"],
    &["gift", "赠品", "赠送", "礼品"],
    &["trial", "试用", "试听"],
    &["sample", "小样"],
];

/// What may be said of one product at one moment, made once by [`Guard::ground`] for many texts.
#[derive(Debug, Clone, Default)]
pub struct Grounds {
    /// Title, brand and the parts of the title, reduced; with whether they must be written as they are.
    names: Vec<(String, Option<String>)>,
    /// The sentences that a person approved, reduced.
    claims: Vec<String>,
    quantities: Vec<Quantity>,
    /// Phrases of the pack that the product's own texts hold, as rule and phrase.
    held: BTreeSet<(usize, usize)>,
    /// Offers that its facts make: the rule and the reduced text.
    offers: Vec<(usize, String)>,
    /// Facts as reduced texts.
    facts: Vec<String>,
    /// The price now, and the reduction in percent.
    price: Option<Money>,
    percent_off: Option<f64>,
    stock: Option<i64>,
    is_available: bool,
    /// Letters with digits that it names, such as `ipx4`, reduced.
    codes: BTreeSet<String>,
    /// Seconds from now until each fact with an end ends.
    ends: Vec<i64>,
    expired: Vec<String>,
}

/// What a text states of a product without its bearing it out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unfounded {
    pub(crate) rule: &'static str,
    pub(crate) bytes: Range<usize>,
    pub(crate) reason: String,
    pub(crate) fix: Option<String>,
}

impl Guard {
    /// Gathers what may be said of a product at a moment; a fact that has ended by then says nothing.
    pub fn ground(&self, product: &Product, now: Timestamp) -> Grounds {
        let mut grounds = Grounds {
            price: product.current_price_at(now),
            stock: product.stock,
            is_available: product.availability == Availability::InStock && product.stock != Some(0),
            ..Grounds::default()
        };
        grounds.add_names(product);
        grounds.add_prices(product, now);
        if let Some(stock) = product.stock {
            let pieces = Normal::of(&format!("{stock} pieces"));
            grounds.add_quantities(&pieces);
        }
        let mut texts = vec![product.title.clone(), product.description.clone()];
        texts.extend(product.brand.clone());
        texts.extend(product.google_product_category.clone());
        let is_reduced =
            product.sale_price.is_some() && product.current_price() == product.sale_price;
        match product.sale_price_until.filter(|_| is_reduced) {
            Some(until) if until <= now => grounds.expired.push("sale_price".to_owned()),
            Some(until) => grounds.add_end(until, now),
            None => {}
        }
        for fact in &product.facts {
            if let Some(until) = fact.valid_until {
                if until <= now {
                    grounds.expired.push(fact.name.clone());
                    continue;
                }
                grounds.add_end(until, now);
            }
            let said = if is_negative(&fact.value) {
                String::new()
            } else {
                format!("{}: {}", fact.name.replace(['_', '-'], " "), fact.value)
            };
            grounds.facts.push(Normal::of(&fact.value).text);
            if is_origin(&fact.name) {
                let value = &fact.value;
                texts.push(format!("made in {value}. 产地{value}. {value}进口"));
            }
            texts.push(said);
        }
        for claim in &product.allowed_claims {
            grounds.claims.push(Normal::of(claim).text);
            texts.push(claim.clone());
        }
        for text in &texts {
            let normal = Normal::of(text);
            grounds.add_quantities(&normal);
            grounds
                .codes
                .extend(codes(&normal.text).map(|(_, code)| code.to_owned()));
            for hit in self.matcher().find(text, &normal, Scope::All) {
                if is_negated(&text[..hit.bytes.start]) {
                    continue;
                }
                grounds.held.insert((hit.rule, hit.phrase));
                if self.pack().rules[hit.rule].kind == PhraseKind::Offer {
                    grounds.offers.push((hit.rule, normal.text.clone()));
                }
            }
        }
        grounds
    }
}

impl Grounds {
    fn add_names(&mut self, product: &Product) {
        let mut add = |name: &str| {
            let reduced = Normal::of(name).text;
            if reduced.chars().count() < 2 {
                return;
            }
            // `Best` as a brand is not `best` as a word; two words or Chinese characters are a name in any case.
            let exact = reduced.is_ascii() && !reduced.contains(' ');
            self.names
                .push((reduced, exact.then(|| name.trim().to_owned())));
        };
        add(&product.title);
        for part in product
            .title
            .split([',', '|', '(', ')', '（', '）', '，', ':', '：'])
        {
            if part.trim() != product.title.trim() {
                add(part.trim());
            }
        }
        if let Some(brand) = &product.brand {
            add(brand);
        }
    }

    fn add_prices(&mut self, product: &Product, now: Timestamp) {
        let current = product.current_price_at(now);
        self.quantities
            .extend(product.price.iter().map(Quantity::of_money));
        self.quantities
            .extend(current.iter().map(Quantity::of_money));
        if let (Some(price), Some(current)) = (product.price, current)
            && current.minor < price.minor
        {
            let off = price.decimal() - current.decimal();
            self.quantities.push(Quantity::MoneyOff(off));
            self.percent_off = Some(100.0 * off / price.decimal());
        }
    }

    /// Something that is true until a moment to come, whose day may be named.
    fn add_end(&mut self, until: Timestamp, now: Timestamp) {
        self.ends.push(until.as_second() - now.as_second());
        // What ends at midnight ends with the day before.
        let last_second = Timestamp::from_second(until.as_second() - 1).unwrap_or(until);
        for (moment, hours_east) in [
            (until, 0),
            (last_second, 0),
            (until, HOURS_EAST),
            (last_second, HOURS_EAST),
        ] {
            let day = Day::of(moment, hours_east);
            self.quantities.extend(day.map(Quantity::Date));
        }
    }

    fn add_quantities(&mut self, normal: &Normal) {
        self.quantities.extend(
            stated(normal, true)
                .into_iter()
                .map(|stated| stated.quantity),
        );
    }

    /// The bytes of a text in which it names the product.
    pub(crate) fn named(&self, source: &str, normal: &Normal) -> Vec<Range<usize>> {
        let mut ranges = Vec::new();
        for (name, exact) in &self.names {
            for range in occurrences(normal, name) {
                let bytes = normal.source(source, &range);
                if exact
                    .as_ref()
                    .is_none_or(|exact| source[bytes.clone()] == **exact)
                {
                    ranges.push(bytes);
                }
            }
        }
        ranges
    }

    /// The bytes of a text in which it repeats an approved sentence.
    pub(crate) fn approved(&self, source: &str, normal: &Normal) -> Vec<Range<usize>> {
        let found = self
            .claims
            .iter()
            .flat_map(|claim| occurrences(normal, claim));
        found.map(|range| normal.source(source, &range)).collect()
    }

    /// Whether the product makes a phrase of a rule true.
    pub(crate) fn supports(&self, support: Support, rule: &PhraseRule, phrase: &str) -> bool {
        match support {
            // Names are ranges of the text and are asked for there; values belong to templates.
            Support::Name | Support::Value => false,
            Support::Fact => self.facts.iter().any(|fact| fact.contains(phrase)),
            Support::FactEnding => {
                let within = i64::from(rule.ends_within_hours.unwrap_or(u32::MAX)) * 3600;
                self.ends.iter().any(|seconds| *seconds <= within)
            }
            Support::SalePrice => self.percent_off.is_some(),
            Support::Available => self.is_available,
            Support::Stock => {
                let few = i64::from(rule.stock_at_most.unwrap_or(FEW));
                self.stock.is_some_and(|stock| (1..=few).contains(&stock))
            }
        }
    }

    /// Whether the product bears out an attribute or an offer that a text holds.
    pub(crate) fn bears_out(
        &self,
        rule: &PhraseRule,
        hit: &Match,
        normal: &Normal,
        at: usize,
    ) -> bool {
        if rule.kind == PhraseKind::Attribute {
            let has_another = || self.held.iter().any(|(other, _)| *other == hit.rule);
            return self.held.contains(&(hit.rule, hit.phrase)) || rule.exclusive && !has_another();
        }
        if rule.unless.contains(&Support::Available) {
            return self.is_available;
        }
        if rule.unless.contains(&Support::SalePrice) && self.percent_off.is_some() {
            return true;
        }
        let from = floor(&normal.text, at.saturating_sub(OBJECT_BYTES));
        let to = floor(&normal.text, at + 2 * OBJECT_BYTES);
        let around = &normal.text[from..to];
        let object = OBJECTS
            .iter()
            .find(|words| words.iter().any(|word| around.contains(word)));
        self.offers.iter().any(|(other, text)| {
            let same_object =
                object.is_none_or(|words| words.iter().any(|word| text.contains(word)));
            *other == hit.rule && same_object
        })
    }

    /// The quantities of a text that nothing of the product bears out, except those within some ranges of the text.
    pub(crate) fn unfounded(
        &self,
        source: &str,
        normal: &Normal,
        within: &[Range<usize>],
    ) -> Vec<Unfounded> {
        let mut found = self.unfounded_codes(source, normal, within);
        for Stated { quantity, range } in stated(normal, false) {
            let bytes = normal.source(source, &range);
            let excused = within
                .iter()
                .any(|name| name.start <= bytes.start && bytes.end <= name.end);
            if excused || self.bears(&quantity) {
                continue;
            }
            let said = &source[bytes.clone()];
            let mut reason = format!(
                "`{said}` is {}; state what its fields and facts say",
                self.instead(&quantity)
            );
            if !self.expired.is_empty() {
                let _ = write!(reason, " (ended: {})", self.expired.join(", "));
            }
            found.push(Unfounded {
                rule: match quantity {
                    Quantity::Money(..)
                    | Quantity::AtMost(_)
                    | Quantity::MoneyOff(_)
                    | Quantity::PercentOff(_)
                    | Quantity::Bundle { .. } => "price_unbound",
                    Quantity::Date(_) => "date_unbound",
                    Quantity::Percent(_) | Quantity::Count(..) => "number_unbound",
                },
                fix: self.correct(&quantity, said),
                bytes,
                reason,
            });
        }
        found
    }

    /// Codes such as `ipx8` where the product has another of the same letters, such as `ipx4`.
    fn unfounded_codes(
        &self,
        source: &str,
        normal: &Normal,
        within: &[Range<usize>],
    ) -> Vec<Unfounded> {
        let letters = |code: &str| code.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let mut found = Vec::new();
        for (at, code) in codes(&normal.text) {
            let stem = &code[..letters(code)];
            let other = self
                .codes
                .iter()
                .find(|other| letters(other) == stem.len() && other.starts_with(stem));
            let bytes = normal.source(source, &(at..at + code.len()));
            let excused = within
                .iter()
                .any(|name| name.start <= bytes.start && bytes.end <= name.end);
            if let Some(other) = other
                && !self.codes.contains(code)
                && !excused
            {
                found.push(Unfounded {
                    rule: "number_unbound",
                    reason: format!(
                        "`{}` contradicts `{}` of the product",
                        &source[bytes.clone()],
                        other.to_uppercase()
                    ),
                    fix: Some(other.to_uppercase()),
                    bytes,
                });
            }
        }
        found
    }

    fn bears(&self, quantity: &Quantity) -> bool {
        let by_price = match (quantity, self.percent_off) {
            (Quantity::PercentOff(percent), Some(off)) => (percent - off).abs() < 0.75,
            _ => false,
        };
        let free = matches!(quantity, Quantity::Money(amount, _) if *amount == 0.0);
        by_price
            || free && !self.offers.is_empty()
            || self.quantities.iter().any(|known| quantity.agrees(known))
    }

    fn instead(&self, quantity: &Quantity) -> &'static str {
        match quantity {
            Quantity::Money(..) => "no price of this product",
            Quantity::AtMost(_) => "less than this product costs",
            Quantity::MoneyOff(_) | Quantity::PercentOff(_) if self.percent_off.is_none() => {
                "a reduction, and the product has no sale price below its price"
            }
            Quantity::MoneyOff(_) | Quantity::PercentOff(_) => "not the reduction of this product",
            Quantity::Bundle { .. } => "an offer that no fact of this product makes",
            Quantity::Date(_) => "a day that no fact of this product names",
            Quantity::Percent(_) | Quantity::Count(..) => {
                "a number that nothing of this product bears out"
            }
        }
    }

    /// The true value in the words of the text, where there is one; else nothing in its place.
    fn correct(&self, quantity: &Quantity, said: &str) -> Option<String> {
        let chinese = said.chars().any(crate::normal::is_han);
        Some(match quantity {
            Quantity::Money(..) | Quantity::AtMost(_) => {
                let price = self.price?;
                if chinese {
                    format!("{}元", plain(price.decimal()))
                } else {
                    price.to_string()
                }
            }
            Quantity::PercentOff(_) => match self.percent_off {
                Some(off) if chinese => format!("{}折", plain((100.0 - off.round()) / 10.0)),
                Some(off) if said.contains(|c: char| c.is_ascii_digit()) => {
                    format!("{}%", plain(off.round()))
                }
                Some(off) => format!("{}% off", plain(off.round())),
                None => String::new(),
            },
            Quantity::Count(value, Some(unit)) => {
                let known = self.quantities.iter().find_map(|known| match known {
                    Quantity::Count(count, Some(other)) if other.kind() == unit.kind() => {
                        Some(other.base(*count) / unit.base(1.0))
                    }
                    _ => None,
                });
                let digits = plain(*value);
                match known {
                    Some(known) if said.starts_with(&digits) => {
                        said.replacen(&digits, &plain(known), 1)
                    }
                    _ => String::new(),
                }
            }
            _ => String::new(),
        })
    }
}

/// A number without needless zeros.
fn plain(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Whether a fact of this name says where the product comes from.
fn is_origin(name: &str) -> bool {
    let name = name.to_lowercase();
    [
        "origin",
        "made in",
        "made_in",
        "country",
        "产地",
        "原产",
        "奶源",
        "provenance",
    ]
    .iter()
    .any(|part| name.contains(part))
}

/// Letters with digits behind them in a reduced text, each with its place: `ipx8`, `usb3`.
fn codes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + text[at..].find(|c: char| c.is_ascii_alphanumeric())?;
            let end = text[start..]
                .find(|c: char| !c.is_ascii_alphanumeric())
                .map_or(text.len(), |len| start + len);
            at = end;
            let token = &text[start..end];
            let letters = token.bytes().take_while(u8::is_ascii_lowercase).count();
            if letters >= 2
                && letters < token.len()
                && token
                    .bytes()
                    .skip(letters)
                    .all(|byte| byte.is_ascii_digit())
            {
                return Some((start, token));
            }
        }
    })
}

/// Whether what stands before a property denies it: 不可机洗, `not waterproof`.
pub(crate) fn is_negated(before: &str) -> bool {
    let before = before.to_lowercase();
    let before = before.trim_end();
    let denials = [
        "不",
        "不可",
        "不能",
        "不支持",
        "不适合",
        "不宜",
        "勿",
        "请勿",
        "禁止",
        "非",
        "无",
        "未",
        " not",
        "not suitable for",
        "not for",
        "never",
        "isn't",
        "don't",
        "do not",
        "cannot",
        "non-",
        "un",
    ];
    before == "not"
        || before == "no"
        || before.ends_with(" no")
        || denials.iter().any(|word| before.ends_with(word))
}

pub(crate) fn is_negative(value: &str) -> bool {
    let value = value.trim().to_lowercase();
    matches!(
        value.as_str(),
        "no" | "false" | "none" | "0" | "否" | "无" | "不" | "不支持" | "没有" | ""
    )
}

/// Where a reduced text holds another one, as whole words.
pub(crate) fn occurrences(normal: &Normal, part: &str) -> Vec<Range<usize>> {
    let text = normal.text.as_str();
    let part = part.trim();
    if part.is_empty() {
        return Vec::new();
    }
    let in_word = |c: char| c.is_alphanumeric() && !crate::normal::is_han(c);
    let runs_on =
        |a: Option<char>, b: Option<char>| a.is_some_and(in_word) && b.is_some_and(in_word);
    text.match_indices(part)
        .filter(|(at, part)| {
            let end = at + part.len();
            !runs_on(text[..*at].chars().next_back(), part.chars().next())
                && !runs_on(part.chars().next_back(), text[end..].chars().next())
        })
        .map(|(at, part)| at..at + part.len())
        .collect()
}

/// The character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let at = at.min(text.len());
    (0..=at)
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}
