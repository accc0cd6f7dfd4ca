//! `hawker run`: everything, one stage after the other.

use engine::Store;

use super::{campaign, config, evaluate, import, report, train};
use crate::Outcome;
use crate::cli::{RunArgs, Shared};
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, args: &RunArgs, terminal: Terminal) -> Outcome<()> {
    let config = config(shared)?;
    let mut store = Store::open(&shared.data_dir)?;
    let imported = import::import_files(&mut store, &config, &args.import, terminal)?;
    train::train_models(&mut store, &config, terminal)?;
    let evaluation = evaluate::evaluate_models(&store, &config, terminal)?;
    let campaign = campaign::write_campaign(&mut store, &config, &args.campaign, terminal)?;
    let path = shared.data_dir.join("report.html");
    report::write(&store, &config, &path)?;
    terminal.say(format!("open {}", path.display()));
    terminal.result(&serde_json::json!({
        "import": imported,
        "evaluation": evaluation,
        "campaign": campaign,
        "report": path,
    }))
}
