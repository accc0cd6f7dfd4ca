//! Learning from what texts are worth.

use std::ops::ControlFlow;
use std::path::Path;

use nn::inference::Precision;
use nn::{Done, Training, TrainingRecord};
use tempfile::TempDir;

use super::{config, corpus, trained};
use crate::decoder::*;

/// Texts with a word are worth 1, others nothing.
struct Says(&'static str);

impl Reward for Says {
    fn fingerprint(&self) -> String {
        self.0.to_owned()
    }

    fn of(&self, _: Part, _: usize, text: &Draft, _: Covered) -> f64 {
        f64::from(u8::from(text.text.contains(self.0)))
    }
}

/// A model after a few epochs: it says that a thing is a mug in a third of its texts.
fn begun() -> (TempDir, Copywriter) {
    let few = CopywriterConfig {
        epochs: 12,
        ..config()
    };
    trained(&few)
}

fn meanings() -> (Vec<Meaning>, Vec<Meaning>) {
    let corpus = corpus();
    let of = |examples: Vec<Example>| examples.into_iter().map(|one| one.meaning).collect();
    (of(corpus.train), of(corpus.validation))
}

fn settings() -> ReinforceConfig {
    ReinforceConfig {
        epochs: 2,
        meanings_per_epoch: 64,
        meanings: 8,
        drafts: 6,
        kl_coefficient: 0.0,
        max_tokens: 40,
        learning_rate: 2e-3,
        checkpoint_steps: 3,
        ..ReinforceConfig::default()
    }
}

fn learnt(
    from: &Path,
    folder: &Path,
    settings: &ReinforceConfig,
    stop_after: Option<u64>,
) -> Training<Copywriter> {
    let (train, validation) = meanings();
    let meanings = Meanings {
        train: &train,
        validation: &validation,
    };
    let mut steps = 0;
    let mut told = |progress: &nn::Progress| {
        if matches!(progress.done, Done::Step { .. }) {
            steps += 1;
        }
        if stop_after == Some(steps) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    reinforce(from, meanings, &Says("mug"), settings, folder, &mut told).expect("learns")
}

fn finished(run: Training<Copywriter>) -> (Copywriter, TrainingRecord) {
    match run {
        Training::Finished(model, record) => (*model, record),
        Training::Paused(_) => panic!("nobody asked it to stop"),
    }
}

/// The share of the validation's greedy texts that say it.
fn share(model: &Copywriter) -> f64 {
    let writer = model.writer(Precision::F32).expect("fits");
    let greedy = settings().decoding(Search::Greedy);
    let (_, validation) = meanings();
    let says = validation.iter().filter(|meaning| {
        let drafts = writer.write(meaning, &greedy, 1).expect("writes");
        drafts
            .first()
            .is_some_and(|draft| draft.text.contains("mug"))
    });
    says.count() as f64 / validation.len() as f64
}

#[test]
fn what_is_worth_more_is_said_more() {
    let (from, before) = begun();
    assert!(share(&before) < 0.5, "{}", share(&before));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (after, record) = finished(learnt(from.path(), folder.path(), &settings(), None));
    assert!(share(&after) > 0.9, "{}", share(&after));
    let best = record.best().expect("an epoch").validation[REWARD];
    assert!((best - share(&after)).abs() < 1e-6, "{best}");
    assert_ne!(after.version(), before.version());
    // It still says whose colour it is.
    let writer = after.writer(Precision::F32).expect("fits");
    let blue = super::meaning("X", "blue");
    let greedy = settings().decoding(Search::Greedy);
    let drafts = writer.write(&blue, &greedy, 1).expect("writes");
    assert!(drafts[0].text.contains("blue"), "{}", drafts[0].text);
}

#[test]
fn a_short_leash_holds_it_back_and_nothing_better_is_nothing_new() {
    let (from, before) = begun();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let held = ReinforceConfig {
        kl_coefficient: 10.0,
        ..settings()
    };
    let (_, record) = finished(learnt(from.path(), folder.path(), &held, None));
    for epoch in &record.epochs {
        let moved = epoch.validation[REWARD] - share(&before);
        assert!(moved.abs() < 0.3, "{record:?}");
    }
    let nothing = ReinforceConfig {
        learning_rate: 1e-12,
        epochs: 1,
        ..settings()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (same, record) = finished(learnt(from.path(), folder.path(), &nothing, None));
    assert_eq!(same.version(), before.version());
    assert_eq!(record.best_epoch, None);
}

#[test]
fn a_run_that_was_stopped_ends_where_one_that_was_not_does() {
    let (from, _) = begun();
    let whole = tempfile::tempdir().expect("a temporary folder");
    let (whole, _) = finished(learnt(from.path(), whole.path(), &settings(), None));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let paused = learnt(from.path(), folder.path(), &settings(), Some(5));
    assert!(matches!(paused, Training::Paused(_)));
    let (resumed, _) = finished(learnt(from.path(), folder.path(), &settings(), None));
    assert_eq!(resumed.version(), whole.version());
}
