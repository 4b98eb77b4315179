//! The worlds that come with the program.

use serde_json::json;

use super::logs;
use super::{
    Amount, DatasetSpec, LocationSpec, MachineSpec, OrganizationSpec, PartSpec, SeriesSpec, What,
    World,
};

/// Seconds.
const HOUR: u32 = 3600;

/// The dataset of the fleet.
const DATASET: &str = "rover-pictures";

/// Three organizations, five locations (one shared by two organizations), eleven machines. The
/// first machine of all is the one that is meant where nobody says another.
pub(super) fn fleet() -> World {
    let rover = MachineSpec {
        parts: vec![
            PartSpec {
                logs: logs::rover(),
                captured: vec![
                    SeriesSpec { dataset: Some(DATASET.to_owned()), ..pictures(12) },
                    readings(48),
                ],
                ..live("rover-1-main", rover_config())
            },
            PartSpec { logs: logs::starting("rover-1-arm", 3600), ..seen("rover-1-arm", 5) },
        ],
        ..machine("rover-1")
    };
    let picker = MachineSpec {
        parts: vec![left("picker-1-main", 26 * HOUR), part("picker-1-camera")],
        ..machine("picker-1")
    };
    let warehouse = vec![rover, alone("rover-2", left("rover-2-main", 2 * HOUR)), picker];
    let dock = vec![
        alone(
            "dock-cam-1",
            PartSpec { captured: vec![pictures(24)], ..live("dock-cam-1-main", only("camera")) },
        ),
        alone("dock-cam-2", left("dock-cam-2-main", 30 * 24 * HOUR)),
    ];
    let orchard = vec![
        alone("sprayer-1", left("sprayer-1-main", HOUR)),
        machine("sprayer-2"),
        alone(
            "weather-station",
            PartSpec {
                captured: vec![readings(96)],
                ..live("weather-station-main", only("sensor"))
            },
        ),
    ];
    let student = alone("student-bot-1", left("student-bot-1-main", HOUR / 6));
    World {
        users: Vec::new(),
        organizations: vec![
            OrganizationSpec {
                namespace: "acme".to_owned(),
                datasets: vec![DatasetSpec { id: None, name: DATASET.to_owned() }],
                locations: vec![
                    location("Warehouse", warehouse),
                    LocationSpec {
                        parent: Some("Warehouse".to_owned()),
                        ..location("Loading Dock", dock)
                    },
                ],
                ..organization("Acme Robotics")
            },
            OrganizationSpec {
                locations: vec![
                    location("Orchard", orchard),
                    LocationSpec {
                        shared_with: vec!["Acme Robotics".to_owned()],
                        ..location("Shared Bench", vec![machine("bench-arm")])
                    },
                ],
                ..organization("Field Lab")
            },
            OrganizationSpec {
                locations: vec![location("Classroom", vec![student, machine("student-bot-2")])],
                ..organization("Old Mill School")
            },
        ],
    }
}

/// The names and ids that the documented examples use. Ids are any text here.
pub(super) fn docs() -> World {
    let main = |name: &str| {
        let logs = logs::starting(name, HOUR);
        vec![PartSpec { logs, ..live(name, docs_config()) }]
    };
    let mut my_robot = MachineSpec {
        id: Some("82c608a-1be9-46a5-968d-bad3a8a6daa".to_owned()),
        parts: main("myrobot-main"),
        ..machine("myrobot")
    };
    my_robot.parts[0]
        .captured
        .push(SeriesSpec { dataset: Some("abc".to_owned()), ..series("cam", "camera", 6) });
    let my_rover = MachineSpec {
        id: Some("82c608a-1be9-46a5".to_owned()),
        parts: main("myrover-main"),
        ..machine("myrover")
    };
    let sensor = PartSpec { captured: vec![readings(24)], ..part("sensor-1-main") };
    let sensor = alone("sensor-1", sensor);
    let named = |id: &str| OrganizationSpec { id: Some(id.to_owned()), ..organization(id) };
    let place =
        |id: &str, machines| LocationSpec { id: Some(id.to_owned()), ..location(id, machines) };
    World {
        users: Vec::new(),
        organizations: vec![
            OrganizationSpec {
                datasets: vec![DatasetSpec {
                    id: Some("abc".to_owned()),
                    name: "MyDataset".to_owned(),
                }],
                locations: vec![place("myLoc", vec![my_robot, my_rover])],
                ..organization("Robot's Org")
            },
            OrganizationSpec { locations: vec![place("123", vec![sensor])], ..named("abc") },
            OrganizationSpec { namespace: "my-namespace".to_owned(), ..named("my-org") },
        ],
    }
}

/// Somewhere to begin.
pub(super) fn empty() -> World {
    World { users: Vec::new(), organizations: vec![organization("Empty")] }
}

/// A machine that has captured so much.
pub(super) fn data(amount: Amount) -> World {
    let mut captured = Vec::new();
    if amount.files > 0 {
        captured.push(SeriesSpec {
            what: What::Files(amount.bytes),
            every_secs: 1,
            ..series("camera1", "camera", amount.files)
        });
    }
    if amount.rows > 0 {
        captured.push(SeriesSpec { every_secs: 1, ..readings(amount.rows) });
    }
    let part = PartSpec { captured, ..part("store-main") };
    let location = location("Store", vec![alone("store", part)]);
    let organization = OrganizationSpec { locations: vec![location], ..organization("Data") };
    World { users: Vec::new(), organizations: vec![organization] }
}

/// So many machines, ten in each location, in one organization.
pub(super) fn scale(count: u32) -> World {
    let places = (count / 10).max(1);
    let mut locations: Vec<LocationSpec> =
        (1..=places).map(|number| location(&format!("location-{number:05}"), Vec::new())).collect();
    for number in 0..count {
        let place = (number / 10).min(places - 1) as usize;
        locations[place].machines.push(machine(&format!("machine-{:06}", number + 1)));
    }
    let organization = OrganizationSpec { locations, ..organization("Scale") };
    World { users: Vec::new(), organizations: vec![organization] }
}

fn organization(name: &str) -> OrganizationSpec {
    OrganizationSpec { name: name.to_owned(), ..OrganizationSpec::default() }
}

fn location(name: &str, machines: Vec<MachineSpec>) -> LocationSpec {
    LocationSpec { name: name.to_owned(), machines, ..LocationSpec::default() }
}

fn machine(name: &str) -> MachineSpec {
    MachineSpec { name: name.to_owned(), ..MachineSpec::default() }
}

fn part(name: &str) -> PartSpec {
    PartSpec { name: name.to_owned(), ..PartSpec::default() }
}

/// A part that was heard of so many seconds ago.
fn seen(name: &str, ago_secs: u32) -> PartSpec {
    PartSpec { last_access_ago_secs: Some(ago_secs), ..part(name) }
}

/// A part that the sandbox plays.
fn live(name: &str, config: Config) -> PartSpec {
    PartSpec { config, live: true, ..seen(name, 5) }
}

/// A part that went away so many seconds ago.
fn left(name: &str, ago_secs: u32) -> PartSpec {
    PartSpec { logs: logs::leaving(ago_secs), ..seen(name, ago_secs) }
}

fn series(component: &str, kind: &str, count: u32) -> SeriesSpec {
    SeriesSpec {
        component: component.to_owned(),
        kind: format!("rdk:component:{kind}"),
        what: What::default(),
        count,
        every_secs: 60,
        ago_secs: 60,
        tags: Vec::new(),
        dataset: None,
    }
}

/// Pictures of a camera, some of them tagged.
fn pictures(count: u32) -> SeriesSpec {
    SeriesSpec { tags: vec!["keep".to_owned()], ..series("camera1", "camera", count) }
}

/// Readings of a sensor.
fn readings(count: u32) -> SeriesSpec {
    SeriesSpec { what: What::Readings, ..series("sensor1", "sensor", count) }
}

/// A machine of one part.
fn alone(name: &str, part: PartSpec) -> MachineSpec {
    MachineSpec { parts: vec![part], ..machine(name) }
}

type Config = serde_json::Map<String, serde_json::Value>;

fn component(name: &str, kind: &str) -> serde_json::Value {
    json!({
        "name": name,
        "api": format!("rdk:component:{kind}"),
        "model": "rdk:builtin:fake",
        "attributes": {},
    })
}

fn rover_config() -> Config {
    let kinds = ["board", "camera", "generic", "motor", "sensor", "servo"];
    let components: Vec<_> =
        kinds.iter().map(|kind| component(&format!("{kind}1"), kind)).collect();
    let services = json!([
        {
            "name": "vision1",
            "api": "rdk:service:vision",
            "model": "rdk:builtin:fake",
            "attributes": { "camera_name": "camera1" },
        },
        { "name": "generic2", "api": "rdk:service:generic", "model": "rdk:builtin:fake" },
        shell(),
    ]);
    Config::from_iter([
        ("components".to_owned(), components.into()),
        ("services".to_owned(), services),
    ])
}

/// What `part shell` needs.
fn shell() -> serde_json::Value {
    json!({ "name": "shell1", "api": "rdk:service:shell", "model": "rdk:builtin:shell" })
}

/// One component.
fn only(kind: &str) -> Config {
    let components = vec![component(&format!("{kind}1"), kind)];
    Config::from_iter([("components".to_owned(), components.into())])
}

fn docs_config() -> Config {
    let components = vec![component("myServo", "servo"), component("cam", "camera")];
    let services = json!([{
        "name": "vision",
        "api": "rdk:service:vision",
        "model": "rdk:builtin:fake",
        "attributes": { "camera_name": "cam", "classifier": "stuff_detector" },
    }, shell()]);
    Config::from_iter([
        ("components".to_owned(), components.into()),
        ("services".to_owned(), services),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machines(world: &World) -> Vec<usize> {
        let locations = world.organizations.iter().flat_map(|org| &org.locations);
        locations.map(|location| location.machines.len()).collect()
    }

    #[test]
    fn scale_spreads_its_machines() {
        assert_eq!(machines(&scale(1)), [1]);
        assert_eq!(machines(&scale(25)), [10, 15]);
        let large = machines(&scale(2000));
        assert_eq!((large.len(), large.iter().sum::<usize>()), (200, 2000));
    }
}
