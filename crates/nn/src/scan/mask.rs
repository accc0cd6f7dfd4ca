use super::GROUP;
use crate::NnError;

/// The rows that a search may return, a bit for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowMask {
    words: Vec<u64>,
    rows: usize,
}

impl RowMask {
    /// Allows no row.
    pub fn none(rows: usize) -> Self {
        let words = vec![0; rows.div_ceil(64)];
        Self { words, rows }
    }

    /// Allows the rows of which a function says so.
    pub fn from_fn(rows: usize, mut allowed: impl FnMut(usize) -> bool) -> Self {
        let mut mask = Self::none(rows);
        (0..rows).for_each(|row| mask.words[row / 64] |= u64::from(allowed(row)) << (row % 64));
        mask
    }

    /// Takes over bits, the lowest of the first word for row 0; bits beyond the last row are ignored.
    ///
    /// # Errors
    /// [`NnError::Shape`] where there are not as many words as the rows need.
    pub fn from_words(mut words: Vec<u64>, rows: usize) -> Result<Self, NnError> {
        if words.len() != rows.div_ceil(64) {
            return Err(NnError::Shape {
                operation: "row mask",
                expected: format!("{} words for {rows} rows", rows.div_ceil(64)),
                got: words.len().to_string(),
            });
        }
        if let Some(last) = words.last_mut().filter(|_| !rows.is_multiple_of(64)) {
            *last &= u64::MAX >> (64 - rows % 64);
        }
        Ok(Self { words, rows })
    }

    /// Allows or forbids one row.
    ///
    /// # Panics
    /// Where there is no such row.
    pub fn set(&mut self, row: usize, allowed: bool) {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        let (word, bit) = (&mut self.words[row / 64], row % 64);
        *word = *word & !(1 << bit) | u64::from(allowed) << bit;
    }

    /// Whether a row is allowed; one beyond the last is not.
    pub fn allows(&self, row: usize) -> bool {
        let word = self.words.get(row / 64);
        word.is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// The number of rows, allowed or not.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of rows that are allowed.
    pub fn allowed(&self) -> usize {
        let ones = self.words.iter().map(|word| word.count_ones() as usize);
        ones.sum()
    }

    /// The bits of one group of rows.
    #[inline(always)]
    pub(super) fn group(&self, group: usize) -> u16 {
        let first = group * GROUP;
        (self.words[first / 64] >> (first % 64)) as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_rows() {
        let mut mask = RowMask::from_fn(130, |row| row % 3 == 0);
        assert_eq!((mask.rows(), mask.allowed()), (130, 44));
        assert!(mask.allows(129) && !mask.allows(128) && !mask.allows(132));
        mask.set(128, true);
        mask.set(129, false);
        mask.set(0, true);
        assert!(mask.allows(128) && !mask.allows(129) && mask.allows(0));
        assert_eq!(mask.group(8), 1);
        let words = RowMask::from_words(vec![u64::MAX, 0, u64::MAX], 130).expect("3 words");
        assert_eq!(words.allowed(), 66);
        assert_eq!(words.group(8), 0b11);
        let error = RowMask::from_words(vec![0], 65).expect_err("2 words");
        assert_eq!(
            error.to_string(),
            "row mask: expected 2 words for 65 rows, got 1; check the sizes given to the layer"
        );
    }
}
