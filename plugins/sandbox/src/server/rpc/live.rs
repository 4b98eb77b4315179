//! Calls of a machine that the sandbox plays: who may make them.

use std::sync::Arc;

use tonic::Status;

use super::access::Level;
use super::ask;
use crate::machine::Machine;
use crate::server::jwt::Access;
use crate::server::state::Shared;

/// The machine of a part, configured as the part is now.
pub(super) async fn machine(
    shared: &Arc<Shared>,
    access: &Arc<Access>,
    part: Arc<str>,
) -> Result<Machine, Status> {
    let id = part.clone();
    let (part, _) = ask(shared, access, move |call| call.part(&id, Level::Read)).await?;
    shared.live.machine(&part).ok_or_else(|| {
        Status::unavailable(format!("nothing plays the machine of part {}", part.id))
    })
}
