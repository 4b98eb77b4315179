//! A model of components. No request has a field for it, so it is looked up in the configurations
//! of the parts (design.md §6).

use prost_types::Struct;
use prost_types::value::Kind as Value;
use viam_contract::{Context, Result, Wire, text};
use viam_proto::app::data::v1::Filter;

use super::names;

/// What a short name of a model stands for.
const BUILT_IN: &str = "rdk:builtin:";

/// A filter for each component of the model.
pub(super) async fn resolve(
    cx: &Context,
    wire: &Wire,
    filter: Filter,
    model: &str,
) -> Result<Vec<Filter>> {
    let (organizations, locations) = (&filter.organization_ids, &filter.location_ids);
    let parts = names::parts(wire, organizations, locations, &filter.robot_id).await?;
    let mut filters = Vec::new();
    for part in parts {
        if !filter.part_id.is_empty() && filter.part_id != part.id {
            continue;
        }
        for component in components(part.robot_config.as_ref(), model) {
            if filter.component_name.is_empty() || filter.component_name == component {
                let (part_id, component_name) = (part.id.clone(), component);
                filters.push(Filter { part_id, component_name, ..filter.clone() });
            }
        }
    }
    let shown = text::quoted(model);
    cx.output.status(&match filters.len() {
        0 => format!("no component has the model {shown} now"),
        1 => format!("one component has the model {shown} now"),
        many => format!("{many} components have the model {shown} now"),
    });
    Ok(filters)
}

/// The names of components and services of a model in a configuration.
fn components(config: Option<&Struct>, model: &str) -> Vec<String> {
    let mut found = Vec::new();
    for section in ["components", "services"] {
        let list = config.and_then(|config| config.fields.get(section)?.kind.as_ref());
        let Some(Value::ListValue(list)) = list else { continue };
        for entry in &list.values {
            let Some(Value::StructValue(entry)) = &entry.kind else { continue };
            let text = |key: &str| match entry.fields.get(key).and_then(|value| value.kind.as_ref())
            {
                Some(Value::StringValue(text)) => text.as_str(),
                _ => "",
            };
            let is = text("model");
            if is == model
                || is.strip_prefix(BUILT_IN) == Some(model)
                || model.strip_prefix(BUILT_IN) == Some(is)
            {
                found.push(text("name").to_owned());
            }
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[cfg(test)]
mod tests {
    use prost_types::{ListValue, Value as Any};

    use super::*;

    fn object(pairs: &[(&str, &str)]) -> Any {
        let fields = pairs.iter().map(|&(key, value)| {
            let kind = Some(Value::StringValue(value.to_owned()));
            (key.to_owned(), Any { kind })
        });
        Any { kind: Some(Value::StructValue(Struct { fields: fields.collect() })) }
    }

    #[test]
    fn short_and_long_names_of_a_model_are_the_same() {
        let values = vec![
            object(&[("name", "a"), ("model", "fake")]),
            object(&[("name", "b"), ("model", "rdk:builtin:fake")]),
            object(&[("name", "c"), ("model", "acme:arms:fake")]),
            object(&[("name", "d")]),
        ];
        let list = Any { kind: Some(Value::ListValue(ListValue { values })) };
        let config = Struct { fields: [("components".to_owned(), list)].into() };
        let of = |model| components(Some(&config), model);
        assert_eq!(of("fake"), ["a", "b"]);
        assert_eq!(of("rdk:builtin:fake"), ["a", "b"]);
        assert_eq!(of("acme:arms:fake"), ["c"]);
        assert!(of("webcam").is_empty() && components(None, "fake").is_empty());
    }
}
