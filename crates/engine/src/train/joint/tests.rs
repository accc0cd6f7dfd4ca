use super::*;
use copywriter::decoder::{Fact, Meaning};

const COLUMNS: usize = 4;

fn events() -> Vec<ShopperEvent> {
    let event = |text: &str, column| ShopperEvent {
        texts: vec![text.to_owned()],
        things: vec![(column, 0.3)],
    };
    vec![event("red", 0), event("money", 3)]
}

/// Shoppers who did one of two things before, and then wrote one of two sentences: the one that goes with what they did,
/// or either by turns.
pub(crate) fn two_kinds(state_tells: bool) -> ShopperTexts {
    let told = |number: usize| {
        let kind = number % 2;
        let choice = if state_tells { kind } else { number / 2 % 2 };
        let text = ["Paint your kitchen red.", "Save money on every brush."][choice];
        Told {
            shopper: number,
            example: Example {
                meaning: Meaning::of_facts(vec![Fact::new("thing", "brush")]),
                text: text.to_owned(),
            },
            past: vec![kind as u32],
            interest: kind as u32,
            most_gain: None,
        }
    };
    ShopperTexts {
        events: events(),
        interests: 2,
        slots: Vec::new(),
        train: (0..96).map(told).collect(),
        validation: (0..24).map(told).collect(),
        test: (0..24).map(told).collect(),
    }
}

pub(crate) fn small() -> (CopywriterConfig, ShopperSettings) {
    let model = CopywriterConfig {
        vocabulary: 300,
        width: 32,
        layers: 1,
        heads: 2,
        hidden: 64,
        dropout: 0.0,
        label_smoothing: 0.0,
        prefix_vectors: 1,
        max_tokens: 48,
        batch_tokens: 512,
        epochs: 30,
        patience: 30,
        learning_rate: 0.01,
        ..CopywriterConfig::default()
    };
    let shopper = ShopperSettings {
        columns: COLUMNS,
        dropout: 0.0,
        nobody_share: 0.0,
        interest_weight: 0.5,
        ..ShopperSettings::default()
    };
    (model, shopper)
}

#[test]
fn the_gradient_of_the_text_reaches_the_encoder() {
    let texts = two_kinds(true);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (model, mut shopper) = small();
    // Nothing but the text is learnt, so that whatever reaches the encoder came through the soft prefix.
    shopper.interest_weight = 0.0;
    let mut task = JointTask::new(&texts, &model, &shopper, folder.path()).expect("fits");
    task.plan_epoch(0).expect("there are texts");
    let place = BatchPlace {
        in_epoch: 0,
        number: 0,
    };
    let told = task.gradients(place).expect("differentiable");
    for name in [
        "shopper.things.weight",
        "shopper.narrow.weight",
        "writer.prefix.weight",
    ] {
        let gradient = &told.gradients[name];
        let shape = gradient.shape().clone();
        let flat = |tensor: &Tensor| -> Vec<f32> {
            let flat = tensor.flatten_all().and_then(|flat| flat.to_vec1());
            flat.expect("f32")
        };
        let gradient = flat(gradient);
        let steepest = (0..gradient.len()).max_by(|a, b| {
            let steep = |at: &usize| gradient[*at].abs();
            steep(a).total_cmp(&steep(b))
        });
        let steepest = steepest.expect("not empty");
        let before = flat(task.store.get(name).expect("exists").var.as_tensor());
        let loss_at = |moved: f32| {
            let mut values = before.clone();
            values[steepest] += moved;
            let value = Tensor::from_vec(values, shape.clone(), &nn::Device::Cpu).expect("fits");
            task.store.set(name, &value).expect("fits");
            task.gradients(place).expect("computes").loss
        };
        let step = 3e-3f32;
        let numeric = (loss_at(step) - loss_at(-step)) / f64::from(2.0 * step);
        loss_at(0.0);
        let analytic = f64::from(gradient[steepest]);
        assert!(analytic.abs() > 1e-4, "{name} gets {analytic}");
        let gap = (analytic - numeric).abs() / numeric.abs();
        assert!(
            gap < 0.03,
            "{name}: backward says {analytic}, differences say {numeric}"
        );
    }
}

#[test]
fn a_run_that_was_stopped_ends_where_an_undisturbed_one_does() {
    let texts = two_kinds(true);
    let (model, shopper) = small();
    let run = |folder: &Path, most: u64| {
        let mut tell = |step: &Progress| {
            if step.step < most {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        train_jointly(&texts, &model, &shopper, folder, &mut tell)
    };
    let (whole, parts) = (tempfile::tempdir(), tempfile::tempdir());
    let (whole, parts) = (whole.expect("a folder"), parts.expect("a folder"));
    let (straight, _, _) = run(whole.path(), u64::MAX).expect("trains");
    // The first epoch has to be closed before there is a model to come back with.
    let first = run(parts.path(), 10).expect("has a model");
    assert!(!first.2.finished);
    let (resumed, _, record) = run(parts.path(), u64::MAX).expect("goes on");
    assert!(record.finished);
    assert_eq!(straight.version(), resumed.version());
}

#[test]
fn nothing_done_is_a_state_of_zeros_and_the_latest_counts_most() {
    let (model, mut shopper) = small();
    shopper.half_life_events = 1.0;
    let texts = two_kinds(true);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let task = JointTask::new(&texts, &model, &shopper, folder.path()).expect("fits");
    let table = task.learner.model().token_table();
    let states = |pasts: &[&[u32]]| -> Vec<Vec<f32>> {
        let (encoder, pass) = (&task.encoder, &mut Pass::Infer);
        let states = encoder.states(table, &task.events, pasts, pass);
        states.and_then(|s| Ok(s.to_vec2()?)).expect("f32")
    };
    let all = states(&[&[], &[0], &[0, 1], &[1, 0]]);
    assert_eq!(all[0], [0.0; 32]);
    assert_ne!(all[2], all[3]);
    // A state does not depend on who stands beside it.
    assert_eq!(states(&[&[1, 0]])[0], all[3]);
    let distance =
        |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
    assert!(distance(&all[3], &all[1]) < distance(&all[2], &all[1]));
}
