//! Whether bytes beyond ASCII look like Windows-1252 in a text of a Western European language.
//!
//! The same bytes are other letters in other encodings, and any of them can be read as Windows-1252 without an error. So
//! each byte is looked at where it stands: letters have to be inside words, in fitting upper or lower case, and of languages
//! that are written so; signs have to stand where they do. Where more than a few do not fit, nothing is claimed.

use super::transcode::is_undefined;

/// Letters beyond ASCII that a word may have side by side: `créée` has two. Words of Greek, Cyrillic, Hebrew or Thai
/// letters are longer.
const LETTERS_TOGETHER_MAX: usize = 2;

/// Letters for one byte that may stand where it does not fit: names from elsewhere, and slips of the shift key.
const LETTERS_FOR_A_MISFIT: usize = 50;

/// Whether the bytes beyond ASCII fit, and there is a letter among them.
pub(super) fn look_western(text: &[u8]) -> bool {
    let (mut letters, mut misfits) = (0, 0);
    // Turkish has the bytes of ð, þ and ý for letters of its own, and ç and ü besides, which Icelandic has not.
    let (mut icelandic, mut not_icelandic) = (0, 0);
    for (at, byte) in text.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()) {
        let class = Class::of(*byte);
        if is_undefined(*byte) {
            return false;
        }
        match class {
            Class::Icelandic => icelandic += 1,
            Class::Letter if matches!(byte | 0x20, 0xE1 | 0xE6 | 0xE9 | 0xED | 0xF3 | 0xF6 | 0xFA) => {}
            Class::Letter => not_icelandic += 1,
            _ => {}
        }
        letters += usize::from(matches!(class, Class::Letter | Class::Icelandic));
        misfits += usize::from(!Place::of(text, at).fits(class, *byte));
    }
    misfits += icelandic.min(not_icelandic);
    letters > 0 && misfits * LETTERS_FOR_A_MISFIT <= letters
}

/// What Windows-1252 has a byte for, as far as that says where it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    /// ð, þ and ý.
    Icelandic,
    /// In front of words.
    Opening,
    /// Behind words and numbers.
    Unit,
    /// In front of words or behind them: quotes, which each language has its own way round, and the degree.
    Edge,
    /// Dashes, the blank that does not break, and what is inside words too: l’été, col·lecció.
    Anywhere,
    /// ª and º.
    Ordinal,
    /// €, £, § and the like, beside numbers.
    Sign,
    /// Undefined, a control character, or too rare to say anything. Letters of Eastern Europe are here, š and ž among them.
    Other,
}

impl Class {
    fn of(byte: u8) -> Self {
        match byte {
            _ if is_undefined(byte) => Self::Other,
            0xD0 | 0xDD | 0xDE | 0xF0 | 0xFD | 0xFE => Self::Icelandic,
            // × and ÷
            0xD7 | 0xF7 => Self::Sign,
            // Œ and œ
            0x8C | 0x9C | 0xC0..=0xFF => Self::Letter,
            // ‚ „ ¡ µ ¿
            0x82 | 0x84 | 0xA1 | 0xB5 | 0xBF => Self::Opening,
            // … ‰ ™ ¢ © ® ² ³ ¹
            0x85 | 0x89 | 0x99 | 0xA2 | 0xA9 | 0xAE | 0xB2 | 0xB3 | 0xB9 => Self::Unit,
            // ‹ › “ ” « » °
            0x8B | 0x9B | 0x93 | 0x94 | 0xAB | 0xBB | 0xB0 => Self::Edge,
            // ‘ ’ ´ · – —
            0x91 | 0x92 | 0xB4 | 0xB7 | 0x96 | 0x97 | 0xA0 => Self::Anywhere,
            // ª º
            0xAA | 0xBA => Self::Ordinal,
            // € • £ ¥ § ± ¼ ½ ¾
            0x80 | 0x95 | 0xA3 | 0xA5 | 0xA7 | 0xB1 | 0xBC | 0xBD | 0xBE => Self::Sign,
            _ => Self::Other,
        }
    }
}

/// Whether the byte is part of a word.
fn is_wordy(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(Class::of(byte), Class::Letter | Class::Icelandic)
}

fn is_upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || matches!(byte, 0x8C | 0xC0..=0xDE)
}

/// What stands around a byte.
struct Place {
    before: Option<u8>,
    behind: Option<u8>,
    /// Letters beyond ASCII side by side, this one among them.
    together: usize,
    /// Whether the word has a letter of ASCII next to them.
    has_ascii: bool,
}

impl Place {
    fn of(text: &[u8], at: usize) -> Self {
        let beyond = |byte: &&u8| !byte.is_ascii() && is_wordy(**byte);
        // One more than fits tells enough.
        let before = text[..at].iter().rev().take(LETTERS_TOGETHER_MAX).take_while(beyond).count();
        let behind = text[at + 1..].iter().take(LETTERS_TOGETHER_MAX).take_while(beyond).count();
        let edges = [at.checked_sub(before + 1), Some(at + behind + 1)];
        let has_ascii = edges.iter().flatten().filter_map(|at| text.get(*at)).any(u8::is_ascii_alphabetic);
        Self {
            before: at.checked_sub(1).map(|at| text[at]),
            behind: text.get(at + 1).copied(),
            together: before + 1 + behind,
            has_ascii,
        }
    }

    fn is_letter_before(&self) -> bool {
        self.before.is_some_and(is_wordy)
    }

    fn is_letter_behind(&self) -> bool {
        self.behind.is_some_and(is_wordy)
    }

    fn fits(&self, class: Class, byte: u8) -> bool {
        match class {
            Class::Letter | Class::Icelandic => self.fits_letter(byte),
            Class::Opening => !self.is_letter_before(),
            Class::Unit => !self.is_letter_behind(),
            Class::Edge => !(self.is_letter_before() && self.is_letter_behind()),
            Class::Anywhere => true,
            Class::Ordinal => {
                let fits = |byte: u8| !is_wordy(byte) || b"nN".contains(&byte);
                !self.is_letter_behind() && self.before.is_none_or(fits)
            }
            Class::Sign => !self.is_letter_before() && !self.is_letter_behind(),
            Class::Other => false,
        }
    }

    fn fits_letter(&self, byte: u8) -> bool {
        // `à` alone is a word, two letters beyond ASCII are none.
        if self.together > LETTERS_TOGETHER_MAX || (self.together > 1 && !self.has_ascii) {
            return false;
        }
        let before = self.before.filter(|byte| is_wordy(*byte));
        let behind = self.behind.filter(|byte| is_wordy(*byte));
        // ß and ÿ have no capital letter that is in use.
        let caseless = matches!(byte, 0xDF | 0xFF);
        let fits_case = caseless
            || if is_upper(byte) {
                // At the beginning of a word, or in one of capital letters.
                before.is_none_or(|before| is_upper(before) && behind.is_none_or(is_upper))
            } else {
                // Not among capital letters.
                !(before.is_some_and(is_upper) && behind.is_some_and(is_upper))
            };
        // Portuguese has õ before e only; Hungarian has another letter there, anywhere.
        let fits_tilde = !matches!(byte, 0xD5 | 0xF5) || matches!(behind, Some(b'e' | b'E'));
        fits_case && fits_tilde
    }
}
