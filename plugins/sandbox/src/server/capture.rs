//! Data of the machines that the sandbox plays: captured again and again, and sent the way
//! machines send it, so that an export finds something new.

use std::sync::Arc;

use tokio::time::sleep;
use viam_contract::{Kind, Result, ResultExt as _};

use super::rpc;
use super::state::Shared;
use crate::store::data;
use crate::store::parts;

/// So many are kept of a method of a component, beside what the world began with.
const KEPT: usize = 1000;

/// Captures as often as the options say.
pub(super) async fn run(shared: Arc<Shared>) {
    let interval = shared.capture;
    if interval.is_zero() {
        return;
    }
    loop {
        sleep(interval).await;
        for id in shared.live.ids() {
            // A part may be deleted in between; the next time is soon.
            let _ = capture(&shared, &id).await;
        }
    }
}

async fn capture(shared: &Arc<Shared>, id: &str) -> Result<()> {
    let part = shared.store.with(|db| parts::get(db, id)).or_kind(Kind::Config, failed)?;
    let Some(part) = part else { return Ok(()) };
    let Some(machine) = shared.live.machine(&part) else { return Ok(()) };
    for request in machine.captured(&part.id).await {
        rpc::upload(shared, &part, request).await.or_kind(Kind::Internal, failed)?;
    }
    let worker = shared.clone();
    let gone = Shared::blocking(move || {
        worker.store.with(|db| data::keep_last(db, &part.id, part.created, KEPT))
    });
    let gone = gone.await?.or_kind(Kind::Config, failed)?;
    gone.iter().for_each(|file| shared.contents.remove(file));
    Ok(())
}

fn failed() -> String {
    "cannot keep what a machine has captured".to_owned()
}
