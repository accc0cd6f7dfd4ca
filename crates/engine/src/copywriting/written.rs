//! Texts from facts, drawn and ranked.

use copywriter::decoder::{DecodingConfig, Draft, Lexicon, Meaning, Search, Writer};

use super::settings::DraftSettings;
use crate::error::Result;

/// The texts of one set of facts, by the way in which they were chosen.
pub(super) struct Written {
    /// The likeliest token each time.
    pub(super) greedy: String,
    /// The likeliest text of the beam.
    pub(super) likeliest: String,
    /// The one that leaves out and adds the fewest facts and that the drawn ones agree with most.
    pub(super) chosen: String,
    /// Tokens of all drafts.
    pub(super) tokens: usize,
}

/// Writes from facts in every way.
pub(super) fn every_way(
    writer: &Writer<'_>,
    meaning: &Meaning,
    settings: &DraftSettings,
    lexicon: &Lexicon,
) -> Result<Written> {
    let greedy = settings.decoding(Search::Greedy);
    let greedy = about(meaning, settings, lexicon, greedy);
    let greedy = writer.write(meaning, &greedy, settings.seed)?;
    let beam = beam(writer, meaning, settings, lexicon)?;
    let ranked = with_draws(writer, meaning, settings, lexicon, &beam)?;
    let first = |drafts: &[Draft]| drafts.first().map_or_else(String::new, |d| d.text.clone());
    let drafts = greedy.iter().chain(&ranked);
    Ok(Written {
        tokens: drafts.map(|draft| draft.tokens.len()).sum(),
        greedy: first(&greedy),
        likeliest: first(&beam),
        chosen: first(&ranked),
    })
}

/// Different texts from facts, the best first.
pub(super) fn ranked(
    writer: &Writer<'_>,
    meaning: &Meaning,
    settings: &DraftSettings,
    lexicon: &Lexicon,
) -> Result<Vec<Draft>> {
    let beam = beam(writer, meaning, settings, lexicon)?;
    let mut drafts = with_draws(writer, meaning, settings, lexicon, &beam)?;
    keep_distinct(&mut drafts);
    Ok(drafts)
}

/// Keeps the first of the drafts that say the same.
pub(super) fn keep_distinct(drafts: &mut Vec<Draft>) {
    let mut seen = std::collections::HashSet::new();
    drafts.retain(|draft| seen.insert(draft.text.clone()));
}

fn beam(
    writer: &Writer<'_>,
    meaning: &Meaning,
    settings: &DraftSettings,
    lexicon: &Lexicon,
) -> Result<Vec<Draft>> {
    let config = about(meaning, settings, lexicon, settings.beam());
    Ok(writer.write(meaning, &config, settings.seed)?)
}

/// The texts of a beam and drawn ones, ranked by what the drawn ones say.
fn with_draws(
    writer: &Writer<'_>,
    meaning: &Meaning,
    settings: &DraftSettings,
    lexicon: &Lexicon,
    beam: &[Draft],
) -> Result<Vec<Draft>> {
    let config = about(meaning, settings, lexicon, settings.draws());
    let pool = writer.write(meaning, &config, settings.seed)?;
    let mut all = beam.to_vec();
    all.extend(pool.iter().cloned());
    writer.rank(meaning, &mut all, &pool, settings.consensus());
    Ok(all)
}

/// A way of writing under what the facts ask for and forbid.
pub(super) fn about(
    meaning: &Meaning,
    settings: &DraftSettings,
    lexicon: &Lexicon,
    mut config: DecodingConfig,
) -> DecodingConfig {
    if settings.require_slots {
        config.required = meaning.facts.iter().map(|fact| fact.name.clone()).collect();
    }
    if settings.forbid_unfounded {
        config.banned = lexicon.forbidden(&meaning.facts);
    }
    config
}
