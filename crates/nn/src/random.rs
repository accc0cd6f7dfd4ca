use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// Returns the generator of one purpose at one position of a run.
///
/// Every random choice of a training run is drawn from `generator(seed, purpose, position)`, so a resumed run needs no
/// generator state, only the seed and the step it stands at.
pub fn generator(seed: u64, purpose: &str, position: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&name_seed(purpose).to_le_bytes());
    key[16..24].copy_from_slice(&position.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// Hashes a name to 64 bits with FNV-1a, the same on every machine and in every version.
///
/// Source: Fowler, Noll, Vo, <http://www.isthe.com/chongo/tech/comp/fnv/>.
pub fn name_seed(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn fnv_matches_the_published_vectors() {
        assert_eq!(name_seed(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(name_seed("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(name_seed("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_generator_depends_on_seed_purpose_and_position_alone() {
        let draw = |seed, purpose, position| generator(seed, purpose, position).next_u64();
        assert_eq!(draw(1, "dropout", 3), draw(1, "dropout", 3));
        assert_ne!(draw(1, "dropout", 3), draw(2, "dropout", 3));
        assert_ne!(draw(1, "dropout", 3), draw(1, "batches", 3));
        assert_ne!(draw(1, "dropout", 3), draw(1, "dropout", 4));
    }
}
