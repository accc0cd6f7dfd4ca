//! `hawker copy list`, `approve`, `pause` and `retire`.

use engine::{ListedVariant, VariantChange, VariantFilter};
use events::{Scope, Timestamp};

use super::super::{config, store};
use super::drafts::voice;
use crate::Outcome;
use crate::cli::{CopyListArgs, Shared};
use crate::terminal::Terminal;

/// Shows the shop's own texts.
pub(super) fn list(shared: &Shared, args: &CopyListArgs, terminal: Terminal) -> Outcome<()> {
    let filter = VariantFilter {
        status: args.status,
        product: args.product.clone(),
        channel: args.channel,
    };
    let now = args.at.unwrap_or_else(Timestamp::now);
    let listed = engine::list_variants(&store(shared)?, &config(shared)?, &filter, now)?;
    if listed.is_empty() {
        terminal.say(
            "no such text; `hawker copy draft --product ID --channel CHANNEL --keep` keeps some",
        );
    }
    for variant in &listed {
        for line in lines(variant) {
            terminal.say(line);
        }
    }
    terminal.result(&serde_json::json!({ "texts": listed }))
}

/// Changes the status of texts and says what each is now.
pub(super) fn change(
    shared: &Shared,
    ids: &[String],
    change: VariantChange<'_>,
    at: Option<Timestamp>,
    terminal: Terminal,
) -> Outcome<()> {
    let now = at.unwrap_or_else(Timestamp::now);
    let mut store = store(shared)?;
    let changed = engine::change_variants(&mut store, &config(shared)?, ids, change, now)?;
    for stored in &changed {
        let variant = &stored.variant;
        terminal.say(format!("{}  {}", variant.id, variant.status));
    }
    terminal.result(&serde_json::json!({ "texts": changed }))
}

/// A text as a person reads it.
fn lines(listed: &ListedVariant) -> Vec<String> {
    let variant = &listed.stored.variant;
    let about = match &variant.scope {
        Scope::All => "every product".to_owned(),
        Scope::ProductIds(ids) => ids.join(", "),
    };
    let by = variant.approved_by.as_ref();
    let by = by.map_or_else(String::new, |by| format!(", approved by {by}"));
    let head = format!(
        "{}  {}, about {about}, by {}{by}{}",
        variant.id,
        variant.status,
        variant.generator.provider,
        voice(listed.voice)
    );
    let mut lines = vec![head, format!("   {}", listed.text)];
    if let Some(reason) = &listed.stored.reason {
        lines.push(format!("   paused for {reason}"));
    }
    if let Some(refused) = &listed.refused {
        lines.push(format!(
            "   may not be shown now: {}: {}",
            refused.reason, refused.detail
        ));
    }
    lines
}
