//! The configuration of a part as a machine gets it: the JSON that people write, in the messages
//! of the wire (cloud-side.md §1.5).

use prost_types::{Duration, Struct};
use serde_json::{Map, Value};
use viam_proto::app::v1 as pb;
use viam_proto::app::v1::orientation::{
    AxisAngles, EulerAngles, NoOrientation, OrientationVectorDegrees, OrientationVectorRadians,
    Quaternion, Type,
};

use super::convert::to_struct;

type Object = Map<String, Value>;

/// What the machine is to run. The sections that say who it is are the caller's to add.
pub(super) fn compose(config: &Object) -> pb::RobotConfig {
    pb::RobotConfig {
        components: list(config, "components").map(component).collect(),
        services: list(config, "services").map(service).collect(),
        modules: list(config, "modules").map(module).collect(),
        packages: list(config, "packages").map(package).collect(),
        remotes: list(config, "remotes").map(remote).collect(),
        processes: list(config, "processes").map(process).collect(),
        jobs: list(config, "jobs").map(job).collect(),
        log: list(config, "log")
            .map(|log| pb::LogPatternConfig {
                pattern: text(log, "pattern"),
                level: text(log, "level"),
            })
            .collect(),
        network: object(config, "network").map(network),
        debug: config.get("debug").and_then(Value::as_bool),
        enable_web_profile: truth(config, "enable_web_profile"),
        disable_log_deduplication: truth(config, "disable_log_deduplication"),
        disable_partial_start: config.get("disable_partial_start").and_then(Value::as_bool),
        tracing: object(config, "tracing").map(|tracing| pb::TracingConfig {
            enabled: truth(tracing, "enabled"),
            disk: truth(tracing, "disk"),
            console: truth(tracing, "console"),
            otlp_endpoint: text(tracing, "otlp_endpoint"),
        }),
        ..pb::RobotConfig::default()
    }
}

/// The objects of a list; the cloud leaves out what is disabled.
fn list<'a>(config: &'a Object, key: &str) -> impl Iterator<Item = &'a Object> {
    let all = config.get(key).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_object).filter(|object| !truth(object, "disabled"))
}

fn object<'a>(config: &'a Object, key: &str) -> Option<&'a Object> {
    config.get(key)?.as_object()
}

fn text(config: &Object, key: &str) -> String {
    config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(config: &Object, key: &str) -> Vec<String> {
    let all = config.get(key).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn truth(config: &Object, key: &str) -> bool {
    config.get(key).and_then(Value::as_bool).unwrap_or_default()
}

fn number(config: &Object, key: &str) -> f64 {
    config.get(key).and_then(Value::as_f64).unwrap_or_default()
}

fn attributes(config: &Object, key: &str) -> Option<Struct> {
    object(config, key).cloned().map(to_struct)
}

/// A time as people write it, `5m`.
fn duration(config: &Object, key: &str) -> Option<Duration> {
    let found = viam_contract::cli::parse_duration(config.get(key)?.as_str()?).ok()?;
    Duration::try_from(found).ok()
}

fn environment(config: &Object) -> std::collections::HashMap<String, String> {
    let all = object(config, "env").into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

/// The full triple, of the older form in two keys as well: a machine drops what has none.
fn api(config: &Object, kind: &str) -> String {
    match text(config, "api") {
        api if !api.is_empty() => api,
        _ => {
            let namespace = text(config, "namespace");
            let namespace = if namespace.is_empty() { "rdk" } else { &namespace };
            format!("{namespace}:{kind}:{}", text(config, "type"))
        }
    }
}

fn level(config: &Object) -> Option<pb::LogConfiguration> {
    object(config, "log_configuration")
        .map(|log| pb::LogConfiguration { level: text(log, "level") })
}

fn of_services(config: &Object) -> Vec<pb::ResourceLevelServiceConfig> {
    list(config, "service_configs")
        .map(|service| pb::ResourceLevelServiceConfig {
            r#type: text(service, "type"),
            attributes: attributes(service, "attributes"),
        })
        .collect()
}

fn component(config: &Object) -> pb::ComponentConfig {
    pb::ComponentConfig {
        name: text(config, "name"),
        api: api(config, "component"),
        model: text(config, "model"),
        frame: object(config, "frame").map(frame),
        depends_on: texts(config, "depends_on"),
        service_configs: of_services(config),
        attributes: attributes(config, "attributes"),
        log_configuration: level(config),
        ..pb::ComponentConfig::default()
    }
}

fn service(config: &Object) -> pb::ServiceConfig {
    pb::ServiceConfig {
        name: text(config, "name"),
        api: api(config, "service"),
        model: text(config, "model"),
        attributes: attributes(config, "attributes"),
        depends_on: texts(config, "depends_on"),
        service_configs: of_services(config),
        log_configuration: level(config),
        ..pb::ServiceConfig::default()
    }
}

fn module(config: &Object) -> pb::ModuleConfig {
    pb::ModuleConfig {
        name: text(config, "name"),
        path: text(config, "executable_path"),
        log_level: text(config, "log_level"),
        r#type: text(config, "type"),
        module_id: text(config, "module_id"),
        env: environment(config),
        first_run_timeout: duration(config, "first_run_timeout"),
        tcp_mode: truth(config, "tcp_mode"),
        ..pb::ModuleConfig::default()
    }
}

fn package(config: &Object) -> pb::PackageConfig {
    pb::PackageConfig {
        name: text(config, "name"),
        package: text(config, "package"),
        version: text(config, "version"),
        r#type: text(config, "type"),
        ..pb::PackageConfig::default()
    }
}

fn remote(config: &Object) -> pb::RemoteConfig {
    pb::RemoteConfig {
        name: text(config, "name"),
        address: text(config, "address"),
        frame: object(config, "frame").map(frame),
        insecure: truth(config, "insecure"),
        connection_check_interval: duration(config, "connection_check_interval"),
        reconnect_interval: duration(config, "reconnect_interval"),
        service_configs: of_services(config),
        secret: text(config, "secret"),
        prefix: text(config, "prefix"),
        ..pb::RemoteConfig::default()
    }
}

fn process(config: &Object) -> pb::ProcessConfig {
    pb::ProcessConfig {
        id: text(config, "id"),
        name: text(config, "name"),
        args: texts(config, "args"),
        cwd: text(config, "cwd"),
        one_shot: truth(config, "one_shot"),
        log: truth(config, "log"),
        stop_timeout: duration(config, "stop_timeout"),
        env: environment(config),
        username: text(config, "username"),
        ..pb::ProcessConfig::default()
    }
}

fn job(config: &Object) -> pb::JobConfig {
    pb::JobConfig {
        name: text(config, "name"),
        schedule: text(config, "schedule"),
        resource: text(config, "resource"),
        method: text(config, "method"),
        command: attributes(config, "command"),
        log_configuration: level(config),
    }
}

fn network(config: &Object) -> pb::NetworkConfig {
    pb::NetworkConfig {
        fqdn: text(config, "fqdn"),
        bind_address: text(config, "bind_address"),
        tls_cert_file: text(config, "tls_cert_file"),
        tls_key_file: text(config, "tls_key_file"),
        no_tls: truth(config, "no_tls"),
        sessions: object(config, "sessions").map(|sessions| pb::SessionsConfig {
            heartbeat_window: duration(sessions, "heartbeat_window"),
        }),
        traffic_tunnel_endpoints: list(config, "traffic_tunnel_endpoints")
            .map(|endpoint| pb::TrafficTunnelEndpoint {
                port: endpoint
                    .get("port")
                    .and_then(Value::as_i64)
                    .and_then(|port| i32::try_from(port).ok())
                    .unwrap_or_default(),
                connection_timeout: duration(endpoint, "connection_timeout"),
            })
            .collect(),
    }
}

fn frame(config: &Object) -> pb::Frame {
    pb::Frame {
        parent: text(config, "parent"),
        translation: object(config, "translation").map(|at| pb::Translation {
            x: number(at, "x"),
            y: number(at, "y"),
            z: number(at, "z"),
        }),
        orientation: object(config, "orientation")
            .map(|orientation| pb::Orientation { r#type: Some(turn(orientation)) }),
        ..pb::Frame::default()
    }
}

fn turn(config: &Object) -> Type {
    let none = Object::new();
    let value = object(config, "value").unwrap_or(&none);
    let [x, y, z] = ["x", "y", "z"].map(|axis| number(value, axis));
    let theta = number(value, "th");
    match text(config, "type").as_str() {
        "ov_degrees" => Type::VectorDegrees(OrientationVectorDegrees { theta, x, y, z }),
        "ov_radians" => Type::VectorRadians(OrientationVectorRadians { theta, x, y, z }),
        "axis_angles" => Type::AxisAngles(AxisAngles { theta, x, y, z }),
        "quaternion" => Type::Quaternion(Quaternion { w: number(value, "w"), x, y, z }),
        "euler_angles" => {
            let [roll, pitch, yaw] = ["roll", "pitch", "yaw"].map(|angle| number(value, angle));
            Type::EulerAngles(EulerAngles { roll, pitch, yaw })
        }
        _ => Type::NoOrientation(NoOrientation {}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(config: Value) -> pb::RobotConfig {
        compose(config.as_object().expect("an object"))
    }

    #[test]
    fn both_forms_of_an_api_are_the_full_one() {
        let config = composed(serde_json::json!({
            "components": [
                { "name": "a", "type": "servo", "model": "fake", "depends_on": ["b"] },
                { "name": "b", "namespace": "acme", "type": "arm", "model": "acme:x:y" },
                { "name": "c", "api": "rdk:component:motor", "attributes": { "n": 1 } },
                { "name": "d", "api": "rdk:component:motor", "disabled": true },
            ],
            "services": [{ "name": "v", "type": "vision" }],
        }));
        let apis: Vec<_> = config.components.iter().map(|one| (&*one.name, &*one.api)).collect();
        let wanted = [
            ("a", "rdk:component:servo"),
            ("b", "acme:component:arm"),
            ("c", "rdk:component:motor"),
        ];
        assert_eq!(apis, wanted);
        assert_eq!(config.components[0].depends_on, ["b"]);
        assert!(config.components[2].attributes.as_ref().expect("there").fields.contains_key("n"));
        assert_eq!(config.services[0].api, "rdk:service:vision");
    }

    #[test]
    fn sections_are_taken_over_field_by_field() {
        let config = composed(serde_json::json!({
            "modules": [{
                "name": "m", "executable_path": "/m", "type": "local", "env": { "A": "b" },
                "first_run_timeout": "5m", "log_level": "debug",
            }],
            "packages": [{ "name": "p", "package": "o/p", "version": "1.0.0", "type": "module" }],
            "network": { "traffic_tunnel_endpoints": [{ "port": 8080, "connection_timeout": "3s" }] },
            "components": [{ "name": "c", "type": "arm", "frame": {
                "parent": "world", "translation": { "x": 1, "y": 2, "z": 3 },
                "orientation": { "type": "ov_degrees", "value": { "x": 0, "y": 0, "z": 1, "th": 90 } },
            } }],
            "debug": true,
        }));
        let module = &config.modules[0];
        assert_eq!((&*module.path, &*module.env["A"]), ("/m", "b"));
        assert_eq!(module.first_run_timeout.expect("there").seconds, 300);
        assert_eq!(config.packages[0].package, "o/p");
        let endpoint = &config.network.expect("there").traffic_tunnel_endpoints[0];
        assert_eq!((endpoint.port, endpoint.connection_timeout.expect("there").seconds), (8080, 3));
        let frame = config.components[0].frame.as_ref().expect("a frame");
        assert_eq!(frame.translation.expect("there").z, 3.0);
        let turn = frame.orientation.as_ref().and_then(|orientation| orientation.r#type);
        let wanted = OrientationVectorDegrees { theta: 90.0, x: 0.0, y: 0.0, z: 1.0 };
        assert_eq!(turn, Some(Type::VectorDegrees(wanted)));
        assert_eq!(config.debug, Some(true));
    }
}
