//! Reasons as a sentence for a person.

use std::collections::{BTreeMap, BTreeSet};

use events::Language;

use super::Reasons;
use crate::{Corpus, Interaction, InteractionKind};

/// Contribution from which on something is named: it raises an item's odds by a twentieth.
const WORTH_NAMING: f32 = 0.05;
/// Share of the first cause's strength from which on a second one is named beside it.
const BESIDE_FIRST: f32 = 0.25;
/// Most causes that are named.
const MOST_CAUSES: usize = 2;
/// Orders, counted from the latest, that are told by their number.
const COUNTED_ORDERS: usize = 5;

/// Says in a sentence why an item is recommended, naming what the shopper did and the item's category, brand or price.
///
/// `history` and `corpus` are those that the reasons were computed from. All events with one item count together, and
/// what pulled against the recommendation on the whole is not named. Orders are counted from the latest; there is no
/// other number. Where neither an event nor the item's own past spoke for it, popularity decided, and it says so.
///
/// # Panics
/// Where the reasons are of another corpus or a longer history.
pub fn in_words(
    reasons: &Reasons,
    history: &[Interaction],
    corpus: &Corpus,
    language: Language,
) -> String {
    let causes = causes(reasons);
    let named = named(&causes);
    let Some(phrase) = because(named, reasons, history, corpus, language) else {
        return match language {
            Language::En => {
                "The shop's popularity decided: nothing that the shopper did spoke for it."
            }
            Language::Zh => "由店铺的整体销量决定：顾客此前的行为都没有为它加分。",
        }
        .to_owned();
    };
    let strength = |causes: &[Cause]| causes.iter().map(|cause| cause.strength).sum::<f32>();
    let popularity = reasons.popularity - reasons.average_popularity;
    let unnamed = strength(&causes[named.len()..]);
    let opening = match (
        popularity > strength(&causes),
        unnamed > strength(named),
        language,
    ) {
        (true, _, Language::En) => format!("It sells well in this shop, and also {phrase}"),
        (true, _, Language::Zh) => format!("它在店里卖得好，也{phrase}"),
        (false, true, Language::En) => format!("Among other things {phrase}"),
        (false, true, Language::Zh) => format!("除其他原因外，{phrase}"),
        (false, false, Language::En) => format!("Mostly {phrase}"),
        (false, false, Language::Zh) => format!("主要{phrase}"),
    };
    match (fit(reasons, corpus, language), language) {
        (Some(fit), Language::En) => format!("{opening}; {fit} fits too."),
        (Some(fit), Language::Zh) => format!("{opening}；{fit}也合适。"),
        (None, Language::En) => format!("{opening}."),
        (None, Language::Zh) => format!("{opening}。"),
    }
}

/// All that the shopper did with one item.
#[derive(Debug, Clone, Copy)]
struct Cause {
    item: u32,
    /// Sum of the contributions.
    strength: f32,
    /// Position of the event that contributed most, where there is one.
    strongest: Option<usize>,
}

/// What spoke for the item, strongest first, ties by ascending item.
fn causes(reasons: &Reasons) -> Vec<Cause> {
    let mut by_item: BTreeMap<u32, (Cause, f32)> = BTreeMap::new();
    let empty = |item, strength| Cause {
        item,
        strength,
        strongest: None,
    };
    let own = (empty(reasons.item, reasons.own_past), f32::NEG_INFINITY);
    by_item.insert(reasons.item, own);
    for event in &reasons.events {
        let unseen = (empty(event.item, 0.0), f32::NEG_INFINITY);
        let (cause, most) = by_item.entry(event.item).or_insert(unseen);
        cause.strength += event.contribution;
        if event.contribution > *most {
            *most = event.contribution;
            cause.strongest = Some(event.position);
        }
    }
    let mut causes: Vec<Cause> = by_item.into_values().map(|(cause, _)| cause).collect();
    causes.retain(|cause| cause.strength >= WORTH_NAMING);
    causes.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    causes
}

/// The causes that are strong enough to be named.
fn named(causes: &[Cause]) -> &[Cause] {
    let Some(first) = causes.first() else {
        return causes;
    };
    let strong = |cause: &&Cause| cause.strength >= BESIDE_FIRST * first.strength;
    let count = causes.iter().take(MOST_CAUSES).take_while(strong).count();
    &causes[..count]
}

/// "because it was bought before and because of …", or nothing without a cause.
fn because(
    causes: &[Cause],
    reasons: &Reasons,
    history: &[Interaction],
    corpus: &Corpus,
    language: Language,
) -> Option<String> {
    let (own, others): (Vec<&Cause>, Vec<&Cause>) =
        causes.iter().partition(|cause| cause.item == reasons.item);
    let own = own.first().map(|_| before(reasons.item, history, language));
    let others: Vec<String> = others
        .iter()
        .map(|cause| {
            let title = &corpus.items[cause.item as usize].title;
            match (
                cause.strongest.map(|p| manner(p, history, language)),
                language,
            ) {
                (Some(manner), Language::En) => format!("{title} ({manner})"),
                (Some(manner), Language::Zh) => format!("{title}（{manner}）"),
                (None, _) => title.clone(),
            }
        })
        .collect();
    let and = match language {
        Language::En => " and ",
        Language::Zh => "和",
    };
    let others = (!others.is_empty()).then(|| others.join(and));
    Some(match (own, others, language) {
        (None, None, _) => return None,
        (Some(own), None, Language::En) => format!("because {own}"),
        (Some(own), None, Language::Zh) => format!("因为{own}"),
        (None, Some(others), Language::En) => format!("because of {others}"),
        (None, Some(others), Language::Zh) => format!("因为{others}"),
        (Some(own), Some(others), Language::En) => format!("because {own} and because of {others}"),
        (Some(own), Some(others), Language::Zh) => format!("因为{own}，以及{others}"),
    })
}

/// What the shopper did with the recommended item itself.
fn before(item: u32, history: &[Interaction], language: Language) -> String {
    let of_item = |line: &&Interaction| line.item == item;
    let bought = |line: &Interaction| line.kind == InteractionKind::Purchase;
    let text = match (history.iter().filter(of_item).any(bought), language) {
        (true, Language::En) => "it was bought before",
        (true, Language::Zh) => "之前买过它",
        (false, Language::En) => "it was of interest before",
        (false, Language::Zh) => "之前关注过它",
    };
    text.to_owned()
}

/// What the shopper did in one event, and when.
fn manner(position: usize, history: &[Interaction], language: Language) -> String {
    let kind = history[position].kind;
    if kind == InteractionKind::Purchase {
        return bought(orders_from_last(position, history), language);
    }
    let verb = match (kind, language) {
        (InteractionKind::View, Language::En) => "viewed",
        (InteractionKind::View, Language::Zh) => "浏览过",
        // A cart and a wish list are one kind.
        (InteractionKind::Add, Language::En) => "set aside",
        (InteractionKind::Add, Language::Zh) => "加购或收藏过",
        (InteractionKind::Review, Language::En) => "reviewed",
        (InteractionKind::Review, Language::Zh) => "评价过",
        (_, Language::En) => "of interest",
        (_, Language::Zh) => "关注过",
    };
    let is_last = position + 1 == history.len();
    match (is_last, language) {
        (true, Language::En) => format!("{verb} last"),
        (true, Language::Zh) => format!("最近{verb}"),
        (false, _) => verb.to_owned(),
    }
}

/// The number of an order from the end, 1 for the latest.
fn orders_from_last(position: usize, history: &[Interaction]) -> usize {
    let order = |line: &Interaction| line.order.ok_or(line.at_s);
    let later = history[position..].iter();
    let later = later.filter(|line| line.kind == InteractionKind::Purchase);
    later.map(order).collect::<BTreeSet<_>>().len()
}

fn bought(order: usize, language: Language) -> String {
    match (order, language) {
        (1, Language::En) => "bought last".to_owned(),
        (1, Language::Zh) => "最近一次购买".to_owned(),
        (2, Language::En) => "bought 2nd last".to_owned(),
        (3, Language::En) => "bought 3rd last".to_owned(),
        (..=COUNTED_ORDERS, Language::En) => format!("bought {order}th last"),
        (..=COUNTED_ORDERS, Language::Zh) => format!("倒数第{order}次购买"),
        (_, Language::En) => "bought earlier".to_owned(),
        (_, Language::Zh) => "更早前购买".to_owned(),
    }
}

/// The item's category, brand or price, whichever speaks most for it and has a name.
fn fit(reasons: &Reasons, corpus: &Corpus, language: Language) -> Option<String> {
    let item = &corpus.items[reasons.item as usize];
    let name = |names: &[String], index: Option<u32>| {
        let name = &names[index? as usize];
        // The last step of a path of categories.
        Some(name.rsplit('>').next().unwrap_or(name).trim().to_owned())
    };
    let (category, brand) = (
        name(&corpus.categories, item.category),
        name(&corpus.brands, item.brand),
    );
    let phrases = match language {
        Language::En => [
            category.map(|name| format!("its category, {name},")),
            brand.map(|name| format!("its brand, {name},")),
            item.price_band.map(|_| "its price".to_owned()),
        ],
        Language::Zh => [
            category.map(|name| format!("它的类别“{name}”")),
            brand.map(|name| format!("它的品牌“{name}”")),
            item.price_band.map(|_| "它的价位".to_owned()),
        ],
    };
    let fields = reasons.fields;
    let strengths = [fields.category, fields.brand, fields.price_band];
    let named = strengths.into_iter().zip(phrases);
    let named = named.filter_map(|(strength, phrase)| Some((strength, phrase?)));
    let strong = named.filter(|(strength, _)| *strength >= WORTH_NAMING);
    let best = strong.max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, phrase)| phrase)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{buy, corpus_of};
    use crate::reasons::{EventReason, FieldReasons};

    fn shop() -> Corpus {
        let mut corpus = corpus_of(4, Vec::new());
        let titles = [
            "Alarm Clock Bakelike Green",
            "Vintage Snap Cards",
            "Tea Towel",
            "Jam Jar",
        ];
        for (item, title) in corpus.items.iter_mut().zip(titles) {
            title.clone_into(&mut item.title);
        }
        corpus.categories = vec!["Home > Kitchen".to_owned()];
        corpus.brands = vec!["Acme".to_owned()];
        corpus.items[3].category = Some(0);
        corpus.items[3].brand = Some(0);
        corpus
    }

    /// Clock, cards, towel and clock again in orders of their own, then a look at the jar.
    fn history() -> Vec<Interaction> {
        let look = Interaction {
            kind: InteractionKind::View,
            ..buy(3, 50, None)
        };
        vec![
            buy(1, 10, Some(1)),
            buy(0, 20, Some(2)),
            buy(2, 30, Some(3)),
            buy(2, 40, Some(4)),
            look,
        ]
    }

    /// Reasons for the jar, with one contribution an event of [`history`].
    fn reasons(contributions: [f32; 5]) -> Reasons {
        let events = (0..).zip(history()).zip(contributions);
        let events = events.map(|((position, line), contribution)| EventReason {
            position,
            item: line.item,
            contribution,
        });
        Reasons {
            item: 3,
            score: 0.0,
            events: events.collect(),
            start: 0.0,
            baseline: 0.0,
            residual: 0.0,
            popularity: -7.0,
            average_popularity: -7.0,
            own_past: 0.0,
            fields: FieldReasons {
                own: 9.0,
                title: 9.0,
                category: 0.3,
                brand: 0.2,
                price_band: 5.0,
            },
        }
    }

    #[track_caller]
    fn assert_words(reasons: &Reasons, english: &str, chinese: &str) {
        let words = |language| in_words(reasons, &history(), &shop(), language);
        assert_eq!(words(Language::En), english);
        assert_eq!(words(Language::Zh), chinese);
    }

    #[test]
    fn the_strongest_events_and_the_category_are_named() {
        assert_words(
            &reasons([0.9, 1.2, 0.1, 0.0, 0.0]),
            "Mostly because of Alarm Clock Bakelike Green (bought 3rd last) and Vintage Snap Cards \
             (bought 4th last); its category, Kitchen, fits too.",
            "主要因为Alarm Clock Bakelike Green（倒数第3次购买）和Vintage Snap Cards（倒数第4次购买）；\
             它的类别“Kitchen”也合适。",
        );
    }

    #[test]
    fn what_pulled_against_the_item_is_no_cause() {
        // The towel spoke for it once and, on the whole, against it.
        let mut reasons = reasons([-2.0, 0.4, 0.9, -1.0, 0.0]);
        reasons.fields.category = -0.3;
        assert_words(
            &reasons,
            "Mostly because of Alarm Clock Bakelike Green (bought 3rd last); its brand, Acme, fits too.",
            "主要因为Alarm Clock Bakelike Green（倒数第3次购买）；它的品牌“Acme”也合适。",
        );
    }

    #[test]
    fn without_a_cause_popularity_decided() {
        assert_words(
            &reasons([0.01, -1.0, 0.02, 0.02, 0.04]),
            "The shop's popularity decided: nothing that the shopper did spoke for it.",
            "由店铺的整体销量决定：顾客此前的行为都没有为它加分。",
        );
    }

    #[test]
    fn a_bestseller_is_called_one_first() {
        let mut reasons = reasons([0.0, 0.0, 0.2, 0.6, 0.0]);
        reasons.popularity = -3.0;
        reasons.fields.category = 0.0;
        reasons.fields.brand = 0.0;
        assert_words(
            &reasons,
            "It sells well in this shop, and also because of Tea Towel (bought last).",
            "它在店里卖得好，也因为Tea Towel（最近一次购买）。",
        );
    }

    #[test]
    fn the_item_itself_is_a_cause() {
        let mut reasons = reasons([0.0, 0.0, 0.0, 0.5, 1.0]);
        reasons.fields = FieldReasons {
            category: 0.0,
            brand: 0.0,
            ..reasons.fields
        };
        assert_words(
            &reasons,
            "Mostly because it was of interest before and because of Tea Towel (bought last).",
            "主要因为之前关注过它，以及Tea Towel（最近一次购买）。",
        );
        let mut again = history();
        again[0].item = 3;
        reasons.own_past = 2.0;
        reasons.events[3].contribution = 0.0;
        let words = |language| in_words(&reasons, &again, &shop(), language);
        assert_eq!(words(Language::En), "Mostly because it was bought before.");
        assert_eq!(words(Language::Zh), "主要因为之前买过它。");
    }

    #[test]
    fn many_weak_causes_are_not_called_most() {
        let mut corpus = corpus_of(9, Vec::new());
        corpus.items[8].price_band = Some(1);
        let view = |item: u32| Interaction {
            kind: InteractionKind::View,
            ..buy(item, i64::from(item), None)
        };
        let history: Vec<Interaction> = (0..8).map(view).collect();
        let event = |position: usize| EventReason {
            position,
            item: position as u32,
            contribution: 0.2 + 0.01 * position as f32,
        };
        let reasons = Reasons {
            item: 8,
            events: (0..8).map(event).collect(),
            ..reasons([0.0; 5])
        };
        let words = |language| in_words(&reasons, &history, &corpus, language);
        assert_eq!(
            words(Language::En),
            "Among other things because of item 7 (viewed last) and item 6 (viewed); its price fits too."
        );
        assert_eq!(
            words(Language::Zh),
            "除其他原因外，因为item 7（最近浏览过）和item 6（浏览过）；它的价位也合适。"
        );
    }
}
