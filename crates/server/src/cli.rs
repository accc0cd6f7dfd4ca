//! The command line: what may be asked and in which words.

mod evaluate;
mod texts;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use engine::AssumedConsent;
use engine::ingest::Format;
use events::{Channel, Goal, Timestamp};

pub(crate) use evaluate::EvaluateArgs;
pub(crate) use texts::{
    CopyAction, CopyArgs, CopyCheckArgs, CopyDraftArgs, CopyListArgs, TrainAdapterArgs,
    TrainCopywriterArgs,
};

/// Learns what each shopper wants and finds the words to sell it.
#[derive(Debug, Parser)]
#[command(
    name = "hawker",
    version,
    after_help = "Try it first on a simulated shop:\n  hawker demo\n\nThen on your own:\n  hawker init\n  hawker import online-retail orders.csv --consent push:marketing=granted\n  hawker train\n  hawker campaign --channel push --goal click --out campaign.jsonl\n  hawker report"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Shared {
    /// The shop's data directory.
    #[arg(long, global = true, value_name = "DIR", default_value = "hawker-data")]
    pub(crate) data_dir: PathBuf,
    /// The configuration; `hawker.toml` of the data directory, or else of the current folder, where absent.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print one JSON object on the last line instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// What may be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Generates a shop, learns it, writes campaigns, lets the shoppers react and shows the lift.
    #[command(
        after_help = "Example:\n  hawker demo\n  hawker demo --small --data-dir /tmp/demo --seed 3"
    )]
    Demo(DemoArgs),
    /// Writes a commented configuration file.
    #[command(after_help = "Example:\n  hawker init\n  hawker init shop/hawker.toml")]
    Init(InitArgs),
    /// Takes a shop's files in.
    #[command(
        after_help = "Example:\n  hawker import online-retail year1.csv.xz year2.csv.xz --consent push:marketing=granted\n  hawker import segment events.jsonl\n  hawker import shopify-products products.csv"
    )]
    Import(ImportArgs),
    /// Shows, writes out or takes in again the rows that were not taken in.
    #[command(
        after_help = "Example:\n  hawker quarantine list\n  hawker quarantine export --reason invalid_date --out rows.jsonl\n  hawker quarantine reimport rows.jsonl"
    )]
    Quarantine(QuarantineArgs),
    /// Learns the user model and what ranks products.
    #[command(
        after_help = "Example:\n  hawker train\n  hawker train --update\n\nStopped or killed, it goes on where it was when it is run again."
    )]
    Train(TrainArgs),
    /// Measures how the shop changes under a trained model, and what keeping it up to date brings.
    #[command(
        after_help = "Example:\n  hawker drift\n  hawker drift --periods 6 --days 14 --json\n\nStopped or killed, it goes on where it was when it is run again with the same arguments."
    )]
    Drift(DriftArgs),
    /// Searches for better settings of the user model, on the validation split alone.
    #[command(
        after_help = "Example:\n  hawker tune --trials 9\n  hawker tune --dataset ml100k --path data/ml100k --out ml100k.toml\n\nStopped or killed, it goes on where it was when it is run again with the same arguments."
    )]
    Tune(TuneArgs),
    /// Judges every model on the last weeks of the log.
    #[command(
        after_help = "Example:\n  hawker evaluate\n  hawker evaluate --dataset online-retail --path data/online_retail\n  hawker evaluate --dataset e2e --path data/e2e_nlg --settings bench/copy/e2e.toml"
    )]
    Evaluate(EvaluateArgs),
    /// Learns from a table of impressions which of them are clicked, and judges what was learnt.
    #[command(
        after_help = "Example:\n  hawker click impressions.csv --model all --plot reliability.svg\n  hawker click impressions.csv --test later.csv --label clicked --json\n\nColumns of numbers and of categories are told apart by what they hold; an identifier of each row is left out."
    )]
    Click(ClickArgs),
    /// Writes one message, or nothing, for every shopper.
    #[command(
        after_help = "Example:\n  hawker campaign --channel push --goal click --out campaign.jsonl\n  hawker campaign --channel email --goal purchase --out campaign.csv --identities"
    )]
    Campaign(CampaignArgs),
    /// Takes in what came of the messages and updates the policy.
    #[command(
        after_help = "Example:\n  hawker import segment clicks.jsonl\n  hawker learn --goal click"
    )]
    Learn(LearnArgs),
    /// Measures what the messages brought: the policy over random messages, messages over the holdout.
    #[command(
        after_help = "Example:\n  hawker lift\n  hawker lift --goal click --since 2026-05-01T00:00:00Z --json\n\nRun `hawker learn` first: it takes in the answers that came since."
    )]
    Lift(LiftArgs),
    /// Imports, trains, evaluates, writes a campaign and the report.
    #[command(
        after_help = "Example:\n  hawker run online-retail *.csv.xz --consent push:marketing=granted --channel push --goal click --out campaign.jsonl"
    )]
    Run(RunArgs),
    /// Writes the report as one HTML file.
    #[command(after_help = "Example:\n  hawker report --out report.html")]
    Report(ReportArgs),
    /// Says what is in the data directory and what is stale.
    #[command(after_help = "Example:\n  hawker status\n  hawker status --json")]
    Status,
    /// Writes the log, the catalogue or the decisions to Parquet or JSON lines.
    #[command(
        after_help = "Example:\n  hawker export events --out events.parquet\n  hawker export decisions --out decisions.jsonl"
    )]
    Export(ExportArgs),
    /// Measures our work beside that of the tools that people use for it.
    #[command(
        after_help = "Example:\n  hawker bench --list\n  hawker bench import --path ../shared/data/online_retail --runs 3\n  hawker bench nn --python venv/bin/python --only step\n  hawker bench retrieval --items 100000"
    )]
    Bench(BenchArgs),
    /// Recommends products to every shopper, or to one, with scores, propensities and reasons.
    #[command(
        after_help = "Example:\n  hawker recommend --user 17850 --why\n  hawker recommend --out lists.jsonl --top 20 --explore 0.1\n  hawker recommend --out loyal.jsonl --segment loyal --category Kitchen --json"
    )]
    Recommend(RecommendArgs),
    /// Writes texts from facts, and checks texts: may they be sent, and what is wrong with those that may not.
    Copy(CopyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A shop of 300 shoppers and a model that trains in seconds.
    #[arg(long)]
    pub(crate) small: bool,
    /// Seed of the shop and of everything after it.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// The file to write; an existing one is kept.
    #[arg(default_value = "hawker.toml")]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// What the files are: online-retail, amazon-reviews, segment, csv, parquet, shopify-products or merchant-feed.
    pub(crate) format: Format,
    /// The files, plain or .xz; tables also as .xlsx.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Consent to assume of shoppers who stated none: CHANNEL:PURPOSE=granted. Nobody is written to without one.
    #[arg(long = "consent", value_name = "CONSENT")]
    pub(crate) consents: Vec<AssumedConsent>,
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineArgs {
    #[command(subcommand)]
    pub(crate) action: QuarantineAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineAction {
    /// Counts the rows that wait, by reason, with examples.
    List,
    /// Writes the rows, decrypted, to a file of JSON lines to be edited.
    Export {
        /// Only rows with this reason.
        #[arg(long)]
        reason: Option<String>,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Takes edited rows in; what is still wrong stays.
    Reimport {
        /// The edited file.
        path: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct TrainArgs {
    #[command(subcommand)]
    pub(crate) what: Option<TrainWhat>,
    /// Train the user model that serves on with the orders since it was trained, instead of anew; what was chosen stays.
    #[arg(long)]
    pub(crate) update: bool,
    /// Windows of older orders that an update reads again for each window of new ones.
    #[arg(long, default_value_t = 1.0, requires = "update")]
    pub(crate) replay: f64,
}

/// What is trained instead of the models of the log.
#[derive(Debug, Subcommand)]
pub(crate) enum TrainWhat {
    /// Learns to write from facts, from texts that people wrote. `hawker copy draft` then writes with it.
    #[command(
        after_help = "Example:\n  hawker train copywriter --corpus texts.jsonl --exact title,price\n\nA line of the corpus: {\"facts\": {\"title\": \"Mug\", \"colour\": [\"red\", \"white\"]}, \"controls\": [\"push\"], \"text\": \"…\"}\nStopped or killed, it goes on where it was when it is run again."
    )]
    Copywriter(TrainCopywriterArgs),
    /// Teaches the language model of `[copywriter.checkpoint]` the texts that were approved: an adapter of low rank, which
    /// `hawker copy draft --provider checkpoint` then uses.
    #[command(
        after_help = "Example:\n  hawker train adapter\n  hawker train adapter --settings lora.toml\n\nStopped or killed, it goes on where it was when it is run again."
    )]
    Adapter(TrainAdapterArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DriftArgs {
    /// Periods at whose beginning the models are brought up to date and judged; the last one ends with the log.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i64).range(2..=100))]
    pub(crate) periods: i64,
    /// Days of a period.
    #[arg(long, default_value_t = 28, value_parser = clap::value_parser!(i64).range(1..=366))]
    pub(crate) days: i64,
    /// Windows of older orders that an update reads again for each window of new ones.
    #[arg(long, default_value_t = 1.0)]
    pub(crate) replay: f64,
    /// Passes of an update over the new orders.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) epochs: u64,
    /// Do not train anew at the beginning of each period as well, which takes longest.
    #[arg(long)]
    pub(crate) no_anew: bool,
    /// The file for the curves; `drift.svg` in the data directory where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct TuneArgs {
    /// A public set of sequences instead of the shop: amazon-beauty, ml1m, ml100k, or sequences for a file of your own.
    #[arg(long, requires = "path")]
    pub(crate) dataset: Option<String>,
    /// The folder with the data set's files, or the file for sequences; see `hawker evaluate --help`.
    #[arg(long, requires = "dataset")]
    pub(crate) path: Option<PathBuf>,
    /// What the items of `--dataset sequences` are called.
    #[arg(long, requires = "dataset")]
    pub(crate) items: Option<PathBuf>,
    /// A TOML file with the settings that a search of sequences starts from; a shop's are those of its configuration.
    #[arg(long, requires = "dataset")]
    pub(crate) settings: Option<PathBuf>,
    /// A TOML file of the ranges to search: `width = [64, 128]`, `dropout = { low = 0.1, high = 0.5 }`.
    #[arg(long, value_name = "FILE")]
    pub(crate) space: Option<PathBuf>,
    /// Number of settings that are tried, the given ones among them.
    #[arg(long, default_value_t = 9, value_parser = counted(1))]
    pub(crate) trials: usize,
    /// Of so many trials the best one is trained on at each cut.
    #[arg(long, default_value_t = 3, value_parser = counted(2))]
    pub(crate) reduction: usize,
    /// Seed of the settings that are drawn.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// The file for the best settings; `tuned.toml` in the search's folder where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The file for the learning curves; `tune.svg` in the search's folder where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ClickArgs {
    /// The impressions: comma-separated with a header, plain or .xz, or .xlsx.
    pub(crate) file: PathBuf,
    /// Impressions to judge on; a tenth of the first file, drawn by the seed, where absent.
    #[arg(long, value_name = "FILE")]
    pub(crate) test: Option<PathBuf>,
    /// The column that says whether an impression was clicked: 0 or 1, false or true.
    #[arg(long, value_name = "COLUMN", default_value = "clicked")]
    pub(crate) label: String,
    /// The model, or all of them side by side.
    #[arg(long, default_value = "dcn")]
    pub(crate) model: ClickModels,
    /// Seed of the split and of training.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// An SVG file to write: what was predicted against what was clicked.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
}

/// Which models of clicks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ClickModels {
    /// Cross layers beside a perceptron.
    Dcn,
    /// A perceptron.
    Mlp,
    /// Logistic regression, whose weights are printed.
    Logistic,
    /// All of them.
    All,
}

#[derive(Debug, Args)]
pub(crate) struct CampaignArgs {
    /// Where the messages are shown: push, sms, email, banner or social.
    #[arg(long)]
    pub(crate) channel: Channel,
    /// What they are to achieve: click or purchase.
    #[arg(long)]
    pub(crate) goal: Goal,
    /// The file to write: `.csv`, or JSON lines.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Seed of every draw; that of the configuration where absent.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// The moment of the decision, such as 2026-05-01T09:30:00Z; that of the last event where absent.
    #[arg(long, value_parser = within_a_week)]
    pub(crate) at: Option<Timestamp>,
    /// Write the shoppers' real identifiers beside the pseudonyms, for the sender.
    #[arg(long)]
    pub(crate) identities: bool,
}

#[derive(Debug, Args)]
pub(crate) struct LearnArgs {
    /// The goal whose policy is updated: click or purchase.
    #[arg(long)]
    pub(crate) goal: Goal,
    /// The moment up to which messages have had their time; that of the last event where absent.
    #[arg(long)]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct LiftArgs {
    /// Campaigns towards this goal alone: click or purchase.
    #[arg(long)]
    pub(crate) goal: Option<Goal>,
    /// The first moment whose decisions count, such as 2026-05-01T09:30:00Z; all decisions where absent.
    #[arg(long, value_name = "TIMESTAMP")]
    pub(crate) since: Option<Timestamp>,
    /// The moment up to which messages have had their time; that of the last event where absent.
    #[arg(long, value_name = "TIMESTAMP")]
    pub(crate) at: Option<Timestamp>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) import: ImportArgs,
    #[command(flatten)]
    pub(crate) campaign: CampaignArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The file to write; `report.html` in the data directory where absent.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// What to write: events, products or decisions.
    #[arg(value_parser = ["events", "products", "decisions"])]
    pub(crate) what: String,
    /// The file to write: `.parquet` or `.jsonl`.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Write the shoppers' real identifiers instead of pseudonyms.
    #[arg(long)]
    pub(crate) identities: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BenchArgs {
    /// What is measured.
    #[arg(required_unless_present = "list")]
    pub(crate) name: Option<BenchName>,
    /// Name what can be measured.
    #[arg(long, conflicts_with = "name")]
    pub(crate) list: bool,
    /// The folder with the data; for `import` the .csv.xz files of UCI Online Retail.
    #[arg(long, value_name = "DIR", required_if_eq("name", "import"))]
    pub(crate) path: Option<PathBuf>,
    /// Only works whose name has this in it, for `nn`.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Runs of each tool, in turn; medians are reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub(crate) runs: u32,
    /// The Python that has the peers' packages.
    #[arg(long, default_value = "python3")]
    pub(crate) python: PathBuf,
    /// The folder with the peers' scripts.
    #[arg(long, value_name = "DIR", default_value = "bench/peers")]
    pub(crate) peers: PathBuf,
    /// Items to search among, for `retrieval`; 10,000, 100,000 and 300,000 where absent.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(200..))]
    pub(crate) items: Option<u32>,
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum BenchName {
    /// Reading and cleaning a shop's order lines.
    Import,
    /// Training, decoding and states of the models.
    Nn,
    /// Searching among items: a graph beside looking at every one.
    Retrieval,
}

impl BenchName {
    pub(crate) const ALL: [Self; 3] = [Self::Import, Self::Nn, Self::Retrieval];
}

impl std::fmt::Display for BenchName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Import => "import",
            Self::Nn => "nn",
            Self::Retrieval => "retrieval",
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct RecommendArgs {
    /// One shopper: the identifier as the shop's files have it, or a pseudonym. Without --out the list is printed.
    #[arg(long, value_name = "ID", conflicts_with = "segment")]
    pub(crate) user: Option<String>,
    /// The file of JSON lines to write, one shopper a line.
    #[arg(long, value_name = "FILE", required_unless_present = "user")]
    pub(crate) out: Option<PathBuf>,
    /// Products of a list.
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) top: u16,
    /// Only products of this category: its path, a step above, or its last step.
    #[arg(long, value_name = "NAME")]
    pub(crate) category: Option<String>,
    /// Only shoppers of this segment of the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) segment: Option<String>,
    /// Recommend also what a shopper has bought before.
    #[arg(long)]
    pub(crate) include_bought: bool,
    /// Share of the places that go to products drawn evenly from the 50 ranks beyond the list, from 0 up to below 1.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) explore: f64,
    /// Seed of that draw; that of the configuration's campaigns where absent.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Say why each product is recommended; takes seconds a shopper.
    #[arg(long)]
    pub(crate) why: bool,
    /// Write the shoppers' real identifiers beside the pseudonyms.
    #[arg(long)]
    pub(crate) identities: bool,
}

/// Reads a number of things, of which there must be at least so many.
fn counted(least: usize) -> impl Fn(&str) -> Result<usize, String> + Clone + Send + Sync {
    move |text| match text.parse::<usize>() {
        Ok(count) if (least..=10_000).contains(&count) => Ok(count),
        Ok(_) => Err(format!("from {least} to 10000")),
        Err(error) => Err(error.to_string()),
    }
}

/// Reads the moment of a campaign; a slip of the year would hold the frequency cap against its shoppers until then.
fn within_a_week(text: &str) -> Result<Timestamp, String> {
    const WEEK_MS: i64 = 7 * 24 * 3_600_000;
    let at = text.parse::<Timestamp>();
    let at = at.map_err(|error| error.to_string())?;
    if at.as_millisecond() - Timestamp::now().as_millisecond() > WEEK_MS {
        return Err(
            "it is more than a week ahead; decide nearer to it, when more is known".to_owned(),
        );
    }
    Ok(at)
}
