//! One call of a machine, by `viam` and by the Python SDK: whole processes.

use std::path::Path;

use crate::{Failure, peers, shell};

use super::super::measure;
use super::super::scratch::Scratch;
use super::super::table::{Goal, Table, milliseconds, ratio};
use super::{DIRECT, Live, WEBRTC, finished};

/// Connects, asks, goes.
const SCRIPT: &str = "\
import asyncio, os, sys
from viam.components.servo import Servo
from viam.robot.client import RobotClient
from viam.rpc.dial import DialOptions

async def main(transport, address):
    dial = DialOptions.with_api_key(api_key=os.environ['KEY'], api_key_id=os.environ['KEY_ID'])
    # In cleartext it cannot go directly: it names a host for a certificate that there is not.
    dial.disable_webrtc = transport == 'direct'
    dial.insecure = not dial.disable_webrtc
    options = RobotClient.Options(dial_options=dial, refresh_interval=0)
    machine = await RobotClient.at_address(address, options)
    await Servo.from_robot(machine, 'servo1').get_position()
    await machine.close()

asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 20))
";

/// The ways and what a call may take, in milliseconds.
const WAYS: [(&str, f64); 2] = [(DIRECT, 60.0), (WEBRTC, 150.0)];

/// `part run` by each way, with the SDK in the same rounds where there is one.
pub(crate) fn measure(scratch: &Scratch, target: &Path, runs: usize) -> Result<Table, Failure> {
    let live = Live::start(scratch)?;
    let call = ["-c", "servo1", "--method", "GetPosition"];
    let mut commands: Vec<_> = WAYS.iter().map(|(way, _)| live.part("run", way, &call)).collect();

    // An SDK that is not there, or that does not get through, is no reason to measure nothing.
    let mut sdk = WAYS.map(|_| Err(String::new()));
    let peers = peers::get(target)?;
    let script = scratch.path("client.py");
    shell::write(&script, SCRIPT)?;
    let (address, (id, key)) = (live.address()?, live.key()?);
    for ((way, _), place) in WAYS.iter().zip(&mut sdk) {
        let Some(python) = &peers.python else {
            *place = Err(peers.missing.join("; "));
            continue;
        };
        let mut command = scratch.command(python);
        command.arg(&script).args([way, &*address]).env("KEY_ID", &id).env("KEY", &key);
        *place = finished(&mut command).map(|_| commands.len());
        if place.is_ok() {
            commands.push(command);
        }
    }

    let times = match measure::rounds(&mut commands, runs) {
        Err(why) if commands.len() > WAYS.len() => {
            sdk = WAYS.map(|_| Err(why.clone()));
            measure::rounds(&mut commands[..WAYS.len()], runs)?
        }
        times => times?,
    };
    let mut table = Table::new("A call of a live machine, least / median");
    for (index, (way, limit)) in WAYS.iter().enumerate() {
        let against = match &sdk[index] {
            Ok(place) => format!("SDK {}", ratio(times[*place].median, times[index].median)),
            Err(_) => String::new(),
        };
        let goal = Goal::new(format!("≤ {limit} ms"), times[index].median <= *limit);
        let what = format!("`viam machines part run`, {way}");
        table.row(&what, milliseconds(times[index]), against, Some(goal));
    }
    for ((way, _), place) in WAYS.iter().zip(sdk) {
        let what = format!("PyPI viam-sdk, {way}");
        match place {
            Ok(place) => table.row(&what, milliseconds(times[place]), String::new(), None),
            Err(why) => table.row(&what, "not measured".to_owned(), shortened(&why), None),
        }
    }
    Ok(table)
}

/// The end of a reason, which says the most, as a cell.
fn shortened(why: &str) -> String {
    let line = why.lines().last().unwrap_or_default().replace('|', "/");
    let skipped = line.chars().count().saturating_sub(80);
    line.chars().skip(skipped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_fits_in_a_cell() {
        assert_eq!(shortened("failed:\nno | way"), "no / way");
        assert_eq!(shortened(&"é".repeat(100)).chars().count(), 80);
        assert_eq!(shortened(""), "");
    }
}
