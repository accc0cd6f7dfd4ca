//! The rules tell what may be said: precision and recall on labelled sentences, for each language.
//!
//! `development.jsonl` taught the rules and the wordings; `editorial.jsonl`, headlines of magazines, the wordings alone.
//! `held_out.jsonl`, `held_out_later.jsonl` and `everyday.jsonl`, copy of shops without fault, were written apart from them,
//! and nobody who writes rules reads them.

mod score;

use guard::{Guard, RulePack};
use score::Tallies;

/// The least precision and recall of each language on a file.
fn holds(text: &str, precision: f64, recall: f64) {
    let guard = Guard::new(RulePack::built_in());
    let mut tallies = Tallies::new();
    let mut otherwise = Vec::new();
    score::count(&guard, text, &mut tallies, &mut |line| otherwise.push(line))
        .expect("labelled sentences");
    for language in ["en", "zh"] {
        let tally = &tallies[&(language.to_owned(), "all".to_owned())];
        assert!(
            tally.precision() >= precision && tally.recall() >= recall,
            "{language}: precision {:.3}, recall {:.3}\n{}",
            tally.precision(),
            tally.recall(),
            otherwise.join("\n")
        );
        let refused = tally.bad_refused;
        assert!(
            tally.unmended * 50 <= refused,
            "{} of {refused} are not mended",
            tally.unmended
        );
        assert!(
            tally.elsewhere * 20 <= refused,
            "{} of {refused} are refused elsewhere",
            tally.elsewhere
        );
        assert!(
            tally.ok_passed + tally.bad_passed > 0,
            "the file holds sentences that pass"
        );
    }
}

#[test]
fn the_rules_hold_what_they_were_taught() {
    holds(include_str!("development.jsonl"), 0.98, 0.96);
}

#[test]
fn the_rules_hold_on_sentences_that_they_never_saw() {
    holds(include_str!("held_out.jsonl"), 0.97, 0.97);
    holds(include_str!("held_out_later.jsonl"), 0.93, 0.87);
}

#[test]
fn everyday_copy_passes() {
    let guard = Guard::new(RulePack::built_in());
    let mut tallies = Tallies::new();
    let mut otherwise = Vec::new();
    let text = include_str!("everyday.jsonl");
    score::count(&guard, text, &mut tallies, &mut |line| otherwise.push(line))
        .expect("labelled sentences");
    for language in ["en", "zh"] {
        let tally = &tallies[&(language.to_owned(), "all".to_owned())];
        assert!(
            tally.ok_refused * 40 <= tally.ok_passed,
            "{language}: {} refused\n{}",
            tally.ok_refused,
            otherwise.join("\n")
        );
    }
}
