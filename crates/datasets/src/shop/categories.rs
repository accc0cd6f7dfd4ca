//! What the simulated shop sells: its categories and the words they are written in.
//!
//! Lists of words are written `english=中文; english=中文`, so that one category reads as one paragraph.

/// One category of the catalogue.
pub(crate) struct Category {
    /// A short stable name, used by `goes_with`.
    pub(crate) key: &'static str,
    /// The world it belongs to; categories of one world attract the same shoppers.
    pub(crate) world: usize,
    /// Merchant Center's path, English and Chinese.
    pub(crate) path: (&'static str, &'static str),
    /// Usual prices in pounds, lowest and highest.
    pub(crate) price: (f64, f64),
    /// Day of the year when it sells best, and by how much in the exponent; 0 for no season.
    pub(crate) season: (f64, f64),
    /// Days that a pack lasts; 0 for what is not used up.
    pub(crate) lasts_days: f64,
    /// What the things are called.
    pub(crate) nouns: &'static str,
    /// What they look or are like.
    pub(crate) styles: &'static str,
    /// What they are made of, the fact `material`.
    pub(crate) materials: &'static str,
    /// The name of the measured fact, such as `capacity`, and its values.
    pub(crate) measure: (&'static str, &'static str),
    /// A property that the whole category shares, the fact `care` or `use`, as a sentence.
    pub(crate) claim: (&'static str, &'static str),
    /// Keys of the categories that are bought with it.
    pub(crate) goes_with: &'static [&'static str],
}

/// A word in both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) en: &'static str,
    pub(crate) zh: &'static str,
}

/// Splits a list written `english=中文; english=中文`.
pub(crate) fn terms(list: &'static str) -> Vec<Term> {
    list.split(';')
        .filter_map(|entry| entry.trim().split_once('='))
        .map(|(en, zh)| Term { en, zh })
        .collect()
}

/// Colours, shared by every category.
pub(crate) const COLOURS: &str = "Sage Green=鼠尾草绿; Navy=藏青; Cream=奶油白; Terracotta=赤陶; Charcoal=炭灰; Blush Pink=淡粉; Mustard=芥末黄; Sky Blue=天蓝; Ivory=象牙白; Forest Green=森林绿; Rust=铁锈红; Slate=石板灰";

/// Number of worlds.
pub(crate) const WORLDS: usize = 6;

/// Every category.
pub(crate) const CATEGORIES: [Category; 27] = [
    Category {
        key: "mugs",
        world: 0,
        path: (
            "Home & Garden > Kitchen & Dining > Mugs",
            "家居 > 厨房与餐饮 > 马克杯",
        ),
        price: (6.0, 24.0),
        season: (330.0, 0.3),
        lasts_days: 0.0,
        nouns: "Mug=马克杯; Espresso Cup=浓缩咖啡杯; Latte Mug=拿铁杯; Travel Cup=随行杯",
        styles: "Speckled=斑点; Hand-Glazed=手工上釉; Ribbed=竖纹; Botanical=植物纹; Stackable=可叠放",
        materials: "Stoneware=炻瓷; Porcelain=瓷; Bone China=骨瓷; Enamel=搪瓷",
        measure: (
            "capacity",
            "250 ml=250毫升; 300 ml=300毫升; 350 ml=350毫升; 400 ml=400毫升",
        ),
        claim: ("Dishwasher safe.", "可用洗碗机清洗。"),
        goes_with: &["coffee", "tea"],
    },
    Category {
        key: "teapots",
        world: 0,
        path: (
            "Home & Garden > Kitchen & Dining > Teapots",
            "家居 > 厨房与餐饮 > 茶壶",
        ),
        price: (18.0, 60.0),
        season: (330.0, 0.3),
        lasts_days: 0.0,
        nouns: "Teapot=茶壶; Infuser Teapot=泡茶壶; Tea Set=茶具套装; Milk Jug=奶壶",
        styles: "Speckled=斑点; Classic=经典; Hammered=锤纹; Botanical=植物纹; Rounded=圆身",
        materials: "Cast Iron=铸铁; Glass=玻璃; Porcelain=瓷; Stoneware=炻瓷",
        measure: (
            "capacity",
            "600 ml=600毫升; 800 ml=800毫升; 1 litre=1升; 1.2 litres=1.2升",
        ),
        claim: ("Comes with a removable strainer.", "附可拆卸滤网。"),
        goes_with: &["tea", "mugs"],
    },
    Category {
        key: "tea",
        world: 0,
        path: ("Food & Drink > Beverages > Tea", "食品饮料 > 饮品 > 茶叶"),
        price: (4.0, 16.0),
        season: (350.0, 0.3),
        lasts_days: 35.0,
        nouns: "Breakfast Tea=早餐茶; Green Tea=绿茶; Oolong Tea=乌龙茶; Jasmine Tea=茉莉花茶; Herbal Tea=花草茶",
        styles: "Loose-Leaf=散叶; Hand-Picked=手采; Single-Estate=单一茶园; Smoky=烟熏; Fragrant=清香",
        materials: "Assam Leaf=阿萨姆茶叶; Fujian Leaf=福建茶叶; Ceylon Leaf=锡兰茶叶; Chamomile=洋甘菊",
        measure: (
            "net weight",
            "100 g=100克; 125 g=125克; 200 g=200克; 250 g=250克",
        ),
        claim: ("Packed in a resealable pouch.", "可重复密封袋装。"),
        goes_with: &["teapots", "mugs"],
    },
    Category {
        key: "coffee",
        world: 0,
        path: (
            "Food & Drink > Beverages > Coffee",
            "食品饮料 > 饮品 > 咖啡",
        ),
        price: (6.0, 18.0),
        season: (0.0, 0.0),
        lasts_days: 28.0,
        nouns: "Coffee Beans=咖啡豆; Ground Coffee=咖啡粉; Espresso Blend=意式拼配咖啡; Decaf Coffee=低因咖啡",
        styles: "Dark Roast=深烘; Medium Roast=中烘; Light Roast=浅烘; Single-Origin=单一产地; House=招牌",
        materials: "Arabica=阿拉比卡; Arabica and Robusta=阿拉比卡与罗布斯塔; Yunnan Arabica=云南阿拉比卡; Colombian Arabica=哥伦比亚阿拉比卡",
        measure: (
            "net weight",
            "227 g=227克; 250 g=250克; 500 g=500克; 1 kg=1公斤",
        ),
        claim: ("Roasted in small batches.", "小批量烘焙。"),
        goes_with: &["mugs", "jars"],
    },
    Category {
        key: "bakeware",
        world: 0,
        path: (
            "Home & Garden > Kitchen & Dining > Bakeware",
            "家居 > 厨房与餐饮 > 烘焙用具",
        ),
        price: (8.0, 40.0),
        season: (345.0, 0.5),
        lasts_days: 0.0,
        nouns: "Loaf Tin=吐司模; Cake Tin=蛋糕模; Pie Dish=派盘; Mixing Bowl=搅拌碗; Rolling Pin=擀面杖",
        styles: "Fluted=波浪边; Non-Stick=不粘; Deep=加深; Classic=经典; Nesting=套叠",
        materials: "Carbon Steel=碳钢; Stoneware=炻瓷; Beech Wood=榉木; Glass=玻璃",
        measure: (
            "size",
            "20 cm=20厘米; 23 cm=23厘米; 26 cm=26厘米; 30 cm=30厘米",
        ),
        claim: ("Oven safe to 220 °C.", "可耐220°C烤箱高温。"),
        goes_with: &["teatowels", "jars"],
    },
    Category {
        key: "tableware",
        world: 0,
        path: (
            "Home & Garden > Kitchen & Dining > Tableware",
            "家居 > 厨房与餐饮 > 餐具",
        ),
        price: (10.0, 70.0),
        season: (345.0, 0.4),
        lasts_days: 0.0,
        nouns: "Dinner Plate=餐盘; Side Plate=点心盘; Pasta Bowl=意面碗; Serving Platter=大餐盘; Rice Bowl=饭碗",
        styles: "Speckled=斑点; Reactive-Glaze=窑变釉; Scalloped=花边; Matt=哑光; Hand-Painted=手绘",
        materials: "Stoneware=炻瓷; Porcelain=瓷; Terracotta=陶; Acacia Wood=相思木",
        measure: (
            "pack",
            "set of 2=2件套; set of 4=4件套; set of 6=6件套; single=单只",
        ),
        claim: ("Microwave and dishwasher safe.", "可用微波炉与洗碗机。"),
        goes_with: &["teatowels", "candles"],
    },
    Category {
        key: "teatowels",
        world: 0,
        path: (
            "Home & Garden > Linens > Kitchen Linens",
            "家居 > 布艺 > 厨房布艺",
        ),
        price: (6.0, 22.0),
        season: (0.0, 0.0),
        lasts_days: 0.0,
        nouns: "Tea Towel=茶巾; Apron=围裙; Oven Glove=隔热手套; Napkin=餐巾; Table Runner=桌旗",
        styles: "Striped=条纹; Checked=格纹; Block-Printed=木刻印花; Botanical=植物纹; Waffle=华夫格",
        materials: "Cotton=棉; Linen=亚麻; Organic Cotton=有机棉; Cotton and Linen=棉麻",
        measure: (
            "pack",
            "single=单条; set of 2=2件套; set of 3=3件套; set of 4=4件套",
        ),
        claim: ("Machine washable at 40 °C.", "可40°C机洗。"),
        goes_with: &["bakeware", "tableware"],
    },
    Category {
        key: "jars",
        world: 0,
        path: (
            "Home & Garden > Kitchen & Dining > Food Storage",
            "家居 > 厨房与餐饮 > 食物收纳",
        ),
        price: (5.0, 30.0),
        season: (15.0, 0.3),
        lasts_days: 0.0,
        nouns: "Storage Jar=储物罐; Biscuit Tin=饼干罐; Spice Rack=调味架; Bread Bin=面包箱",
        styles: "Airtight=密封; Stackable=可叠放; Ribbed=竖纹; Retro=复古; Clip-Top=卡扣",
        materials: "Glass=玻璃; Bamboo=竹; Tinplate=马口铁; Steel=钢",
        measure: (
            "capacity",
            "500 ml=500毫升; 1 litre=1升; 1.5 litres=1.5升; 2 litres=2升",
        ),
        claim: (
            "The lid is lined with food-safe silicone.",
            "盖内衬食品级硅胶。",
        ),
        goes_with: &["coffee", "tea"],
    },
    Category {
        key: "cushions",
        world: 1,
        path: ("Home & Garden > Decor > Cushions", "家居 > 装饰 > 靠垫"),
        price: (12.0, 45.0),
        season: (290.0, 0.3),
        lasts_days: 0.0,
        nouns: "Cushion=靠垫; Cushion Cover=靠垫套; Bolster=圆柱枕; Floor Cushion=地垫",
        styles: "Tufted=簇绒; Striped=条纹; Embroidered=刺绣; Velvet-Trim=丝绒滚边; Quilted=绗缝",
        materials: "Cotton=棉; Linen=亚麻; Velvet=丝绒; Wool=羊毛",
        measure: (
            "size",
            "40 × 40 cm=40×40厘米; 45 × 45 cm=45×45厘米; 50 × 50 cm=50×50厘米; 30 × 60 cm=30×60厘米",
        ),
        claim: ("The cover has a hidden zip.", "枕套为隐形拉链。"),
        goes_with: &["throws", "lighting"],
    },
    Category {
        key: "throws",
        world: 1,
        path: (
            "Home & Garden > Linens > Blankets & Throws",
            "家居 > 布艺 > 毛毯与盖毯",
        ),
        price: (20.0, 90.0),
        season: (330.0, 0.7),
        lasts_days: 0.0,
        nouns: "Throw=盖毯; Blanket=毛毯; Picnic-Weight Throw=薄盖毯; Bedspread=床盖",
        styles: "Chunky-Knit=粗针织; Herringbone=人字纹; Fringed=流苏; Checked=格纹; Waffle=华夫格",
        materials: "Lambswool=羊羔毛; Cotton=棉; Recycled Wool=再生羊毛; Alpaca Blend=羊驼毛混纺",
        measure: (
            "size",
            "130 × 170 cm=130×170厘米; 140 × 180 cm=140×180厘米; 150 × 200 cm=150×200厘米",
        ),
        claim: ("Woven with a soft brushed finish.", "织面经柔软拉绒处理。"),
        goes_with: &["cushions", "candles"],
    },
    Category {
        key: "bedding",
        world: 1,
        path: ("Home & Garden > Linens > Bedding", "家居 > 布艺 > 床品"),
        price: (25.0, 120.0),
        season: (10.0, 0.4),
        lasts_days: 0.0,
        nouns: "Duvet Set=被套套装; Fitted Sheet=床笠; Pillowcase Pair=枕套一对; Quilt=薄被",
        styles: "Washed=水洗; Percale=密织; Seersucker=泡泡纱; Striped=条纹; Plain-Dyed=纯色",
        materials: "Cotton=棉; Linen=亚麻; Bamboo Viscose=竹纤维; Organic Cotton=有机棉",
        measure: (
            "size",
            "single=单人; double=双人; king=加大; super king=特大",
        ),
        claim: ("Machine washable at 60 °C.", "可60°C机洗。"),
        goes_with: &["throws", "towels"],
    },
    Category {
        key: "candles",
        world: 1,
        path: (
            "Home & Garden > Decor > Home Fragrance",
            "家居 > 装饰 > 香薰",
        ),
        price: (6.0, 32.0),
        season: (340.0, 0.6),
        lasts_days: 50.0,
        nouns: "Scented Candle=香薰蜡烛; Reed Diffuser=藤条香薰; Pillar Candle=柱形蜡烛; Wax Melt Pack=融蜡片",
        styles: "Fig and Cedar=无花果雪松; Lavender=薰衣草; Sea Salt=海盐; Orange Blossom=橙花; Osmanthus=桂花",
        materials: "Soy Wax=大豆蜡; Rapeseed Wax=菜籽蜡; Beeswax=蜂蜡; Coconut Wax=椰子蜡",
        measure: (
            "burn time",
            "20 hours=20小时; 30 hours=30小时; 40 hours=40小时; 50 hours=50小时",
        ),
        claim: ("Poured by hand.", "手工浇制。"),
        goes_with: &["bathsalts", "throws"],
    },
    Category {
        key: "lighting",
        world: 1,
        path: ("Home & Garden > Lighting > Lamps", "家居 > 灯饰 > 台灯"),
        price: (18.0, 110.0),
        season: (320.0, 0.4),
        lasts_days: 0.0,
        nouns: "Table Lamp=台灯; Desk Lamp=书桌灯; Lantern=灯笼; Fairy Lights=串灯; Lampshade=灯罩",
        styles: "Ribbed=竖纹; Brass-Finish=黄铜色; Pleated=褶皱; Arched=拱形; Rechargeable=可充电",
        materials: "Glass=玻璃; Rattan=藤; Steel=钢; Ceramic=陶瓷",
        measure: (
            "height",
            "25 cm=25厘米; 35 cm=35厘米; 45 cm=45厘米; 60 cm=60厘米",
        ),
        claim: ("Works with LED bulbs.", "适用LED灯泡。"),
        goes_with: &["cushions", "walldecor"],
    },
    Category {
        key: "walldecor",
        world: 1,
        path: ("Home & Garden > Decor > Wall Decor", "家居 > 装饰 > 墙饰"),
        price: (9.0, 60.0),
        season: (0.0, 0.0),
        lasts_days: 0.0,
        nouns: "Picture Frame=相框; Wall Clock=挂钟; Art Print=装饰画; Mirror=镜子; Wall Hook=挂钩",
        styles: "Arched=拱形; Slim=细边; Botanical=植物纹; Retro=复古; Minimal=简约",
        materials: "Oak=橡木; Steel=钢; Bamboo=竹; Recycled Paper=再生纸",
        measure: ("size", "A4=A4; A3=A3; 30 cm=30厘米; 50 cm=50厘米"),
        claim: ("Comes with fixings for the wall.", "附墙面安装配件。"),
        goes_with: &["lighting", "cushions"],
    },
    Category {
        key: "planters",
        world: 2,
        path: (
            "Home & Garden > Lawn & Garden > Planters",
            "家居 > 园艺 > 花盆",
        ),
        price: (7.0, 55.0),
        season: (130.0, 0.9),
        lasts_days: 0.0,
        nouns: "Planter=花盆; Hanging Planter=吊盆; Plant Stand=花架; Window Box=窗台花箱; Watering Can=洒水壶",
        styles: "Ribbed=竖纹; Weathered=做旧; Glazed=上釉; Woven=编织; Footed=高脚",
        materials: "Terracotta=陶; Galvanised Steel=镀锌钢; Recycled Plastic=再生塑料; Concrete=水泥",
        measure: (
            "size",
            "12 cm=12厘米; 18 cm=18厘米; 24 cm=24厘米; 30 cm=30厘米",
        ),
        claim: ("Frost resistant.", "抗霜冻。"),
        goes_with: &["gardentools", "birds"],
    },
    Category {
        key: "gardentools",
        world: 2,
        path: (
            "Home & Garden > Lawn & Garden > Gardening Tools",
            "家居 > 园艺 > 园艺工具",
        ),
        price: (6.0, 45.0),
        season: (120.0, 0.9),
        lasts_days: 0.0,
        nouns: "Hand Trowel=小铲; Hand Fork=小耙; Secateurs=修枝剪; Garden Gloves=园艺手套; Kneeling Mat=跪垫",
        styles: "Heritage=传统; Lightweight=轻便; Ergonomic=符合人体工学; Compact=小巧; Long-Handled=长柄",
        materials: "Ash and Steel=白蜡木与钢; Stainless Steel=不锈钢; Carbon Steel=碳钢; Suede=绒面革",
        measure: (
            "length",
            "20 cm=20厘米; 28 cm=28厘米; 32 cm=32厘米; 40 cm=40厘米",
        ),
        claim: ("Guaranteed for five years.", "五年保修。"),
        goes_with: &["planters", "soap"],
    },
    Category {
        key: "birds",
        world: 2,
        path: (
            "Animals & Pet Supplies > Bird Supplies",
            "宠物用品 > 鸟类用品",
        ),
        price: (4.0, 28.0),
        season: (20.0, 0.6),
        lasts_days: 40.0,
        nouns: "Bird Seed=鸟食; Suet Balls=油脂球; Sunflower Hearts=葵花籽仁; Peanut Mix=花生混合粮",
        styles: "No-Mess=免清理; Winter=冬季; High-Energy=高能; Songbird=鸣禽; Wild=野鸟",
        materials: "Mixed Seed=混合籽; Sunflower=葵花籽; Oats and Suet=燕麦油脂; Peanut=花生",
        measure: (
            "net weight",
            "1 kg=1公斤; 2 kg=2公斤; 4 kg=4公斤; 12.5 kg=12.5公斤",
        ),
        claim: ("Free of artificial colours.", "不含人工色素。"),
        goes_with: &["planters", "gardentools"],
    },
    Category {
        key: "picnic",
        world: 2,
        path: (
            "Sporting Goods > Outdoor Recreation > Picnic",
            "运动户外 > 户外休闲 > 野餐",
        ),
        price: (9.0, 75.0),
        season: (185.0, 1.2),
        lasts_days: 0.0,
        nouns: "Picnic Blanket=野餐垫; Cool Bag=保冷袋; Picnic Basket=野餐篮; Flask=保温壶; Lunch Box=午餐盒",
        styles: "Gingham=方格; Striped=条纹; Foldable=可折叠; Waterproof-Backed=防水底; Insulated=保温",
        materials: "Recycled Polyester=再生涤纶; Wicker=柳条; Stainless Steel=不锈钢; Cotton=棉",
        measure: ("serves", "2 people=2人; 4 people=4人; 6 people=6人"),
        claim: ("Wipes clean.", "可擦拭清洁。"),
        goes_with: &["tableware", "throws"],
    },
    Category {
        key: "notebooks",
        world: 3,
        path: (
            "Office Supplies > Paper Products > Notebooks",
            "办公用品 > 纸品 > 笔记本",
        ),
        price: (3.0, 20.0),
        season: (245.0, 0.6),
        lasts_days: 0.0,
        nouns: "Notebook=笔记本; Weekly Planner=周计划本; Sketchbook=速写本; Journal=日记本; Desk Pad=桌面便签",
        styles: "Dotted=点阵; Lined=横线; Cloth-Bound=布面; Lay-Flat=平摊; Marbled=大理石纹",
        materials: "Recycled Paper=再生纸; Cotton Paper=棉纸; Stone Paper=石头纸; Kraft Paper=牛皮纸",
        measure: (
            "pages",
            "96 pages=96页; 128 pages=128页; 160 pages=160页; 192 pages=192页",
        ),
        claim: ("Made with FSC-certified paper.", "采用FSC认证纸张。"),
        goes_with: &["giftwrap", "crafts"],
    },
    Category {
        key: "giftwrap",
        world: 3,
        path: (
            "Arts & Entertainment > Party & Celebration > Gift Wrap",
            "艺术娱乐 > 派对用品 > 礼品包装",
        ),
        price: (2.0, 12.0),
        season: (345.0, 1.4),
        lasts_days: 0.0,
        nouns: "Wrapping Paper=包装纸; Greeting Card Pack=贺卡套装; Gift Bag=礼品袋; Ribbon Reel=丝带卷; Gift Tags=礼品吊牌",
        styles: "Hand-Printed=手工印花; Starry=星空; Floral=碎花; Striped=条纹; Festive=节日",
        materials: "Recycled Paper=再生纸; Kraft Paper=牛皮纸; Cotton=棉; Cotton Paper=棉纸",
        measure: (
            "pack",
            "pack of 3=3件装; pack of 5=5件装; pack of 8=8件装; pack of 10=10件装",
        ),
        claim: ("Recyclable.", "可回收。"),
        goes_with: &["notebooks", "candles"],
    },
    Category {
        key: "crafts",
        world: 3,
        path: (
            "Arts & Entertainment > Hobbies > Craft Kits",
            "艺术娱乐 > 爱好 > 手工套装",
        ),
        price: (8.0, 38.0),
        season: (300.0, 0.5),
        lasts_days: 0.0,
        nouns: "Embroidery Kit=刺绣套装; Candle-Making Kit=蜡烛制作套装; Watercolour Set=水彩套装; Knitting Kit=编织套装; Block-Print Kit=版画套装",
        styles: "Beginner=入门; Botanical=植物纹; Travel=旅行; Deluxe=豪华; Weekend=周末",
        materials: "Cotton=棉; Wool=羊毛; Wood=木; Soy Wax=大豆蜡",
        measure: (
            "pieces",
            "12 pieces=12件; 18 pieces=18件; 24 pieces=24件; 36 pieces=36件",
        ),
        claim: (
            "Instructions in English and Chinese included.",
            "附中英文说明书。",
        ),
        goes_with: &["notebooks", "puzzles"],
    },
    Category {
        key: "woodentoys",
        world: 4,
        path: (
            "Toys & Games > Toys > Wooden Toys",
            "玩具游戏 > 玩具 > 木制玩具",
        ),
        price: (8.0, 48.0),
        season: (345.0, 1.0),
        lasts_days: 0.0,
        nouns: "Stacking Tower=叠叠塔; Train Set=火车套装; Building Blocks=积木; Pull-Along Dog=拉绳小狗; Shape Sorter=形状配对盒",
        styles: "Rainbow=彩虹; Natural=原木; Classic=经典; Chunky=大块; Alphabet=字母",
        materials: "Beech Wood=榉木; Rubberwood=橡胶木; Birch Ply=桦木夹板; Maple=枫木",
        measure: (
            "pieces",
            "8 pieces=8件; 16 pieces=16件; 24 pieces=24件; 40 pieces=40件",
        ),
        claim: ("Painted with water-based colours.", "采用水性漆。"),
        goes_with: &["plush", "puzzles"],
    },
    Category {
        key: "puzzles",
        world: 4,
        path: ("Toys & Games > Puzzles & Games", "玩具游戏 > 拼图与桌游"),
        price: (7.0, 35.0),
        season: (350.0, 1.0),
        lasts_days: 0.0,
        nouns: "Jigsaw Puzzle=拼图; Memory Game=记忆游戏; Board Game=桌游; Card Game=纸牌游戏; Domino Set=多米诺",
        styles: "Illustrated=插画; Woodland=森林; Map=地图; Seaside=海边; Starry=星空",
        materials: "Recycled Board=再生纸板; Birch Ply=桦木夹板; Beech Wood=榉木; Card=卡纸",
        measure: (
            "pieces",
            "24 pieces=24片; 100 pieces=100片; 500 pieces=500片; 1000 pieces=1000片",
        ),
        claim: ("Comes in a gift box.", "礼盒装。"),
        goes_with: &["woodentoys", "crafts"],
    },
    Category {
        key: "plush",
        world: 4,
        path: (
            "Toys & Games > Toys > Stuffed Animals",
            "玩具游戏 > 玩具 > 毛绒玩具",
        ),
        price: (9.0, 36.0),
        season: (348.0, 0.9),
        lasts_days: 0.0,
        nouns: "Plush Rabbit=毛绒兔; Plush Bear=毛绒熊; Plush Fox=毛绒狐狸; Comforter=安抚巾; Plush Panda=毛绒熊猫",
        styles: "Corduroy=灯芯绒; Knitted=针织; Floppy=软软; Pocket=口袋; Sleepy=瞌睡",
        materials: "Cotton=棉; Organic Cotton=有机棉; Recycled Polyester=再生涤纶; Linen=亚麻",
        measure: (
            "height",
            "18 cm=18厘米; 25 cm=25厘米; 32 cm=32厘米; 40 cm=40厘米",
        ),
        claim: ("Suitable from birth.", "适合新生儿。"),
        goes_with: &["woodentoys", "throws"],
    },
    Category {
        key: "soap",
        world: 5,
        path: (
            "Health & Beauty > Personal Care > Soap",
            "美妆个护 > 个人护理 > 香皂",
        ),
        price: (3.5, 15.0),
        season: (0.0, 0.0),
        lasts_days: 45.0,
        nouns: "Hand Soap=洗手液; Soap Bar=香皂; Shampoo Bar=洗发皂; Hand Cream=护手霜",
        styles: "Lavender=薰衣草; Oatmeal=燕麦; Citrus=柑橘; Sea Salt=海盐; Unscented=无香",
        materials: "Olive Oil=橄榄油; Shea Butter=乳木果油; Coconut Oil=椰子油; Goat Milk=羊奶",
        measure: (
            "size",
            "100 g=100克; 150 g=150克; 250 ml=250毫升; 500 ml=500毫升",
        ),
        claim: ("Not tested on animals.", "未经动物测试。"),
        goes_with: &["towels", "bathsalts"],
    },
    Category {
        key: "towels",
        world: 5,
        path: ("Home & Garden > Linens > Towels", "家居 > 布艺 > 毛巾"),
        price: (6.0, 45.0),
        season: (10.0, 0.3),
        lasts_days: 0.0,
        nouns: "Bath Towel=浴巾; Hand Towel=毛巾; Bath Mat=浴室地垫; Face Cloth=面巾; Hammam Towel=土耳其浴巾",
        styles: "Waffle=华夫格; Ribbed=竖纹; Striped=条纹; Fringed=流苏; Plush=厚绒",
        materials: "Cotton=棉; Organic Cotton=有机棉; Bamboo Blend=竹棉; Turkish Cotton=土耳其棉",
        measure: (
            "weight",
            "450 gsm=450克每平方米; 550 gsm=550克每平方米; 650 gsm=650克每平方米",
        ),
        claim: ("Machine washable at 60 °C.", "可60°C机洗。"),
        goes_with: &["soap", "bathsalts"],
    },
    Category {
        key: "bathsalts",
        world: 5,
        path: (
            "Health & Beauty > Personal Care > Bath Additives",
            "美妆个护 > 个人护理 > 沐浴用品",
        ),
        price: (5.0, 22.0),
        season: (350.0, 0.5),
        lasts_days: 60.0,
        nouns: "Bath Salts=浴盐; Bath Oil=沐浴油; Bath Bomb Pack=浴球套装; Body Scrub=身体磨砂膏",
        styles: "Eucalyptus=尤加利; Rose=玫瑰; Lavender=薰衣草; Ginger=生姜; Seaweed=海藻",
        materials: "Epsom Salt=泻盐; Sea Salt=海盐; Almond Oil=杏仁油; Dead Sea Salt=死海盐",
        measure: ("size", "200 g=200克; 300 g=300克; 400 g=400克; 500 g=500克"),
        claim: ("Vegan recipe.", "纯素配方。"),
        goes_with: &["towels", "candles"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_bilingual_and_every_complement_exists() {
        for category in &CATEGORIES {
            for list in [
                category.nouns,
                category.styles,
                category.materials,
                category.measure.1,
            ] {
                let parsed = terms(list);
                assert_eq!(parsed.len(), list.split(';').count(), "{list}");
                assert!(parsed.len() >= 3, "{}", category.key);
                for term in parsed {
                    assert!(!term.en.is_empty() && !term.zh.is_empty(), "{list}");
                }
            }
            assert!(category.world < WORLDS && category.price.0 < category.price.1);
            for key in category.goes_with {
                assert!(CATEGORIES.iter().any(|other| other.key == *key), "{key}");
            }
        }
        assert_eq!(terms(COLOURS).len(), 12);
    }
}
