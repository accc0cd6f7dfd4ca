//! A delivery between its decisions and its file: what is left to do after a kill, and the command that does it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::summary::CampaignReport;
use super::{CampaignRequest, deliver};
use crate::error::{EngineError, Result};
use crate::store::Store;

/// The key under which the store remembers a file that has not got its name yet.
const PENDING: &str = "delivery";

/// A campaign whose decisions are logged and whose file may be missing.
#[derive(Serialize, Deserialize)]
pub(super) struct Pending {
    request: String,
    report: CampaignReport,
    /// The finished file under its name in progress.
    part: PathBuf,
    /// The command that was given; empty where an older version wrote this.
    #[serde(default)]
    command: String,
}

/// A campaign whose decisions count as sent but whose file has not got its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnfinishedDelivery {
    /// The run under which its decisions are logged.
    pub run: String,
    /// Its messages.
    pub messages: u64,
    /// The moment of its decisions.
    pub decided_at: String,
    /// The finished file under its name in progress; absent where somebody has removed it.
    pub part: Option<PathBuf>,
    /// The command that finishes it without deciding again; empty where it is not known.
    pub command: String,
}

impl Pending {
    pub(super) fn new(request: &CampaignRequest, report: &CampaignReport) -> Self {
        Self {
            request: identity_of(request),
            report: report.clone(),
            part: absolute(&deliver::part_of(&request.out)),
            command: command_of(request),
        }
    }

    /// Notes the delivery, in the transaction of its decisions.
    pub(super) fn note(&self, store: &Store) -> Result<()> {
        let json = serde_json::to_vec(self).map_err(|error| deliver::unwritable(&error))?;
        store.set_meta(PENDING, &json)
    }

    /// Gives the file its name.
    pub(super) fn finish(&self, store: &mut Store, out: &Path) -> Result<()> {
        std::fs::rename(&self.part, out).map_err(EngineError::io("write", out))?;
        store.transaction(|store| store.remove_meta(PENDING))
    }

    fn of(store: &Store) -> Result<Option<Self>> {
        let json = store.meta(PENDING)?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
    }
}

/// Finishes the delivery of the same campaign where it was interrupted after its decisions were logged.
pub(super) fn resume(
    store: &mut Store,
    request: &CampaignRequest,
) -> Result<Option<CampaignReport>> {
    let Some(pending) = Pending::of(store)? else {
        return Ok(None);
    };
    // Versions before the command was noted wrote the request as it was given.
    let is_same = [identity_of(request), format!("{request:?}")].contains(&pending.request);
    if !is_same || !pending.part.exists() {
        return Ok(None);
    }
    pending.finish(store, &request.out)?;
    Ok(Some(pending.report))
}

/// The delivery that broke off and was not repeated, if there is one.
///
/// # Errors
/// Those of the store.
pub fn unfinished_delivery(store: &Store) -> Result<Option<UnfinishedDelivery>> {
    Ok(Pending::of(store)?.map(|pending| UnfinishedDelivery {
        run: pending.report.run,
        messages: pending.report.messages,
        decided_at: pending.report.decided_at,
        part: pending.part.exists().then_some(pending.part),
        command: pending.command,
    }))
}

/// What tells one campaign from another, whichever folder it was asked for in.
fn identity_of(request: &CampaignRequest) -> String {
    let out = absolute(&request.out);
    format!(
        "{:?}",
        CampaignRequest {
            out,
            ..request.clone()
        }
    )
}

fn command_of(request: &CampaignRequest) -> String {
    let at = request.at.map(|at| format!(" --at {at}"));
    format!(
        "hawker campaign --channel {} --goal {} --seed {}{}{} --out {}",
        request.channel,
        request.goal,
        request.seed,
        at.unwrap_or_default(),
        if request.identities {
            " --identities"
        } else {
            ""
        },
        quoted(&absolute(&request.out).to_string_lossy())
    )
}

/// A word that the shell reads as one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:,@".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Channel, Goal};

    #[test]
    fn the_command_repeats_the_request() {
        let request = CampaignRequest {
            channel: Channel::Email,
            goal: Goal::Purchase,
            seed: 7,
            at: Some("2026-05-01T09:30:00Z".parse().expect("valid")),
            out: PathBuf::from("/tmp/it's here/mail.csv"),
            identities: true,
        };
        assert_eq!(
            command_of(&request),
            "hawker campaign --channel email --goal purchase --seed 7 --at 2026-05-01T09:30:00Z --identities --out \
             '/tmp/it'\\''s here/mail.csv'"
        );
        let plain = CampaignRequest {
            at: None,
            out: PathBuf::from("/tmp/a.jsonl"),
            identities: false,
            ..request
        };
        assert!(command_of(&plain).ends_with("--seed 7 --out /tmp/a.jsonl"));
    }
}
