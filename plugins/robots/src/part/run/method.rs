//! Which method is meant: the forms that a name may have.

use prost_reflect::{MethodDescriptor, ServiceDescriptor};
use viam_contract::{Error, Kind, Result, text};
use viam_proto::common::v1::ResourceName;

/// A method by its names.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    pub(super) service: String,
    pub(super) method: String,
}

/// The one name of a flag and a positional argument.
pub(super) fn given(flag: Option<String>, word: Option<String>) -> Result<Option<String>> {
    let filled = |name: &String| !name.is_empty();
    match (flag.filter(filled), word.filter(filled)) {
        (Some(flag), Some(word)) if flag != word => Err(Error::new(
            Kind::Usage,
            format!("two methods are given: {} and {}", text::quoted(&flag), text::quoted(&word)),
        )
        .hint_text("give the method once, with --method or as a word")),
        (flag, word) => Ok(flag.or(word)),
    }
}

/// Reads `pkg.Service.Method`, `pkg.Service/Method` and `/pkg.Service/Method`.
pub(super) fn parse(name: &str) -> Result<Wanted> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    match bare.rsplit_once('/').or_else(|| bare.rsplit_once('.')) {
        Some((service, method)) if !service.is_empty() && !method.is_empty() => {
            Ok(Wanted { service: service.to_owned(), method: method.to_owned() })
        }
        _ => Err(Error::new(
            Kind::Usage,
            format!(
                "given method name {} is not in expected format: 'service/method' or \
                 'service.method'",
                text::quoted(name)
            ),
        )
        .hint_text("a name alone takes --component; --list prints the names in full")),
    }
}

/// Reads the method of a resource, whose service goes without saying.
pub(super) fn parse_for(resource: &ResourceName, name: &str) -> Result<Wanted> {
    if name.contains(['.', '/']) {
        return parse(name);
    }
    Ok(Wanted { service: service_of(resource), method: name.to_owned() })
}

/// The service that a resource is reached by.
pub(super) fn service_of(resource: &ResourceName) -> String {
    let (kind, subtype) = (&resource.r#type, &resource.subtype);
    let package = subtype.replace('_', "");
    let pascal = match subtype.as_str() {
        // Those whose names are abbreviations.
        "mlmodel" => "MLModel".to_owned(),
        "slam" => "SLAM".to_owned(),
        subtype => subtype.split('_').map(capitalised).collect(),
    };
    format!("viam.{kind}.{package}.v1.{pascal}Service")
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

/// Finds the resource of a name.
pub(super) fn resource<'a>(resources: &'a [ResourceName], name: &str) -> Result<&'a ResourceName> {
    resources.iter().find(|resource| resource.name == name).ok_or_else(|| {
        let error = Error::new(
            Kind::User,
            format!("component {} not found on machine", text::quoted(name)),
        );
        let names = resources.iter().map(|resource| resource.name.as_str());
        let near = text::nearest(name, names);
        let error =
            near.iter().fold(error, |error, near| error.hint_text(format!("did you mean {near}?")));
        error.hint_text("`part run --list` prints what the machine has")
    })
}

/// Finds the method in its service. What the documentation of 2023 names is the message.
pub(super) fn pick(service: &ServiceDescriptor, name: &str) -> Result<MethodDescriptor> {
    let find = |name: &str| service.methods().find(|method| method.name() == name);
    let found = find(name).or_else(|| find(name.strip_suffix("Request")?));
    found.ok_or_else(|| {
        let methods: Vec<_> = service.methods().collect();
        let error = Error::new(
            Kind::User,
            format!(
                "Service {} does not include a method named {}",
                text::quoted(service.full_name()),
                text::quoted(name)
            ),
        );
        let near = text::nearest(name, methods.iter().map(MethodDescriptor::name));
        if near.is_empty() {
            let names: Vec<_> = methods.iter().map(MethodDescriptor::name).collect();
            return error.hint_text(format!("it has {}", names.join(", ")));
        }
        near.iter().fold(error, |error, near| error.hint_text(format!("did you mean {near}?")))
    })
}

#[cfg(test)]
mod tests {
    use prost_reflect::DescriptorPool;

    use super::*;

    fn named(r#type: &str, subtype: &str, name: &str) -> ResourceName {
        ResourceName {
            namespace: "rdk".to_owned(),
            r#type: r#type.to_owned(),
            subtype: subtype.to_owned(),
            name: name.to_owned(),
        }
    }

    #[test]
    fn every_form_names_the_same_method() {
        for form in ["a.b.Service.Move", "a.b.Service/Move", "/a.b.Service/Move"] {
            let wanted = parse(form).expect(form);
            assert_eq!((&*wanted.service, &*wanted.method), ("a.b.Service", "Move"), "{form}");
        }
        for bad in ["", "Move", "/Move", "a.", ".a", "/"] {
            assert_eq!(parse(bad).expect_err(bad).kind(), Kind::Usage);
        }
    }

    #[test]
    fn a_short_name_belongs_to_the_service_of_the_resource() {
        let table = [
            (named("component", "servo", "s"), "viam.component.servo.v1.ServoService"),
            (
                named("component", "movement_sensor", "m"),
                "viam.component.movementsensor.v1.MovementSensorService",
            ),
            (named("service", "mlmodel", "m"), "viam.service.mlmodel.v1.MLModelService"),
        ];
        for (resource, service) in table {
            assert_eq!(parse_for(&resource, "Get").expect("short").service, service);
        }
        let full = parse_for(&named("component", "servo", "s"), "a.B.C").expect("full");
        assert_eq!(full.service, "a.B");
    }

    #[test]
    fn the_flag_and_the_word_may_not_differ() {
        let some = |name: &str| Some(name.to_owned());
        assert_eq!(given(some("a"), some("a")).expect("same"), some("a"));
        assert_eq!(given(some(""), some("b")).expect("one"), some("b"));
        assert_eq!(given(some("a"), some("b")).expect_err("differ").kind(), Kind::Usage);
        assert_eq!(given(None, None).expect("none"), None);
    }

    #[test]
    fn a_resource_is_found_by_name_or_near_ones_are_hinted() {
        let resources = [named("component", "servo", "myServo")];
        assert!(resource(&resources, "myServo").is_ok());
        let error = resource(&resources, "myServ").expect_err("unknown");
        assert_eq!(error.message(), "component \"myServ\" not found on machine");
        assert_eq!(error.hints().len(), 2);
    }

    #[test]
    fn a_method_is_picked_by_its_name_or_that_of_its_request() {
        let pool = DescriptorPool::decode(viam_proto::DESCRIPTORS).expect("built in");
        let servo =
            pool.get_service_by_name("viam.component.servo.v1.ServoService").expect("servo");
        assert_eq!(pick(&servo, "Move").expect("method").name(), "Move");
        assert_eq!(pick(&servo, "MoveRequest").expect("request").name(), "Move");
        let error = pick(&servo, "Moev").expect_err("unknown");
        assert_eq!(
            error.message(),
            "Service \"viam.component.servo.v1.ServoService\" does not include a method named \
             \"Moev\""
        );
        assert!(!error.hints().is_empty());
    }
}
