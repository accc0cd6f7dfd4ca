//! Learning from what is no order, and by weights that are learnt themselves.

use std::ops::ControlFlow;

use super::{DAY_S, ITEMS, after, finished, habitual_shop, small, train_on, weights};
use crate::user_model::{Training, UserModelConfig, WeakLabels, train};
use crate::{Corpus, InteractionKind, Scorer, hold_out, top_k};

/// Shoppers who look at what they would buy next and buy once: orders alone tell next to nothing.
fn window_shopping() -> Corpus {
    let mut corpus = habitual_shop(160, 8);
    for sequence in &mut corpus.sequences {
        let last = sequence.interactions.len() - 1;
        for line in &mut sequence.interactions[..last] {
            line.kind = InteractionKind::View;
            line.order = None;
        }
    }
    corpus
}

#[test]
fn unlabelled_sequences_teach_what_orders_do_not() {
    let corpus = window_shopping();
    let split = hold_out(&corpus, 6 * DAY_S, 8 * DAY_S);
    let mut training = (*split.training).clone();
    // A few shoppers bought early, so that there is something to learn from at all.
    for sequence in training.sequences.iter_mut().take(8) {
        sequence.interactions[5].kind = InteractionKind::Purchase;
    }
    let right = |pretraining_epochs| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = UserModelConfig {
            epochs: 2,
            pretraining_epochs,
            ..small()
        };
        let (model, _) = finished(train_on(&training, &config, folder.path()));
        let found = corpus.sequences.iter().filter(|sequence| {
            let history = &sequence.interactions[..6];
            let scores = model.scores(&[history], 6 * DAY_S).expect("scores");
            let next = after(history[5].item);
            top_k(&scores[0], &[true; ITEMS as usize], 3).contains(&next)
        });
        found.count() as f64 / corpus.sequences.len() as f64
    };
    let (without, with) = (right(0), right(12));
    assert!(
        without < 0.5 && with > 0.8,
        "{without} without, {with} with"
    );
}

#[test]
fn a_pretrained_run_that_was_paused_ends_in_the_same_bytes() {
    let corpus = window_shopping();
    let config = UserModelConfig {
        pretraining_epochs: 1,
        mask_events: 0.1,
        crop_windows: 0.3,
        learn_loss_weights: true,
        weak_labels: WeakLabels {
            views: 1,
            weight: 0.5,
            ..WeakLabels::default()
        },
        ..small()
    };
    let folders = [0, 1].map(|_| tempfile::tempdir().expect("a temporary folder"));
    finished(train_on(&corpus, &config, folders[0].path()));
    let mut steps = 0;
    loop {
        let run = train(&corpus, None, &config, folders[1].path(), &mut |_| {
            steps += 1;
            if steps % 3 == 0 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        match run.expect("trains") {
            Training::Paused(_) => assert!(steps < 1_000),
            Training::Finished(..) => break,
        }
    }
    assert!(steps > 6, "{steps}");
    assert_eq!(weights(folders[0].path()), weights(folders[1].path()));
}

#[test]
fn learnt_weights_of_the_tasks_move_towards_their_sizes() {
    let corpus = habitual_shop(160, 7);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let config = UserModelConfig {
        epochs: 12,
        learn_loss_weights: true,
        ..small()
    };
    let (model, _) = finished(train_on(&corpus, &config, folder.path()));
    let learnt = model.network.task_weights.as_ref().expect("learnt");
    let weights = learnt.weights().expect("numbers");
    // Products, category, price band, purchase: this shop has no brands. The smallest loss counts most.
    assert_eq!(weights.len(), 4);
    assert!(weights[0] < 0.8 && weights[1] > 1.2, "{weights:?}");
}
