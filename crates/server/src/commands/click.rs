//! `hawker click`.

mod plot;

use engine::{ClickModelKind, ClickRequest, Done};

use crate::Outcome;
use crate::cli::{ClickArgs, ClickModels, Shared};
use crate::terminal::Terminal;

/// Weights that are printed; `--json` has all.
const WEIGHTS: usize = 12;

pub(crate) fn run(shared: &Shared, args: &ClickArgs, terminal: Terminal) -> Outcome<()> {
    let request = ClickRequest {
        file: args.file.clone(),
        test: args.test.clone(),
        label: args.label.clone(),
        models: models(args.model),
        seed: args.seed,
    };
    let bar = terminal.spinner("reading");
    let report = engine::click(
        &request,
        &shared.data_dir.join("click"),
        &mut |model, step| {
            if let Done::Epoch(epoch) = &step.done {
                let (name, loss) = (model.name(), epoch.train_loss);
                let (epoch, epochs) = (step.epoch + 1, step.epochs);
                bar.set_message(format!(
                    "{name}: epoch {epoch} of at most {epochs}, loss {loss:.4}"
                ));
            }
        },
    );
    bar.finish_and_clear();
    let report = report?;
    if let Some(path) = &args.plot {
        engine::write_file(path, plot::reliability(&report.models).as_bytes())?;
    }
    terminal.say(report.heading());
    terminal.say(format!("\n{}", report.table()));
    terminal.say(
        "ECE: the mean over 15 equal bins, by their examples, of |share of clicks − mean probability|\n",
    );
    let weights = report.weights(WEIGHTS);
    if !weights.is_empty() {
        terminal.say(format!(
            "largest weights of logistic regression, in log-odds (numbers: a standard deviation; categories: beside their \
             column's average)\n{weights}"
        ));
    }
    if let Some(path) = &args.plot {
        terminal.say(format!("reliability plot in {}", path.display()));
    }
    terminal.result(&report)
}

fn models(asked: ClickModels) -> Vec<ClickModelKind> {
    match asked {
        ClickModels::Dcn => vec![ClickModelKind::Dcn],
        ClickModels::Mlp => vec![ClickModelKind::Mlp],
        ClickModels::Logistic => vec![ClickModelKind::Logistic],
        ClickModels::All => ClickModelKind::ALL.to_vec(),
    }
}
