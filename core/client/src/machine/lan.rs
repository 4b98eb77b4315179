//! Machines on the local network, found by mDNS and DNS-SD (RFC 6762, RFC 6763; transport.md §5.3).

use std::net::SocketAddr;
use std::time::Duration;

use mdns_sd::{Receiver, ResolvedService, ServiceDaemon, ServiceEvent};
use tokio::time::{Instant, timeout_at};

/// What machines announce themselves as.
const SERVICE: &str = "_rpc._tcp.local.";

/// How long answers are waited for.
pub const LIMIT: Duration = Duration::from_millis(1500);

/// A search for a machine.
pub struct Search {
    fqdn: String,
    daemon: ServiceDaemon,
    events: Receiver<ServiceEvent>,
    end: Instant,
}

impl Search {
    /// Asks for the machine of an FQDN; `None` when there is no multicast here.
    #[must_use]
    pub fn begin(fqdn: &str) -> Option<Self> {
        let begun = ServiceDaemon::new().and_then(|daemon| {
            let events = daemon.browse(SERVICE)?;
            let end = Instant::now() + LIMIT;
            Ok(Self { fqdn: fqdn.to_owned(), daemon, events, end })
        });
        begun.inspect_err(|error| tracing::debug!(target: "viam", "no mDNS: {error}")).ok()
    }

    /// The IPv4 addresses of one that announces itself under the name and serves gRPC. It may be
    /// anyone: only its certificate shows who it is. `None` after [`LIMIT`].
    pub async fn next(&mut self) -> Option<Vec<SocketAddr>> {
        let found = timeout_at(self.end, async {
            while let Ok(event) = self.events.recv_async().await {
                if let ServiceEvent::ServiceResolved(service) = event
                    && let Some(addresses) = addresses(&service, &self.fqdn)
                {
                    return Some(addresses);
                }
            }
            None
        });
        let found = found.await.unwrap_or_default();
        tracing::debug!(target: "viam", "mDNS: {} is at {found:?}", self.fqdn);
        found
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        // It ends by itself; nobody has to wait for that.
        let _ = self.daemon.shutdown();
    }
}

/// The addresses of a service, if it is the machine that is looked for.
fn addresses(service: &ResolvedService, fqdn: &str) -> Option<Vec<SocketAddr>> {
    let instance = service.fullname.strip_suffix(SERVICE)?.strip_suffix('.')?;
    let instance = instance.replace("\\.", ".");
    // Some resolvers cannot read dots in an instance's name, so machines announce a second one.
    let same =
        [fqdn, &fqdn.replace('.', "-")].iter().any(|name| instance.eq_ignore_ascii_case(name));
    let grpc = service.txt_properties.iter().any(|property| property.key().contains("grpc"));
    let mut found: Vec<SocketAddr> = service
        .get_addresses_v4()
        .into_iter()
        .map(|ip| SocketAddr::from((ip, service.port)))
        .collect();
    found.sort();
    (same && grpc && !found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use mdns_sd::ServiceInfo;

    use super::*;

    fn announced(instance: &str, text: &[(&str, &str)]) -> ResolvedService {
        let host = "host.local.";
        ServiceInfo::new(SERVICE, instance, host, "192.0.2.7", 8080, text)
            .expect("a service")
            .as_resolved_service()
    }

    #[test]
    fn a_machine_is_known_by_either_name_and_by_what_it_serves() {
        let fqdn = "part.place.example.com";
        let at = Some(vec![SocketAddr::from(([192, 0, 2, 7], 8080))]);
        let grpc = &[("grpc", "")][..];
        assert_eq!(addresses(&announced(fqdn, grpc), fqdn), at);
        assert_eq!(addresses(&announced("Part-place-example-com", grpc), fqdn), at);
        assert_eq!(addresses(&announced("other.place.example.com", grpc), fqdn), None);
        assert_eq!(addresses(&announced(fqdn, &[("webrtc", "")]), fqdn), None);
    }
}
