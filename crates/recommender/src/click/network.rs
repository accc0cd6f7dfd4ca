use nn::{CrossLayer, Device, Embedding, Init, Linear, Mlp, NnError, ParameterStore, Tensor};

use super::config::{ClickModelKind, ClickSettings};
use super::examples::Batch;

/// The parameters of a click model and what they compute.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) store: ParameterStore,
    body: Body,
    /// What every logit starts from [1].
    bias: Tensor,
}

/// Widths of what a network reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Widths {
    /// Numbers of an example.
    pub(super) numbers: usize,
    /// Columns of categories of an example.
    pub(super) columns: usize,
    /// Rows of the table of all columns' categories.
    pub(super) rows: usize,
}

#[derive(Debug)]
enum Body {
    Linear {
        /// A weight a number [numbers, 1].
        numbers: Tensor,
        /// A weight a category [rows, 1], which is the one-hot product.
        categories: Tensor,
    },
    Deep(Deep),
}

/// DCN-v2 in its parallel form, and without cross layers a perceptron.
///
/// x₀ is an example's numbers beside the vectors of its categories. The cross network makes `x₀ ⊙ (W x + b) + x` of it,
/// layer by layer, the deep network h = `ReLU` layers of x₀, and the logit is a linear function of both. Source: Wang et al.,
/// "DCN V2: Improved Deep & Cross Network and Practical Lessons for Web-scale Learning to Rank Systems", 2021. Differs from
/// it in that every category has a vector of the same width, W is always full instead of a mixture of thin products, the
/// logit starts from the training part's base rate, and training stops early by the validation part's log-loss.
#[derive(Debug)]
struct Deep {
    vectors: Embedding,
    cross: Vec<CrossLayer>,
    perceptron: Mlp,
    head: Linear,
}

impl Network {
    /// Makes the first parameters; `base_rate` is the share of clicks of the training part.
    pub(super) fn new(
        settings: &ClickSettings,
        widths: Widths,
        base_rate: f64,
    ) -> Result<Self, NnError> {
        let mut store = ParameterStore::new(settings.seed, &Device::Cpu);
        let log_odds = Init::Constant((base_rate / (1.0 - base_rate)).ln());
        let bias = store.create("bias", &[1], log_odds, false)?;
        let body = if settings.kind == ClickModelKind::Logistic {
            let zero = Init::Constant(0.0);
            Body::Linear {
                numbers: store.create("numbers", &[widths.numbers.max(1), 1], zero, true)?,
                categories: store.create("categories", &[widths.rows.max(1), 1], zero, true)?,
            }
        } else {
            Body::Deep(Deep::new(&mut store, settings, widths)?)
        };
        Ok(Self { store, body, bias })
    }

    /// The logits of clicks.
    ///
    /// # Shapes
    /// B examples → [B].
    pub(super) fn logits(&self, batch: &Batch) -> Result<Tensor, NnError> {
        let logits = match &self.body {
            Body::Linear {
                numbers,
                categories,
            } => linear_logits(numbers, categories, batch)?,
            Body::Deep(deep) => deep.logits(batch)?,
        };
        Ok(logits.broadcast_add(&self.bias)?)
    }

    /// The weights of numbers and of categories; nothing where there are no such weights.
    pub(super) fn weights(&self) -> Result<Option<[Vec<f32>; 2]>, NnError> {
        let Body::Linear {
            numbers,
            categories,
        } = &self.body
        else {
            return Ok(None);
        };
        let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
        Ok(Some([flat(numbers)?, flat(categories)?]))
    }
}

/// w · numbers + Σ w of the categories [B].
fn linear_logits(numbers: &Tensor, categories: &Tensor, batch: &Batch) -> Result<Tensor, NnError> {
    let rows = batch.targets.dim(0)?;
    let mut logits = batch.targets.zeros_like()?;
    if let Some(x) = &batch.numbers {
        logits = (logits + x.matmul(numbers)?.squeeze(1)?)?;
    }
    if !batch.categories.is_empty() {
        // [B · columns, 1] → [B, columns] → [B].
        let weights = nn::look_up(categories, &batch.categories)?.reshape((rows, ()))?;
        logits = (logits + weights.sum(1)?)?;
    }
    Ok(logits)
}

impl Deep {
    fn new(
        store: &mut ParameterStore,
        settings: &ClickSettings,
        widths: Widths,
    ) -> Result<Self, NnError> {
        let width = settings.category_width;
        let x0 = widths.numbers + widths.columns * width;
        // Vectors whose length is near 1, so that products of two are not lost beside sums.
        let std = (width as f64).powf(-0.5);
        let cross_layers = match settings.kind {
            ClickModelKind::Dcn => settings.cross_layers,
            ClickModelKind::Mlp | ClickModelKind::Logistic => 0,
        };
        let cross = (0..cross_layers)
            .map(|layer| CrossLayer::new(store, &format!("cross.{layer}"), x0))
            .collect::<Result<Vec<_>, _>>()?;
        let sizes: Vec<usize> = [x0].into_iter().chain(settings.hidden.clone()).collect();
        let crossed = if cross.is_empty() { 0 } else { x0 };
        let last = sizes[sizes.len() - 1];
        Ok(Self {
            vectors: Embedding::new(store, "categories", widths.rows.max(1), width, std)?,
            cross,
            perceptron: Mlp::new(store, "deep", &sizes)?,
            head: Linear::new(store, "head", crossed + last, 1, false)?,
        })
    }

    fn logits(&self, batch: &Batch) -> Result<Tensor, NnError> {
        let rows = batch.targets.dim(0)?;
        let mut inputs: Vec<Tensor> = batch.numbers.iter().cloned().collect();
        if !batch.categories.is_empty() {
            let vectors = nn::look_up(self.vectors.table(), &batch.categories)?;
            // [B · columns, D] → [B, columns · D].
            inputs.push(vectors.reshape((rows, ()))?);
        }
        let x0 = Tensor::cat(&inputs, 1)?;
        let deep = self.perceptron.forward(&x0)?.relu()?;
        let mut x = x0.clone();
        for layer in &self.cross {
            x = layer.forward(&x0, &x)?;
        }
        let both = if self.cross.is_empty() {
            deep
        } else {
            Tensor::cat(&[&x, &deep], 1)?
        };
        Ok(self.head.forward(&both)?.squeeze(1)?)
    }
}
