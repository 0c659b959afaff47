//! SQL functions of our own, on top of DataFusion's.
//!
//! | function | result |
//! |---|---|
//! | `email_domain(address)` | what follows the last `@`, in lower case; null when the text is not an address |
//! | `base64_text(text)` | the text that base64 (RFC 4648, either alphabet, with or without padding) stands for; null where it stands for none |
//! | `company_domain(address or domain)` | the registrable domain by the public suffix list, in lower case; null for free-mail providers and for what is neither |
//!
//! There is no exact `avg` or `round` of ours, because DataFusion's are exact for decimals: `round` takes ties away from
//! zero, and `avg(decimal(p,s))` is cut (not rounded) at s + 4 digits, so that rounding it half away from zero to at
//! most s + 3 digits gives what the exact fraction would give. Proof: let a be the exact average and t what remains of
//! it after the cut at m digits. Half-away rounding to d < m digits asks only whether |a| ≥ k + ½·10^-d for whole
//! multiples k of 10^-d; that bound has at most d + 1 ≤ m digits, cutting never raises |a| and leaves a number of m
//! digits alone, hence |a| ≥ bound exactly when |t| ≥ bound. `tests/it/decimals.rs` tries it against big integers.

mod base64;
mod domain;
mod instants;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};
use datafusion::scalar::ScalarValue;

use base64::base64_text;
pub(crate) use domain::{company_domain, email_domain};
pub(crate) use instants::DaysAsInstants;

/// The functions, to be registered with a session.
pub(crate) fn all() -> Vec<ScalarUDF> {
    let text = |name, apply| ScalarUDF::new_from_impl(TextFunction { name, apply, signature: signature() });
    vec![
        text("email_domain", Apply::EmailDomain),
        text("company_domain", Apply::CompanyDomain),
        text("base64_text", Apply::Base64Text),
    ]
}

/// The same text always gives the same result. It is called volatile all the same, because then no filter on a result is
/// moved below the aggregation that was to make the texts few: these functions are worth some hundred comparisons.
fn signature() -> Signature {
    Signature::string(1, Volatility::Volatile)
}

/// Whether its results depend on nothing but its arguments. Those of ours never change, whatever their signature says.
pub(crate) fn is_repeatable(function: &ScalarUDF) -> bool {
    function.signature().volatility == Volatility::Immutable || function.inner().is::<TextFunction>()
}

/// A function from one text to one text or null.
#[derive(Debug, PartialEq, Eq, Hash)]
struct TextFunction {
    name: &'static str,
    apply: Apply,
    signature: Signature,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Apply {
    EmailDomain,
    CompanyDomain,
    Base64Text,
}

impl Apply {
    fn call(self, text: &str) -> Option<String> {
        match self {
            Apply::EmailDomain => email_domain(text),
            Apply::CompanyDomain => company_domain(text),
            Apply::Base64Text => base64_text(text),
        }
    }
}

impl ScalarUDFImpl for TextFunction {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [argument] = args.args.as_slice() else {
            return datafusion::common::exec_err!("{} takes one argument", self.name);
        };
        match argument {
            ColumnarValue::Scalar(scalar) => {
                let text = scalar.try_as_str().flatten().and_then(|text| self.apply.call(text));
                Ok(ColumnarValue::Scalar(ScalarValue::Utf8(text)))
            }
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(map(array, self.apply)?)),
        }
    }
}

fn map(array: &ArrayRef, apply: Apply) -> Result<ArrayRef> {
    let texts = cast(array, &DataType::Utf8)?;
    let texts = datafusion::common::cast::as_string_array(&texts)?;
    Ok(Arc::new(map_texts(texts, apply)))
}

fn map_texts(texts: &StringArray, apply: Apply) -> StringArray {
    let mut builder = StringBuilder::with_capacity(texts.len(), texts.len() * 12);
    for text in texts {
        builder.append_option(text.and_then(|text| apply.call(text)));
    }
    builder.finish()
}
