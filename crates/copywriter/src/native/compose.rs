//! Texts composed of the clause bank.

use rand_chacha::ChaCha8Rng;

use super::attested::Kind;
use super::text::{ProductText, StyleText};

pub(super) fn compose(
    _products: &[ProductText],
    _count: usize,
    _rng: &mut ChaCha8Rng,
) -> Vec<StyleText> {
    Vec::new()
}

pub(super) fn compose_for(_kind: Kind, _count: usize, _rng: &mut ChaCha8Rng) -> Vec<StyleText> {
    Vec::new()
}
