//! `allowed`, `min`, `max` and `pattern`: what a value must be like.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use regex::bytes::Regex;
use stillhouse_spec::{Column as ColumnSpec, DataType, Scalar};

use crate::columns::{Column, Value};
use crate::error::Error;
use crate::reason;

/// A text of a message is cut to so many allowed values.
const SHOWN_MAX: usize = 10;

/// Looks at the values of one column.
#[derive(Debug)]
pub(crate) struct Checker {
    allowed: Option<Allowed>,
    min: Option<Bound>,
    max: Option<Bound>,
    pattern: Option<Regex>,
    /// For messages.
    words: Words,
}

#[derive(Debug)]
enum Allowed {
    Texts(BTreeSet<Vec<u8>>),
    Numbers(BTreeSet<i128>),
}

#[derive(Debug)]
enum Bound {
    Number(i128),
    Float(f64),
    Text(Vec<u8>),
}

#[derive(Debug)]
struct Words {
    allowed: String,
    range: String,
    pattern: String,
}

impl Checker {
    /// `None` if anything goes.
    pub(crate) fn new(spec: &ColumnSpec) -> Result<Option<Self>, Error> {
        let checks = &spec.checks;
        if checks.is_empty() {
            return Ok(None);
        }
        let pattern = checks.pattern.as_deref().map(Regex::new).transpose().map_err(|_| {
            Error::settings(
                format!("`pattern` of column `{}` is not a regular expression", spec.name),
                "correct `pattern` in the source file",
            )
        })?;
        let allowed = (!checks.allowed.is_empty()).then(|| Allowed::new(&checks.allowed));
        let (min, max) = (checks.min.as_ref().map(Bound::new), checks.max.as_ref().map(Bound::new));
        Ok(Some(Self { allowed, min, max, pattern, words: Words::new(spec) }))
    }

    /// Why a value is refused; one that is null is not looked at. Of a list every item is.
    pub(crate) fn refusal(&self, column: &Column, row: usize) -> Option<&'static str> {
        match column.value(row) {
            Value::Null => None,
            Value::List(items, mut range) => range.find_map(|item| self.refusal(items, item)),
            value => self.single(&value),
        }
    }

    fn single(&self, value: &Value<'_>) -> Option<&'static str> {
        if self.allowed.as_ref().is_some_and(|allowed| !allowed.has(value)) {
            return Some(reason::NOT_ALLOWED);
        }
        let below = self.min.as_ref().is_some_and(|min| min.compare(value) == Some(Ordering::Greater));
        let above = self.max.as_ref().is_some_and(|max| max.compare(value) == Some(Ordering::Less));
        if below || above {
            return Some(reason::OUTSIDE_LIMITS);
        }
        match (&self.pattern, value) {
            (Some(pattern), Value::Text(text)) if !pattern.is_match(text) => Some(reason::PATTERN_MISMATCH),
            _ => None,
        }
    }

    /// What was expected where a value was refused for this reason.
    pub(crate) fn expected(&self, why: &str) -> Option<String> {
        match why {
            reason::NOT_ALLOWED => Some(self.words.allowed.clone()),
            reason::OUTSIDE_LIMITS => Some(self.words.range.clone()),
            reason::PATTERN_MISMATCH => Some(self.words.pattern.clone()),
            _ => None,
        }
    }
}

impl Allowed {
    fn new(values: &[Scalar]) -> Self {
        let texts = values.iter().filter_map(|value| match value {
            Scalar::Text(text) => Some(text.clone().into_bytes()),
            _ => None,
        });
        let texts: BTreeSet<Vec<u8>> = texts.collect();
        if texts.is_empty() { Self::Numbers(values.iter().filter_map(number).collect()) } else { Self::Texts(texts) }
    }

    fn has(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Allowed::Texts(texts), Value::Text(text)) => texts.contains(*text),
            (Allowed::Numbers(numbers), Value::Number(number)) => numbers.contains(number),
            _ => false,
        }
    }
}

fn number(value: &Scalar) -> Option<i128> {
    match value {
        Scalar::Int(value) | Scalar::Timestamp(value) => Some((*value).into()),
        Scalar::Decimal(value) => Some(*value),
        Scalar::Bool(value) => Some((*value).into()),
        Scalar::Date(days) => Some((*days).into()),
        Scalar::Text(_) | Scalar::Float(_) => None,
    }
}

impl Bound {
    fn new(value: &Scalar) -> Self {
        match value {
            Scalar::Text(text) => Bound::Text(text.clone().into_bytes()),
            Scalar::Float(value) => Bound::Float(*value),
            other => Bound::Number(number(other).unwrap_or_default()),
        }
    }

    /// How the bound stands to a value.
    fn compare(&self, value: &Value<'_>) -> Option<Ordering> {
        match (self, value) {
            (Bound::Number(bound), Value::Number(value)) => Some(bound.cmp(value)),
            (Bound::Float(bound), Value::Float(value)) => bound.partial_cmp(value),
            (Bound::Text(bound), Value::Text(value)) => Some(bound.as_slice().cmp(value)),
            _ => None,
        }
    }
}

impl Words {
    fn new(spec: &ColumnSpec) -> Self {
        let item = match &spec.data_type {
            DataType::List(item) => item,
            other => other,
        };
        let scale = if let DataType::Decimal { scale, .. } = item { *scale } else { 0 };
        let checks = &spec.checks;
        let shown: Vec<String> = checks.allowed.iter().take(SHOWN_MAX).map(|value| value.show(scale)).collect();
        let more = if checks.allowed.len() > SHOWN_MAX { ", …" } else { "" };
        let show = |bound: &Option<Scalar>| bound.as_ref().map(|bound| bound.show(scale));
        let range = match (show(&checks.min), show(&checks.max)) {
            (Some(min), Some(max)) => format!("{min} to {max}"),
            (Some(min), None) => format!("at least {min}"),
            (None, Some(max)) => format!("at most {max}"),
            (None, None) => String::new(),
        };
        let pattern = checks.pattern.as_ref().map_or_else(String::new, |pattern| format!("a text like `{pattern}`"));
        Self { allowed: format!("one of {}{more}", shown.join(", ")), range, pattern }
    }
}
