//! A small shop in a temporary folder: a product feed, two years of order lines, and shoppers who stated what they want.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use engine::ingest::{Format, ImportReport, ImportRequest, import};
use engine::{
    CampaignReport, CampaignRequest, Config, DeliveredLine, EngineError, Store, run_campaign,
};
use events::{Channel, Decision, Goal, Product, Timestamp};
use jiff::civil::date;
use jiff::{SignedDuration, Span};
use serde_json::json;
use tempfile::TempDir;

/// The moment of the last order and of most campaigns: noon in London, evening in Shanghai, so that nobody sleeps.
pub(crate) const NOON: &str = "2025-12-20T12:00:00Z";
/// Shoppers, of whom the last four have never bought anything.
pub(crate) const SHOPPERS: u32 = 64;
const BUYERS: u32 = 60;
/// These order coffee about every four weeks.
const REGULARS: u32 = 12;
/// Days from the first of January 2024 to the last order.
const LAST_DAY: u32 = 719;

/// Id, title, price, sale price, availability, category and material of the products that the feed lists.
const FEED: &str = "\
20000|GROUND COFFEE|4.95||in_stock|Food|
20001|BLUE ENAMEL MUG|6.50||in_stock|Kitchen|enamel
20002|SALT & PEPPER MILLS|12.00|9.60|in_stock|Kitchen|beech
20003|SET OF 6 TEA GLASSES|15.25||in_stock|Kitchen|glass
20004|WOOL THROW|48.00||in_stock|Living Room|wool
20005|CHILDREN'S APRON|8.75||in_stock|Kitchen|cotton
20006|BRASS CANDLESTICK|22.40||in_stock|Living Room|brass
20007|LINEN CUSHION COVER|14.30|11.00|in_stock|Living Room|linen
20008|HERB GARDEN KIT|9.99||in_stock|Garden|
20009|WATERING CAN|18.60||in_stock|Garden|zinc
20010|GARDEN TWINE|3.20||in_stock|Garden|jute
20011|PAPER STAR LANTERN|7.45||in_stock|Living Room|paper
20012|BIRD FEEDER|16.80||in_stock|Garden|
20013|WICKER BASKET|27.00||out_of_stock|Living Room|wicker";
/// Id, title and price of two products that only order lines know: the first was sold lately, the second not for a year,
/// so that it is taken for sold out.
const UNLISTED: &str = "30000|GLASS BUTTER DISH|10.10\n30001|SILK LAMPSHADE|35.00";
/// The place of the product that was first sold in the last month.
const NEW: u32 = 11;
/// The products that cannot be bought.
pub(crate) const SOLD_OUT: [&str; 2] = ["20013", "30001"];

/// A shop with its data directory.
pub(crate) struct TestShop {
    folder: TempDir,
    pub(crate) store: Store,
    pub(crate) config: Config,
}

impl TestShop {
    /// Imports the shop; every campaign finds a control group, a holdout and caps that a small catalogue can keep.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        // A key of its own would give every run other pseudonyms, and with them other arms.
        engine::write_demo_key(&data, 1).expect("a key");
        let mut config = Config::default();
        config.campaign.control_share = 0.3;
        config.campaign.holdout_share = 0.15;
        config.campaign.max_product_share = 0.3;
        // Thirteen products are soon read; what comes of a second campaign would be that alone.
        config.campaign.repeat_days = 0;
        let store = Store::open(&data).expect("opens");
        let mut shop = Self {
            folder,
            store,
            config,
        };
        shop.import(Format::MerchantFeed, "feed.tsv", &feed());
        shop.import(Format::OnlineRetail, "orders.csv", &order_lines());
        shop.import(Format::Segment, "people.jsonl", &people());
        shop
    }

    /// A file or folder beside the data directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and imports it.
    pub(crate) fn import(&mut self, format: Format, name: &str, content: &str) -> ImportReport {
        let path = self.path(name);
        std::fs::write(&path, content).expect("writable");
        let request = ImportRequest {
            format,
            files: vec![path],
            consents: Vec::new(),
            now: hours_after_noon(24 * 30),
        };
        let report = import(&mut self.store, &self.config, &request, &mut |_| {});
        let report = report.expect("imports");
        assert_eq!(report.quarantined, 0, "{report:?}");
        report
    }

    /// A campaign for clicks at noon.
    pub(crate) fn request(&self, channel: Channel) -> CampaignRequest {
        CampaignRequest {
            channel,
            goal: Goal::Click,
            seed: 1,
            at: Some(noon()),
            out: self.path("campaign.jsonl"),
            identities: true,
        }
    }

    /// Runs a campaign and reads its file.
    pub(crate) fn run(
        &mut self,
        request: &CampaignRequest,
    ) -> (CampaignReport, Vec<DeliveredLine>) {
        let report = self.try_run(request).expect("a campaign");
        let lines = read_lines(&request.out);
        assert_eq!(report.shoppers, lines.len() as u64);
        (report, lines)
    }

    pub(crate) fn try_run(
        &mut self,
        request: &CampaignRequest,
    ) -> Result<CampaignReport, EngineError> {
        run_campaign(&mut self.store, &self.config, request, &mut |_| {})
    }

    /// Runs a campaign some hours after noon.
    pub(crate) fn run_at(&mut self, channel: Channel, hours: i64) -> Vec<DeliveredLine> {
        let request = CampaignRequest {
            at: Some(hours_after_noon(hours)),
            ..self.request(channel)
        };
        self.run(&request).1
    }

    /// Every decision in the log.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        let mut decisions = Vec::new();
        let read = self.store.for_each_decision(None, |decision| {
            decisions.push(decision);
            Ok(())
        });
        read.expect("readable");
        decisions
    }

    pub(crate) fn product(&self, id: &str) -> Product {
        self.store.catalogue().expect("readable").products[id].clone()
    }

    /// The same shop in a folder of its own, file by file.
    pub(crate) fn copy(&self) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        std::fs::create_dir(&data).expect("writable");
        for entry in std::fs::read_dir(self.store.dir()).expect("readable") {
            let file = entry.expect("readable").path();
            let name = file.file_name().expect("a file");
            std::fs::copy(&file, data.join(name)).expect("copies");
        }
        Self {
            store: Store::open(&data).expect("opens"),
            config: self.config.clone(),
            folder,
        }
    }
}

pub(crate) fn noon() -> Timestamp {
    NOON.parse().expect("valid")
}

pub(crate) fn hours_after_noon(hours: i64) -> Timestamp {
    noon() + SignedDuration::from_hours(hours)
}

/// Reads a campaign's JSON lines as their receiver would.
pub(crate) fn read_lines(path: &Path) -> Vec<DeliveredLine> {
    let text = std::fs::read_to_string(path).expect("readable");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a decision"))
        .collect()
}

/// The lines that send a message.
pub(crate) fn messages(lines: &[DeliveredLine]) -> impl Iterator<Item = &DeliveredLine> {
    lines.iter().filter(|line| line.nothing.is_none())
}

/// Why a line sends nothing; empty where it sends a message.
pub(crate) fn refusal(line: &DeliveredLine) -> &str {
    line.nothing.as_ref().map_or("", |nothing| &nothing.reason)
}

/// The number of the shopper that a line is about.
pub(crate) fn number(line: &DeliveredLine) -> u32 {
    let user_id = line.user_id.as_deref().expect("identities were asked for");
    user_id.parse::<u32>().expect("a number") - 12_000
}

pub(crate) fn is_chinese(number: u32) -> bool {
    number.is_multiple_of(4)
}

pub(crate) fn is_silent(number: u32) -> bool {
    number % 10 == 7
}

pub(crate) fn time_zone(number: u32) -> &'static str {
    ["Europe/London", "Asia/Shanghai", "Europe/Berlin"][number as usize % 3]
}

/// An `identify` call of a shopper, with these consents to marketing.
pub(crate) fn identify(
    number: u32,
    id: &str,
    at: &str,
    channels: &[Channel],
    state: &str,
) -> String {
    let consents: Vec<_> = channels
        .iter()
        .map(|channel| {
            json!({ "channel": channel, "purpose": "marketing", "state": state, "at": at, "source": "checkout" })
        })
        .collect();
    let traits = json!({
        "locale": if is_chinese(number) { "zh-CN" } else { "en-GB" },
        "timezone": time_zone(number),
        "consents": consents,
    });
    let user = (12_000 + number).to_string();
    let event = json!({
        "messageId": id, "type": "identify", "userId": user, "timestamp": at, "traits": traits,
    });
    format!("{event}\n")
}

fn feed() -> String {
    let mut feed =
        "id\ttitle\tprice\tsale_price\tavailability\tgoogle_product_category\tmaterial\tbrand\tlink\n".to_owned();
    for row in FEED.lines() {
        let id = row.split('|').next().expect("an id");
        writeln!(
            feed,
            "{}\tOakwell\thttps://shop.example/p/{id}",
            row.replace('|', "\t")
        )
        .expect("fits");
    }
    feed
}

/// Every shopper says which language and time zone they live in; one in ten does not consent.
fn people() -> String {
    let at = "2025-12-01T08:00:00Z";
    (0..SHOPPERS)
        .map(|number| {
            let channels: &[Channel] = if is_silent(number) {
                &[]
            } else {
                &Channel::ALL
            };
            identify(
                number,
                &format!("identify-{number}"),
                at,
                channels,
                "granted",
            )
        })
        .collect()
}

/// Order lines in the form of Online Retail.
fn order_lines() -> String {
    let mut lines =
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n".to_owned();
    let products: Vec<Vec<&str>> = FEED
        .lines()
        .chain(UNLISTED.lines())
        .map(|row| row.split('|').collect())
        .collect();
    let mut invoice = 500_000;
    let mut order = |number: Option<u32>, day: u32, items: &[u32]| {
        invoice += 1;
        let on = date(2024, 1, 1).saturating_add(Span::new().days(day));
        let hour = if day == LAST_DAY {
            12
        } else {
            9 + (invoice + day) % 11
        };
        let customer = number.map_or_else(String::new, |number| (12_000 + number).to_string());
        for item in items {
            let [id, title, price] = products[*item as usize][..3] else {
                panic!("product {item} is no product");
            };
            let pieces = 1 + (day + item) % 3;
            writeln!(lines, "{invoice},{id},{title},{pieces},{on} {hour:02}:00:00,{price},{customer},United Kingdom")
                .expect("fits");
        }
    };
    let listed = FEED.lines().count() as u32;
    for number in 0..BUYERS {
        for k in 0..4 + number % 5 {
            let taste = (number % 3) * 4 + k % 4;
            let other = (number + 5 * k) % listed;
            let items = [taste, other].map(|item| if item == NEW { 0 } else { item });
            let items = if items[0] == items[1] {
                &items[..1]
            } else {
                &items
            };
            order(Some(number), (number * 53 + k * 149) % 690, items);
        }
        if number < REGULARS {
            let gap = 28 + number % 3;
            (0..8).for_each(|k| order(Some(number), 480 + k * gap, &[0]));
        }
        if number.is_multiple_of(4) {
            order(Some(number), 700 + number % 10, &[1]);
        }
        if (20..28).contains(&number) {
            order(Some(number), 702 + number % 8, &[NEW, listed]);
        }
        if number.is_multiple_of(9) {
            order(Some(number), 200 + number, &[listed + 1]);
            order(None, 300 + number, &[2, 6]);
        }
    }
    order(Some(0), LAST_DAY, &[9]);
    lines
}
