//! Discovery tells what is there, and what is there no more; the ledger makes one row of each object version.

use std::collections::{BTreeMap, HashMap};

use sqlx::{AnyConnection, AssertSqlSafe};
use stillhouse_spec::{GENERATIONS_MAX, ObjectVersion};

use crate::error::{Error, Kind};
use crate::ledger::{Ledger, Needs, Tx};
use crate::same::stays;
use crate::sql::{self, Bind, Columns, ROWS_MAX, message, rows, values};
use crate::types::{Change, Offer, Offered, State, VersionId};

/// Key numbers share 63 bits with generations (`stillhouse_spec::object_id`).
pub(crate) const KEYS_MAX: i64 = 1 << 43;

/// The etag of a file that is there no more.
const ETAG_REMOVED: &str = "removed";

impl Ledger {
    /// Offers object versions, in one transaction; answers in the order of `offers`. An object whose etag or size differs
    /// from the newest version of its key is the next generation; older ones that nobody works on are superseded at once.
    /// An object without an etag is told apart by its time instead.
    ///
    /// Only the newest version of a key counts, not the older ones: a file that was moved away and back must load again.
    pub async fn offer(&self, offers: &[Offer], now: i64) -> Result<Vec<Offered>, Error> {
        for offer in offers {
            check(&offer.object).map_err(|error| error.at("offer"))?;
        }
        if offers.is_empty() {
            return Ok(Vec::new());
        }
        self.write("offer", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let objects: Vec<_> = offers.iter().map(|offer| &offer.object).collect();
                let mut plan = Plan::start(connection, &objects).await?;
                let offered = offers.iter().map(|offer| plan.offer(offer)).collect::<Result<_, _>>()?;
                plan.write(connection, now).await?;
                Ok(offered)
            })
        })
        .await
    }

    /// Offers the removal of the rows of files that are there no more, as the next generations of these (source, key,
    /// member); answers those that are new. A key of which no table has (or is about to get) anything needs none, nor one
    /// whose newest version is a removal.
    pub async fn offer_removed(&self, keys: &[(String, String, String)], now: i64) -> Result<Vec<VersionId>, Error> {
        let gone = |(source, key, member): &(String, String, String)| ObjectVersion {
            source: source.clone(),
            key: key.clone(),
            member: member.clone(),
            etag: ETAG_REMOVED.to_owned(),
            size: 0,
            modified_at: now,
        };
        let objects: Vec<_> = keys.iter().map(gone).collect();
        for object in &objects {
            check(object).map_err(|error| error.at("offer_removed"))?;
        }
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let objects = &objects;
        let offered = self.write("offer_removed", Needs::Open, move |Tx { connection, .. }| {
            Box::pin(async move {
                let objects: Vec<_> = objects.iter().collect();
                let mut plan = Plan::start(connection, &objects).await?;
                let mut new = Vec::new();
                for object in objects {
                    new.extend(plan.remove(object)?);
                }
                plan.write(connection, now).await?;
                Ok(new)
            })
        });
        offered.await
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
    removed: bool,
    /// A version of the key is in the tables or on the way there, and stays unless a new one replaces it.
    stays: bool,
}

impl Newest {
    fn is(&self, object: &ObjectVersion) -> bool {
        let same = !self.removed && self.etag == object.etag && self.size == object.size;
        same && (!object.etag.is_empty() || self.modified_at == object.modified_at)
    }
}

/// A version that an offer makes.
struct NewVersion<'a> {
    version: VersionId,
    object: &'a ObjectVersion,
    replaces_from: i64,
    removed: bool,
    /// Why it is held from the start, if it is.
    held: Option<String>,
}

/// What an offer changes, worked out in memory so that it takes few statements.
struct Plan<'a> {
    newest: HashMap<Key<'a>, Newest>,
    key_number_next: i64,
    keys: Vec<(i64, &'a ObjectVersion)>,
    versions: Vec<NewVersion<'a>>,
    /// Keys whose newest generation rises, with that generation.
    raised: BTreeMap<i64, i64>,
}

impl<'a> Plan<'a> {
    async fn start(connection: &mut AnyConnection, objects: &[&'a ObjectVersion]) -> Result<Self, Error> {
        let mut newest = HashMap::new();
        for piece in objects.chunks(ROWS_MAX) {
            find_newest(connection, piece, &mut newest).await?;
        }
        let next = "-- ledger.offer.next\nSELECT COALESCE(MAX(key_number), 0) + 1 AS next FROM ledger_keys";
        let key_number_next = sqlx::query(next).fetch_one(connection).await?.int("next")?;
        Ok(Self { newest, key_number_next, keys: Vec::new(), versions: Vec::new(), raised: BTreeMap::new() })
    }

    fn offer(&mut self, offer: &'a Offer) -> Result<Offered, Error> {
        let object = &offer.object;
        let known = self.newest.get(&key_of(object));
        if let Some(known) = known.filter(|known| known.is(object)) {
            return Ok(Offered::Known { version: known.version, state: known.state, reason: known.reason.clone() });
        }
        let stays = known.is_some_and(|known| known.stays);
        let version = self.next_version(object)?;
        let replaces_from = if offer.change == Change::Append { version.generation } else { 0 };
        let held = match &offer.change {
            Change::Hold { reason } if stays => Some(message(reason)),
            _ => None,
        };
        let offered = match &held {
            Some(_) => Offered::Known { version, state: State::Held, reason: held.clone() },
            None => Offered::New(version),
        };
        self.add(NewVersion { version, object, replaces_from, removed: false, held }, stays);
        Ok(offered)
    }

    fn remove(&mut self, object: &'a ObjectVersion) -> Result<Option<VersionId>, Error> {
        // A removal that was held, with the others of its batch, is nothing that a person could mend.
        let is_over = |state| matches!(state, State::Held | State::Failed);
        let goes = |known: &Newest| known.stays && (!known.removed || is_over(known.state));
        if !self.newest.get(&key_of(object)).is_some_and(goes) {
            return Ok(None);
        }
        let version = self.next_version(object)?;
        self.add(NewVersion { version, object, replaces_from: 0, removed: true, held: None }, true);
        Ok(Some(version))
    }

    /// The next generation of the key of `object`, or the first of a new key.
    fn next_version(&mut self, object: &'a ObjectVersion) -> Result<VersionId, Error> {
        let Some(known) = self.newest.get(&key_of(object)) else { return self.new_key(object) };
        let next = next_generation(known.version)?;
        self.raised.insert(next.key_number, next.generation);
        Ok(next)
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

    fn add(&mut self, new: NewVersion<'a>, stays: bool) {
        let newest = Newest {
            version: new.version,
            etag: new.object.etag.clone(),
            size: new.object.size,
            modified_at: new.object.modified_at,
            state: if new.held.is_some() { State::Held } else { State::Offered },
            reason: new.held.clone(),
            removed: new.removed,
            stays,
        };
        self.newest.insert(key_of(new.object), newest);
        self.versions.push(new);
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
    objects: &[&'a ObjectVersion],
    newest: &mut HashMap<Key<'a>, Newest>,
) -> Result<(), Error> {
    let by_number: Vec<Key<'a>> = objects.iter().map(|object| key_of(object)).collect();
    let text = format!(
        concat!(
            "-- ledger.offer.newest
        WITH o (number, source, object_key, member) AS (VALUES {})
        SELECT o.number, k.key_number, k.generation, v.etag, v.size, v.modified_at, v.state, v.reason, v.removed,
            CASE WHEN EXISTS (SELECT 1 FROM ledger_versions p WHERE p.key_number = k.key_number AND p.removed = 0
                AND ",
            stays!("p"),
            ") THEN CAST(1 AS BIGINT) ELSE 0 END AS staying
        FROM o JOIN ledger_keys k ON k.source = o.source AND k.object_key = o.object_key AND k.member = o.member
        JOIN ledger_versions v ON v.key_number = k.key_number AND v.generation = k.generation"
        ),
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
            removed: row.flag("removed")?,
            stays: row.flag("staying")?,
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

async fn insert_versions(connection: &mut AnyConnection, new: &[NewVersion<'_>], now: i64) -> Result<(), Error> {
    let text = format!(
        "-- ledger.offer.insert_versions
        WITH c (key_number, generation, etag, size, modified_at, replaces_from, removed, reason) AS (VALUES {})
        INSERT INTO ledger_versions (key_number, generation, etag, size, modified_at, replaces_from, removed, reason,
            offered_at, changed_at, ready_at, state)
        SELECT key_number, generation, etag, size, modified_at, replaces_from, removed, reason,
            $1, $1, CASE WHEN reason IS NULL THEN $1 END, CASE WHEN reason IS NULL THEN 'offered' ELSE 'held' END
        FROM c",
        values(2, new.len(), 8)
    );
    let mut query = sqlx::query(AssertSqlSafe(text)).bind(now); // holds our own words and `$` numbers only
    for NewVersion { version, object, replaces_from, removed, held } in new {
        query = query.bind(version.key_number).bind(version.generation);
        query = query.bind(&object.etag).bind(size(object)?).bind(object.modified_at);
        query = query.bind(*replaces_from).bind(i64::from(*removed)).bind(held.as_deref());
    }
    rows(query.execute(connection).await?.rows_affected(), new.len())
}

/// Makes these the newest generations of their keys.
pub(crate) async fn raise(connection: &mut AnyConnection, versions: &[VersionId]) -> Result<(), Error> {
    let raise = "UPDATE ledger_keys SET generation = c.generation FROM c
        WHERE ledger_keys.key_number = c.key_number AND ledger_keys.generation < c.generation";
    rows(sql::for_versions(connection, "raise", raise, &[], versions).await?, versions.len())
}

/// Supersedes versions below these that nobody works on. A claimed one runs out by itself, a staged one is published.
pub(crate) async fn supersede_idle(
    connection: &mut AnyConnection,
    newest: &[VersionId],
    now: i64,
) -> Result<(), Error> {
    let supersede = "UPDATE ledger_versions SET state = 'superseded', ready_at = NULL, changed_at = $1 FROM c
        WHERE ledger_versions.key_number = c.key_number AND ledger_versions.generation < c.generation
        AND ledger_versions.state IN ('offered', 'held', 'failed')";
    sql::for_versions(connection, "supersede_idle", supersede, &[Bind::Int(now)], newest).await?;
    Ok(())
}
