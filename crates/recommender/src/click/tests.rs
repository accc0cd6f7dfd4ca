//! Whole models on tables with known effects.

use std::ops::ControlFlow;

use nn::generator;
use rand::RngExt;

use super::*;
use crate::RecommenderError;

/// Impressions whose probability of a click is a function of two categories and a number.
fn planted(rows: usize, probability: impl Fn(usize, usize, f64) -> f64) -> Table {
    let mut rng = generator(7, "planted", 0);
    let mut table = Table::new(["item_id", "colour", "place", "price", "clicked"]).expect("names");
    for row in 0..rows {
        let (colour, place) = (rng.random_range(0..2), rng.random_range(0..2));
        let price = rng.random::<f64>() * 2.0 - 1.0;
        let clicked = rng.random::<f64>() < probability(colour, place, price);
        let fields = [
            format!("item-{row}"),
            ["red", "blue"][colour].to_owned(),
            ["top", "bottom"][place].to_owned(),
            format!("{:.3}", 20.0 + 10.0 * price),
            u8::from(clicked).to_string(),
        ];
        table.push(row as u64 + 2, &fields).expect("as many fields");
    }
    table
}

/// Red at the top and blue at the bottom are clicked; neither category alone says anything.
fn exclusive_or(rows: usize) -> Table {
    planted(
        rows,
        |colour, place, _| if colour == place { 0.95 } else { 0.05 },
    )
}

fn split(table: &Table) -> ClickData {
    ClickData::new(table, "clicked", Shares::WITH_TEST, 3).expect("rows enough")
}

fn fit(data: &ClickData, settings: &ClickSettings) -> ClickModel {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut go_on = |_: &nn::Progress| ControlFlow::Continue(());
    match train(data, settings, folder.path(), &mut go_on).expect("trains") {
        Training::Finished(model, _) => *model,
        Training::Paused(_) => panic!("nobody stopped it"),
    }
}

fn test_figures(data: &ClickData, kind: ClickModelKind) -> ClickFigures {
    let model = fit(data, &ClickSettings::of(kind));
    let probabilities = model.probabilities(&data.test).expect("the same features");
    ClickFigures::of(data.test.labels(), &probabilities)
}

#[test]
fn crosses_learn_an_interaction_that_logistic_regression_cannot() {
    let data = split(&exclusive_or(3_000));
    let logistic = test_figures(&data, ClickModelKind::Logistic);
    assert!((logistic.auc - 0.5).abs() < 0.08, "{}", logistic.auc);
    for kind in [ClickModelKind::Dcn, ClickModelKind::Mlp] {
        let figures = test_figures(&data, kind);
        assert!(figures.auc > 0.9, "{kind:?}: {}", figures.auc);
        assert!(figures.log_loss < 0.3, "{kind:?}: {}", figures.log_loss);
        let error = figures.calibration_error;
        assert!(error < 0.06, "{kind:?}: {error}");
    }
}

#[test]
fn weights_recover_the_planted_effects() {
    // Log-odds: −0.5, blue 1.5 more than red, and 1.2 a standard deviation of the price, which is 10 / √3 here.
    let log_odds =
        |colour: usize, price: f64| -1.25 + 1.5 * colour as f64 + 1.2 * price * 3.0_f64.sqrt();
    let table = planted(6_000, |colour, _, price| {
        1.0 / (1.0 + (-log_odds(colour, price)).exp())
    });
    let data = split(&table);
    let model = fit(&data, &ClickSettings::of(ClickModelKind::Logistic));
    let weights = model.weights(&data).expect("reads").expect("logistic");
    let weight = |name: &str| {
        let found = weights.iter().find(|weight| weight.name == name);
        found
            .map(|weight| weight.weight)
            .expect("there is such a weight")
    };
    let colours = weight("colour = blue") - weight("colour = red");
    assert!((colours - 1.5).abs() < 0.25, "{colours}");
    assert!((weight("price") - 1.2).abs() < 0.2, "{weights:?}");
    assert!(weight("place = top").abs() < 0.1, "{weights:?}");
    assert_eq!(weights[0].name, "price");
    assert_eq!(weights.len(), 5, "no category was rare: {weights:?}");
    let deep = fit(
        &split(&exclusive_or(200)),
        &ClickSettings::of(ClickModelKind::Dcn),
    );
    assert_eq!(deep.weights(&data).expect("reads"), None);
}

#[test]
fn the_seed_decides_everything() {
    let table = exclusive_or(300);
    let answers = |split_seed, seed| {
        let data = ClickData::new(&table, "clicked", Shares::WITH_TEST, split_seed);
        let data = data.expect("rows enough");
        let settings = ClickSettings {
            seed,
            ..ClickSettings::of(ClickModelKind::Dcn)
        };
        let model = fit(&data, &settings);
        let all = data.features.examples(&table).expect("the same features");
        model.probabilities(&all).expect("the same features")
    };
    let first = answers(3, 1);
    assert_eq!(first, answers(3, 1));
    assert_ne!(first, answers(3, 2));
    assert_ne!(first, answers(4, 1));
}

#[test]
fn a_run_that_was_stopped_ends_where_another_would() {
    let data = split(&exclusive_or(300));
    let settings = ClickSettings::of(ClickModelKind::Mlp);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut stop = |progress: &nn::Progress| match progress.step {
        17 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let paused = train(&data, &settings, folder.path(), &mut stop).expect("trains");
    assert!(matches!(paused, Training::Paused(_)));
    let mut go_on = |_: &nn::Progress| ControlFlow::Continue(());
    let resumed = train(&data, &settings, folder.path(), &mut go_on).expect("goes on");
    let Training::Finished(resumed, _) = resumed else {
        panic!("nobody stopped it");
    };
    let of = |model: &ClickModel| model.probabilities(&data.test).expect("the same features");
    assert_eq!(of(&resumed), of(&fit(&data, &settings)));
}

#[test]
fn a_table_of_one_kind_of_column_is_learnt_as_well() {
    for names in [["colour", "clicked"], ["price", "clicked"]] {
        let mut table = Table::new(names).expect("names");
        for row in 0..200 {
            let value = if names[0] == "price" {
                "1.5,2.5"
            } else {
                "red,blue"
            };
            let value = value.split(',').nth(row % 2).expect("two values");
            let clicked = u8::from((row / 2 + row) % 5 < 3).to_string();
            table
                .push(row as u64 + 2, &[value, &clicked])
                .expect("two fields");
        }
        let data = split(&table);
        for kind in ClickModelKind::ALL {
            let model = fit(
                &data,
                &ClickSettings {
                    steps: 40,
                    ..ClickSettings::of(kind)
                },
            );
            let probabilities = model.probabilities(&data.test).expect("the same features");
            assert!(probabilities.iter().all(|p| *p > 0.0 && *p < 1.0));
        }
    }
}

#[test]
fn too_few_rows_are_refused_by_the_part_that_lacks_them() {
    let message = |rows| {
        let data = ClickData::new(&exclusive_or(rows), "clicked", Shares::WITH_TEST, 3);
        match data.expect_err("too few") {
            RecommenderError::Table { problem, .. } => problem,
            other => panic!("{other}"),
        }
    };
    let problem = message(6);
    assert!(
        problem.starts_with("the validation part holds"),
        "{problem}"
    );
}
