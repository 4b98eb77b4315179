//! What the machines of the worlds have said: always the same, counted back from the moment the
//! world is made.

use serde_json::{Map, Value, json};

use super::LogSpec;

/// The types of fields that machines send.
const OBJECT: i64 = 1;
const INTEGER: i64 = 11;
const STRING: i64 = 15;

/// The newest entry of a machine that is there, and how far apart the others are.
const NEWEST: u32 = 5;
const STEP: u32 = 90;

/// How many entries a rover has when it has started, and in all.
const STARTED: u32 = 16;
const ROVER: u32 = 250;

/// Almost six hours of a rover at work.
pub(super) fn rover() -> Vec<LogSpec> {
    let mut logs = starting("rover-1-main", NEWEST + (ROVER - STARTED) * STEP);
    let work = ROVER - STARTED;
    for number in 0..work {
        logs.push(LogSpec { ago_secs: NEWEST + (work - 1 - number) * STEP, ..working(number) });
    }
    logs
}

/// A machine starts, and has started so many seconds ago.
pub(super) fn starting(part: &str, ago_secs: u32) -> Vec<LogSpec> {
    let kinds = ["board", "camera", "generic", "motor", "sensor", "servo"];
    let mut logs = vec![
        with(
            LogSpec::new("info", "rdk", "machine server starts"),
            [text("version", "v0.80.0"), text("platform", "linux/arm64"), number("pid", 812)],
        ),
        LogSpec::new("debug", "rdk.config", "reading the configuration from the cloud"),
        with(
            LogSpec::new("info", "rdk.config", "configuration read"),
            [text("part", part), number("components", 6)],
        ),
        LogSpec::new("info", "rdk.networking", "connected to the signaling server"),
        LogSpec::new("debug", "rdk.resource_manager", "building the graph of resources"),
    ];
    for kind in kinds {
        logs.push(with(
            LogSpec::new("info", "rdk.resource_manager", "now configuring resource"),
            [text("resource", &format!("rdk:component:{kind}/{kind}1"))],
        ));
    }
    logs.extend([
        LogSpec::new("warn", "rdk.camera1", "no intrinsic parameters: undistortion is off"),
        with(
            LogSpec::new("info", "rdk.resource_manager", "all resources are configured"),
            [number("count", 6), number("duration_ms", 412)],
        ),
        LogSpec::new("info", "rdk.web", "serving at http://127.0.0.1:8080"),
        LogSpec::new("debug", "rdk.data_manager", "capture starts, sync every 6 s"),
        LogSpec::new("info", "rdk", "machine server is ready"),
    ]);
    let count = u32::try_from(logs.len()).unwrap_or_default();
    for (log, place) in logs.iter_mut().zip(1..) {
        log.ago_secs = ago_secs + (count - place) * 2;
    }
    logs
}

/// One thing after another that a machine says when it works.
fn working(turn: u32) -> LogSpec {
    let log = |level: &str, logger: &str, message: String| LogSpec::new(level, logger, message);
    let round = i64::from(turn / 13 + 1);
    match turn % 13 {
        0 => with(
            log("info", "rdk.data_manager", format!("sync round {round} done")),
            [number("files", 12 + round), number("bytes", 48_213 * round)],
        ),
        1 => log(
            "debug",
            "rdk.sensor1",
            format!("reading taken: {}.{} °C", 20 + round % 5, turn % 10),
        ),
        2 => with(
            log("info", "rdk.motor1", "position reached".to_owned()),
            [number("rpm", 60 + round), number("revolutions", 4)],
        ),
        3 => log("debug", "rdk.camera1", format!("picture {} captured", turn * 7)),
        4 => log("warn", "rdk.motor1", format!("current is high: {} mA", 1800 + 10 * round)),
        // Machines report what they were asked to do without words, in fields alone.
        5 => with(
            log("info", "rdk.activity", String::new()),
            [
                text("method", "/viam.component.motor.v1.MotorService/GoFor"),
                object("request", json!({ "name": "motor1", "rpm": 60, "revolutions": 4 })),
            ],
        ),
        6 => log("info", "rdk.web", "a client connected over WebRTC".to_owned()),
        7 => log("debug", "rdk.resource_manager", format!("checked 6 resources, round {round}")),
        8 => with(
            log("error", "rdk.camera1", "cannot read a frame".to_owned()),
            [text("error", "timeout after 2 s"), number("attempt", round)],
        ),
        9 => log("info", "rdk.camera1", "frames are read again".to_owned()),
        10 => log("debug", "rdk.networking", format!("round trip to the cloud: {} ms", 30 + round)),
        11 if turn == 128 => log(
            "error",
            "rdk.resource_manager",
            "cannot reconfigure resource generic1:\n\tattribute \"mode\" is missing\n\tthe old \
             configuration stays"
                .to_owned(),
        ),
        11 => log("warn", "rdk.data_manager", format!("the disk is {}% full", 70 + round)),
        _ => log("info", "rdk.servo1", format!("moved to {}°", (turn * 15) % 180)),
    }
}

/// The last words of a machine that went away so many seconds ago.
pub(super) fn leaving(ago_secs: u32) -> Vec<LogSpec> {
    let mut logs = vec![
        LogSpec::new("warn", "rdk.networking", "the cloud does not answer: trying again"),
        with(
            LogSpec::new("error", "rdk.networking", "the connection to the cloud is lost"),
            [text("error", "no route to host"), number("attempts", 5)],
        ),
        LogSpec::new("info", "rdk", "machine server ends: SIGTERM"),
    ];
    for (log, more) in logs.iter_mut().zip([20, 10, 0]) {
        log.ago_secs = ago_secs + more;
    }
    logs
}

fn with<const N: usize>(log: LogSpec, fields: [Map<String, Value>; N]) -> LogSpec {
    LogSpec { fields: fields.into(), ..log }
}

fn field(key: &str, kind: i64, number: i64, text: &str, object: Value) -> Map<String, Value> {
    [
        ("Key", key.into()),
        ("Type", kind.into()),
        ("Integer", number.into()),
        ("String", text.into()),
        ("Interface", object),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

fn text(key: &str, value: &str) -> Map<String, Value> {
    field(key, STRING, 0, value, Value::Null)
}

fn number(key: &str, value: i64) -> Map<String, Value> {
    field(key, INTEGER, value, "", Value::Null)
}

fn object(key: &str, value: Value) -> Map<String, Value> {
    field(key, OBJECT, 0, "", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rover_says_what_it_did_in_order() {
        let logs = rover();
        assert_eq!(logs.len(), ROVER as usize);
        assert!(logs.windows(2).all(|two| two[0].ago_secs > two[1].ago_secs));
        for level in ["debug", "info", "warn", "error"] {
            assert!(logs.iter().any(|log| log.level == level), "{level}");
        }
        assert!(logs.iter().any(|log| log.message.contains('\n')));
    }
}
