//! The language model of a shop: where it stands, how it is trained and taken into use.

use std::ops::ControlFlow;
use std::path::Path;

use copywriter::decoder::{Copywriter, Corpus, Lexicon, train};
use nn::{Progress, Training, TrainingRecord};
use serde::{Deserialize, Serialize};

use super::corpus::ShopCorpus;
use super::place::Place;
use super::rewards::{Cut, References, learn};
use super::settings::{CopySettings, DraftSettings};
use crate::error::{EngineError, Result};
use crate::train::ModelFolders;

/// What the model was trained for, beside it; written last.
const SETTINGS: &str = "drafts.json";
/// What is wrong where the shoppers' states are not those that a model learnt with.
pub(super) const STALE_STATES: &str =
    "the user model was trained again since the copywriter learnt to read its states";
/// The folder of the model that learns from its own texts afterwards, in that of the one which it becomes.
const BEGUN: &str = "begun";
/// The learning curve, which the training loop writes.
const RECORD: &str = "training.json";

/// How a shop's model writes.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    pub(super) drafts: DraftSettings,
    pub(super) lexicon: Lexicon,
    /// A hash of the corpus and the settings; absent in what an older version wrote.
    #[serde(default)]
    learnt_from: String,
    /// The version of what made the shoppers' states that it learnt with; none where it knows nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) states_of: Option<String>,
}

/// Trains the language model of a data directory on a corpus; a run that was interrupted goes on where it stopped, and one
/// on the same corpus and settings as the model in use changes nothing.
///
/// The model in use writes on until the new one is done and takes its place.
///
/// # Errors
/// [`EngineError::Copy`] for settings that cannot be meant, when training fails or a file cannot be written.
pub fn train_writer(
    data_dir: &Path,
    corpus: &ShopCorpus,
    settings: &CopySettings,
    progress: &mut dyn FnMut(&Progress),
) -> Result<TrainingRecord> {
    settings.check()?;
    let (states_of, corpus) = (&corpus.states_of, &corpus.texts);
    let mut settings = settings.clone();
    if let Some(width) = width(corpus) {
        settings.model.user_width = width;
    }
    let place = place_of(data_dir);
    place.recover()?;
    let learnt_from = fingerprint(corpus, &settings);
    if let Some(saved) = saved(&place)?
        && saved.learnt_from == learnt_from
    {
        return Ok(nn::read_checked_json(&place.used.join(RECORD))?);
    }
    let mut tell = |step: &Progress| {
        progress(step);
        ControlFlow::Continue(())
    };
    // The model that learns from its own texts afterwards stands within the one which it becomes.
    let begun = match settings.reinforcement() {
        Some(_) => place.fresh.join(BEGUN),
        None => place.fresh.clone(),
    };
    let (Training::Finished(_, mut record) | Training::Paused(mut record)) =
        train(corpus, &settings.model, &begun, &mut tell)?;
    if let Some((config, reward)) = settings.reinforcement() {
        let cut = Cut::of(corpus.train.iter().map(|example| &example.text[..]));
        let parts = [&corpus.train, &corpus.validation];
        let parts = parts.map(|examples| References::of_examples(cut, examples));
        let (how, to) = ((config, &reward), &place.fresh);
        (_, record) = learn(&begun, cut, parts, &corpus.slots, how, to, &mut tell)?;
    }
    let saved = Saved {
        drafts: settings.drafts.clone(),
        lexicon: Lexicon::learn(&corpus.train, &corpus.slots),
        learnt_from,
        states_of: states_of.clone(),
    };
    nn::write_checked_json(&place.fresh.join(SETTINGS), &saved)?;
    place.take_into_use()?;
    let begun = place.used.join(BEGUN);
    if begun.exists() {
        std::fs::remove_dir_all(&begun).map_err(EngineError::io("remove", &begun))?;
    }
    Ok(record)
}

/// Whether a data directory has a language model.
pub(super) fn is_trained(data_dir: &Path) -> Result<bool> {
    let place = place_of(data_dir);
    place.recover()?;
    Ok(place.used.join(SETTINGS).exists())
}

/// The language model of a data directory and how it writes.
pub(super) fn load(data_dir: &Path) -> Result<(Copywriter, Saved)> {
    let place = place_of(data_dir);
    place.recover()?;
    let saved = saved(&place)?.ok_or_else(|| EngineError::NotReady {
        missing: "there is no language model of the shop".to_owned(),
        remedy: "train one with `hawker train copywriter --corpus FILE`".to_owned(),
    })?;
    Ok((Copywriter::load(&place.used)?, saved))
}

/// The length of the shoppers' states, where the corpus has any.
fn width(corpus: &Corpus) -> Option<usize> {
    let states = corpus.train.iter().chain(&corpus.validation);
    let states = states.map(|example| &example.meaning.user_state);
    states.flatten().map(Vec::len).next()
}

fn fingerprint(corpus: &Corpus, settings: &CopySettings) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{settings:?} {:?} {:?}", corpus.slots, corpus.copied).as_bytes());
    for example in corpus.train.iter().chain(&corpus.validation) {
        hasher.update(format!("{example:?}").as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

/// Where the model stands.
fn place_of(data_dir: &Path) -> Place {
    Place::at(ModelFolders::of(data_dir).writer(), SETTINGS)
}

fn saved(place: &Place) -> Result<Option<Saved>> {
    let path = place.used.join(SETTINGS);
    if !path.exists() {
        return Ok(None);
    }
    Ok(Some(nn::read_checked_json(&path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_refused_before_anything_is_learnt() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (text, message) in [
            ("[drafts]\nbeam = 0", "`width` is 0; expected at least 1"),
            (
                "[drafts]\ntemperature = 0.0",
                "`temperature` is 0; expected a number above 0",
            ),
            (
                "[drafts]\nmax_tokens = 0",
                "`max_tokens` is 0; expected at least 1",
            ),
            (
                "[reinforce]\ndrafts = 1",
                "`drafts` is 1; expected at least 2, since texts are compared",
            ),
            (
                "[reinforce]\n[reward]\nbleu = -1.0",
                "`bleu` is -1; expected 0 or more",
            ),
        ] {
            let settings: CopySettings = toml::from_str(text).expect("well formed");
            let corpus = ShopCorpus::default();
            let trained = train_writer(folder.path(), &corpus, &settings, &mut |_| ());
            assert_eq!(trained.expect_err(message).to_string(), message);
        }
        assert!(!place_of(folder.path()).fresh.exists());
    }
}
