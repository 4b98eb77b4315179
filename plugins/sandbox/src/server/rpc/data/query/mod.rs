//! Queries over the readings of an organization, in SQL and in a part of MongoDB's language.
//!
//! Both see what the caller may see, as a table or as documents of the fields in [`FIELDS`].
//! Neither reaches anything else: each query has a copy of its own.

mod group;
mod mql;
mod sql;
mod value;

use std::sync::Arc;
use std::time::Duration;

use bson::{Bson, Document};
use bytes::Bytes;
use tonic::{Request, Response, Status};
use viam_proto::app::data::v1 as pb;

use super::super::access::Level;
use super::super::{Call, Caller, Refusal, access};
use crate::server::jwt::Access;
use crate::server::state::Shared;
use crate::store::data::{Cursor, Filter, Page, Reading, readings};

/// What a reading has.
const FIELDS: [&str; 13] = [
    "organization_id",
    "location_id",
    "robot_id",
    "robot_name",
    "part_id",
    "part_name",
    "component_type",
    "component_name",
    "method_name",
    "time_requested",
    "time_received",
    "tags",
    "data",
];

/// How many readings are fetched at once.
const PIECE: usize = 1000;

/// The most rows of an answer.
const ROWS: usize = 100_000;

/// The most bytes of an answer.
const BYTES: usize = 24 << 20;

/// How long a query may take.
const TIME: Duration = Duration::from_secs(20);

pub(super) async fn by_sql(
    shared: &Arc<Shared>,
    request: Request<pb::TabularDataBySqlRequest>,
) -> Result<Response<pb::TabularDataBySqlResponse>, Status> {
    let access = access(&request)?;
    let request = request.into_inner();
    let rows = run(shared, access, request.organization_id, move |readings| {
        let mut table = sql::Table::new()?;
        readings(&mut |reading| table.insert(reading))?;
        table.query(&request.sql_query, TIME)
    });
    Ok(Response::new(pb::TabularDataBySqlResponse { raw_data: rows.await? }))
}

pub(super) async fn by_mql(
    shared: &Arc<Shared>,
    request: Request<pb::TabularDataByMqlRequest>,
) -> Result<Response<pb::TabularDataByMqlResponse>, Status> {
    let access = access(&request)?;
    let request = request.into_inner();
    let source = request.data_source.as_ref().map(pb::TabularDataSource::r#type);
    if source == Some(pb::TabularDataSourceType::PipelineSink) {
        return Err(Status::unimplemented("the sandbox serves no data pipelines"));
    }
    let pipeline = mql::Pipeline::parse(&request.mql_binary)?;
    let rows = run(shared, access, request.organization_id, move |readings| {
        let mut found = Vec::new();
        readings(&mut |reading| {
            let document = value::document(reading);
            if pipeline.begins_with(&document) {
                found.push(document);
            }
            Ok(())
        })?;
        let mut rows = Rows::default();
        pipeline.run(found).iter().try_for_each(|row| rows.push(row))?;
        Ok(rows)
    });
    Ok(Response::new(pb::TabularDataByMqlResponse { raw_data: rows.await? }))
}

/// The rows of an answer.
#[derive(Debug, Default)]
struct Rows {
    rows: Vec<Bytes>,
    bytes: usize,
}

impl Rows {
    fn push(&mut self, row: &Document) -> Result<(), Status> {
        let row = row.to_vec().map_err(|error| Status::internal(error.to_string()))?;
        self.bytes += row.len();
        if self.rows.len() >= ROWS || self.bytes > BYTES {
            return Err(Status::resource_exhausted(format!(
                "the answer has more than {ROWS} rows or {BYTES} bytes: ask for less of it"
            )));
        }
        self.rows.push(row.into());
        Ok(())
    }
}

/// Takes one reading after the other.
type Each<'a> = &'a mut dyn FnMut(Reading) -> Result<(), Status>;

/// Does a query where it holds up nobody. It is handed what gives it the readings.
async fn run(
    shared: &Arc<Shared>,
    access: Arc<Access>,
    organization: String,
    query: impl FnOnce(&dyn Fn(Each<'_>) -> Result<(), Status>) -> Result<Rows, Status> + Send + 'static,
) -> Result<Vec<Bytes>, Status> {
    let shared = shared.clone();
    let work = move || query(&|each| load(&shared, &access, &organization, each));
    let done = Shared::blocking(work).await;
    done.map_err(|error| Status::internal(error.to_string()))?.map(|rows| rows.rows)
}

/// Gives the readings that the caller may see, the oldest first, a piece a transaction.
fn load(
    shared: &Shared,
    access: &Access,
    organization: &str,
    each: Each<'_>,
) -> Result<(), Status> {
    let filter = Filter { organizations: vec![organization.to_owned()], ..Filter::default() };
    let mut after = None;
    loop {
        let page = Page { after, ascending: true, limit: PIECE };
        let piece = shared.store.with(|db| {
            let call = Call { db, caller: Caller::load(db, access)?, now: shared.clock.micros() };
            call.organization(organization, Level::Name)?;
            Ok::<_, Refusal>(readings::page(db, &call.caller.reach(), &filter, &page)?)
        });
        let piece = piece.map_err(|Refusal(status)| status)?;
        let Some(last) = piece.last() else { return Ok(()) };
        after = Some(Cursor { time: last.requested, seq: last.seq });
        piece.into_iter().try_for_each(&mut *each)?;
    }
}

/// A value that a query cannot be about.
fn wrong(words: impl Into<String>) -> Status {
    Status::invalid_argument(words)
}

/// A number that a stage is told.
fn whole(value: &Bson) -> Option<i64> {
    match *value {
        Bson::Int32(number) => Some(number.into()),
        Bson::Int64(number) => Some(number),
        Bson::Double(number) if number.fract() == 0.0 => Some(number as i64),
        _ => None,
    }
}
