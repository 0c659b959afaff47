//! `allowed`, `min`, `max`, `pattern` and `default` of a column.

use super::Read;
use super::reader::{Node, Reader, all};
use crate::contract::Checks;
use crate::scalar::Scalar;
use crate::types::DataType;

/// What values must be like, and what stands where there is none.
pub(super) fn load(reader: &Reader<'_, '_>, data_type: &DataType) -> Read<(Checks, Option<Scalar>)> {
    let item = match data_type {
        DataType::List(item) => item,
        other => other,
    };
    let allowed = reader.optional("allowed", |node| allowed(node, item));
    let bound = |node: &Node<'_, '_>| match item {
        DataType::Bool | DataType::Json => Err(node.problem(format!("values of type {item} have no order"))),
        _ => node.scalar(item),
    };
    let (min, max) = (reader.optional("min", bound), reader.optional("max", bound));
    let pattern = reader.optional("pattern", |node| pattern(node, item));
    let default = reader.optional("default", |node| match data_type {
        DataType::List(_) => Err(node.problem("a list column has no default")),
        _ => node.scalar(data_type),
    });
    let (min, max) = (min?, max?);
    if let (Some(min), Some(max), Some(node)) = (&min, &max, reader.get("min"))
        && min > max
    {
        return Err(node.problem("more than `max`: no value would pass"));
    }
    let checks = Checks { allowed: allowed?.unwrap_or_default(), min, max, pattern: pattern? };
    Ok((checks, default?))
}

fn allowed(node: &Node<'_, '_>, item: &DataType) -> Read<Vec<Scalar>> {
    if matches!(item, DataType::Json | DataType::Float64) {
        return Err(node.problem(format!("values of type {item} cannot be told apart one by one")));
    }
    let allowed = all(node.items()?.iter().map(|node| node.scalar(item)))?;
    if allowed.is_empty() { Err(node.problem("expected a value, found none")) } else { Ok(allowed) }
}

fn pattern(node: &Node<'_, '_>, item: &DataType) -> Read<String> {
    if *item != DataType::String {
        return Err(node.problem(format!("only for string columns, this one is {item}")));
    }
    let text = node.text()?;
    match regex::Regex::new(&text.value) {
        Ok(_) => Ok(text.value),
        Err(_) if text.filled => Err(node.problem("what it stands for is no regular expression")),
        Err(error) => {
            let why = error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            Err(node.problem_with(
                format!("not a regular expression: {why}"),
                "write it in single quotes, so that backslashes count: `pattern = '^\\d+$'`",
            ))
        }
    }
}
