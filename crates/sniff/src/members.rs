//! Members of an archive: those that do not belong to the others are left out, and named.

use stillhouse_decode::look::{comparable, walk_parquet};

use crate::api::{Input, Notes, Place};
use crate::error::Error;
use crate::nested::names_of_json;
use crate::recognise::{Kind, kind_of};
use crate::survey::{open, titles_of};
use crate::text::counted;

/// So many members, and names of columns, are named.
const SHOWN: usize = 5;

/// What tells the files of one source from those of another.
struct Shape {
    kind: Kind,
    /// Of columns or fields; `None` for CSV without a header.
    names: Option<Vec<String>>,
    /// How many columns CSV has.
    width: usize,
    bytes: u64,
}

impl Shape {
    fn of(input: &Input<'_>) -> Result<Self, Error> {
        let (kind, _) = kind_of(input)?;
        let bytes = open(input)?.len();
        let (names, width) = match kind {
            Kind::Csv => {
                let titles = titles_of(input)?;
                (titles.names, titles.width)
            }
            Kind::Json => (Some(names_of_json(input)?), 0),
            Kind::Parquet => (Some(columns(input)?), 0),
        };
        Ok(Self { kind, names, width, bytes })
    }

    /// Whether one source loads both: as the surveys see it, some name is common to them.
    fn fits(&self, other: &Self) -> bool {
        let fits = match (&self.names, &other.names) {
            (Some(own), Some(names)) => {
                let own: Vec<String> = own.iter().map(|name| comparable(name)).collect();
                own.is_empty() || names.is_empty() || names.iter().any(|name| own.contains(&comparable(name)))
            }
            _ => self.width == other.width,
        };
        self.kind == other.kind && fits
    }

    /// `CSV with the columns id, name`
    fn text(&self) -> String {
        let kind = self.kind.name();
        let what = if self.kind == Kind::Json { "fields" } else { "columns" };
        match &self.names {
            _ if self.kind == Kind::Csv && self.width == 1 => "text without fields".to_owned(),
            Some(names) => format!("{kind} with the {what} {}", some_of(names, ", ")),
            None => format!("{kind} with {}", counted(self.width as u64, "column")),
        }
    }
}

fn columns(input: &Input<'_>) -> Result<Vec<String>, Error> {
    let mut source = open(input)?;
    let head = walk_parquet(&mut *source, 0, &mut |_, _| {}).map_err(|error| Error::decode(&input.shown, &error))?;
    Ok(head.schema.fields().iter().map(|field| field.name().clone()).collect())
}

fn some_of(texts: &[String], between: &str) -> String {
    let shown = texts.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(between);
    match texts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{between}and {more} more"),
    }
}

/// Where archives are among the files: those that belong together and have most bytes.
///
/// # Errors
/// No member can be looked at. What is wrong with files that are no members shows when they are looked at.
pub(crate) fn that_belong_together<'i>(inputs: &'i [Input<'_>], notes: &mut Notes) -> Result<Vec<Input<'i>>, Error> {
    if inputs.len() < 2 || inputs.iter().all(|input| input.member.is_empty()) {
        return Ok(inputs.iter().map(|input| input.again(None)).collect());
    }
    let mut groups: Vec<(Shape, Vec<usize>)> = Vec::new();
    let mut others: Vec<(usize, String)> = Vec::new();
    let mut first_error = None;
    for (number, input) in inputs.iter().enumerate() {
        let shape = match Shape::of(input) {
            Ok(shape) => shape,
            Err(error) => {
                others.push((number, error.reason(&input.shown)));
                first_error.get_or_insert(error);
                continue;
            }
        };
        match groups.iter_mut().find(|(group, _)| group.fits(&shape)) {
            Some((group, members)) => {
                group.bytes += shape.bytes;
                members.push(number);
            }
            None => groups.push((shape, vec![number])),
        }
    }
    // Of groups that are equally large, the first.
    let largest = groups.iter().map(|(shape, _)| shape.bytes).max();
    let chosen = groups.iter().position(|(shape, _)| Some(shape.bytes) == largest);
    let Some(chosen) = chosen.map(|at| groups.remove(at).1) else {
        return Err(first_error.unwrap_or_else(|| Error::settings("no member can be looked at", "name other files")));
    };
    others.extend(groups.into_iter().flat_map(|(shape, members)| {
        let text = shape.text();
        members.into_iter().map(move |number| (number, text.clone()))
    }));
    others.sort_by_key(|(number, _)| *number);
    say(inputs, &others, chosen.len(), notes);
    // A file that is no member was named by somebody, who is told that it does not belong to the others.
    let is_looked_at = |number: &usize| chosen.contains(number) || inputs[*number].member.is_empty();
    Ok((0..inputs.len()).filter(is_looked_at).map(|number| inputs[number].again(None)).collect())
}

fn say(inputs: &[Input<'_>], others: &[(usize, String)], chosen: usize, notes: &mut Notes) {
    let members = others.iter().filter(|(number, _)| !inputs[*number].member.is_empty());
    let members: Vec<String> = members.map(|(number, what)| format!("`{}` ({what})", inputs[*number].member)).collect();
    if members.is_empty() {
        return;
    }
    let text = format!(
        "this source is for {} of the archive; {} of another shape will be held when it is loaded: {}. Put these into an \
         archive of their own",
        counted(chosen as u64, "member"),
        members.len(),
        some_of(&members, "; ")
    );
    notes.doubt(Place::Files, "other members", text);
}
