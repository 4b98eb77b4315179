//! The gRPC services. Each call is one transaction; what it may do is decided in `access`.

mod access;
mod answer;
mod app;
mod auth;
mod config;
mod convert;
mod data;
mod datasets;
mod gate;
mod keys;
mod live;
mod locations;
mod login;
mod logs;
mod machines;
mod organizations;
mod parts;
mod record;
mod robots;
mod signaling;
mod sync;

use std::sync::Arc;

use rusqlite::Transaction;
use tonic::{Request, Response, Status};

pub(crate) use access::Caller;
pub(crate) use gate::{AtPart, Fault, Gate, identify};
pub(crate) use login::{Session, sign_in};
pub(crate) use sync::upload;

use super::jwt::Access;
use super::state::Shared;

/// Why a call is refused.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) Status);

/// What a call comes to.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self(status)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self(Status::internal(format!("the sandbox's data cannot be used: {error}")))
    }
}

impl From<viam_contract::Error> for Refusal {
    fn from(error: viam_contract::Error) -> Self {
        Self(Status::internal(error.to_string()))
    }
}

/// A call that is being answered.
pub(crate) struct Call<'a> {
    pub(crate) db: &'a Transaction<'a>,
    pub(crate) caller: Caller,
    /// Microseconds since 1970.
    pub(crate) now: i64,
}

/// What the token of a call says; the gate has checked it.
fn access<Q>(request: &Request<Q>) -> Result<Arc<Access>, Status> {
    let access = request.extensions().get::<Arc<Access>>().cloned();
    access.ok_or_else(|| Status::unauthenticated("authentication required"))
}

/// Answers a call.
async fn answer<Q: Send + 'static, R: Send + 'static>(
    shared: &Arc<Shared>,
    request: Request<Q>,
    work: fn(&Call<'_>, Q) -> Answer<R>,
) -> Result<Response<R>, Status> {
    let access = access(&request)?;
    ask(shared, &access, move |call| work(call, request.into_inner())).await.map(Response::new)
}

/// Does the work of a call, or of a step of one that goes on, as one transaction.
async fn ask<R: Send + 'static>(
    shared: &Arc<Shared>,
    access: &Arc<Access>,
    work: impl FnOnce(&Call<'_>) -> Answer<R> + Send + 'static,
) -> Result<R, Status> {
    let (shared, access) = (shared.clone(), access.clone());
    let done = Shared::blocking(move || {
        shared.store.with(|db| {
            let caller = Caller::load(db, &access)?;
            work(&Call { db, caller, now: shared.clock.micros() })
        })
    })
    .await;
    match done {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(Refusal(status))) => Err(status),
        Err(error) => Err(Status::internal(error.to_string())),
    }
}

/// Looks something up for whoever has shown who they are.
pub(crate) async fn look<R: Send + 'static>(
    shared: &Arc<Shared>,
    access: Access,
    work: impl FnOnce(&Call<'_>) -> Answer<R> + Send + 'static,
) -> Result<R, Status> {
    ask(shared, &Arc::new(access), work).await
}
