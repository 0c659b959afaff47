//! The words of [`RejectPlace::reason`](stillhouse_spec::RejectPlace::reason). They are stored for ever, so they never
//! change their meaning.

/// The record has more or fewer fields than the header, or than most records where there is no header.
pub const FIELD_COUNT: &str = "field_count";
/// A quote opens a field and no quote closes it before the object ends. The line on which the record begins is refused.
pub const UNTERMINATED_QUOTE: &str = "unterminated_quote";
/// A closing quote is followed by neither delimiter nor line end. The line on which the record begins is refused.
pub const BAD_QUOTE: &str = "bad_quote";
/// The record is not UTF-8.
pub const INVALID_UTF8: &str = "invalid_utf8";
/// The record is longer than `max_record_bytes`.
pub const TOO_LONG: &str = "too_long";
/// A required column has no value.
pub const MISSING_VALUE: &str = "missing_value";
/// Not an integer.
pub const UNREADABLE_INT64: &str = "unreadable_int64";
/// Not a finite number.
pub const UNREADABLE_FLOAT64: &str = "unreadable_float64";
/// Not a decimal number.
pub const UNREADABLE_DECIMAL: &str = "unreadable_decimal";
/// A decimal number with more digits behind the mark than the column keeps; it would lose some of them.
pub const DECIMAL_SCALE: &str = "decimal_scale";
/// A number that is too large for the column.
pub const OUT_OF_RANGE: &str = "out_of_range";
/// Neither true nor false.
pub const UNREADABLE_BOOL: &str = "unreadable_bool";
/// Not a date in the format of the column.
pub const UNREADABLE_DATE: &str = "unreadable_date";
/// Not a timestamp in the format of the column.
pub const UNREADABLE_TIMESTAMP: &str = "unreadable_timestamp";
/// Not a time of day in the format of the column.
pub const UNREADABLE_TIME: &str = "unreadable_time";
/// Not JSON.
pub const UNREADABLE_JSON: &str = "unreadable_json";
/// Not a list, or an item is not of the item type.
pub const UNREADABLE_LIST: &str = "unreadable_list";
/// A nested value where a text is expected.
pub const UNREADABLE_STRING: &str = "unreadable_string";
/// A value that is none of the `allowed` ones.
pub const NOT_ALLOWED: &str = "not_allowed";
/// A value below `min` or above `max`.
pub const OUTSIDE_LIMITS: &str = "outside_limits";
/// A text that is not like `pattern`.
pub const PATTERN_MISMATCH: &str = "pattern_mismatch";
/// The record is not JSON.
pub const BAD_JSON: &str = "bad_json";
/// JSON, but no object where the contract expects one.
pub const NOT_AN_OBJECT: &str = "not_an_object";
/// JSON, but no array where the contract expects the rows of a table.
pub const NOT_AN_ARRAY: &str = "not_an_array";
/// Arrays and objects inside each other beyond the limit.
pub const TOO_DEEP: &str = "too_deep";
