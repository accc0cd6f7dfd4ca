//! The invented makers of the simulated shop.

/// One maker.
pub(crate) struct Brand {
    /// The English name.
    pub(crate) en: &'static str,
    /// The Chinese name.
    pub(crate) zh: &'static str,
    /// The worlds it makes things for.
    pub(crate) worlds: &'static [usize],
    /// How dear it is: a factor on the category's prices.
    pub(crate) tier: f64,
}

const fn brand(en: &'static str, zh: &'static str, worlds: &'static [usize], tier: f64) -> Brand {
    Brand {
        en,
        zh,
        worlds,
        tier,
    }
}

/// Every maker; each world has at least seven.
pub(crate) const BRANDS: [Brand; 30] = [
    brand("Harrow & Wren", "禾雀", &[0, 1], 1.25),
    brand("Pennyfold", "便士坊", &[0, 3], 0.8),
    brand("Tillmore", "蒂尔莫", &[2], 1.0),
    brand("Larkmere", "云雀湖", &[0, 5], 1.1),
    brand("Brindle & Oat", "燕麦纹", &[0, 4], 0.95),
    brand("Cobblewick", "石巷", &[1, 2], 0.85),
    brand("Fennimoor", "芬沼", &[2, 5], 1.15),
    brand("Oakenley", "橡原", &[1, 4], 1.2),
    brand("Marlotide", "潮白", &[5], 1.3),
    brand("Quillhaven", "羽港", &[3], 1.1),
    brand("Saltgarden Row", "盐园", &[0, 5], 1.0),
    brand("Thistledown Lane", "蓟絮里", &[1, 3], 0.9),
    brand("Wickerby", "柳编庄", &[2, 1], 0.9),
    brand("Emberly Vale", "余烬谷", &[1, 5], 1.2),
    brand("Northfold", "北栏", &[0, 2], 1.0),
    brand("Pebblecroft", "卵石农舍", &[2, 4], 0.85),
    brand("Rowanby", "花楸", &[0, 1], 1.05),
    brand("Dapplewood", "斑木", &[4], 1.1),
    brand("Juniper & Pell", "杜松", &[5, 1], 1.15),
    brand("Lumenfield", "流明原", &[1], 1.2),
    brand("Hollowbrook", "空溪", &[2, 0], 0.95),
    brand("Millrace Goods", "磨坊渠", &[0, 3], 0.8),
    brand("Foxmantle", "狐披", &[4, 3], 1.05),
    brand("Sundrift", "日漂", &[2, 1], 1.0),
    brand("Paperwren", "纸鹪鹩", &[3], 0.85),
    brand("Tumbleberry", "滚莓", &[4], 0.8),
    brand("Mossgate", "苔门", &[2, 3], 1.1),
    brand("Ashlar & Finch", "方石雀", &[3, 4], 1.3),
    brand("Petrichor Bath", "雨后浴", &[5], 0.9),
    brand("Bramblecote", "荆棘舍", &[5, 4], 0.75),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shop::categories::WORLDS;

    #[test]
    fn every_world_has_enough_makers() {
        for world in 0..WORLDS {
            let makers = BRANDS.iter().filter(|brand| brand.worlds.contains(&world));
            assert!(makers.count() >= 6, "world {world}");
        }
    }
}
