//! `hawker export`.

use super::{grouped, store};
use crate::Outcome;
use crate::cli::{ExportArgs, Shared};
use crate::terminal::Terminal;

pub(crate) fn run(shared: &Shared, args: &ExportArgs, terminal: Terminal) -> Outcome<()> {
    let store = store(shared)?;
    let rows = match args.what.as_str() {
        "events" => engine::export::export_events(&store, &args.out, args.identities)?,
        "products" => engine::export::export_products(&store, &args.out)?,
        _ => engine::export::export_decisions(&store, &args.out, args.identities)?,
    };
    terminal.say(format!("wrote {} rows to {}", grouped(rows), args.out.display()));
    terminal.result(&serde_json::json!({"rows": rows, "file": args.out}))
}
