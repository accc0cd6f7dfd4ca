//! Whether a composed text keeps the rules that the fence keeps while the model writes.

use std::collections::BTreeSet;

use events::Strategy;

use super::echo::echoes;
use super::evidence::Evidence;
use super::piece::{pieces, slot_name};
use super::sequence::QUOTES;
use super::text::{Field, slots};

/// The text names the product and shows its evidence; no field shows a slot twice; title and body share none but the
/// price, and a mail's first two lines share none at all.
pub(super) fn keeps_the_rules(
    fields: &[(Field, String)],
    strategy: Strategy,
    evidence: Evidence,
) -> bool {
    let each: Vec<Vec<&str>> = fields.iter().map(|(_, text)| slots(text)).collect();
    let all: Vec<&str> = each.iter().flatten().copied().collect();
    let quotes = fields.iter().any(|(_, text)| text.contains(QUOTES[0]));
    let is_right = Evidence::of_slots(&all)
        == if evidence == Evidence::Detail {
            Evidence::Plain
        } else {
            evidence
        };
    let families: Vec<Vec<&str>> = each
        .iter()
        .map(|names| names.iter().map(|n| family(n)).collect())
        .collect();
    let is_short = fields.len() < 3;
    let repeats = families.windows(2).enumerate().any(|(at, pair)| {
        // A mail's body may name again what its first lines named.
        (is_short || at == 0) && pair[0].iter().any(|name| pair[1].contains(name))
    });
    let twice = fields.iter().any(|(_, text)| {
        let shown = pieces(text);
        let shown = shown.into_iter().filter(|piece| slot_name(piece).is_some());
        let mut seen = BTreeSet::new();
        !shown.map(str::trim_start).all(|slot| seen.insert(slot))
    });
    evidence.is_shown(strategy, &all)
        && !echoes(fields)
        && is_right
        && (evidence == Evidence::Detail) == quotes
        && !repeats
        && !twice
}

/// The long and the short form of a name are the same name.
fn family(slot: &str) -> &str {
    match slot {
        "headline" | "short" => "title",
        "bought_short" => "bought",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps(title: &str, body: &str, evidence: Evidence) -> bool {
        let fields = [
            (Field::Title, title.to_owned()),
            (Field::Body, body.to_owned()),
        ];
        keeps_the_rules(&fields, Strategy::Value, evidence)
    }

    #[test]
    fn each_rule_is_kept() {
        let sale = Evidence::Sale;
        assert!(keeps(
            "{{ headline }}",
            "Now {{ sale }} instead of {{ was }}.",
            sale
        ));
        assert!(
            !keeps("Good news", "Now {{ sale }} instead of {{ was }}.", sale),
            "no product"
        );
        assert!(
            !keeps("{{ headline }}", "A lower price.", sale),
            "no evidence"
        );
        assert!(
            !keeps("{{ headline }}", "From {{ brand }}.", sale),
            "other evidence"
        );
        assert!(
            !keeps("{{ sale }}: {{ headline }}", "Now {{ sale }}.", sale),
            "twice"
        );
        assert!(
            !keeps("{{ headline }}", "The {{ title }}, {{ sale }}.", sale),
            "named twice"
        );
        assert!(
            !keeps("{{ headline }}", "{{ sale }} now, {{ sale }}.", sale),
            "twice in a field"
        );
        assert!(
            !keeps(
                "A lower price: {{ title }}",
                "A lower price: {{ sale }}.",
                sale
            ),
            "echo"
        );
        assert!(
            !keeps("{{ headline }}", "A word about price.", Evidence::Plain),
            "no price"
        );
        let detail = Evidence::Detail;
        assert!(keeps(
            "{{ headline }}",
            "{{ price }}. In short: \u{2}zip\u{3}.",
            detail
        ));
        assert!(
            !keeps("{{ headline }}", "{{ price }}.", detail),
            "no quotation"
        );
    }
}
