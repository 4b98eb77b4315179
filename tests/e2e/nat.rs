//! A machine behind NAT, and a client behind another one. Only `cargo xtask test --full` runs
//! these, as root.

mod network;

use std::time::{Duration, Instant};

use network::{Nat, Network};
use viam_test::Outcome;

const STUN: &str = "stun:203.0.113.1:3478";
const RELAY: &str = "turn:ann:secret@203.0.113.1:3478";

/// Calls the machine.
fn run(network: &Network) -> Outcome {
    let words = ["machines", "part", "run", "--part", "rover-1-main", "--transport", "webrtc"];
    let method = ["-c", "servo1", "--method", "GetPosition"];
    network.client(&[&words[..], &method].concat())
}

fn is_refused(network: &Network) -> Outcome {
    let begun = Instant::now();
    let outcome = run(network).code(1).says("there is no way to the machine");
    assert!(begun.elapsed() < Duration::from_secs(30), "it took {:?}", begun.elapsed());
    outcome
}

#[test]
fn ordinary_nats_are_crossed_with_stun() {
    let Some(network) = Network::new(Nat::Ordinary, &[STUN]) else { return };
    let outcome = run(&network).ok().prints("positionDeg").says("webrtc: from host 10.0.1.2");
    assert!(!outcome.err().contains("relay"), "{outcome}");
}

#[test]
fn ordinary_nats_are_not_crossed_without_it() {
    let Some(network) = Network::new(Nat::Ordinary, &[]) else { return };
    is_refused(&network);
}

#[test]
fn symmetric_nats_are_crossed_by_a_relay() {
    let Some(network) = Network::new(Nat::Symmetric, &[STUN, RELAY]) else { return };
    run(&network).ok().prints("positionDeg").says("relay 203.0.113.1");
    assert!(network.helper_says("ALLOCATE processed, success"));
    // More than fits into what is under way at once, and back.
    let content: Vec<u8> = (0..5_000_000_u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(network.work().join("there"), &content).expect("written");
    let cp = |from: &str, to: &str| {
        let words = ["machines", "part", "cp", "--part", "rover-1-main", "--transport", "webrtc"];
        network.client(&[&words[..], &[from, to]].concat()).ok().says("relay 203.0.113.1");
    };
    cp("there", "machine:~");
    cp("machine:~/there", "back");
    assert!(std::fs::read(network.work().join("back")).expect("there") == content, "whole");
}

#[test]
fn symmetric_nats_are_not_crossed_with_stun_alone() {
    let Some(network) = Network::new(Nat::Symmetric, &[STUN]) else { return };
    is_refused(&network);
}

#[test]
fn a_network_without_udp_says_so_in_time() {
    let tcp = format!("{RELAY}?transport=tcp");
    let Some(network) = Network::new(Nat::WithoutUdp, &[STUN, RELAY, &tcp]) else { return };
    is_refused(&network)
        .says("nothing comes back by UDP from stun:203.0.113.1:3478, turn:203.0.113.1:3478;")
        .says("turn:203.0.113.1:3478?transport=tcp (only servers by plain UDP are supported)")
        .says("relays by TCP are not supported");
}
