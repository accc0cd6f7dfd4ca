//! Who is not written to: no consent, asked too often, asleep, or in the holdout.

use std::collections::{BTreeMap, BTreeSet};

use engine::ingest::Format;
use engine::{CampaignRequest, DeliveredLine};
use events::{Action, Channel};

use crate::shop::{
    TestShop, hours_after_noon, identify, is_silent, messages, number, refusal, time_zone,
};

/// Checks that a line offers nothing but silence, for a reason.
fn assert_silent(line: &DeliveredLine, reason: &str) {
    assert_eq!(refusal(line), reason, "shopper {}", number(line));
    let candidates = &line.decision.candidates;
    assert_eq!(candidates.len(), 1);
    assert_eq!(
        (candidates[0].action, candidates[0].propensity),
        (Action::Nothing, 1.0)
    );
    assert_eq!(
        (&line.text, &line.product, &line.variant_id),
        (&None, &None, &None)
    );
    let excluded = &line.decision.exclusions[0];
    assert_eq!(excluded.candidate, "message");
    assert!(
        excluded.reason.starts_with(&format!("{reason}: ")),
        "{}",
        excluded.reason
    );
}

#[test]
fn nobody_is_written_to_without_consent() {
    let mut shop = TestShop::new();
    let withdrawn = identify(
        5,
        "withdrawal",
        "2025-12-10T08:00:00Z",
        &[Channel::Push],
        "withdrawn",
    );
    shop.import(Format::Segment, "withdrawal.jsonl", &withdrawn);
    let unsubscribed = r#"{"messageId":"u","event":"Unsubscribed","userId":"12006","timestamp":"2025-12-11T08:00:00Z","properties":{"channel":"push"}}"#;
    shop.import(Format::Segment, "unsubscribed.jsonl", unsubscribed);
    let without =
        |channel, number| is_silent(number) || channel == Channel::Push && [5, 6].contains(&number);
    for channel in [Channel::Push, Channel::Email] {
        for line in shop.run_at(channel, 0) {
            if without(channel, number(&line)) {
                assert_silent(&line, "no_consent");
            } else {
                assert_ne!(refusal(&line), "no_consent", "shopper {}", number(&line));
            }
        }
    }
}

#[test]
fn nobody_is_written_to_for_a_purpose_to_which_nobody_consented() {
    let mut shop = TestShop::new();
    "research".clone_into(&mut shop.config.campaign.purpose);
    let (report, lines) = shop.run(&shop.request(Channel::Push));
    assert_eq!(
        (report.messages, report.nothing["no_consent"]),
        (0, report.shoppers)
    );
    for line in &lines {
        assert_silent(line, "no_consent");
    }
}

#[test]
fn the_frequency_cap_holds_over_every_window() {
    const CAP: usize = 2;
    const WINDOW_HOURS: i64 = 7 * 24;
    let mut shop = TestShop::new();
    (
        shop.config.campaign.cap_messages,
        shop.config.campaign.cap_days,
    ) = (CAP, 7);
    let mut sent: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    let mut capped = BTreeSet::new();
    for hours in [0, 24, 48, 72, 6 * 24, 8 * 24, 9 * 24] {
        for line in shop.run_at(Channel::Push, hours) {
            let earlier = sent.entry(number(&line)).or_default();
            let in_window = earlier
                .iter()
                .filter(|at| hours - **at < WINDOW_HOURS)
                .count();
            match refusal(&line) {
                "" => earlier.push(hours),
                "frequency_cap" => {
                    assert!(in_window >= CAP, "capped after {in_window} messages");
                    assert_silent(&line, "frequency_cap");
                    capped.insert(number(&line));
                }
                _ => {}
            }
            let in_window = earlier
                .iter()
                .filter(|at| hours - **at < WINDOW_HOURS)
                .count();
            assert!(
                in_window <= CAP,
                "{in_window} messages in a week to shopper {}",
                number(&line)
            );
        }
    }
    assert!(capped.len() > 20, "only {} were ever capped", capped.len());
    // The cap is a pause and no end.
    assert!(
        capped.iter().any(|shopper| sent[shopper].len() > CAP),
        "nobody was written to again"
    );
}

#[test]
fn quiet_hours_follow_the_shoppers_own_clock() {
    let mut shop = TestShop::new();
    // Six in London, seven in Berlin, two in the afternoon in Shanghai; then two, three and ten at night.
    for (hours, asleep) in [
        (-6, ["Europe/London", "Europe/Berlin"].as_slice()),
        (2, &["Asia/Shanghai"]),
    ] {
        for channel in [Channel::Push, Channel::Sms, Channel::Email, Channel::Banner] {
            let disturbs = matches!(channel, Channel::Push | Channel::Sms);
            for line in shop.run_at(channel, hours) {
                if refusal(&line) == "no_consent" {
                    continue;
                }
                if disturbs && asleep.contains(&time_zone(number(&line))) {
                    assert_silent(&line, "quiet_hours");
                } else {
                    assert_ne!(refusal(&line), "quiet_hours", "{channel} at {hours}");
                }
            }
        }
    }
}

#[test]
fn the_holdout_is_the_same_in_every_campaign_and_gets_nothing() {
    let mut shop = TestShop::new();
    let mut holdouts: BTreeSet<Vec<u32>> = BTreeSet::new();
    let mut written_to = BTreeSet::new();
    for (channel, hours, seed) in [
        (Channel::Push, 0, 1),
        (Channel::Push, 24, 2),
        (Channel::Email, 30, 77),
    ] {
        let request = CampaignRequest {
            seed,
            at: Some(hours_after_noon(hours)),
            ..shop.request(channel)
        };
        let (_, lines) = shop.run(&request);
        for line in lines.iter().filter(|line| line.decision.holdout) {
            assert_eq!(line.decision.experiment, "holdout");
            assert!(
                matches!(refusal(line), "holdout" | "no_consent"),
                "{}",
                refusal(line)
            );
            assert_silent(line, refusal(line));
        }
        let held = lines.iter().filter(|line| line.decision.holdout);
        holdouts.insert(held.map(number).collect());
        written_to.extend(messages(&lines).map(number));
    }
    assert_eq!(holdouts.len(), 1, "{holdouts:?}");
    let holdout = holdouts.first().expect("one");
    assert!((3..20).contains(&holdout.len()), "{holdout:?}");
    assert!(holdout.iter().all(|shopper| !written_to.contains(shopper)));
}

#[test]
fn a_segment_narrows_a_campaign_and_an_unknown_one_is_refused() {
    let mut shop = TestShop::new();
    shop.config
        .segments
        .insert("buyers".to_owned(), "orders >= 1".to_owned());
    "buyers".clone_into(&mut shop.config.campaign.segment);
    for line in shop.run_at(Channel::Push, 0) {
        let outside = number(&line) >= 60;
        assert_eq!(
            line.decision
                .context
                .segments
                .contains(&"buyers".to_owned()),
            !outside
        );
        if outside && !is_silent(number(&line)) {
            assert_silent(&line, "not_in_segment");
        }
    }
    "biyers".clone_into(&mut shop.config.campaign.segment);
    let message = shop
        .try_run(&shop.request(Channel::Push))
        .expect_err("unknown")
        .to_string();
    assert_eq!(
        message,
        "there is no segment `biyers`; define it under [segments], or use one of: buyers"
    );
}

#[test]
fn a_product_comes_back_to_a_shopper_only_after_its_days() {
    let mut shop = TestShop::new();
    shop.config.campaign.repeat_days = 14;
    let mut shown: BTreeMap<(u32, String), i64> = BTreeMap::new();
    let mut again = 0;
    for hours in [0, 5 * 24, 10 * 24, 15 * 24, 20 * 24] {
        for line in messages(&shop.run_at(Channel::Email, hours)) {
            let product = line.product.as_ref().expect("a product").id.clone();
            if let Some(before) = shown.insert((number(line), product), hours) {
                assert!(hours - before >= 14 * 24, "after {} hours", hours - before);
                again += 1;
            }
        }
    }
    assert!(again > 0, "nothing ever came back");
}

#[test]
fn a_moment_of_which_the_log_knows_nothing_leaves_no_decision() {
    let mut shop = TestShop::new();
    for (at, remedy) in [
        ("2020-05-01T12:00:00Z", "give a later `--at`"),
        ("2035-05-01T12:00:00Z", "import what happened since"),
    ] {
        let request = CampaignRequest {
            at: Some(at.parse().expect("valid")),
            ..shop.request(Channel::Push)
        };
        let message = shop.try_run(&request).expect_err("no such log").to_string();
        assert!(
            message.contains(at) && message.contains(remedy),
            "{message}"
        );
    }
    assert!(shop.decisions().is_empty());
}
