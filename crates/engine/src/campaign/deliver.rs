//! Delivery: decisions into the log, durably, then the file, atomically.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use events::{Check, CopyText, Decision};
use serde::{Deserialize, Serialize};

use super::pending::Pending;
use super::summary::CampaignReport;
use super::{CampaignRequest, Case, Run};
use crate::error::{EngineError, Result};
use crate::store::Store;

/// The key of what the last campaign came to.
const LAST_REPORT: &str = "last_campaign";

/// One line of a campaign's file: the decision with what a sender needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeliveredLine {
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// The shop's own identifier of the shopper, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The text as it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<CopyText>,
    /// The text as a person reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plain_text: Option<CopyText>,
    /// The product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<DeliveredProduct>,
    /// The variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant_id: Option<String>,
    /// The argument that the text makes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<String>,
    /// Why this product, in words.
    pub reason: String,
    /// What the guard checked.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// The names that the text shows, with their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bindings: BTreeMap<String, String>,
    /// Where each of these values comes from.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub paths: BTreeMap<String, String>,
    /// What wrote the text: `templates`, `native`, `decoder` or `llm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Why there is no message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nothing: Option<Nothing>,
}

/// The product of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveredProduct {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
}

/// Why there is no message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nothing {
    /// A short stable name.
    pub reason: String,
}

/// Refuses a folder in the place of the file, before anything is decided.
pub(crate) fn check_place(out: &Path) -> Result<()> {
    if out.is_dir() {
        let remedy = "name a file that is to be written, such as campaign.jsonl";
        return Err(EngineError::file(out, "is a folder", remedy));
    }
    Ok(())
}

/// Puts the decisions and their cases together to the lines of the file.
pub(super) fn lines(
    run: &Run<'_>,
    cases: &[Case<'_>],
    decisions: Vec<Decision>,
) -> Vec<DeliveredLine> {
    cases
        .iter()
        .zip(decisions)
        .map(|(case, decision)| line(run, case, decision))
        .collect()
}

fn line(run: &Run<'_>, case: &Case<'_>, decision: Decision) -> DeliveredLine {
    let reason = decision.explanation.reason.clone();
    let message = match case.refusal {
        Some(_) => None,
        None => case.candidates.messages.get(decision.chosen),
    };
    let mut line = DeliveredLine {
        decision,
        user_id: None,
        text: None,
        plain_text: None,
        product: None,
        variant_id: None,
        strategy: None,
        reason,
        checks: Vec::new(),
        bindings: BTreeMap::new(),
        paths: BTreeMap::new(),
        provider: None,
        nothing: None,
    };
    if let Some(message) = message {
        let product = &run.shop.products[message.position];
        line.text = Some(message.rendered.text.clone());
        line.plain_text = Some(message.rendered.plain.clone());
        line.product = Some(DeliveredProduct {
            id: product.id.clone(),
            title: product.title.clone(),
        });
        line.variant_id = Some(message.variant_id.clone());
        line.strategy = Some(message.strategy.name().to_owned());
        line.checks.clone_from(&message.rendered.checks);
        line.bindings.clone_from(&message.rendered.bindings);
        line.paths = message
            .paths
            .iter()
            .filter(|binding| message.rendered.bindings.contains_key(&binding.name))
            .map(|binding| (binding.name.clone(), binding.path.clone()))
            .collect();
        line.provider = Some(message.provider.clone());
    } else {
        let reason = case.refusal.as_ref().map_or("policy", |(name, _)| name);
        line.nothing = Some(Nothing {
            reason: reason.to_owned(),
        });
    }
    line
}

/// Writes the file under a name in progress, logs the decisions, and gives the file its name; a kill between the last two
/// is made good by [`super::pending::resume`].
pub(super) fn deliver(
    store: &mut Store,
    run: &Run<'_>,
    lines: &[DeliveredLine],
    report: &CampaignReport,
) -> Result<()> {
    let part = part_of(&run.request.out);
    write_part(store, run.request, &part, lines)?;
    let pending = Pending::new(run.request, report);
    let own: BTreeSet<&str> = lines
        .iter()
        .filter(|line| line.decision.chosen().provider.is_some())
        .filter_map(|line| line.variant_id.as_deref())
        .collect();
    let own: Vec<&str> = own.into_iter().collect();
    store.transaction(|store| {
        store.mark_live(&own, run.shop.now)?;
        for line in lines {
            store.put_decision(&run.name, &line.decision)?;
        }
        pending.note(store)?;
        store.set_meta(
            LAST_REPORT,
            &serde_json::to_vec(report).map_err(|error| unwritable(&error))?,
        )
    })?;
    pending.finish(store, &run.request.out)
}

/// What the last campaign came to, for the report.
///
/// # Errors
/// [`EngineError::Corrupt`] when it cannot be read.
pub fn last_campaign(store: &Store) -> Result<Option<CampaignReport>> {
    let json = store.meta(LAST_REPORT)?;
    json.map(|json| serde_json::from_slice(&json).map_err(|error| unwritable(&error)))
        .transpose()
}

/// The name of a file in progress, in the same folder, so that giving it its name is atomic.
pub(super) fn part_of(out: &Path) -> PathBuf {
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    out.with_file_name(format!(".{name}.part"))
}

/// Writes the whole file as JSON lines or CSV and waits until it is on the disk.
fn write_part(
    store: &Store,
    request: &CampaignRequest,
    part: &Path,
    lines: &[DeliveredLine],
) -> Result<()> {
    if let Some(folder) = part
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(EngineError::io("create", folder))?;
    }
    let fault = || EngineError::io("write", &request.out);
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    // Real identifiers are for the sender alone.
    options.mode(if request.identities { 0o600 } else { 0o644 });
    let _ = std::fs::remove_file(part);
    let mut file = BufWriter::new(options.open(part).map_err(fault())?);
    let is_csv = request
        .out
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    if is_csv {
        file.write_all(csv_record(&CSV_COLUMNS.map(str::to_owned))?.as_bytes())
            .map_err(fault())?;
    }
    for line in lines {
        let identity = if request.identities {
            store.identity(line.decision.user)?
        } else {
            None
        };
        let user_id = identity.map(|identity| identity.as_str().to_owned());
        let record = if is_csv {
            csv_record(&csv_fields(line, user_id))?
        } else {
            let line = DeliveredLine {
                user_id,
                ..line.clone()
            };
            serde_json::to_string(&line).map_err(|error| unwritable(&error))? + "\n"
        };
        file.write_all(record.as_bytes()).map_err(fault())?;
    }
    let file = file
        .into_inner()
        .map_err(|error| fault()(error.into_error()))?;
    file.sync_all().map_err(fault())
}

const CSV_COLUMNS: [&str; 16] = [
    "decision_id",
    "user",
    "user_id",
    "channel",
    "goal",
    "experiment",
    "product_id",
    "product_title",
    "variant_id",
    "propensity",
    "title",
    "subject",
    "preheader",
    "body",
    "reason",
    "nothing",
];

fn csv_fields(line: &DeliveredLine, user_id: Option<String>) -> [String; 16] {
    let text = line.text.clone().unwrap_or_default();
    let product = line.product.clone();
    let (id, title) = product.map_or_else(Default::default, |product| (product.id, product.title));
    [
        line.decision.decision_id.to_string(),
        line.decision.user.to_string(),
        user_id.unwrap_or_default(),
        line.decision.channel.to_string(),
        line.decision.goal.to_string(),
        line.decision.experiment.clone(),
        id,
        title,
        line.variant_id.clone().unwrap_or_default(),
        line.decision.chosen().propensity.to_string(),
        text.title.unwrap_or_default(),
        text.subject.unwrap_or_default(),
        text.preheader.unwrap_or_default(),
        text.body,
        line.reason.clone(),
        line.nothing
            .as_ref()
            .map(|nothing| nothing.reason.clone())
            .unwrap_or_default(),
    ]
}

fn csv_record(fields: &[String; 16]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(fields)
        .map_err(|error| unwritable(&error))?;
    let bytes = writer.into_inner().map_err(|error| unwritable(&error))?;
    String::from_utf8(bytes).map_err(|error| unwritable(&error))
}

pub(super) fn unwritable(error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Corrupt {
        what: "line of a campaign",
        place: "the file to deliver".to_owned(),
        detail: error.to_string(),
    }
}
