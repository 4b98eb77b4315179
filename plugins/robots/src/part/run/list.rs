//! `--list`: what the machine has, and by which methods it is used.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Serialize;
use viam_contract::{Context, Format, text};
use viam_proto::common::v1::ResourceName;

use super::call::Failure;
use super::method::service_of;
use super::schema::Schema;
use crate::machine::Machine;

/// JSON result.
#[derive(Serialize)]
struct Listed<'a> {
    resource: String,
    name: &'a str,
    methods: &'a [String],
}

/// Prints the resources in the order that the machine gives them.
pub(super) async fn list(cx: &Context, machine: &Machine) -> Result<(), Failure> {
    let mut schema = Schema::new(&machine.wire);
    // Asked once for each service, however many resources it serves.
    let mut methods: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for service in machine.resources.iter().map(service_of) {
        if let Entry::Vacant(place) = methods.entry(service) {
            let found = schema.find(place.key()).await?;
            let names = found.iter().flat_map(|service| service.methods());
            place.insert(names.map(|method| method.full_name().to_owned()).collect());
        }
    }
    let of = |resource| methods.get(&service_of(resource)).map_or(&[][..], Vec::as_slice);
    if cx.output.format == Format::Json {
        let entry = |resource| Listed {
            resource: full_name(resource),
            name: &resource.name,
            methods: of(resource),
        };
        let entries: Vec<_> = machine.resources.iter().map(entry).collect();
        return Ok(cx.output.json(&entries)?);
    }
    for resource in &machine.resources {
        cx.output.line(text::one_line(&full_name(resource)))?;
        for method in of(resource) {
            cx.output.line(format!("\t{}", text::one_line(method)))?;
        }
    }
    Ok(())
}

/// `rdk:component:servo/myServo`.
fn full_name(resource: &ResourceName) -> String {
    let ResourceName { namespace, r#type, subtype, name } = resource;
    format!("{namespace}:{type}:{subtype}/{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_has_a_name_in_full() {
        let resource = ResourceName {
            namespace: "rdk".to_owned(),
            r#type: "component".to_owned(),
            subtype: "servo".to_owned(),
            name: "myServo".to_owned(),
        };
        assert_eq!(full_name(&resource), "rdk:component:servo/myServo");
    }
}
