//! Discovery tells what is there; the ledger makes one row of each object version.

use std::collections::{BTreeMap, HashMap};

use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_spec::{GENERATIONS_MAX, ObjectVersion};

use crate::error::{Error, Kind};
use crate::ledger::{Ledger, Needs, Tx};
use crate::sql::{self, Bind, Columns, ROWS_MAX, one_row, rows, values};
use crate::types::{Offered, State, VersionId};

/// Key numbers share 63 bits with generations (`stillhouse_spec::object_id`).
pub(crate) const KEYS_MAX: i64 = 1 << 43;

impl Ledger {
    /// Offers object versions, in one transaction; answers in the order of `objects`. An object whose etag or size differs
    /// from the newest version of its key is the next generation; older ones that nobody works on are superseded at once.
    /// An object without an etag is told apart by its time instead.
    ///
    /// Only the newest version of a key counts, not the older ones: a file that was moved away and back must load again.
    pub async fn offer(&self, objects: &[ObjectVersion], now: i64) -> Result<Vec<Offered>, Error> {
        for object in objects {
            check(object).map_err(|error| error.at("offer"))?;
        }
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        self.write("offer", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let mut plan = Plan::start(connection, objects).await?;
                let offered = objects.iter().map(|object| plan.offer(object)).collect::<Result<_, _>>()?;
                plan.write(connection, now).await?;
                Ok(offered)
            })
        })
        .await
    }

    /// Offers the newest version of a key once more, as the next generation (`--reload`); one that is offered already
    /// stays what it is. `None`: no such key.
    pub async fn reoffer(&self, source: &str, key: &str, member: &str, now: i64) -> Result<Option<VersionId>, Error> {
        self.write("reoffer", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let newest = "-- ledger.reoffer.newest
                SELECT v.key_number, v.generation, v.state FROM ledger_keys k
                JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = k.generation
                WHERE k.source = $1 AND k.object_key = $2 AND k.member = $3";
                let row =
                    sqlx::query(newest).bind(source).bind(key).bind(member).fetch_optional(&mut *connection).await?;
                let Some(row) = row else { return Ok(None) };
                let version = row.version()?;
                if row.text("state")? == State::Offered.as_str() {
                    return Ok(Some(version));
                }
                let next = next_generation(version)?;
                let copy = Copy { state: State::Offered, ready_at: Some(now), reason: None, attempts_count: 0 };
                copy_version(connection, version, next, &copy, now).await?;
                supersede_idle(connection, &[next], now).await?;
                Ok(Some(next))
            })
        })
        .await
    }

    /// Makes held and failed versions claimable again, under the same generation (nothing of them is in any table).
    /// Answers how many. `None` as key: all keys of the source.
    pub async fn retry_held(&self, source: &str, key: Option<&str>, now: i64) -> Result<u64, Error> {
        self.write("retry_held", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let retry = "-- ledger.retry_held
                UPDATE ledger_versions SET state = 'offered', ready_at = $1, changed_at = $1
                WHERE state IN ('held', 'failed') AND EXISTS (
                    SELECT 1 FROM ledger_keys k WHERE k.key_number = ledger_versions.key_number
                    AND k.generation = ledger_versions.generation AND k.source = $2
                    AND ($3 IS NULL OR k.object_key = $3))";
                let done = sqlx::query(retry).bind(now).bind(source).bind(key).execute(connection).await?;
                Ok(done.rows_affected())
            })
        })
        .await
    }
}

/// What the ledger cannot keep is refused before anything is written.
fn check(object: &ObjectVersion) -> Result<(), Error> {
    sql::keepable("source", &object.source)?;
    sql::keepable("key", &object.key)?;
    sql::keepable("member", &object.member)?;
    sql::keepable("etag", &object.etag)?;
    size(object).map(drop)
}

/// The size as the databases keep it.
pub(crate) fn size(object: &ObjectVersion) -> Result<i64, Error> {
    i64::try_from(object.size).map_err(|_| {
        Error::new(Kind::FixData, format!("object `{}`: expected a size below 2^63, found {}", object.key, object.size))
    })
}

pub(crate) fn next_generation(version: VersionId) -> Result<VersionId, Error> {
    let next = version.generation + 1;
    if next >= GENERATIONS_MAX {
        return Err(Error::new(
            Kind::FixData,
            format!("{version}: a key can have {} generations", GENERATIONS_MAX - 1),
        )
        .with_hint("write each version of the data to a key of its own"));
    }
    Ok(VersionId::new(version.key_number, next))
}

type Key<'a> = (&'a str, &'a str, &'a str);

fn key_of(object: &ObjectVersion) -> Key<'_> {
    (&object.source, &object.key, &object.member)
}

/// The newest version of a key: from the database, or out of this very offer.
struct Newest {
    version: VersionId,
    etag: String,
    size: u64,
    modified_at: i64,
    state: State,
    reason: Option<String>,
}

impl Newest {
    fn is(&self, object: &ObjectVersion) -> bool {
        let same = self.etag == object.etag && self.size == object.size;
        same && (!object.etag.is_empty() || self.modified_at == object.modified_at)
    }
}

/// What an offer changes, worked out in memory so that it takes few statements.
struct Plan<'a> {
    newest: HashMap<Key<'a>, Newest>,
    key_number_next: i64,
    keys: Vec<(i64, &'a ObjectVersion)>,
    versions: Vec<(VersionId, &'a ObjectVersion)>,
    /// Keys whose newest generation rises, with that generation.
    raised: BTreeMap<i64, i64>,
}

impl<'a> Plan<'a> {
    async fn start(connection: &mut AnyConnection, objects: &'a [ObjectVersion]) -> Result<Self, Error> {
        let mut newest = HashMap::new();
        for piece in objects.chunks(ROWS_MAX) {
            find_newest(connection, piece, &mut newest).await?;
        }
        let next = "-- ledger.offer.next\nSELECT COALESCE(MAX(key_number), 0) + 1 AS next FROM ledger_keys";
        let key_number_next = sqlx::query(next).fetch_one(connection).await?.int("next")?;
        Ok(Self { newest, key_number_next, keys: Vec::new(), versions: Vec::new(), raised: BTreeMap::new() })
    }

    fn offer(&mut self, object: &'a ObjectVersion) -> Result<Offered, Error> {
        let known = self.newest.get(&key_of(object));
        if let Some(known) = known.filter(|known| known.is(object)) {
            return Ok(Offered::Known { version: known.version, state: known.state, reason: known.reason.clone() });
        }
        let version = match known.map(|known| known.version) {
            Some(version) => {
                let next = next_generation(version)?;
                self.raised.insert(next.key_number, next.generation);
                next
            }
            None => self.new_key(object)?,
        };
        self.versions.push((version, object));
        let newest = Newest {
            version,
            etag: object.etag.clone(),
            size: object.size,
            modified_at: object.modified_at,
            state: State::Offered,
            reason: None,
        };
        self.newest.insert(key_of(object), newest);
        Ok(Offered::New(version))
    }

    fn new_key(&mut self, object: &'a ObjectVersion) -> Result<VersionId, Error> {
        let key_number = self.key_number_next;
        if key_number >= KEYS_MAX {
            return Err(Error::new(Kind::FixData, "the lake has as many keys as `_object` can number"));
        }
        self.key_number_next += 1;
        self.keys.push((key_number, object));
        Ok(VersionId::new(key_number, 1))
    }

    async fn write(&self, connection: &mut AnyConnection, now: i64) -> Result<(), Error> {
        for piece in self.keys.chunks(ROWS_MAX) {
            insert_keys(connection, piece).await?;
        }
        for piece in self.versions.chunks(ROWS_MAX) {
            insert_versions(connection, piece, now).await?;
        }
        let raised: Vec<_> = self.raised.iter().map(|(key, generation)| VersionId::new(*key, *generation)).collect();
        raise(connection, &raised).await?;
        supersede_idle(connection, &raised, now).await
    }
}

async fn find_newest<'a>(
    connection: &mut AnyConnection,
    objects: &'a [ObjectVersion],
    newest: &mut HashMap<Key<'a>, Newest>,
) -> Result<(), Error> {
    let by_number: Vec<Key<'a>> = objects.iter().map(key_of).collect();
    let text = format!(
        "-- ledger.offer.newest
        WITH o (number, source, object_key, member) AS (VALUES {})
        SELECT o.number, k.key_number, k.generation, v.etag, v.size, v.modified_at, v.state, v.reason
        FROM o JOIN ledger_keys k ON k.source = o.source AND k.object_key = o.object_key AND k.member = o.member
        JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = k.generation",
        values(1, objects.len(), 4)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (number, (source, key, member)) in (0_i64..).zip(&by_number) {
        query = query.bind(number).bind(*source).bind(*key).bind(*member);
    }
    for row in query.fetch_all(connection).await? {
        let number = usize::try_from(row.int("number")?).ok().and_then(|number| by_number.get(number));
        let key = number.ok_or_else(|| Error::bug("the database answered a row that was not asked for"))?;
        let known = Newest {
            version: row.version()?,
            etag: row.text("etag")?,
            size: row.count("size")?,
            modified_at: row.int("modified_at")?,
            state: row.text("state")?.parse()?,
            reason: row.text_opt("reason")?,
        };
        newest.insert(*key, known);
    }
    Ok(())
}

async fn insert_keys(connection: &mut AnyConnection, keys: &[(i64, &ObjectVersion)]) -> Result<(), Error> {
    let text = format!(
        "-- ledger.offer.insert_keys
        INSERT INTO ledger_keys (key_number, source, object_key, member, generation, revision) VALUES {}",
        values(1, keys.len(), 6)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (key_number, object) in keys {
        query = query.bind(*key_number).bind(&object.source).bind(&object.key).bind(&object.member);
        query = query.bind(1_i64).bind(0_i64);
    }
    rows(query.execute(connection).await?.rows_affected(), keys.len())
}

async fn insert_versions(
    connection: &mut AnyConnection,
    versions: &[(VersionId, &ObjectVersion)],
    now: i64,
) -> Result<(), Error> {
    let text = format!(
        "-- ledger.offer.insert_versions
        INSERT INTO ledger_versions
            (key_number, generation, etag, size, modified_at, offered_at, changed_at, ready_at, state)
        VALUES {}",
        values(1, versions.len(), 9)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)); // holds our own words and `$` numbers only
    for (version, object) in versions {
        query = query.bind(version.key_number).bind(version.generation);
        query = query.bind(&object.etag).bind(size(object)?).bind(object.modified_at);
        query = query.bind(now).bind(now).bind(now).bind(State::Offered.as_str());
    }
    rows(query.execute(connection).await?.rows_affected(), versions.len())
}

/// Makes these the newest generations of their keys.
async fn raise(connection: &mut AnyConnection, versions: &[VersionId]) -> Result<(), Error> {
    let raise = "UPDATE ledger_keys SET generation = c.generation FROM c
        WHERE ledger_keys.key_number = c.key_number AND ledger_keys.generation < c.generation";
    rows(sql::for_versions(connection, "raise", raise, &[], versions).await?, versions.len())
}

/// Supersedes versions below these that nobody works on. A claimed one runs out by itself, a staged one is published.
async fn supersede_idle(connection: &mut AnyConnection, newest: &[VersionId], now: i64) -> Result<(), Error> {
    let supersede = "UPDATE ledger_versions SET state = 'superseded', ready_at = NULL, changed_at = $1 FROM c
        WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation < c.generation
        AND ledger_versions.state IN ('offered', 'held', 'failed')";
    sql::for_versions(connection, "supersede_idle", supersede, &[Bind::Int(now)], newest).await?;
    Ok(())
}

/// How a copy of a version under the next generation differs from it.
pub(crate) struct Copy<'a> {
    pub state: State,
    pub ready_at: Option<i64>,
    pub reason: Option<&'a str>,
    /// Claims that count for the copy already.
    pub attempts_count: i64,
}

/// Puts the same object under the next generation, which becomes the newest of its key.
pub(crate) async fn copy_version(
    connection: &mut AnyConnection,
    from: VersionId,
    to: VersionId,
    copy: &Copy<'_>,
    now: i64,
) -> Result<(), Error> {
    let insert = "-- ledger.copy_version
        INSERT INTO ledger_versions (key_number, generation, etag, size, modified_at, offered_at, changed_at, state,
            ready_at, reason, attempts_count)
        SELECT key_number, $3, etag, size, modified_at, offered_at, $4, $5, $6, $7, $8
        FROM ledger_versions WHERE key_number = $1 AND generation = $2";
    let insert = sqlx::query(insert).bind(from.key_number).bind(from.generation).bind(to.generation).bind(now);
    let insert = insert.bind(copy.state.as_str()).bind(copy.ready_at).bind(copy.reason).bind(copy.attempts_count);
    one_row(&insert.execute(&mut *connection).await?)?;
    raise(connection, &[to]).await
}
