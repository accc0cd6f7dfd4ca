use candle_core::Tensor;

use crate::kernels::gather::Gather;
use crate::{Init, NnError, ParameterStore};

/// A table of learnt vectors, looked up by index; the table can serve as output weights too (tied).
///
/// Source of the tying: Press and Wolf, "Using the Output Embedding to Improve Language Models", 2017.
#[derive(Debug, Clone)]
pub struct Embedding {
    table: Tensor,
}

impl Embedding {
    /// Creates the parameter `NAME.weight` [V, D], normal with standard deviation `std`.
    ///
    /// # Errors
    /// [`NnError::DuplicateParameter`] where the name is taken.
    pub fn new(
        store: &mut ParameterStore,
        name: &str,
        rows: usize,
        width: usize,
        std: f64,
    ) -> Result<Self, NnError> {
        let init = Init::Normal { std };
        let table = store.create(&format!("{name}.weight"), &[rows, width], init, false)?;
        Ok(Self { table })
    }

    /// Looks vectors up.
    ///
    /// # Shapes
    /// ids of any shape […] in `u32` → […, D].
    ///
    /// # Errors
    /// [`NnError::Shape`] where an id is not below V.
    pub fn forward(&self, ids: &Tensor) -> Result<Tensor, NnError> {
        let mut shape = ids.dims().to_vec();
        shape.push(self.table.dim(1)?);
        let ids = ids.flatten_all()?.to_vec1::<u32>()?;
        Ok(look_up(&self.table, &ids)?.reshape(shape)?)
    }

    /// Scores hidden states against every row: logits = x Eᵀ.
    ///
    /// # Shapes
    /// [N, D] → [N, V].
    ///
    /// # Errors
    /// [`NnError::Tensor`] where the widths differ.
    pub fn logits(&self, x: &Tensor) -> Result<Tensor, NnError> {
        Ok(x.matmul(&self.table.t()?)?)
    }

    /// The table outside the graph.
    pub(crate) fn frozen(&self) -> Self {
        Self {
            table: self.table.detach(),
        }
    }

    /// The table [V, D].
    pub fn table(&self) -> &Tensor {
        &self.table
    }
}

/// The rows of a table at some indices, whose gradient adds each row's to its place.
///
/// # Shapes
/// table [V, D], ids [N] → [N, D].
///
/// # Errors
/// [`NnError::Shape`] where an id is not below V.
pub fn look_up(table: &Tensor, ids: &[u32]) -> Result<Tensor, NnError> {
    let (rows, width) = table.dims2()?;
    if let Some(id) = ids.iter().find(|id| **id as usize >= rows) {
        return Err(NnError::Shape {
            operation: "embedding",
            expected: format!("ids below {rows}"),
            got: format!("id {id}"),
        });
    }
    if !table.device().is_cpu() {
        return Ok(table.index_select(&Tensor::new(ids, table.device())?, 0)?);
    }
    let gather = Gather {
        rows: ids.into(),
        width,
    };
    Ok(table.contiguous()?.apply_op1(gather)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn looks_up_scores_and_collects_the_gradients_of_repeated_rows() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let layer = Embedding::new(&mut store, "e", 3, 2, 0.1).expect("fresh");
        let table = Tensor::new(&[[1f32, 0.], [0., 1.], [2., 2.]], &Device::Cpu).expect("fits");
        store.set("e.weight", &table).expect("exists");
        let ids = Tensor::new(&[[2u32, 0], [2, 2]], &Device::Cpu).expect("fits");
        let rows = layer.forward(&ids).expect("in range");
        assert_eq!(rows.dims(), [2, 2, 2]);
        let logits = layer
            .logits(&table)
            .and_then(|l| Ok(l.to_vec2::<f32>()?))
            .expect("fits");
        assert_eq!(logits, [[1., 0., 2.], [0., 1., 2.], [2., 2., 8.]]);
        // Row 2 was used three times, row 1 never.
        let backward = rows
            .sum_all()
            .and_then(|s| s.backward())
            .expect("differentiable");
        let gradient = &store.gradients(&backward)["e.weight"];
        let gradient = gradient.to_vec2::<f32>().expect("f32");
        assert_eq!(gradient, [[1., 1.], [0., 0.], [3., 3.]]);
    }

    #[test]
    fn an_unknown_id_is_an_error() {
        let mut store = ParameterStore::new(0, &Device::Cpu);
        let layer = Embedding::new(&mut store, "e", 3, 2, 0.1).expect("fresh");
        let ids = Tensor::new(&[3u32], &Device::Cpu).expect("fits");
        assert_eq!(
            layer.forward(&ids).expect_err("3 of 3 rows").to_string(),
            "embedding: expected ids below 3, got id 3; check the sizes given to the layer"
        );
    }
}
