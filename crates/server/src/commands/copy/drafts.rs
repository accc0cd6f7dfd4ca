//! `hawker copy draft`.

use engine::{CheckedDraft, Config, DraftProvider, DraftRequest, Drafted, LlmAccess, Store};
use events::{Timestamp, VariantStatus};

use super::super::config;
use super::sentences;
use crate::Outcome;
use crate::cli::{CopyDraftArgs, Shared};
use crate::terminal::Terminal;

/// Writes drafts, the best first, and says of each whether it may be sent and what was kept.
pub(super) fn draft(shared: &Shared, args: &CopyDraftArgs, terminal: Terminal) -> Outcome<()> {
    let reads_shop = args.product.is_some() || args.shopper.is_some();
    let store = reads_shop
        .then(|| Store::open_existing(&shared.data_dir))
        .transpose()?;
    let config = config(shared)?;
    let request = DraftRequest {
        provider: args.provider,
        product: args.product.clone(),
        facts: args.facts.clone().unwrap_or_default(),
        controls: args.controls.clone(),
        shopper: args.shopper.clone(),
        channel: args.channel,
        strategy: args.strategy,
        language: args.language,
        now: args.at.unwrap_or_else(Timestamp::now),
        count: usize::from(args.count),
        seed: args.seed,
        stream: args.stream,
        keep: args.keep,
        access: access(&config, args.provider)?,
    };
    let mut told = |piece: &str| terminal.piece(piece);
    let drafted = engine::draft(
        &shared.data_dir,
        store.as_ref(),
        &config,
        &request,
        &mut told,
    )?;
    if args.stream {
        terminal.piece("\n");
    }
    tell(&drafted, args.provider, terminal);
    terminal.result(&drafted)
}

/// The key and the certificates for a language model on a server, where one is asked.
fn access(config: &Config, provider: DraftProvider) -> Outcome<LlmAccess> {
    let Some(llm) = config.copywriter.llm.as_ref() else {
        return Ok(LlmAccess::default());
    };
    if provider != DraftProvider::Llm {
        return Ok(LlmAccess::default());
    }
    let ca_pem = if llm.base_url.starts_with("https://") {
        std::fs::read(&llm.ca_file)
            .map_err(|error| format!("cannot read {}: {error}", llm.ca_file.display()))?
    } else {
        Vec::new()
    };
    Ok(LlmAccess {
        key: std::env::var(&llm.api_key_env).ok(),
        ca_pem,
    })
}

fn tell(drafted: &Drafted, asked: DraftProvider, terminal: Terminal) {
    for passed in &drafted.passed_over {
        let reasons: Vec<String> = passed
            .reasons
            .iter()
            .map(|(name, count)| match count {
                1 => name.clone(),
                count => format!("{name} ({count})"),
            })
            .collect();
        terminal.say(format!(
            "{} wrote nothing: {}: {}",
            passed.provider,
            reasons.join(", "),
            passed.detail
        ));
    }
    match drafted.provider {
        None => terminal.say("nobody had a text; name another --strategy or --channel"),
        Some(provider) if provider != asked.name() => {
            terminal.say(format!("written by {provider} in its place:"));
        }
        Some(_) => {}
    }
    for refused in &drafted.refused {
        terminal.say(format!("refused: {}: {}", refused.reason, refused.detail));
    }
    for (number, draft) in (1..).zip(&drafted.drafts) {
        for line in lines(number, draft) {
            terminal.say(line);
        }
    }
}

/// A draft as a person reads it.
fn lines(number: usize, draft: &CheckedDraft) -> Vec<String> {
    let verdict = if draft.ok {
        "passes"
    } else {
        "must not be sent"
    };
    let mut lines = vec![
        format!("{number}. {}", draft.text),
        format!("   {verdict}{}{}", facts(draft), voice(draft.voice)),
    ];
    let findings = sentences(&draft.findings, &format!("draft {number}"), &draft.text);
    lines.extend(findings.into_iter().map(|finding| format!("   {finding}")));
    if let Some(kept) = &draft.kept {
        let (status, id) = (kept.status, &kept.id);
        let before = if kept.is_new { "" } else { " before" };
        lines.push(match (status, &kept.approved_by) {
            (VariantStatus::Draft, _) => {
                format!("   kept{before} as a draft; `hawker copy approve {id} --by NAME` lets it be shown")
            }
            (_, Some(by)) => format!("   kept{before} as {id}, {status}, approved by {by}"),
            (_, None) => format!("   kept{before} as {id}, {status}"),
        });
    }
    if let Some(remark) = &draft.not_kept {
        lines.push(format!("   not kept: {}: {}", remark.reason, remark.detail));
    }
    lines
}

/// How like the brand's voice a text is, where there is one to be like.
pub(super) fn voice(similarity: Option<f64>) -> String {
    similarity.map_or_else(String::new, |x| format!("; voice {x:.2}"))
}

/// How a draft differs from the facts that it was to state, as far as they are recognised.
fn facts(draft: &CheckedDraft) -> String {
    let of = |count: Option<usize>, does: &str| match count {
        None | Some(0) => String::new(),
        Some(1) => format!("; {does} 1 fact"),
        Some(count) => format!("; {does} {count} facts"),
    };
    of(draft.missing, "leaves out") + &of(draft.added, "adds")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_says_what_it_leaves_out_and_adds() {
        let draft = |missing, added| CheckedDraft {
            text: "A mug.".to_owned(),
            ok: true,
            log_probability: None,
            missing,
            added,
            voice: None,
            findings: Vec::new(),
            kept: None,
            not_kept: None,
        };
        let said = |missing, added| lines(1, &draft(missing, added)).join("|");
        assert_eq!(said(None, None), "1. A mug.|   passes");
        assert_eq!(said(Some(0), Some(0)), "1. A mug.|   passes");
        assert_eq!(
            said(Some(1), Some(2)),
            "1. A mug.|   passes; leaves out 1 fact; adds 2 facts"
        );
        assert_eq!(voice(Some(0.834)), "; voice 0.83");
    }
}
