//! How each column of the parent is filled: from where, with which reader, in which format, with which year.

use std::collections::BTreeMap;

use stillhouse_spec::{Choice, Column as ColumnSpec, DataType};

use crate::api::Request;
use crate::columns::Column;
use crate::detect::Head;
use crate::error::Error;
use crate::mapping::Origin;
use crate::survey::Survey;
use crate::values::moment::{AssumedYear, MomentKind, MomentReader, Unread, YearOrigin};
use crate::values::{Reader, Refusal, trim};

/// One column of the parent and the way it is filled.
#[derive(Clone)]
pub(crate) struct Filled<'a> {
    pub(crate) spec: &'a ColumnSpec,
    pub(crate) from: From,
    pub(crate) reader: Reader,
    /// Counts how its formats do, where there are several.
    pub(crate) survey: Option<Survey>,
}

/// Where the values come from.
#[derive(Clone)]
pub(crate) enum From {
    Field(usize),
    /// The same value on every row: a column with that one value.
    Constant(Column),
    Null,
}

impl Filled<'_> {
    /// Whether a text means "no value" here.
    #[inline]
    pub(crate) fn is_null(&self, text: &str) -> bool {
        (text.is_empty() && self.reader.empty_is_null()) || self.spec.null_values.iter().any(|null| null == text)
    }

    /// The text without the blanks that do not belong to it.
    #[inline]
    pub(crate) fn relevant<'t>(&self, text: &'t str) -> &'t str {
        if self.reader.keeps_blanks() { text } else { trim(text) }
    }

    /// Asks for the latest leap year that is not after the assumed one.
    pub(crate) fn assume_leap_year(&mut self) {
        if let Some(moments) = self.reader.moments_mut() {
            moments.assume_leap_year();
        }
    }
}

/// The way all columns are filled.
pub(crate) fn plan<'a>(request: &Request<'a>, head: &Head) -> Result<Vec<Filled<'a>>, Error> {
    let mut columns = Vec::with_capacity(head.mapping.origins.len());
    for (spec, origin) in request.contract.parent.columns.iter().zip(&head.mapping.origins) {
        let mut reader = Reader::new(spec)?;
        if let Some(moments) = reader.moments_mut()
            && moments.formats().iter().any(|format| format.lacks_year())
        {
            moments.assume(assumed_year(request));
        }
        let from = match origin {
            Origin::Field(field) => From::Field(*field),
            Origin::Path(name) => From::Constant(path_value(request, spec, name, &reader)?),
            // Filled in by `state_years`, once formats are chosen.
            Origin::YearOf(_) | Origin::Missing => From::Null,
        };
        let mut filled = Filled { spec, from, reader, survey: None };
        choose_by_sample(&mut filled, head);
        columns.push(filled);
    }
    state_years(&mut columns);
    Ok(columns)
}

fn assumed_year(request: &Request<'_>) -> AssumedYear {
    let hint = request.year;
    match (hint.path, hint.setting.or(request.csv.year)) {
        (Some(year), _) => AssumedYear { year, origin: YearOrigin::Path },
        (None, Some(year)) => AssumedYear { year, origin: YearOrigin::Setting },
        (None, None) => AssumedYear { year: hint.modified, origin: YearOrigin::FileTime },
    }
}

/// The one value of a column that comes from the path.
fn path_value(request: &Request<'_>, spec: &ColumnSpec, name: &str, reader: &Reader) -> Result<Column, Error> {
    let hint = format!("check `from` of column `{}` and the `path` of the source file", spec.name);
    let Some(text) = request.path_values.get(name) else {
        let message = format!("column `{}`: expected a value for `{{{name}}}` of the path, found none", spec.name);
        return Err(Error::settings(message, hint));
    };
    let mut column = Column::new(&spec.data_type);
    let filled = Filled { spec, from: From::Null, reader: reader.clone(), survey: None };
    let relevant = filled.relevant(text);
    if filled.is_null(relevant) {
        column.push_null();
        return Ok(column);
    }
    match filled.reader.append(relevant, &mut column) {
        Ok(()) => Ok(column),
        Err(_) => {
            let expected = expected(&filled);
            let message =
                format!("column `{}`: expected {expected}, found `{text}` as `{{{name}}}` of the path", spec.name);
            Err(Error::settings(message, hint))
        }
    }
}

/// Chooses the format, and the leap year where one is needed, by the sampled records.
fn choose_by_sample(filled: &mut Filled<'_>, head: &Head) {
    let From::Field(field) = filled.from else { return };
    let Reader::Moment(moments) = &filled.reader else { return };
    let mut survey = Survey::new(moments);
    let mut leap_day = false;
    for row in head.rows.iter().filter(|row| row.texts.len() == head.mapping.width) {
        let Some(text) = row.texts.get(field).map(|text| filled.relevant(text)) else { continue };
        if filled.is_null(text) {
            continue;
        }
        match &mut survey {
            Some(survey) => _ = survey.observe(moments, text, row.line),
            None => leap_day |= moments.read(text) == Err(Unread::LeapDay),
        }
    }
    if let Some(survey) = survey {
        let best = survey.best(moments.chosen());
        leap_day = survey.saw_leap_day(best);
        filled.choose(best);
    }
    if leap_day {
        filled.assume_leap_year();
    }
    filled.begin_survey();
}

impl Filled<'_> {
    pub(crate) fn choose(&mut self, format: usize) {
        if let Some(moments) = self.reader.moments_mut() {
            moments.choose(format);
        }
    }

    /// Adds what the survey of the same column saw over the texts behind.
    pub(crate) fn add_survey(&mut self, behind: &Self) {
        if let (Some(survey), Some(behind)) = (&mut self.survey, &behind.survey) {
            survey.add(behind);
        }
    }

    /// Counts from zero.
    pub(crate) fn begin_survey(&mut self) {
        self.survey = match &self.reader {
            Reader::Moment(moments) => Survey::new(moments),
            _ => None,
        };
    }
}

/// Fills in the columns that say where the year of another column is from.
pub(crate) fn state_years(columns: &mut [Filled<'_>]) {
    let mut words = BTreeMap::new();
    for filled in columns.iter() {
        if let Some(moments) = filled.reader.moments() {
            words.insert(filled.spec.name.clone(), year_word(moments));
        }
    }
    for filled in columns {
        if let stillhouse_spec::ColumnFrom::YearOrigin(column) = &filled.spec.from {
            let mut constant = Column::new(&DataType::String);
            constant.push_text(words.get(column).copied().unwrap_or(STATED));
            filled.from = From::Constant(constant);
        }
    }
}

/// The year stands in the text itself.
const STATED: &str = "stated";

fn year_word(moments: &MomentReader) -> &'static str {
    match (moments.chosen_format(), moments.year()) {
        (Some(format), Some(assumed)) if format.lacks_year() => match assumed.origin {
            YearOrigin::Path => "path",
            YearOrigin::Setting => "setting",
            YearOrigin::FileTime => "file time",
        },
        _ => STATED,
    }
}

/// What was decided about the columns.
pub(crate) fn decided(columns: &[Filled<'_>], request: &Request<'_>, into: &mut BTreeMap<String, Choice<String>>) {
    for filled in columns.iter().filter(|filled| matches!(filled.from, From::Field(_))) {
        let name = &filled.spec.name;
        let number = matches!(filled.reader, Reader::Int64(_) | Reader::Float64(_) | Reader::Decimal { .. });
        if number && filled.spec.numbers.decimal != '.' {
            into.insert(format!("decimal mark of {name}"), Choice::set(filled.spec.numbers.decimal.to_string()));
        }
        let Some(moments) = filled.reader.moments() else { continue };
        let Some(format) = moments.chosen_format() else { continue };
        let what = if moments.kind() == MomentKind::Time { "time" } else { "date" };
        let text = format.as_str().to_owned();
        let choice = if filled.survey.is_some() { Choice::detected(text) } else { Choice::set(text) };
        into.insert(format!("{what} format of {name}"), choice);
        if let (true, Some(assumed)) = (format.lacks_year(), moments.year()) {
            into.insert(format!("year of {name}"), year_choice(assumed, request));
        }
    }
}

fn year_choice(assumed: AssumedYear, request: &Request<'_>) -> Choice<String> {
    let year = assumed.year;
    let modified = request.year.modified;
    match assumed.origin {
        YearOrigin::Path => Choice::detected(format!("{year} (path)")),
        YearOrigin::Setting => Choice::set(format!("{year} (setting)")),
        YearOrigin::FileTime if year == modified => Choice::default_value(format!("{year} (file time)")),
        YearOrigin::FileTime => {
            Choice::default_value(format!("{year} (file time {modified}; the latest leap year, for 29 February)"))
        }
    }
}

/// What a column expects, for messages: `decimal(12,2)`, `date as %m/%d/%Y`.
pub(crate) fn expected(filled: &Filled<'_>) -> String {
    let data_type = &filled.spec.data_type;
    match filled.reader.moments().and_then(MomentReader::chosen_format) {
        Some(format) => format!("{data_type} as {format}"),
        None => data_type.to_string(),
    }
}

/// What reading one field came to.
pub(crate) enum Reading {
    Value,
    Refused(&'static str),
    /// The object has to start again with a leap year for this column.
    LeapDay,
}

impl Filled<'_> {
    /// Reads one field into `column`. The survey sees the text even where the record is refused for another reason
    /// (`column` is `None` then), so that its counts depend on nothing but the object.
    #[inline]
    pub(crate) fn read(&mut self, text: &str, line: u64, column: Option<&mut Column>) -> Reading {
        let text = self.relevant(text);
        if self.is_null(text) {
            return match column {
                Some(_) if self.spec.required => Reading::Refused(crate::reason::MISSING_VALUE),
                Some(column) => {
                    column.push_null();
                    Reading::Value
                }
                None => Reading::Value,
            };
        }
        if let Some(survey) = &mut self.survey
            && let Reader::Moment(moments) = &self.reader
        {
            return match (survey.observe(moments, text, line), column) {
                (Err(Unread::LeapDay), _) => Reading::LeapDay,
                (Err(Unread::No), Some(_)) => Reading::Refused(moments.reason()),
                (Ok(value), Some(column)) => {
                    moments.push(value, column);
                    Reading::Value
                }
                (_, None) => Reading::Value,
            };
        }
        let Some(column) = column else { return Reading::Value };
        match self.reader.append(text, column) {
            Ok(()) => Reading::Value,
            Err(Refusal::Because(reason)) => Reading::Refused(reason),
            Err(Refusal::LeapDay) => Reading::LeapDay,
        }
    }
}
