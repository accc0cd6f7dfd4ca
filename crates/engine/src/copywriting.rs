//! The copywriter judged on public sets: trained on facts and texts, asked for the texts of facts that it never read, and
//! measured as the literature does.

mod adapter;
mod asked;
mod corpus;
mod drafts;
mod from_facts;
pub(crate) mod live;
mod measures;
mod place;
mod providers;
mod published;
mod report;
mod review_texts;
mod rewards;
mod sets;
mod settings;
mod shopper_states;
mod simulated_texts;
mod user_state_measures;
mod user_state_report;
mod user_states;
mod writer;
mod written;

use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use copywriter::decoder::{Copywriter, Lexicon, Meaning, train};
use datasets::{FactText, FactTextSet};
use nn::inference::Precision;
use nn::{Training, TrainingRecord};
use rand::seq::SliceRandom;
use rayon::prelude::*;

pub use adapter::{AdapterReport, adapter_settings, train_adapter};
pub use asked::{DraftProvider, DraftRequest};
pub use corpus::{CorpusRequest, ShopCorpus, read_corpus};
pub use drafts::{CheckedDraft, Drafted, PassedProvider, draft};
use measures::{Judged, measures};
pub use report::{CopyReport, CopyRow, CopySample};
pub use rewards::RewardSettings;
use rewards::{Cut, References, learn};
pub use sets::FactTextDataset;
pub use settings::{CopySettings, DraftSettings, copy_settings};
pub use user_state_report::{StateRow, StateSample, UserStateReport};
pub use user_states::{
    JudgeSettings, UserStateDataset, UserStateRequest, UserStateSettings, evaluate_user_states,
    user_state_settings,
};
pub use writer::train_writer;
use written::{Written, every_way};

use crate::error::Result;
use crate::train::TrainProgress;

/// Texts of a report that are shown.
const SHOWN: usize = 50;
/// The folder of the reinforced model, in that of the model that it began as.
const REINFORCED: &str = "reinforced";

/// What [`evaluate_copy`] is asked for.
#[derive(Debug, Clone)]
pub struct CopyRequest {
    /// Which set it is.
    pub dataset: FactTextDataset,
    /// How texts are learnt and written.
    pub settings: CopySettings,
    /// Judge the validation's facts instead of the test's, to choose settings by.
    pub on_validation: bool,
}

/// Trains on a set's texts, writes from the facts that were held out and measures the texts; published figures stand
/// beside them. The model is kept in `folder`; a training that was stopped goes on there.
///
/// # Errors
/// [`crate::EngineError::Copy`] where training fails or a file cannot be written.
pub fn evaluate_copy(
    set: &FactTextSet,
    request: &CopyRequest,
    folder: &Path,
    progress: &mut dyn FnMut(&TrainProgress<'_>),
) -> Result<CopyReport> {
    let corpus = sets::corpus(set);
    progress(&TrainProgress::Stage("learning to write from facts"));
    let started = Instant::now();
    let learnt_tokens = Cell::new(0);
    let (mut model, record) = match train(
        &corpus,
        &request.settings.model,
        folder,
        &mut counted(progress, &learnt_tokens),
    )? {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(record) => (Copywriter::load(folder)?, record),
    };
    let mut reinforced = None;
    if let Some((config, reward)) = request.settings.reinforcement() {
        progress(&TrainProgress::Stage(
            "learning from what its texts are worth",
        ));
        let texts = set.train.iter().flat_map(|one| &one.texts);
        let cut = Cut::of(texts.map(String::as_str));
        let parts = [&set.train, &set.validation].map(|texts| References::of_set(cut, texts));
        let (how, to) = ((config, &reward), folder.join(REINFORCED));
        let mut tell = counted(progress, &learnt_tokens);
        let (better, record) = learn(folder, cut, parts, &set.exact, how, &to, &mut tell)?;
        (model, reinforced) = (better, Some(epochs(&record)));
    }
    let training_seconds = started.elapsed().as_secs_f64();

    progress(&TrainProgress::Stage("writing"));
    let lexicon = Lexicon::learn(&corpus.train, &corpus.slots);
    let (part, texts) = if request.on_validation {
        ("validation", &set.validation)
    } else {
        ("test", &set.test)
    };
    let (writer, drafts) = (model.writer(Precision::F32)?, &request.settings.drafts);
    let started = Instant::now();
    let written = texts
        .par_iter()
        .map(|text| every_way(&writer, &sets::meaning(text), drafts, &lexicon))
        .collect::<Result<Vec<Written>>>()?;
    let writing_seconds = started.elapsed().as_secs_f64();
    let tokens: usize = written.iter().map(|written| written.tokens).sum();

    progress(&TrainProgress::Stage("measuring"));
    Ok(CopyReport {
        dataset: request.dataset.name().to_owned(),
        part: part.to_owned(),
        meanings: texts.len(),
        learnt: corpus.train.len(),
        rows: rows(request.dataset, texts, &written, &lexicon)?,
        parameters: model.parameter_count(),
        vocabulary: model.vocabulary_size(),
        epochs: epochs(&record),
        reinforced,
        training_seconds,
        training_tokens_per_second: learnt_tokens.get() as f64 / training_seconds,
        writing_tokens_per_second: tokens as f64 / writing_seconds,
        samples: samples(texts, &written, drafts.seed),
        settings: request.settings.clone(),
    })
}

/// Tells the steps of a training and counts their tokens.
fn counted<'p>(
    progress: &'p mut dyn FnMut(&TrainProgress<'_>),
    tokens: &'p Cell<u64>,
) -> impl FnMut(&nn::Progress) -> ControlFlow<()> + 'p {
    |step| {
        if let nn::Done::Step { tokens: more, .. } = step.done {
            tokens.set(tokens.get() + more);
        }
        progress(&TrainProgress::CopyStep(step));
        ControlFlow::Continue(())
    }
}

fn epochs(record: &TrainingRecord) -> (usize, Option<u64>) {
    (record.epochs.len(), record.best_epoch)
}

/// The text of a way of choosing.
type Way = fn(&Written) -> &str;

/// The published rows, those of people's own texts where there is a measure for them, and one a way of choosing.
fn rows(
    dataset: FactTextDataset,
    texts: &[FactText],
    written: &[Written],
    lexicon: &Lexicon,
) -> Result<Vec<CopyRow>> {
    let meanings: Vec<Meaning> = texts.iter().map(sets::meaning).collect();
    let mut rows = published::rows(dataset.name());
    let ways: [(&str, Way); 3] = [
        ("greedy", |written| &written.greedy),
        ("beam", |written| &written.likeliest),
        ("consensus", |written| &written.chosen),
    ];
    for (system, way) in ways {
        let judged = judged(&meanings, texts, |at| way(&written[at]));
        rows.push(CopyRow {
            system: system.to_owned(),
            measures: measures(dataset, &judged, lexicon)?,
        });
    }
    // How close people's texts come to themselves says nothing; how they hold to the facts does.
    let people = judged(&meanings, texts, |at| &texts[at].texts[0]);
    let mut people = measures(dataset, &people, lexicon)?;
    let of_facts = [
        "slot_error_rate",
        "verbatim",
        "contradicted",
        "unbound",
        "distinct_4",
    ];
    people.retain(|name, _| of_facts.contains(&name.as_str()));
    rows.push(CopyRow {
        system: "people (first reference)".to_owned(),
        measures: people,
    });
    Ok(rows)
}

fn judged<'a>(
    meanings: &'a [Meaning],
    texts: &'a [FactText],
    text: impl Fn(usize) -> &'a str,
) -> Vec<Judged<'a>> {
    let each = meanings.iter().zip(texts).enumerate();
    each.map(|(at, (meaning, one))| Judged {
        meaning,
        references: &one.texts,
        text: text(at),
    })
    .collect()
}

/// Texts that nobody selected.
fn samples(texts: &[FactText], written: &[Written], seed: u64) -> Vec<CopySample> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.shuffle(&mut nn::generator(seed, "shown texts", 0));
    order.truncate(SHOWN);
    let sample = |at: usize| CopySample {
        facts: texts[at]
            .facts
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
        text: written[at].chosen.clone(),
        reference: texts[at].texts[0].clone(),
    };
    order.into_iter().map(sample).collect()
}
