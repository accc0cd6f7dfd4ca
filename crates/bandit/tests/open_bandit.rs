//! The small Open Bandit data (Saito et al. 2021): estimates from one policy's log of what the other
//! earns, equal to those of Open Bandit Pipeline.

use std::io::Write;
use std::process::Command;

use bandit::ope::{ips::ips, snips::snips};
use bandit::{Evaluation, Logged, Round, Support};
use serde_json::Value;

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/");

/// One impression: the item, its position from 0, whether it was clicked, and its propensity.
struct Impression {
    item: usize,
    position: usize,
    click: f64,
    propensity: f64,
}

fn skip() {
    let _ = std::io::stderr().write_all(b"skipped: no Open Bandit data, or no xz to read it\n");
}

fn golden() -> Option<Value> {
    let text = std::fs::read_to_string(format!("{SHARED}golden/ope.json")).ok()?;
    Some(
        serde_json::from_str::<Value>(&text).expect("reference values are JSON")["obd_small"]
            .clone(),
    )
}

fn log_of(policy: &str, campaign: &str) -> Option<Vec<Impression>> {
    let path = format!("{SHARED}data/open_bandit_small/{policy}/{campaign}/{campaign}.csv.xz");
    let output = Command::new("xz").args(["-dc", &path]).output().ok()?;
    if !output.status.success() {
        return None;
    }
    let text = String::from_utf8(output.stdout).expect("the data is ASCII");
    let impression = |line: &str| {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |index: usize| -> f64 { fields[index].parse().expect("a number") };
        Impression {
            item: number(2) as usize,
            position: number(3) as usize - 1,
            click: number(4),
            propensity: number(5),
        }
    };
    Some(text.lines().skip(1).map(impression).collect())
}

/// Rounds for a policy that chooses item `i` at position `k` with probability `target[k][i]`.
fn rounds(log: &[Impression], target: &[Vec<f64>]) -> Vec<Round> {
    let round = |(index, impression): (usize, &Impression)| {
        let target = &target[impression.position];
        // Only the propensity of what was shown is logged; the others share the rest.
        let rest = (1.0 - impression.propensity) / (target.len() - 1) as f64;
        let mut propensities = vec![rest; target.len()];
        propensities[impression.item] = impression.propensity;
        Round::new(&Logged {
            reward: impression.click,
            chosen: impression.item,
            propensities: &propensities,
            target,
            predicted: None,
            cluster: index as u64,
        })
        .expect("a valid round")
    };
    log.iter().enumerate().map(round).collect()
}

fn assert_equal(found: Evaluation, expected: &Value) {
    let expected = expected.as_f64().expect("a number");
    assert!(
        (found.value.value - expected).abs() < 1e-12,
        "{} is not {expected}",
        found.value.value
    );
}

#[test]
fn equals_open_bandit_pipeline_in_both_directions() {
    let Some(golden) = golden() else {
        return skip();
    };
    for campaign in ["men", "women"] {
        let (Some(random), Some(bts)) = (log_of("random", campaign), log_of("bts", campaign))
        else {
            return skip();
        };
        let golden = &golden[campaign];
        let items = golden["bts_action_dist_by_item_position"]
            .as_array()
            .expect("a table");
        let share = |item: &Value, position: usize| item[position].as_f64().expect("a number");
        let thompson: Vec<Vec<f64>> = (0..3)
            .map(|position| items.iter().map(|item| share(item, position)).collect())
            .collect();
        let even = vec![vec![1.0 / items.len() as f64; items.len()]; 3];

        let to_thompson = rounds(&random, &thompson);
        let expected = &golden["random->bts"];
        assert_equal(ips(&to_thompson, 0.95).expect("valid"), &expected["ipw"]);
        assert_equal(
            snips(&to_thompson, 0.95).expect("valid"),
            &expected["snipw"],
        );
        let to_random = rounds(&bts, &even);
        let expected = &golden["bts->random"];
        assert_equal(ips(&to_random, 0.95).expect("valid"), &expected["ipw"]);
        assert_equal(snips(&to_random, 0.95).expect("valid"), &expected["snipw"]);

        // The uniform log knows more of the concentrated policy than the other way round.
        let of = |rounds: &[Round]| {
            Support::measure(rounds)
                .expect("rounds")
                .effective_sample_size
        };
        assert!(of(&to_thompson) > of(&to_random));
        // What the policy really earned is inside the interval that the random log gives.
        let truth = golden["on_policy_bts"].as_f64().expect("a number");
        let interval = snips(&to_thompson, 0.95).expect("valid").value;
        assert!(interval.contains(truth), "{truth} outside {interval:?}");
    }
}
