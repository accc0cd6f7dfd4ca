//! `hawker export`.

use engine::export::{Names, export_decisions, export_events, export_products};

use super::{grouped, store};
use crate::Outcome;
use crate::cli::{ExportArgs, Shared};
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, args: &ExportArgs, terminal: Terminal) -> Outcome<()> {
    let store = store(shared)?;
    let names = if args.identities {
        Names::Identifiers
    } else {
        Names::Pseudonyms
    };
    let rows = match args.what.as_str() {
        "events" => export_events(&store, &args.out, names)?,
        "products" => export_products(&store, &args.out)?,
        _ => export_decisions(&store, &args.out, names)?,
    };
    terminal.say(format!(
        "wrote {} rows to {}",
        grouped(rows),
        args.out.display()
    ));
    terminal.result(&serde_json::json!({"rows": rows, "file": args.out}))
}
