use askama::Template;

use crate::report::chart::{Chart, Shape, Tone, Unit};
use crate::report::data::model::Training;
use crate::report::format::{self, Formats};

/// The learning curves of the trained models.
#[derive(Template)]
#[template(path = "report/learning.html")]
pub(super) struct LearningView<'a> {
    runs: Vec<Run<'a>>,
}

struct Run<'a> {
    training: &'a Training,
    charts: Vec<Chart>,
    best: Option<Best>,
}

/// The epoch whose weights were kept, counted from 1.
struct Best {
    epoch: u64,
    validation: Option<f64>,
}

/// Prepares the section; nothing where nothing was trained.
pub(super) fn view<'a>(trainings: &'a [Training], formats: &Formats) -> Option<LearningView<'a>> {
    let runs: Vec<Run<'_>> = trainings
        .iter()
        .map(|training| run(training, formats))
        .collect();
    (!runs.is_empty()).then_some(LearningView { runs })
}

fn run<'a>(training: &'a Training, formats: &Formats) -> Run<'a> {
    let place = training
        .epochs
        .iter()
        .position(|epoch| Some(epoch.epoch) == training.best_epoch);
    let chart = |title: &str, name: &str, tone, values: Vec<Option<f64>>| {
        Chart::new(title, "epoch", Unit::Decimal, formats)
            .over(
                training
                    .epochs
                    .iter()
                    .map(|epoch| (epoch.epoch + 1).to_string()),
            )
            .series(name, Shape::Line, tone, values)
            .mark(place, "kept")
            .if_any()
    };
    let metric = match training.validation_metric.as_str() {
        "" => "validation",
        metric => metric,
    };
    let losses = training.epochs.iter().map(|epoch| Some(epoch.train_loss));
    let validation = training.epochs.iter().map(|epoch| epoch.validation);
    let title = format!("Validation {metric} by epoch");
    let charts = [
        chart(
            "Training loss by epoch",
            "Training loss",
            Tone::Muted,
            losses.collect(),
        ),
        chart(&title, metric, Tone::Accent, validation.collect()),
    ];
    Run {
        training,
        charts: charts.into_iter().flatten().collect(),
        best: place.map(|place| Best {
            epoch: training.epochs[place].epoch + 1,
            validation: training.epochs[place].validation,
        }),
    }
}
