//! One row: what it says, and how it is written.

use std::ops::Range;

use crate::random::Random;
use crate::recipe::{COLUMNS, DayText, Recipe, TIMESTAMP, URI};
use crate::tally::{FileTally, Side};
use crate::words::{ACTIONS, PAGES};

/// Why a row is refused. The rates of a plan have the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    UnreadableTimestamp,
    MissingTimestamp,
    ShortRow,
    ExtraField,
    InvalidUtf8,
}

impl Fault {
    pub(crate) const ALL: [Fault; 5] =
        [Fault::UnreadableTimestamp, Fault::MissingTimestamp, Fault::ShortRow, Fault::ExtraField, Fault::InvalidUtf8];

    /// The word that receipts and quarantine have for it.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Fault::UnreadableTimestamp => "unreadable_timestamp",
            Fault::MissingTimestamp => "missing_value",
            Fault::ShortRow | Fault::ExtraField => "field_count",
            Fault::InvalidUtf8 => "invalid_utf8",
        }
    }
}

/// What a row says, as far as it counts.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) side: Side,
    /// Day of the month that `side` means.
    pub(crate) day: u8,
    /// None without e-mail.
    pub(crate) user: Option<u32>,
    pub(crate) country: Option<u32>,
    pub(crate) action: u32,
    tags: [u8; TAGS_MAX],
    tags_count: u8,
}

impl Draft {
    pub(crate) fn tags(&self) -> &[u8] {
        &self.tags[..usize::from(self.tags_count)]
    }
}

const TAGS_MAX: usize = 4;
/// Numbers of tags, each as often as it stands here.
const TAG_COUNTS: [u8; 16] = [0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4];

/// `0fe310a5-e4c2-446e-c567-7c253674b951`.
type Id = [u8; 36];
/// Where the two digits of each byte of an id stand.
const ID_PLACES: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
/// Among how many ids of former rows one is chosen that comes again.
const IDS_KEPT: usize = 64;

/// Bytes that are not UTF-8: one that never occurs, a character that lacks its second byte, half a surrogate pair.
const NO_UTF8: [&[u8]; 3] = [b"\xFF", b"\xC3", b"\xED\xA0\x80"];
/// What no reader takes for a timestamp; `~` stands for the year and the month.
const NO_TIMESTAMPS: [&str; 5] = ["~-32", "~-00", "~-01T25:00:00Z", "soon", "0000-00-00"];

/// What stands behind the page where its field holds quotes or a line break.
const QUERY: &[u8] = b"?q=\"\"blue shoes\"\"";
const SECOND_LINE: &[u8] = b"?from=mail";

/// One or two fields behind the last.
const MORE_FIELDS: [&[u8]; 3] = [b",extra", b",", b",2021,\"a, b\""];

/// Makes the rows of one chunk.
pub(crate) struct Rows<'r> {
    recipe: &'r Recipe<'r>,
    random: Random,
    /// Ids of rows of this chunk that loaded, the oldest are overwritten.
    ids: Vec<Id>,
    next_id: usize,
    /// A row in the usual order, while it is written in another one.
    usual: Vec<u8>,
}

impl<'r> Rows<'r> {
    pub(crate) fn new(recipe: &'r Recipe<'r>, random: Random) -> Self {
        Self { recipe, random, ids: Vec::with_capacity(IDS_KEPT), next_id: 0, usual: Vec::new() }
    }

    /// Appends one row and counts it.
    pub(crate) fn make(&mut self, out: &mut Vec<u8>, tally: &mut FileTally) {
        let fault = self.fault();
        let draft = self.draft();
        match fault {
            None => {
                tally.add_row(&draft);
                let start = out.len();
                tally.ids_repeated += u64::from(self.known_or_new_id(out));
                self.write_fields(&draft, out);
                self.put_in_order(start, out);
            }
            Some(fault) => {
                tally.faults[fault as usize] += 1;
                self.write_faulty(&draft, fault, out);
            }
        }
        out.extend_from_slice(self.recipe.line_end);
        if self.random.chance(self.recipe.odds.blank_lines) {
            tally.blank += 1;
            out.extend_from_slice(self.recipe.line_end);
        }
    }

    #[inline]
    fn fault(&mut self) -> Option<Fault> {
        let draw = u64::from(self.random.next_u32());
        let sums = &self.recipe.odds.faults;
        if draw >= sums[sums.len() - 1] {
            return None;
        }
        let place = sums.iter().position(|sum| draw < *sum);
        place.map(|place| Fault::ALL[place])
    }

    fn draft(&mut self) -> Draft {
        let Recipe { pools, odds, popular_users, .. } = self.recipe;
        let random = &mut self.random;
        let (side, day) = day(self.recipe, random);
        let user = popular_users.pick(random);
        let country = match random.below(50) {
            0 => pools.popular_countries.pick(random), // on a journey
            _ => pools.people.users[user as usize].country,
        };
        let user = (!random.chance(odds.empty_emails)).then_some(user);
        let country = (!random.chance(odds.empty_countries)).then_some(country);
        let action = pools.popular_actions.pick(random);
        let tags_count = *random.pick(&TAG_COUNTS);
        let mut tags = [0; TAGS_MAX];
        for tag in &mut tags[..usize::from(tags_count)] {
            *tag = u8::try_from(pools.popular_tags.pick(random)).expect("there are fewer than 256 tags");
        }
        Draft { side, day, user, country, action, tags, tags_count }
    }

    /// Writes the first field of a row that loads: whether its id stood before.
    #[inline]
    fn known_or_new_id(&mut self, out: &mut Vec<u8>) -> bool {
        if self.random.chance(self.recipe.odds.repeated_ids) && !self.ids.is_empty() {
            let id = self.random.pick::<Id>(&self.ids);
            out.extend_from_slice(id);
            return true;
        }
        let id = new_id(&mut self.random);
        out.extend_from_slice(&id);
        if self.ids.len() < IDS_KEPT {
            self.ids.push(id);
        } else {
            self.ids[self.next_id] = id;
            self.next_id = (self.next_id + 1) % IDS_KEPT;
        }
        false
    }

    /// The fields behind the id.
    fn write_fields(&mut self, draft: &Draft, out: &mut Vec<u8>) {
        out.push(b',');
        self.write_timestamp(draft, out);
        out.push(b',');
        self.write_email(draft, out);
        out.push(b',');
        if let Some(country) = draft.country {
            out.extend_from_slice(self.recipe.pools.countries[country as usize].as_bytes());
        }
        out.push(b',');
        let address = self.random.pick(&self.recipe.pools.addresses).as_bytes();
        if !self.rare(self.recipe.odds.empty_addresses) {
            out.extend_from_slice(address);
        }
        out.push(b',');
        self.write_page(out);
        out.push(b',');
        out.extend_from_slice(ACTIONS[draft.action as usize].as_bytes());
        out.push(b',');
        self.write_tags(draft, out);
    }

    #[inline]
    fn write_timestamp(&mut self, draft: &Draft, out: &mut Vec<u8>) {
        out.extend_from_slice(day_text(self.recipe, draft));
        if self.random.chance(self.recipe.odds.with_time) {
            let mut part = |before: u8, bound: u32| {
                let number = u8::try_from(self.random.below(bound)).expect("at most 59");
                out.extend_from_slice(&[before, b'0' + number / 10, b'0' + number % 10]);
            };
            part(b'T', 24);
            part(b':', 60);
            part(b':', 60);
            out.push(b'Z');
        }
    }

    #[inline]
    fn write_email(&mut self, draft: &Draft, out: &mut Vec<u8>) {
        let Some(user) = draft.user else { return };
        let email = &self.recipe.pools.people.users[user as usize].email;
        let is_padded = self.random.chance(self.recipe.odds.padded_emails);
        if is_padded {
            out.push(b' ');
        }
        let start = out.len();
        out.extend_from_slice(email.as_bytes());
        if self.random.chance(self.recipe.odds.mixed_case) {
            // All letters, or every other one or so.
            let bits = if self.random.below(2) == 0 { u64::MAX } else { self.random.next_u64() };
            let upper = out[start..].iter_mut().enumerate().filter(|(place, _)| (bits >> (place % 64)) & 1 == 1);
            upper.for_each(|(_, letter)| letter.make_ascii_uppercase());
        }
        if is_padded {
            out.push(b' ');
        }
    }

    #[inline]
    fn write_page(&mut self, out: &mut Vec<u8>) {
        let page = PAGES[self.recipe.pools.popular_pages.pick(&mut self.random) as usize].as_bytes();
        let has_quotes = self.rare(self.recipe.odds.escaped_quotes);
        let has_break = self.rare(self.recipe.odds.line_breaks);
        if !(has_quotes || has_break) {
            return out.extend_from_slice(page);
        }
        out.push(b'"');
        out.extend_from_slice(page);
        if has_quotes {
            out.extend_from_slice(QUERY);
        }
        if has_break {
            out.extend_from_slice(self.recipe.line_end);
            out.extend_from_slice(SECOND_LINE);
        }
        out.push(b'"');
    }

    /// Yes as often as `threshold` says. Without it no number is drawn, so that a seed goes on meaning the same rows.
    #[inline]
    fn rare(&mut self, threshold: u64) -> bool {
        threshold > 0 && self.random.chance(threshold)
    }

    /// Puts the fields of the row that begins at `start` into the order of the file.
    #[inline]
    fn put_in_order(&mut self, start: usize, out: &mut Vec<u8>) {
        let Some(order) = self.recipe.order else { return };
        self.usual.clear();
        self.usual.extend_from_slice(&out[start..]);
        out.truncate(start);
        let mut fields: [Range<usize>; COLUMNS.len()] = std::array::from_fn(|_| 0..0);
        let mut next = 0;
        for field in &mut fields {
            *field = next..end_of_field(&self.usual, next);
            next = field.end + 1;
        }
        for (place, column) in order.into_iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&self.usual[fields[column].clone()]);
        }
    }

    fn write_tags(&self, draft: &Draft, out: &mut Vec<u8>) {
        let texts = &self.recipe.pools.tags;
        let (first, others) = match draft.tags() {
            [] => return out.extend_from_slice(b"[]"),
            [first, others @ ..] => (&texts[usize::from(*first)], others),
        };
        if others.is_empty() && first.is_plain {
            out.push(b'[');
            out.extend_from_slice(first.quoted.as_bytes());
            out.push(b']');
            return;
        }
        out.extend_from_slice(b"\"[");
        out.extend_from_slice(first.quoted.as_bytes());
        for tag in others {
            out.extend_from_slice(b", ");
            out.extend_from_slice(texts[usize::from(*tag)].quoted.as_bytes());
        }
        out.extend_from_slice(b"]\"");
    }

    /// A row that is refused for `fault` and for nothing else.
    fn write_faulty(&mut self, draft: &Draft, fault: Fault, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&new_id(&mut self.random));
        self.write_fields(draft, out);
        self.put_in_order(start, out);
        let timestamp = field(out, start, self.recipe.place(TIMESTAMP));
        match fault {
            Fault::UnreadableTimestamp => {
                let month = String::from_utf8_lossy(&day_text(self.recipe, draft)[..7]).into_owned();
                let text = self.random.pick(&NO_TIMESTAMPS).replace('~', &month);
                out.splice(timestamp, text.bytes());
            }
            Fault::MissingTimestamp => drop(out.splice(timestamp, [])),
            Fault::ShortRow => {
                // The id is never empty. Another first field may be, and alone it would be a blank line.
                let fewest = if self.recipe.order.is_some() { 2 } else { 1 };
                let last = (fewest - 1) + self.random.below(8 - fewest);
                out.truncate(field(out, start, last as usize).end);
            }
            Fault::ExtraField => {
                let fields = *self.random.pick(&MORE_FIELDS);
                out.extend_from_slice(fields);
            }
            Fault::InvalidUtf8 => {
                let uri = field(out, start, self.recipe.place(URI));
                let end = if out[uri.clone()].ends_with(b"\"") { uri.end - 1 } else { uri.end };
                let bytes = *self.random.pick(&NO_UTF8);
                out.splice(end..end, bytes.iter().copied());
            }
        }
    }
}

/// Where the field at that place (the first is 0) lies in the row that begins at `start`.
fn field(out: &[u8], start: usize, place: usize) -> Range<usize> {
    (0..place).fold(start..end_of_field(out, start), |field, _| {
        let next = field.end + 1;
        next..end_of_field(out, next)
    })
}

/// Where the field ends that begins at `start`.
#[inline]
fn end_of_field(out: &[u8], start: usize) -> usize {
    let mut inside_quotes = false;
    let end = out[start..].iter().position(|byte| {
        inside_quotes ^= *byte == b'"';
        *byte == b',' && !inside_quotes
    });
    end.map_or(out.len(), |length| start + length)
}

/// The day of a row, and whose month it is in.
#[inline]
fn day(recipe: &Recipe<'_>, random: &mut Random) -> (Side, u8) {
    let own = *random.pick(&recipe.days);
    let draw = u64::from(random.next_u32());
    if draw >= recipe.odds.spill {
        return (Side::Own, own);
    }
    let (side, day) = match draw < recipe.odds.spill / 2 {
        true => (Side::Before, &recipe.day_before),
        false => (Side::After, &recipe.day_after),
    };
    day.as_ref().map_or((Side::Own, own), |(day, _)| (side, *day))
}

#[inline]
fn day_text<'r>(recipe: &'r Recipe<'_>, draft: &Draft) -> &'r DayText {
    let beside = match draft.side {
        Side::Own => return &recipe.day_texts[usize::from(draft.day)],
        Side::Before => &recipe.day_before,
        Side::After => &recipe.day_after,
    };
    let (_, text) = beside.as_ref().expect("only days of the plan are drawn");
    text
}

#[inline]
fn new_id(random: &mut Random) -> Id {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random.next_u64().to_be_bytes());
    bytes[8..].copy_from_slice(&random.next_u64().to_be_bytes());
    let mut id = [b'-'; 36];
    for (byte, place) in bytes.into_iter().zip(ID_PLACES) {
        id[place] = DIGITS[usize::from(byte >> 4)];
        id[place + 1] = DIGITS[usize::from(byte & 15)];
    }
    id
}
