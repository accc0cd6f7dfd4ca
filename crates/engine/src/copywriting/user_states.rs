//! Whether a shopper's state matters to what is written: held-out texts under the writer's own state, nobody's and another
//! shopper's.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use copywriter::decoder::{Copywriter, CopywriterConfig, DecodingConfig, Search, train};
use datasets::{ReviewSet, ShopConfig};
use nn::inference::Precision;
use nn::{Pass, Training};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::review_texts::of_reviews;
use super::simulated_texts::of_simulated_shop;
use super::user_state_measures::{Known, Measured, examples};
use super::user_state_report::{StateSample, UserStateReport};
use crate::error::{EngineError, Result};
use crate::sequences::{find, read_text};
use crate::train::{
    ShopperEncoder, ShopperSettings, ShopperTexts, Told, TrainProgress, train_jointly,
};

/// Facts that texts are shown for, and shoppers whom they are shown for.
const SHOWN: (usize, usize) = (4, 3);

/// How user states and texts are learnt together and judged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserStateSettings {
    /// The language model; its `user_width` is its own `width`.
    pub model: CopywriterConfig,
    /// What makes the user states.
    pub shopper: ShopperSettings,
    /// How the texts are judged.
    pub judge: JudgeSettings,
}

/// How held-out texts are judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JudgeSettings {
    /// Permutations of the states over the shoppers, of which the mean is taken. Default 5.
    pub permutations: u64,
    /// Resamples of the bootstrap over shoppers. Default 2,000.
    pub resamples: usize,
    /// Whether the same model is trained without states, to stand beside. Default true.
    pub baseline: bool,
    /// Seed of the permutations, the bootstrap and the texts that are shown. Default 1.
    pub seed: u64,
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self {
            permutations: 5,
            resamples: 2_000,
            baseline: true,
            seed: 1,
        }
    }
}

/// A set of texts by shoppers with a past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStateDataset {
    /// Amazon's reviews of musical instruments: `Musical_Instruments_5.json`.
    MusicalInstruments,
    /// Messages that shoppers of the simulated shop clicked; made anew, with the seed of the judge.
    SimulatedShop,
}

impl UserStateDataset {
    /// Every set.
    pub const ALL: [Self; 2] = [Self::MusicalInstruments, Self::SimulatedShop];

    /// The set of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|set| set.name() == name)
    }

    /// The name of the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::MusicalInstruments => "musical_instruments",
            Self::SimulatedShop => "simulated_shop",
        }
    }

    /// Reads the set from its publisher's file, plain or as `.xz`, or simulates it.
    fn read(self, folder: Option<&Path>, settings: &UserStateSettings) -> Result<ShopperTexts> {
        let columns = settings.shopper.columns;
        match (self, folder) {
            (Self::SimulatedShop, _) => {
                of_simulated_shop(ShopConfig::default(), columns, settings.judge.seed)
            }
            (Self::MusicalInstruments, None) => Err(EngineError::NotReady {
                missing: "this set is read from files".to_owned(),
                remedy: "name their folder with `--path`".to_owned(),
            }),
            (Self::MusicalInstruments, Some(folder)) => {
                let path = find(folder, "Musical_Instruments_5.json")?;
                let set = ReviewSet::amazon(&read_text(&path)?).map_err(|error| {
                    EngineError::file(&path, error.to_string(), "fetch it again")
                })?;
                Ok(of_reviews(&set, columns))
            }
        }
    }
}

/// What [`evaluate_user_states`] is asked for.
#[derive(Debug, Clone)]
pub struct UserStateRequest {
    /// Which set it is.
    pub dataset: UserStateDataset,
    /// Where its files are, if it has any.
    pub path: Option<PathBuf>,
    /// How states and texts are learnt and judged.
    pub settings: UserStateSettings,
    /// Judge the validation's texts instead of the test's, to choose settings by.
    pub on_validation: bool,
}

/// Judges on a set whether the user state matters to what is written; see [`UserStateReport`].
///
/// # Errors
/// [`EngineError::File`] where a file is missing or damaged, and those of training.
pub fn evaluate_user_states(
    request: &UserStateRequest,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<UserStateReport> {
    let settings = &request.settings;
    let texts = request.dataset.read(request.path.as_deref(), settings)?;
    let name = request.dataset.name();
    evaluate_states(
        name,
        &texts,
        settings,
        request.on_validation,
        folder,
        progress,
    )
}

/// The settings of a file; the defaults where none is named.
///
/// # Errors
/// [`EngineError::Config`] where the file cannot be read or has a key or value that does not fit.
pub fn user_state_settings(path: Option<&Path>) -> Result<UserStateSettings> {
    let Some(path) = path else {
        return Ok(UserStateSettings::default());
    };
    let text = std::fs::read_to_string(path).map_err(EngineError::io("read", path))?;
    let fault = |problem: String| {
        EngineError::Config {
        path: path.to_owned(),
        problem,
        remedy: "its tables are [model], [shopper] and [judge]; see `bench/copy/musical_instruments.toml`".to_owned(),
    }
    };
    let settings: UserStateSettings =
        toml::from_str(&text).map_err(|error| fault(error.to_string()))?;
    settings.model.check()?;
    if let Some(problem) = settings.shopper.fault() {
        return Err(fault(problem));
    }
    if settings.judge.permutations == 0 || settings.judge.resamples == 0 {
        return Err(fault("`permutations` or `resamples` is 0".to_owned()));
    }
    Ok(settings)
}

/// Trains user states and a language model together, and measures how little it expects held-out texts with the state of
/// the shopper who wrote them, with none, and with another's. The same language model without any state stands beside.
///
/// Judged are the texts of shoppers with a past. Models are kept in `folder`; a training that was stopped goes on there.
///
/// # Errors
/// [`EngineError::NotReady`] where fewer than two shoppers of held-out texts have a past, and those of training.
pub(crate) fn evaluate_states(
    dataset: &str,
    texts: &ShopperTexts,
    settings: &UserStateSettings,
    on_validation: bool,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<UserStateReport> {
    progress(&TrainProgress::Stage("learning user states and texts"));
    let started = Instant::now();
    let mut tell = |step: &nn::Progress| {
        progress(&TrainProgress::CopyStep(step));
        ControlFlow::Continue(())
    };
    let (mut writer, encoder, record) = train_jointly(
        texts,
        &settings.model,
        &settings.shopper,
        &folder.join("joint"),
        &mut tell,
    )?;
    let training_seconds = started.elapsed().as_secs_f64();
    let alone = if settings.judge.baseline {
        progress(&TrainProgress::Stage("learning texts without user states"));
        Some(without_states(texts, &settings.model, folder, progress)?)
    } else {
        None
    };

    progress(&TrainProgress::Stage("measuring"));
    let (part, held_out) = if on_validation {
        ("validation", &texts.validation)
    } else {
        ("test", &texts.test)
    };
    let judged = with_past(held_out);
    let shoppers: BTreeSet<usize> = judged.iter().map(|told| told.shopper).collect();
    if shoppers.len() < 2 {
        return Err(EngineError::NotReady {
            missing: "fewer than two shoppers of held-out texts have a past".to_owned(),
            remedy: "name a set in which shoppers wrote at least three texts".to_owned(),
        });
    }
    let held_back = with_past(&texts.validation);
    let fitted = examples(&held_back, &known(&encoder, &writer, texts, &held_back)?);
    writer.fit_own_words(&fitted, &folder.join("joint"))?;
    let known = known(&encoder, &writer, texts, &judged)?;
    let measured = Measured::new(&judged, &known, &writer, alone.as_ref(), &settings.judge)?;
    Ok(UserStateReport {
        dataset: dataset.to_owned(),
        part: part.to_owned(),
        learnt: texts.train.len(),
        judged: measured.texts(),
        shoppers: measured.shoppers(),
        without_past: held_out.len() - judged.len(),
        too_long: judged.len() - measured.texts(),
        tokens: measured.tokens(),
        most: measured.most(),
        rows: measured.rows(&settings.judge)?,
        parameters: writer.parameter_count() + encoder.parameter_count(),
        epochs: (record.epochs.len(), record.best_epoch),
        training_minutes: training_seconds / 60.0,
        samples: samples(&writer, &judged, &known, settings.judge.seed)?,
        settings: settings.clone(),
    })
}

fn with_past(told: &[Told]) -> Vec<&Told> {
    let all = told.iter();
    all.filter(|told| !told.past.is_empty()).collect()
}

/// The same language model, which knows nobody.
fn without_states(
    texts: &ShopperTexts,
    model: &CopywriterConfig,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<Copywriter> {
    let model = CopywriterConfig {
        user_width: 0,
        ..model.clone()
    };
    let folder = folder.join("alone");
    let mut tell = |step: &nn::Progress| {
        progress(&TrainProgress::CopyStep(step));
        ControlFlow::Continue(())
    };
    match train(&texts.corpus(), &model, &folder, &mut tell)? {
        Training::Finished(model, _) => Ok(*model),
        Training::Paused(_) => Ok(Copywriter::load(&folder)?),
    }
}

/// What is known of the shopper of each text.
fn known(
    encoder: &ShopperEncoder,
    writer: &Copywriter,
    texts: &ShopperTexts,
    judged: &[&Told],
) -> Result<Vec<Known>> {
    let events = encoder.rows(writer, &texts.events)?;
    let pasts: Vec<&[u32]> = judged.iter().map(|told| &told.past[..]).collect();
    let states = encoder.states(writer.token_table(), &events, &pasts, &mut Pass::Infer)?;
    let states: Vec<Vec<f32>> = states.to_vec2().map_err(nn::NnError::from)?;
    let all = states.into_iter().zip(pasts);
    Ok(all
        .map(|(state, past)| Known {
            state: Some(state),
            own_texts: texts.own_texts(past),
        })
        .collect())
}

/// Texts for the same facts and different shoppers, drawn with the same seed and not selected.
fn samples(
    writer: &Copywriter,
    judged: &[&Told],
    known: &[Known],
    seed: u64,
) -> Result<Vec<StateSample>> {
    let mut order: Vec<usize> = (0..judged.len()).collect();
    order.shuffle(&mut nn::generator(seed, "shown texts", 0));
    let (facts, shoppers) = SHOWN;
    let shown = order.iter().take(facts * shoppers).copied();
    let shown: Vec<usize> = shown.collect();
    let decoding = DecodingConfig {
        search: Search::Sample {
            count: 1,
            temperature: 0.7,
            top_p: 0.9,
            min_p: 0.0,
        },
        max_tokens: 64,
        ..DecodingConfig::default()
    };
    let ready = writer.writer(Precision::F32)?;
    let mut samples = Vec::new();
    for group in shown.chunks(shoppers) {
        let about = judged[group[0]];
        for at in group {
            let mut meaning = about.example.meaning.clone();
            known[*at].tell(&mut meaning);
            let drafts = ready.write(&meaning, &decoding, seed)?;
            let facts = meaning.facts.iter();
            samples.push(StateSample {
                facts: facts.map(|f| format!("{}={}", f.name, f.value)).collect(),
                wrote: judged[*at].example.text.clone(),
                text: drafts
                    .into_iter()
                    .next()
                    .map_or_else(String::new, |d| d.text),
            });
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::joint_fixture::{small, two_kinds};

    fn judged(state_tells: bool) -> UserStateReport {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (model, shopper) = small();
        let settings = UserStateSettings {
            model,
            shopper,
            judge: JudgeSettings {
                resamples: 200,
                ..JudgeSettings::default()
            },
        };
        let texts = two_kinds(state_tells);
        let report = evaluate_states("toy", &texts, &settings, false, folder.path(), &mut |_| {});
        report.expect("trains")
    }

    #[test]
    fn a_state_that_tells_the_wording_lowers_the_perplexity() {
        let report = judged(true);
        let [own, _, nobody, another, alone] = &report.rows[..] else {
            panic!("five rows: {report:?}");
        };
        assert!(own.own_is_below.value.abs() < 1e-12);
        // Half of the others would have written the other sentence.
        assert!(another.own_is_below.low > 0.15, "{}", report.table());
        assert!(alone.own_is_below.low > 0.05, "{}", report.table());
        assert!(another.perplexity > nobody.perplexity, "{}", report.table());
        assert_eq!((report.judged, report.without_past), (24, 0));
    }

    #[test]
    fn a_state_that_tells_nothing_changes_nothing() {
        let report = judged(false);
        for (row, most) in report.rows.iter().zip([0.0, 0.01, 0.01, 0.01, 0.05]) {
            let gain = row.own_is_below.value;
            assert!(gain.abs() <= most, "{}", report.table());
        }
    }

    #[test]
    fn the_committed_settings_are_read_and_bad_ones_are_named() {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/copy");
        let committed = user_state_settings(Some(&bench.join("musical_instruments.toml")));
        committed.expect("the settings that the README names are valid");
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (text, message) in [
            ("[shopper]\ncolumns = 0", "`columns` is not at least 1"),
            (
                "[shopper]\nnobody_share = 1.0",
                "`nobody_share` is not 0 or more and below 1",
            ),
            ("[judge]\npermutations = 0", "`permutations`"),
            ("[judges]", "unknown field `judges`"),
        ] {
            let path = folder.path().join("settings.toml");
            std::fs::write(&path, text).expect("is written");
            let error = user_state_settings(Some(&path)).expect_err(message);
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}
