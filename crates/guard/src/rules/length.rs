//! Fields that the channel has, none of them empty, none longer than it shows.

use super::{Fault, Message};
use crate::Origin;

pub(super) fn check(message: &Message, findings: &mut Vec<Fault>) {
    for field in message.fields {
        let name = field.name;
        let Some(limit) = message.limits.iter().find(|limit| limit.field == name) else {
            findings.push(Fault::new(
                "fields",
                name,
                format!("{} has no {name}; leave it out", message.channel),
            ));
            continue;
        };
        let length = if message.now.is_some() {
            limit.unit.measure(field.plain())
        } else {
            // Sample values have lengths that say nothing; what the template itself says is a lower bound.
            let literal = |(_, text, origin)| (origin == Origin::Literal).then_some(text);
            let literals: String = field.shown.parts().filter_map(literal).collect();
            limit.unit.measure(&literals)
        };
        let unit = limit.unit.name();
        if message.now.is_some() && field.plain().trim().is_empty() {
            findings.push(Fault::new(
                "fields",
                &format!("{name}_empty"),
                format!("the {name} is empty"),
            ));
        } else if length > limit.max {
            findings.push(Fault::new(
                "length",
                name,
                format!(
                    "the {name} has {length} {unit}, the limit is {}; shorten it or use `truncate`",
                    limit.max
                ),
            ));
        } else if let Some(ideal) = limit.ideal.filter(|ideal| length > *ideal) {
            let detail = format!("the {name} has {length} {unit}, up to {ideal} are advised");
            findings.push(Fault::new("length", name, detail).remark());
        }
    }
}
