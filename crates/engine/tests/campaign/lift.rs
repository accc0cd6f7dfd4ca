//! Lift as a shop measures it, held against what the simulator knows.

use engine::ingest::{Format, ImportRequest, import};
use engine::{
    Config, Demo, DemoReport, LiftRequest, MeasuredLift, Store, lift, saved_demo, write_demo_key,
};
use tempfile::TempDir;

const ROUNDS: usize = 4;

/// A simulated shop after some campaigns, without trained models.
struct Simulated {
    folder: TempDir,
    store: Store,
    config: Config,
    report: DemoReport,
}

fn simulated(seed: u64) -> Simulated {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().join("data");
    let mut demo = Demo::new(true, seed, &folder.path().join("shop")).expect("a shop");
    let mut config = demo.config(true);
    // Even arms show a difference with few shoppers.
    config.campaign.control_share = 0.5;
    config.campaign.holdout_share = 0.2;
    let (feed, events) = demo.write_files().expect("writable");
    write_demo_key(&data, seed).expect("a key");
    let mut store = Store::open(&data).expect("opens");
    for (format, file) in [(Format::MerchantFeed, feed), (Format::Segment, events)] {
        let request = ImportRequest {
            format,
            files: vec![file],
            consents: Vec::new(),
            now: demo.next_at(),
        };
        import(&mut store, &config, &request, &mut |_| {}).expect("imports");
    }
    for _ in 0..ROUNDS {
        demo.round(&mut store, &config).expect("a campaign");
    }
    let report = demo.report(&store, &config).expect("measures");
    Simulated {
        folder,
        store,
        config,
        report,
    }
}

fn holds(lift: &MeasuredLift) -> bool {
    (lift.measured.low..=lift.measured.high).contains(&lift.truth)
}

#[test]
fn intervals_hold_the_truth_of_simulated_shops() {
    let (mut lifts, mut held) = (0, 0);
    for seed in 1..=6 {
        let report = simulated(seed).report;
        // In some of these small shops nobody orders.
        let orders = report.orders_per_1000_over_holdout;
        if let Some(orders) = orders {
            assert!(orders.measured.control_mean.abs() < 1e-9 && orders.truth > 0.0);
        }
        for lift in [report.lift_over_random, orders].into_iter().flatten() {
            lifts += 1;
            held += usize::from(holds(&lift));
        }
    }
    assert!(lifts >= 9 && held + 1 >= lifts, "{held} of {lifts}");
}

#[test]
fn a_demo_measures_as_any_shop_does_and_keeps_its_report() {
    let demo = simulated(5);
    let report = &demo.report;
    // The rates of the rounds, which the simulator counted while they went on, are those of the log.
    let request = LiftRequest {
        at: Some("2099-01-01T00:00:00Z".parse().expect("valid")),
        ..LiftRequest::default()
    };
    let measured = lift(&demo.store, &demo.config, &request).expect("measures");
    assert_eq!(measured.goals, std::slice::from_ref(&report.measured));
    assert_eq!(
        (measured.goals[0].campaigns.len(), measured.waiting),
        (ROUNDS, 0)
    );
    assert!(measured.goals[0].is_answered());

    let data = demo.folder.path().join("data");
    assert_eq!(saved_demo(&data).expect("readable"), None);
    report.save(&data, &demo.config).expect("writable");
    assert_eq!(saved_demo(&data).expect("readable").as_ref(), Some(report));
    let config = Config::load(&engine::config::default_path(&data)).expect("readable");
    assert_eq!(config, demo.config);
}
