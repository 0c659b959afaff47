//! Texts in base64.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding may be there or not; bits beyond the last byte do no harm.
const LOOSE: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LOOSE);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LOOSE);

/// The text that `text` stands for, if it is base64 of UTF-8.
pub(super) fn base64_text(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = STANDARD.decode(text).or_else(|_| URL_SAFE.decode(text)).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::base64_text;

    #[test]
    fn padding_and_alphabet_may_be_any() {
        assert_eq!(base64_text("TVRWIE5ld3M").as_deref(), Some("MTV News"));
        assert_eq!(base64_text("TVRWIE5ld3M=").as_deref(), Some("MTV News"));
        assert_eq!(base64_text("w7w_").as_deref(), Some("ü?"));
        assert_eq!(base64_text("w7w/").as_deref(), Some("ü?"));
        assert_eq!(base64_text(""), Some(String::new()));
        assert_eq!(base64_text("no base64!"), None);
        assert_eq!(base64_text("/////w=="), None);
    }
}
