//! What may be asked about texts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use engine::DraftProvider;
use events::{Channel, Language, Strategy, Timestamp, VariantStatus};

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    #[command(subcommand)]
    pub(crate) action: CopyAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CopyAction {
    /// Checks a file of texts, one a line, against the law, the catalogue and the brand's voice. With --json each line is
    /// answered with an object: line, ok, findings (rule, severity, span in Unicode scalars, reason, fix).
    #[command(
        after_help = "Example:\n  hawker copy check texts.txt\n  hawker copy check texts.txt --product mug-7 --channel sms --json\n  cat texts.txt | hawker copy check - --summary"
    )]
    Check(CopyCheckArgs),
    /// Writes drafts for a product, or from facts that are given, and has each checked; with --keep those that pass become
    /// texts of the shop's own.
    #[command(
        after_help = "Example:\n  hawker copy draft --product mug-7 --count 5\n  hawker copy draft --product mug-7 --channel push --provider llm --keep\n  hawker copy draft --facts '{\"title\": \"Mug\", \"colour\": \"red\"}' --control push"
    )]
    Draft(CopyDraftArgs),
    /// Shows the shop's own texts, how each would read now, and why one may not be shown.
    #[command(
        after_help = "Example:\n  hawker copy list\n  hawker copy list --status draft --channel push --json"
    )]
    List(CopyListArgs),
    /// Lets texts be shown: those of status draft or paused that the guard passes now.
    #[command(after_help = "Example:\n  hawker copy approve d/push/en/benefit/0c4f… --by Ada")]
    Approve(CopyApproveArgs),
    /// Holds texts back until somebody approves them again.
    #[command(after_help = "Example:\n  hawker copy pause d/push/en/benefit/0c4f…")]
    Pause(CopyIds),
    /// Takes texts out for good.
    #[command(after_help = "Example:\n  hawker copy retire d/push/en/benefit/0c4f…")]
    Retire(CopyIds),
}

#[derive(Debug, Args)]
pub(crate) struct CopyDraftArgs {
    /// The product that they are about, by its id.
    #[arg(long, value_name = "ID", required_unless_present = "facts")]
    pub(crate) product: Option<String>,
    /// Facts in place of a product's, or beside them: a JSON object of names and values.
    #[arg(long, value_name = "JSON", value_parser = object)]
    pub(crate) facts: Option<JsonObject>,
    /// Who writes them: decoder, native, llm, checkpoint or templates. Where the model on a server (llm) has no text the one
    /// on this machine (checkpoint) is asked, then the native one, then the library.
    #[arg(long, value_name = "NAME", default_value_t = DraftProvider::Decoder)]
    pub(crate) provider: DraftProvider,
    /// Draw one text and show it while it is being written, before it is checked.
    #[arg(long, conflicts_with = "keep")]
    pub(crate) stream: bool,
    /// Keep those that pass as the shop's own texts: drafts, unless the channel has a standing approval.
    #[arg(long, requires = "product", requires = "channel")]
    pub(crate) keep: bool,
    /// The argument that they make: benefit, novelty, `social_proof`, replenishment, complement or value.
    #[arg(long)]
    pub(crate) strategy: Option<Strategy>,
    /// The language that they are written in, en or zh; the shop's where absent.
    #[arg(long)]
    pub(crate) language: Option<Language>,
    /// How they are to be said: a control of the corpus, such as a channel. May be given several times.
    #[arg(long = "control", value_name = "NAME")]
    pub(crate) controls: Vec<String>,
    /// The shopper whom they are for, by an identifier of the files that were imported or a pseudonym of an export; the
    /// model must have learnt from texts whose shoppers are known.
    #[arg(long, value_name = "ID")]
    pub(crate) shopper: Option<String>,
    /// Where they are sent: push, sms, email, banner or social.
    #[arg(long)]
    pub(crate) channel: Option<Channel>,
    /// When they are sent; now where absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    /// Number of drafts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) count: u16,
    /// Seed of the draws.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CopyListArgs {
    /// Only those of a status: draft, approved, live, paused or retired.
    #[arg(long)]
    pub(crate) status: Option<VariantStatus>,
    /// Only those that may speak of a product.
    #[arg(long, value_name = "ID")]
    pub(crate) product: Option<String>,
    /// Only those of a channel: push, sms, email, banner or social.
    #[arg(long)]
    pub(crate) channel: Option<Channel>,
    /// When they would be shown; now where absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct CopyIds {
    /// The texts, as `hawker copy list` names them.
    #[arg(required = true, value_name = "ID")]
    pub(crate) ids: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CopyApproveArgs {
    #[command(flatten)]
    pub(crate) texts: CopyIds,
    /// Who approves them.
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// When they are to be shown; now where absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

/// An object of JSON, as it is given in an argument.
pub(crate) type JsonObject = serde_json::Map<String, serde_json::Value>;

#[derive(Debug, Args)]
pub(crate) struct CopyCheckArgs {
    /// The file, or `-` for the standard input.
    pub(crate) file: PathBuf,
    /// The product that the texts are about: its numbers, offers and properties must then bear them out.
    #[arg(long, value_name = "ID")]
    pub(crate) product: Option<String>,
    /// Where the texts are sent: push, sms, email, banner or social.
    #[arg(long)]
    pub(crate) channel: Option<Channel>,
    /// The file is one whole mail as it is handed to the sending server: its headers, subject and text are checked.
    #[arg(long, conflicts_with_all = ["channel", "summary", "coverage"])]
    pub(crate) mail: bool,
    /// When they are sent; now where absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) told: CopyCheckTold,
    /// Exit with 1 where a text must not be sent.
    #[arg(long)]
    pub(crate) strict: bool,
}

/// What is told of each text, or of all.
#[derive(Debug, Args)]
pub(crate) struct CopyCheckTold {
    /// Say as well what of the product each text tells and what it leaves out.
    #[arg(long, requires = "product")]
    pub(crate) coverage: bool,
    /// Print how often each rule found something instead of each finding.
    #[arg(long, conflicts_with = "json")]
    pub(crate) summary: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TrainCopywriterArgs {
    /// The texts and the facts that they were written from: JSON lines, plain or .xz.
    #[arg(long, value_name = "FILE")]
    pub(crate) corpus: PathBuf,
    /// Facts whose values stand in a text as they are, such as names and prices: the model never writes them itself.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) exact: Vec<String>,
    /// Facts that the model reads, and writes whole where a text has them word for word, such as a material: it can then be
    /// made to name them, and copies values that it rarely met.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    pub(crate) copied: Vec<String>,
    /// A TOML file with settings; the others keep their defaults.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TrainAdapterArgs {
    /// A TOML file with settings, such as rank and epochs; the others keep their defaults.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// The moment whose facts the texts are held against; now where absent.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

/// Reads an object of JSON.
fn object(text: &str) -> Result<JsonObject, String> {
    serde_json::from_str(text)
        .map_err(|error| format!("{error}; give an object such as {{\"title\": \"Mug\"}}"))
}
