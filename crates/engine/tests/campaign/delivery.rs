//! Delivery: decisions are in the log before the file has its name, and a file is whole or absent.

use engine::{CampaignProgress, CampaignRequest, run_campaign, unfinished_delivery};
use events::Channel;

use crate::shop::{TestShop, read_lines, refusal};

/// The names of the files in a folder.
fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("readable");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_that_cannot_be_made_leaves_no_decision() {
    let mut shop = TestShop::new();
    std::fs::write(shop.path("a file"), "").expect("writable");
    let request = CampaignRequest {
        out: shop.path("a file/campaign.jsonl"),
        ..shop.request(Channel::Push)
    };
    let message = shop.try_run(&request).expect_err("no folder").to_string();
    assert!(message.contains("a file"), "{message}");
    assert!(shop.decisions().is_empty());
}

#[test]
fn a_folder_in_the_place_of_the_file_leaves_no_decision_and_nothing_beside_it() {
    let mut shop = TestShop::new();
    let out = shop.path("out");
    std::fs::create_dir_all(out.join("campaign.jsonl")).expect("writable");
    let request = CampaignRequest {
        out: out.join("campaign.jsonl"),
        ..shop.request(Channel::Push)
    };
    let message = shop.try_run(&request).expect_err("a folder").to_string();
    assert!(
        message.contains("campaign.jsonl") && message.contains("folder"),
        "{message}"
    );
    assert!(shop.decisions().is_empty());
    assert_eq!(names(&out), ["campaign.jsonl"]);
}

#[test]
fn a_delivery_that_breaks_off_is_completed_by_the_same_command_without_deciding_again() {
    let mut shop = TestShop::new();
    let mut undisturbed = shop.copy();
    let out = shop.path("out");
    let request = CampaignRequest {
        out: out.join("campaign.jsonl"),
        ..shop.request(Channel::Push)
    };
    // Somebody puts a folder in the way at the last moment, so that the finished file cannot have its name.
    let broken = run_campaign(&mut shop.store, &shop.config, &request, &mut |progress| {
        if progress == CampaignProgress::Delivering {
            std::fs::create_dir_all(&request.out).expect("writable");
        }
    });
    assert!(broken.is_err());
    let decided = shop.decisions();
    assert_eq!(decided.len(), 64, "the decisions come before the file");
    let left = unfinished_delivery(&shop.store)
        .expect("readable")
        .expect("unfinished");
    let part = left
        .part
        .expect("the whole file under its name in progress");
    assert_eq!(part, out.join(".campaign.jsonl.part"));
    let command = format!(
        "hawker campaign --channel push --goal click --seed 1 --at 2025-12-20T12:00:00Z --identities --out {}",
        request.out.display()
    );
    assert_eq!(left.command, command);

    std::fs::remove_dir(&request.out).expect("empty");
    let (report, lines) = shop.run(&request);
    assert_eq!(report.messages, left.messages);
    assert_eq!(unfinished_delivery(&shop.store).expect("readable"), None);
    assert_eq!(shop.decisions(), decided);
    assert_eq!(
        lines.iter().map(|line| &line.decision).collect::<Vec<_>>(),
        decided.iter().collect::<Vec<_>>()
    );
    assert_eq!(names(&out), ["campaign.jsonl"]);
    assert_eq!(
        report.messages,
        lines.iter().filter(|line| refusal(line).is_empty()).count() as u64
    );

    // It is what an undisturbed run writes.
    let other = undisturbed.request(Channel::Push);
    undisturbed.run(&other);
    assert!(
        std::fs::read(&other.out).expect("readable")
            == std::fs::read(&request.out).expect("readable")
    );
    // And done with: the same command again is a campaign of its own.
    shop.run(&request);
    assert_eq!(shop.decisions().len(), 2 * decided.len());
}

#[test]
fn a_campaign_after_one_that_broke_off_still_delivers_its_own() {
    let mut shop = TestShop::new();
    let broken = shop.request(Channel::Push);
    let result = run_campaign(&mut shop.store, &shop.config, &broken, &mut |progress| {
        if progress == CampaignProgress::Delivering {
            std::fs::create_dir_all(&broken.out).expect("writable");
        }
    });
    assert!(result.is_err());
    let request = CampaignRequest {
        out: shop.path("mail.jsonl"),
        ..shop.request(Channel::Email)
    };
    let (_, lines) = shop.run(&request);
    assert!(
        lines
            .iter()
            .all(|line| line.decision.channel == Channel::Email)
    );
    assert_eq!(shop.decisions().len(), 128);
}

#[test]
fn a_table_has_the_decisions_of_the_json_lines() {
    let mut shop = TestShop::new();
    let mut twin = shop.copy();
    let (_, lines) = shop.run(&shop.request(Channel::Push));
    let request = CampaignRequest {
        out: twin.path("campaign.csv"),
        ..twin.request(Channel::Push)
    };
    twin.try_run(&request).expect("a campaign");
    let mut table = csv::Reader::from_path(&request.out).expect("readable");
    let columns = table.headers().expect("a header").clone();
    let rows: Vec<csv::StringRecord> = table.records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        let of = |name: &str| {
            let place = columns.iter().position(|column| column == name);
            &row[place.unwrap_or_else(|| panic!("no column {name}"))]
        };
        let text = line.text.clone().unwrap_or_default();
        assert_eq!(of("decision_id"), line.decision.decision_id.0);
        assert_eq!(of("user"), line.decision.user.to_string());
        assert_eq!(of("user_id"), line.user_id.as_deref().unwrap_or_default());
        assert_eq!((of("channel"), of("goal")), ("push", "click"));
        assert_eq!(of("experiment"), line.decision.experiment);
        assert_eq!(
            of("product_id"),
            line.product.as_ref().map_or("", |product| &product.id)
        );
        assert_eq!(
            of("variant_id"),
            line.variant_id.as_deref().unwrap_or_default()
        );
        let propensity: f64 = of("propensity").parse().expect("a number");
        assert!((propensity - line.decision.chosen().propensity).abs() < 1e-12);
        assert_eq!(
            (of("title"), of("body")),
            (
                text.title.as_deref().unwrap_or_default(),
                text.body.as_str()
            )
        );
        assert_eq!(
            (of("reason"), of("nothing")),
            (line.reason.as_str(), refusal(line))
        );
    }
    assert_eq!(twin.decisions(), shop.decisions());
}

#[test]
fn identifiers_are_in_the_file_only_where_they_were_asked_for() {
    let mut shop = TestShop::new();
    let request = CampaignRequest {
        identities: false,
        ..shop.request(Channel::Push)
    };
    shop.run(&request);
    assert!(
        read_lines(&request.out)
            .iter()
            .all(|line| line.user_id.is_none())
    );
    let text = std::fs::read_to_string(&request.out).expect("readable");
    assert!(!text.contains("user_id"));
    for decision in shop.decisions() {
        assert!(
            !serde_json::to_string(&decision)
                .expect("serialises")
                .contains("\"120")
        );
    }
}
