//! The events as lines of a file, with the kinds of dirt that real exports have.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::SimulatedShop;
use super::random::{Domain, one_of, stream};
use super::wire::segment_line;

/// Share of the lines that are repeated, as a retrying client does.
const REPEATED: f64 = 0.01;
/// Share of the lines after which a malformed one follows.
const MALFORMED: f64 = 0.002;

impl SimulatedShop {
    /// The events as JSON lines in Segment's envelope, in time order.
    ///
    /// With `dirt` in the configuration, about 1 % of the lines come twice with the same `messageId`, and about
    /// 0.2 % are followed by a malformed copy with a `messageId` of its own: cut short, without identity, without or
    /// with an impossible timestamp, with a quantity of 0 or a negative price. The clean lines are all there.
    pub fn segment_lines(&self) -> impl Iterator<Item = String> + '_ {
        let mut rng = stream(self.seed, Domain::Dirt, 0);
        let mut malformed = 0;
        self.events().flat_map(move |event| {
            let line = segment_line(&event);
            let mut lines = Vec::with_capacity(1);
            if self.config.dirt {
                if rng.random_bool(REPEATED) {
                    lines.push(line.clone());
                }
                if rng.random_bool(MALFORMED) {
                    malformed += 1;
                    let copy = line.replacen("\"m-", &format!("\"bad-{malformed}-"), 1);
                    lines.push(spoil(&copy, &mut rng));
                }
            }
            lines.insert(0, line);
            lines
        })
    }
}

/// Damages a line so that no reader of the envelope can accept it.
fn spoil(line: &str, rng: &mut ChaCha8Rng) -> String {
    let damages: [fn(&str) -> String; 6] = [
        |line| line.chars().take(line.chars().count() / 2).collect(),
        |line| {
            line.replace("\"userId\"", "\"user\"")
                .replace("\"anonymousId\"", "\"device\"")
        },
        |line| line.replace("\"timestamp\"", "\"time\""),
        |line| line.replace("\"timestamp\":\"20", "\"timestamp\":\"31/12/20"),
        |line| line.replace("\"messageId\"", "\"id\""),
        |line| line.replace("\"type\":\"", "\"type\":\"x"),
    ];
    one_of(&damages, rng)(line)
}

#[cfg(test)]
mod tests {
    use events::IncomingEvent;

    use super::*;

    #[test]
    fn every_damage_is_refused() {
        let line = r#"{"anonymousId":"a","event":"Product Viewed","messageId":"m-1","timestamp":"2026-01-01T00:00:00Z","type":"track","userId":"u"}"#;
        assert!(IncomingEvent::from_json(line).is_ok());
        let mut seen = std::collections::BTreeSet::new();
        let mut rng = stream(1, Domain::Dirt, 1);
        for _ in 0..60 {
            let spoilt = spoil(line, &mut rng);
            seen.insert(IncomingEvent::from_json(&spoilt).expect_err("bad").reason());
        }
        assert_eq!(
            seen.into_iter().collect::<Vec<_>>(),
            [
                "invalid_timestamp",
                "invalid_type",
                "missing_messageId",
                "missing_timestamp",
                "missing_userId",
                "not_an_event"
            ]
        );
    }
}
