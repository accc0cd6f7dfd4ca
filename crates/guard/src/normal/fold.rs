//! One character as it is compared: lower case, half width, Latin for the letters that look it, simplified for traditional.

use std::sync::LazyLock;

/// Each traditional character with the simplified one that it is read as, in pairs.
const TRADITIONAL: &str = include_str!("traditional.txt");
/// Variants that are neither, with what they are read as, in pairs: 祕 for 秘. 蕞 is none, and never written for anything else
/// than 最 in a shop.
const VARIANTS: &str = "亙亘佈布佔占侷局俬私倖幸兇凶剷铲勳勋卹恤厤历唸念喫吃噁恶嚐尝嚥咽嚮向囌苏孃娘寀采崑昆崙仑嶽岳巖岩弔吊彆别彔录彫雕彿佛慼戚慾欲捱挨旂旗昇升朮术枴拐柺拐榦干槓杠樑梁\
    歎叹殭僵氾泛汎泛汙污泝溯洩泄淨净淩凌溼湿瀰弥燉炖燬毁燻熏獃呆琱雕甦苏甯宁痠酸癒愈癡痴皁皂盃杯祕秘箇个籤签糰团紮扎綑捆綵彩縴纤羨羡翫玩脩修臥卧菸烟葯药蒐搜蓆席蔘参\
    薹苔蝨虱蠍蝎襬摆覈核託托証证譁哗譟噪譭毁讚赞豔艳踰逾蹟迹週周遊游醃腌醣糖釦扣鈅钥鉆钻鍊炼鍼针鎚锤鑑鉴鑞镴闇暗陞升霑沾餬糊餵喂饑饥鬨哄鵰雕麴曲傚效麪面裏里羣群峯峰\
    牀床鷄鸡徧遍蕞最";
/// Where Chinese characters begin.
const FIRST: u32 = 0x4e00;

/// The simplified form of each character from [`FIRST`] on.
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = (FIRST..=0x9fff).filter_map(char::from_u32).collect();
    let lines = TRADITIONAL.lines().filter(|line| !line.starts_with('#'));
    let chars: Vec<char> = lines.chain([VARIANTS]).flat_map(str::chars).collect();
    for pair in chars.chunks_exact(2) {
        table[(u32::from(pair[0]) - FIRST) as usize] = pair[1];
    }
    table
});

/// Whether the character belongs to Chinese text.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}')
}

/// What a reader overlooks: combining marks, joiners, zero-width characters and controls.
pub(super) fn is_ignored(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    matches!(c, '\u{300}'..='\u{36f}' | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{2060}'..='\u{2064}')
        || crate::escape::is_invisible_control(c)
}

/// Lower case, half width, and Latin for the letters of other alphabets that look the same. Emoji and ornaments read as
/// one mark.
pub(crate) fn fold(c: char) -> char {
    let code = u32::from(c);
    match code {
        0x4e00..=0x9fff => return SIMPLIFIED[(code - FIRST) as usize],
        0x2190..=0x21ff
        | 0x2219
        | 0x2300..=0x245f
        | 0x2500..=0x27bf
        | 0x1f000..=0x1faff
        | 0x2b00..=0x2bff => {
            return dingbat(code).unwrap_or('·');
        }
        0x2022 | 0x2023 | 0x2043 | 0x30fb | 0xff65 => return '·',
        _ => {}
    }
    let c = match code {
        0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(c),
        0x2460..=0x2468 => return digit(code - 0x2460 + 1),
        0x2474..=0x247c => return digit(code - 0x2474 + 1),
        0x24b6..=0x24cf => return letter(code - 0x24b6),
        0x24d0..=0x24e9 => return letter(code - 0x24d0),
        0x1d400..=0x1d6a3 => return letter((code - 0x1d400) % 26),
        0x1d7ce..=0x1d7ff => return digit((code - 0x1d7ce) % 10),
        0x2070 | 0x2074..=0x2079 => return digit(code - 0x2070),
        0xb2 | 0xb3 => return digit(code - 0xb0),
        0xb9 => return '1',
        _ => c,
    };
    let c = c.to_lowercase().next().unwrap_or(c);
    latin(c)
}

fn latin(c: char) -> char {
    match c {
        'а' | 'α' | 'á' | 'à' | 'â' | 'ä' | 'ã' | 'å' | 'ā' | 'ɑ' => 'a',
        'е' | 'ε' | 'é' | 'è' | 'ê' | 'ë' | 'ё' | 'ē' => 'e',
        'о' | 'ο' | 'ó' | 'ò' | 'ô' | 'ö' | 'õ' | 'ø' | 'σ' | 'ō' | 'օ' => 'o',
        'і' | 'ι' | 'í' | 'ì' | 'î' | 'ï' | 'ı' | 'ī' => 'i',
        'ú' | 'ù' | 'û' | 'ü' | 'υ' | 'ū' => 'u',
        'р' | 'ρ' => 'p',
        'с' | 'ç' | 'ϲ' => 'c',
        'у' | 'ý' | 'ÿ' | 'γ' => 'y',
        'х' | 'χ' => 'x',
        'ѕ' | 'ś' | 'š' => 's',
        'к' | 'κ' => 'k',
        'т' | 'τ' => 't',
        'в' | 'β' | 'ƅ' => 'b',
        'м' | 'μ' => 'm',
        'н' | 'һ' => 'h',
        'ñ' | 'ν' | 'п' | 'ո' => 'n',
        'ԁ' => 'd',
        'ӏ' | 'ł' => 'l',
        'ԛ' => 'q',
        'г' | 'ѓ' => 'r',
        'ԝ' | 'ω' => 'w',
        'ɡ' => 'g',
        'ј' => 'j',
        '’' | '‘' | '`' | '´' | 'ʼ' => '\'',
        '‐' | '‑' | '‒' | '–' | '—' | '−' => '-',
        '“' | '”' | '„' => '"',
        _ => c,
    }
}

/// A number or letter in a ring, as ornaments hold them.
fn dingbat(code: u32) -> Option<char> {
    Some(match code {
        0x2776..=0x277e => digit(code - 0x2776 + 1),
        0x2780..=0x2788 => digit(code - 0x2780 + 1),
        0x278a..=0x2792 => digit(code - 0x278a + 1),
        0x1f130..=0x1f149 => letter(code - 0x1f130),
        0x1f150..=0x1f169 => letter(code - 0x1f150),
        0x1f170..=0x1f189 => letter(code - 0x1f170),
        _ => return None,
    })
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('·')
}

fn letter(index: u32) -> char {
    char::from_u32(u32::from('a') + index).unwrap_or('·')
}
