use nn::{Device, NnError, Tensor};

/// Impressions as the models read them, row by row.
#[derive(Debug, Clone, Default)]
pub struct Examples {
    pub(super) labels: Vec<bool>,
    /// The standardised numbers, `number_width` an example.
    pub(super) numbers: Vec<f32>,
    number_width: usize,
    /// Rows within the table of categories, `category_width` an example.
    pub(super) categories: Vec<u32>,
    category_width: usize,
}

/// Some examples as tensors.
#[derive(Debug)]
pub(super) struct Batch {
    /// The standardised numbers [B, numbers], where there are any.
    pub(super) numbers: Option<Tensor>,
    /// Rows within the table of categories, [B, columns] flattened.
    pub(super) categories: Vec<u32>,
    /// 1 for a click and 0 for none [B].
    pub(super) targets: Tensor,
}

impl Examples {
    /// Puts columns side by side.
    pub(super) fn new(numbers: &[Vec<f32>], categories: &[Vec<u32>], labels: Vec<bool>) -> Self {
        let rows = 0..labels.len();
        let numbers_of = |row| numbers.iter().map(move |column: &Vec<f32>| column[row]);
        let categories_of = |row| categories.iter().map(move |column: &Vec<u32>| column[row]);
        Self {
            numbers: rows.clone().flat_map(numbers_of).collect(),
            number_width: numbers.len(),
            categories: rows.flat_map(categories_of).collect(),
            category_width: categories.len(),
            labels,
        }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether each was clicked.
    pub fn labels(&self) -> &[bool] {
        &self.labels
    }

    /// Numbers of an example.
    pub(super) fn number_width(&self) -> usize {
        self.number_width
    }

    /// Columns of categories of an example.
    pub(super) fn category_width(&self) -> usize {
        self.category_width
    }

    /// What each example holds, in words that differ where the examples do.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        (0..self.len()).map(|row| {
            let numbers = &self.numbers[row * self.number_width..][..self.number_width];
            let categories = &self.categories[row * self.category_width..][..self.category_width];
            format!("{numbers:?} {categories:?} {}", self.labels[row])
        })
    }

    /// Some of the examples, in the order in which they are asked for.
    pub(super) fn part(&self, rows: &[usize]) -> Self {
        Self {
            labels: rows.iter().map(|row| self.labels[*row]).collect(),
            numbers: gather(&self.numbers, self.number_width, rows),
            categories: gather(&self.categories, self.category_width, rows),
            ..*self
        }
    }

    /// Some of the examples as tensors.
    pub(super) fn batch(&self, rows: &[usize]) -> Result<Batch, NnError> {
        let numbers = gather(&self.numbers, self.number_width, rows);
        let shape = (rows.len(), self.number_width);
        let targets = rows
            .iter()
            .map(|row| f32::from(u8::from(self.labels[*row])));
        Ok(Batch {
            numbers: match self.number_width {
                0 => None,
                _ => Some(Tensor::from_vec(numbers, shape, &Device::Cpu)?),
            },
            categories: gather(&self.categories, self.category_width, rows),
            targets: Tensor::from_vec(targets.collect::<Vec<f32>>(), rows.len(), &Device::Cpu)?,
        })
    }
}

fn gather<T: Copy>(values: &[T], width: usize, rows: &[usize]) -> Vec<T> {
    let of_row = |row: &usize| values[row * width..(row + 1) * width].iter().copied();
    rows.iter().flat_map(of_row).collect()
}
