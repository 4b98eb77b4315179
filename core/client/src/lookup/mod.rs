//! Names and ids of organizations, locations, machines and parts (behaviour.md §0.5).
//!
//! An id is compared exactly first; then names, exactly. Several things of one name are an
//! error that lists them with their ids.

mod locations;
mod machines;
mod organizations;
mod parts;

use tonic::{Response, Status};
use viam_contract::{Error, Kind, Result, Wire, text};
use viam_proto::app::v1::app_service_client::AppServiceClient;
use viam_proto::app::v1::{Location, Organization, Robot, RobotPart};

use crate::rpc_error;
use crate::wire::RECEIVE_LIMIT;

pub use locations::{Place, Whereabouts, location_id, locations, place, places, whereabouts};
pub use machines::{Scope, machine, machine_id, machines};
pub use organizations::{organization, organization_id, organizations, organizations_within};
pub use parts::{part, parts};

/// The client of the app, with the receive limit of the existing program.
#[must_use]
pub fn app(wire: Wire) -> AppServiceClient<Wire> {
    AppServiceClient::new(wire).max_decoding_message_size(RECEIVE_LIMIT)
}

/// A thing with an id and a name.
pub trait Named {
    /// Its id, an opaque string.
    fn id(&self) -> &str;
    /// Its name.
    fn name(&self) -> &str;
}

macro_rules! named {
    ($($message:ty),*) => { $(impl Named for $message {
        fn id(&self) -> &str { &self.id }
        fn name(&self) -> &str { &self.name }
    })* };
}
named!(Organization, Location, Robot, RobotPart);

/// Finds one by id or name.
///
/// # Errors
/// `User`: `no <kind> found for "X"`, or the candidates where the name is not unique.
pub fn pick<'a, T: Named>(kind: &str, items: &'a [T], wanted: &str) -> Result<&'a T> {
    match find(kind, items, wanted)? {
        Some(item) => Ok(item),
        None => Err(unknown(kind, items, wanted)),
    }
}

/// Finds one by id or name; `None` where there is none.
///
/// # Errors
/// `User` where several have the name, with the candidates.
pub fn find<'a, T: Named>(kind: &str, items: &'a [T], wanted: &str) -> Result<Option<&'a T>> {
    if let Some(item) = items.iter().find(|item| item.id() == wanted) {
        return Ok(Some(item));
    }
    let named: Vec<&T> = items.iter().filter(|item| item.name() == wanted).collect();
    match named[..] {
        [] => Ok(None),
        [item] => Ok(Some(item)),
        _ => {
            let ids: Vec<&str> = named.iter().map(|item| item.id()).collect();
            Err(Error::new(
                Kind::User,
                format!("{} names {} {kind}s", text::quoted(wanted), ids.len()),
            )
            .hint_text(format!("use an id: {}", ids.join(", "))))
        }
    }
}

/// The error for what is not there, with the nearest name.
fn unknown<T: Named>(kind: &str, items: &[T], wanted: &str) -> Error {
    let error = Error::new(Kind::User, format!("no {kind} found for {}", text::quoted(wanted)));
    match text::nearest(wanted, items.iter().map(Named::name)).first() {
        Some(near) => error.hint_text(format!("did you mean {}?", text::quoted(near))),
        None => error,
    }
}

/// What an id leads to; `None` where there is nothing that the session may see.
fn if_there<T>(
    answer: std::result::Result<Response<T>, Status>,
    doing: impl FnOnce() -> String,
) -> Result<Option<T>> {
    match answer {
        Ok(answer) => Ok(Some(answer.into_inner())),
        Err(status) => {
            let error = rpc_error(status, doing());
            if error.kind() == Kind::User { Ok(None) } else { Err(error) }
        }
    }
}

/// Whether it is written as a UUID (RFC 9562 §4).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn org(id: &str, name: &str) -> Organization {
        Organization { id: id.into(), name: name.into(), ..Organization::default() }
    }

    #[test]
    fn ids_first_then_names_and_candidates_where_it_is_not_one() {
        let all = [org("1", "a"), org("2", "b"), org("3", "b"), org("a", "z")];
        assert_eq!(pick("organization", &all, "a").expect("by id").name, "z");
        assert_eq!(pick("organization", &all, "z").expect("by name").id, "a");
        let error = pick("organization", &all, "b").expect_err("two");
        assert_eq!(error.message(), "\"b\" names 2 organizations");
        assert!(format!("{:?}", error.hints()).contains("2, 3"));
        let error = pick("organization", &all, "a%d").expect_err("none");
        assert_eq!(error.message(), "no organization found for \"a%d\"");
    }

    #[test]
    fn uuids() {
        assert!(is_uuid("11111111-2222-3333-4444-555555555555"));
        for other in
            ["", "82c608a-1be9-46a5-968d-bad3a8a6daa", "11111111-2222-3333-4444-55555555555g"]
        {
            assert!(!is_uuid(other), "{other}");
        }
    }
}
