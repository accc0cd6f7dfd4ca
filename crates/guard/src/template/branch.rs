//! Lists the ways through a template's conditions.

use std::collections::BTreeMap;

use super::{Node, Operand, Template, render};
use crate::{Bindings, Escape, GuardError, Shown};

/// One way through a template's conditions: for each condition on the way, whether it holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Branch {
    choices: BTreeMap<usize, bool>,
}

impl Branch {
    /// The branch in words, such as `if price; else if orders > 3`, for the list of checks; `always` without conditions.
    pub fn describe(&self, template: &Template) -> String {
        if self.choices.is_empty() {
            return "always".to_owned();
        }
        let words: Vec<String> = self
            .choices
            .iter()
            .map(|(&index, &holds)| {
                let condition = &template.conditions[index];
                let test = match &condition.test {
                    None => String::new(),
                    Some((sign, Operand::Number(number))) => format!(" {} {number}", sign.sign()),
                    Some((sign, Operand::Text(text))) => format!(" {} \"{text}\"", sign.sign()),
                };
                let word = if holds { "if" } else { "unless" };
                format!("{word} {}{test}", condition.name)
            })
            .collect();
        words.join("; ")
    }
}

impl Template {
    /// Writes the text of one branch, whatever its conditions say of these values.
    ///
    /// # Errors
    /// Those of [`Template::render`].
    pub fn render_branch(
        &self,
        branch: &Branch,
        bindings: &Bindings,
        escape: Escape,
    ) -> Result<String, GuardError> {
        Ok(self.show_branch(branch, bindings, escape)?.into_text())
    }

    pub(crate) fn show_branch(
        &self,
        branch: &Branch,
        bindings: &Bindings,
        escape: Escape,
    ) -> Result<Shown, GuardError> {
        render::show(self, bindings, escape, &|index| {
            branch.choices.get(&index).copied().unwrap_or(false)
        })
    }
}

/// Walks the tree, splitting each way at each condition that it has not met yet; stops one past the limit.
pub(super) fn branches(template: &Template) -> Vec<Branch> {
    let mut ways = vec![Branch::default()];
    extend(&template.nodes, &mut ways);
    ways
}

fn extend(nodes: &[Node], ways: &mut Vec<Branch>) {
    for node in nodes {
        let Node::If {
            condition,
            then,
            otherwise,
        } = node
        else {
            continue;
        };
        let mut next = Vec::new();
        for way in ways.drain(..) {
            let known = way.choices.get(condition).copied();
            for choice in [true, false] {
                if known.is_some_and(|known| known != choice) {
                    continue;
                }
                let mut branch = way.clone();
                branch.choices.insert(*condition, choice);
                let mut inner = vec![branch];
                extend(if choice { then } else { otherwise }, &mut inner);
                next.append(&mut inner);
            }
            if next.len() > Template::MAX_BRANCHES {
                break;
            }
        }
        *ways = next;
        if ways.len() > Template::MAX_BRANCHES {
            ways.truncate(Template::MAX_BRANCHES + 1);
            return;
        }
    }
}
