//! Which versions have the same content, so that it comes into the tables only once.
//!
//! A version **has rows** when it is staged or complete, is no twin and no removal, and no staged version is about to
//! replace it. Only such a version can be another one's twin.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_spec::split_object_id;

use crate::batch::StageMember;
use crate::error::Error;
use crate::ledger::{Ledger, Tx};
use crate::sql::{Columns, ROWS_MAX, values};
use crate::types::{VersionId, replaces_from_as_twin};

/// The condition that a version is staged or complete and no staged one is about to replace it.
macro_rules! stays {
    ($v:literal) => {
        concat!(
            $v,
            ".state IN ('complete', 'staged') AND NOT EXISTS (
                SELECT 1 FROM ledger_versions s WHERE s.key_number = ",
            $v,
            ".key_number AND s.generation > ",
            $v,
            ".generation AND s.state = 'staged' AND s.replaces_from <= ",
            $v,
            ".generation)"
        )
    };
}
pub(crate) use stays;

/// The condition that a version has rows of its own.
macro_rules! has_rows {
    ($v:literal) => {
        concat!("(", $v, ".twin_key IS NULL AND ", $v, ".removed = 0 AND ", stays!($v), ")")
    };
}
pub(crate) use has_rows;

/// The condition that the older version `v` of its own key can be the twin of `c`. A version that was asked for loads even
/// though its content is there, if it replaces that. And what `c` replaces as a twin begins above `v`
/// ([`replaces_from_as_twin`]), so there must be nothing to replace below.
macro_rules! own_twin {
    () => {
        concat!(
            "v.generation < c.generation AND (c.asked = 0 OR v.generation < c.replaces_from) AND NOT EXISTS (
                SELECT 1 FROM ledger_versions u WHERE u.key_number = v.key_number
                AND u.generation >= c.replaces_from AND u.generation < v.generation AND ",
            has_rows!("u"),
            ")"
        )
    };
}

impl Ledger {
    /// For each of these versions (claimed, of one source) with its content: which version has the same content in the
    /// tables already, or on the way there. An earlier one of the same list counts too, so ask for what is to be staged
    /// together. Changes nothing; [`Ledger::stage`] looks again.
    pub async fn same_content(
        &self,
        source: &str,
        contents: &[(VersionId, String)],
    ) -> Result<Vec<Option<VersionId>>, Error> {
        self.read("same_content", move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut members = Vec::new();
                for piece in contents.chunks(ROWS_MAX) {
                    let known = policies(connection, piece).await?;
                    for (version, content) in piece {
                        let known = known.get(version).copied();
                        let (replaces_from, asked) =
                            known.ok_or_else(|| Error::bug(format!("no such version: {version}")))?;
                        let (version, source) = (*version, source.to_owned());
                        let (twin, skip_same) = (None, true);
                        members.push(Member { version, source, content, replaces_from, asked, twin, skip_same });
                    }
                }
                find_same(connection, &members.iter().collect::<Vec<_>>()).await
            })
        })
        .await
    }
}

/// From which generation on each of these versions replaces, and whether it was asked for.
async fn policies(
    connection: &mut AnyConnection,
    contents: &[(VersionId, String)],
) -> Result<BTreeMap<VersionId, (i64, bool)>, Error> {
    let text = format!(
        "-- ledger.same_content.policies
        WITH c (key_number, generation) AS (VALUES {})
        SELECT v.key_number, v.generation, v.replaces_from, v.asked
        FROM c JOIN ledger_versions v ON v.key_number = c.key_number AND v.generation = c.generation",
        values(1, contents.len(), 2)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (version, _) in contents {
        query = query.bind(version.key_number).bind(version.generation);
    }
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.version()?, (row.int("replaces_from")?, row.flag("asked")?)))).collect()
}

/// A version whose content is compared.
pub(crate) struct Member<'a> {
    pub version: VersionId,
    pub source: String,
    pub content: &'a str,
    pub replaces_from: i64,
    pub asked: bool,
    pub twin: Option<VersionId>,
    pub skip_same: bool,
}

impl<'a> Member<'a> {
    pub fn new(member: &'a StageMember, source: String, replaces_from: i64, asked: bool) -> Self {
        let StageMember { version, content, twin, skip_same } = member;
        Self { version: *version, source, content, replaces_from, asked, twin: *twin, skip_same: *skip_same }
    }

    /// From which generation on it replaces, its twin considered.
    pub fn replaces_from(&self) -> i64 {
        let as_twin = |twin| replaces_from_as_twin(self.version, self.replaces_from, twin);
        self.twin.map_or(self.replaces_from, as_twin)
    }

    fn replaces(&self, other: VersionId) -> bool {
        let key = self.version.key_number == other.key_number;
        key && (self.replaces_from()..self.version.generation).contains(&other.generation)
    }

    fn same(&self, other: &Member<'_>) -> bool {
        !self.content.is_empty() && self.content == other.content && self.source == other.source
    }
}

/// For each member that is to be left out if its content is there: the version that has it, in the tables or among the
/// members before it. None is answered that another member replaces.
pub(crate) async fn find_same(
    connection: &mut AnyConnection,
    members: &[&Member<'_>],
) -> Result<Vec<Option<VersionId>>, Error> {
    let mut same: Vec<Option<VersionId>> = vec![None; members.len()];
    let wanted = |member: &Member<'_>| member.skip_same && member.twin.is_none() && !member.content.is_empty();
    let asked: Vec<_> = (0..members.len()).filter(|index| wanted(members[*index])).collect();
    for piece in asked.chunks(ROWS_MAX) {
        look_up_same(connection, members, piece, &mut same).await?;
    }
    for index in asked {
        let others = || members.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, other)| other);
        same[index] = same[index].filter(|found| !others().any(|other| other.replaces(*found)));
        if same[index].is_none() {
            let before = members[..index].iter().zip(&same);
            let mut before = before.filter(|(other, same)| other.twin.is_none() && same.is_none());
            same[index] = before.find(|(other, _)| members[index].same(other)).map(|(other, _)| other.version);
        }
    }
    Ok(same)
}

/// Fills in what the database has for the members at `piece`: of the own key first, else the lowest of another key.
async fn look_up_same(
    connection: &mut AnyConnection,
    members: &[&Member<'_>],
    piece: &[usize],
    same: &mut [Option<VersionId>],
) -> Result<(), Error> {
    // `other` is packed as `stillhouse_spec::object_id` does it: a subquery answers one number.
    let text = format!(
        concat!(
            "-- ledger.same
        WITH c (number, key_number, generation, replaces_from, asked, source, content) AS (VALUES {})
        SELECT c.number, (
            SELECT MAX(v.generation) FROM ledger_versions v
            WHERE v.key_number = c.key_number AND v.content = c.content AND ",
            has_rows!("v"),
            " AND ",
            own_twin!(),
            ") AS own, (
            SELECT v.key_number * 1048576 + v.generation FROM ledger_versions v
            JOIN ledger_keys k ON k.key_number = v.key_number
            WHERE v.content = c.content AND k.source = c.source AND v.key_number <> c.key_number AND ",
            has_rows!("v"),
            " ORDER BY v.key_number, v.generation LIMIT 1) AS other
        FROM c"
        ),
        values(1, piece.len(), 7)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (number, index) in (0_i64..).zip(piece) {
        let member = &members[*index];
        query = query.bind(number).bind(member.version.key_number).bind(member.version.generation);
        query = query.bind(member.replaces_from).bind(i64::from(member.asked));
        query = query.bind(&member.source).bind(member.content);
    }
    for row in query.fetch_all(connection).await? {
        let number = usize::try_from(row.int("number")?).ok();
        let index = *number.and_then(|number| piece.get(number)).ok_or_else(not_asked_for)?;
        let own = row.int_opt("own")?.map(|own| VersionId::new(members[index].version.key_number, own));
        let other = row.int_opt("other")?.map(split_object_id);
        same[index] = own.or(other.map(|(key_number, generation)| VersionId::new(key_number, generation)));
    }
    Ok(())
}

fn not_asked_for() -> Error {
    Error::bug("the database answered a row that was not asked for")
}

/// Members whose named twin does not have their rows: neither in the tables (and to stay there) nor in this batch.
pub(crate) async fn find_orphaned(
    connection: &mut AnyConnection,
    members: &[&Member<'_>],
) -> Result<Vec<VersionId>, Error> {
    let mut orphaned = Vec::new();
    for member in members {
        let Some(twin) = member.twin else { continue };
        let here = members.iter().find(|other| other.version == twin);
        let stands = match here {
            Some(other) => other.twin.is_none() && member.same(other),
            None => !members.iter().any(|other| other.replaces(twin)) && twin_stands(connection, member, twin).await?,
        };
        if !stands {
            orphaned.push(member.version);
        }
    }
    Ok(orphaned)
}

async fn twin_stands(connection: &mut AnyConnection, member: &Member<'_>, twin: VersionId) -> Result<bool, Error> {
    let find = concat!(
        "-- ledger.twin_stands
        WITH c (key_number, generation, replaces_from, asked) AS (VALUES ($1, $2, $3, $4))
        SELECT v.generation FROM c JOIN ledger_versions v ON v.key_number = $5 AND v.generation = $6
        JOIN ledger_keys k ON k.key_number = v.key_number
        WHERE k.source = $7 AND v.content = $8 AND ",
        has_rows!("v"),
        " AND (v.key_number <> c.key_number OR (",
        own_twin!(),
        "))"
    );
    let find = sqlx::query(find).bind(member.version.key_number).bind(member.version.generation);
    let find = find.bind(member.replaces_from).bind(i64::from(member.asked));
    let find = find.bind(twin.key_number).bind(twin.generation).bind(&member.source).bind(member.content);
    Ok(find.fetch_optional(connection).await?.is_some())
}
