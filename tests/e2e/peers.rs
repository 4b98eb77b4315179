//! Independent clients of the sandbox: the public Python SDK.

use viam_test::{TestEnv, TestSandbox};

use crate::support::organization_key;

const SCRIPT: &str = r#"
import asyncio, sys
from viam.app.viam_client import ViamClient
from viam.rpc.dial import DialOptions

async def main(url, key_id, key):
    options = DialOptions.with_api_key(api_key=key, api_key_id=key_id)
    options.insecure = True
    client = await ViamClient.create_from_dial_options(options, app_url=url)
    cloud = client.app_client
    orgs = await cloud.list_organizations()
    print("organizations", sorted(o.name for o in orgs))
    locations = await cloud.list_locations(orgs[0].id)
    print("locations", sorted(l.name for l in locations))
    warehouse = next(l for l in locations if l.name == "Warehouse")
    robots = await cloud.list_robots(warehouse.id)
    print("robots", sorted(r.name for r in robots))
    rover = next(r for r in robots if r.name == "rover-1")
    parts = await cloud.get_robot_parts(rover.id)
    print("parts", sorted((p.name, p.main_part) for p in parts))
    from viam.app.app_client import APIKeyAuthorization
    made = await cloud.create_key(orgs[0].id, [APIKeyAuthorization(role="owner", resource_type="organization", resource_id=orgs[0].id)], "made-by-the-sdk")
    print("key", made[0], made[1])
    client.close()

asyncio.run(main(*sys.argv[1:]))
"#;

#[test]
fn the_python_sdk_is_a_client_of_the_sandbox() {
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package viam-sdk") else {
        return;
    };
    let (env, sandbox) = (TestEnv::new(), TestSandbox::start("fleet"));
    sandbox.log_in(&env);
    let (id, key) = organization_key(&env, "Acme Robotics");
    let outcome = env.program(python).args(&["-c", SCRIPT, sandbox.url(), &id, &key]).run().ok();
    let out = outcome.out();
    assert!(out.contains("organizations ['Acme Robotics']"), "{outcome}");
    assert!(out.contains("'Warehouse'"), "{outcome}");
    assert!(out.contains("robots ['picker-1', 'rover-1', 'rover-2']"), "{outcome}");
    assert!(out.contains("('rover-1-main', True)"), "{outcome}");
    // The key that the SDK made logs in here.
    let line = out.lines().find_map(|line| line.strip_prefix("key ")).expect("key");
    let (a, b) = line.split_once(' ').expect("two");
    let (made_key, made_id) =
        if a.len() == 36 && a.matches('-').count() == 4 { (b, a) } else { (a, b) };
    let other = TestEnv::new();
    let words =
        ["--base-url", sandbox.url(), "login", "api-key", "--key-id", made_id, "--key", made_key];
    other.viam(&words).run().ok();
    other.viam(&["organizations", "list"]).run().ok().prints("Acme Robotics");
}

/// What a machine server says and asks, in its order (cloud-side.md §1.3).
const MACHINE: &str = r#"
import asyncio, json, sys
from urllib.parse import urlparse
from google.protobuf.timestamp_pb2 import Timestamp
from grpclib.client import Channel
from viam.gen.app.v1 import robot_grpc, robot_pb2
from viam.gen.common.v1 import common_pb2
from viam.gen.proto.rpc.v1 import auth_grpc, auth_pb2

async def main():
    cloud = json.load(sys.stdin)["cloud"]
    address = urlparse(cloud["app_address"])
    channel = Channel(address.hostname, address.port)
    credentials = auth_pb2.Credentials(type="robot-secret", payload=cloud["secret"])
    answer = await auth_grpc.AuthServiceStub(channel).Authenticate(
        auth_pb2.AuthenticateRequest(entity=cloud["id"], credentials=credentials))
    metadata = {"authorization": "Bearer " + answer.access_token}
    robot = robot_grpc.RobotServiceStub(channel)
    entry = common_pb2.LogEntry(host="h", level="info", time=Timestamp(seconds=1760000000),
                                logger_name="rdk", message="said by the stubs")
    await robot.Log(robot_pb2.LogRequest(id=cloud["id"], logs=[entry]), metadata=metadata)
    info = robot_pb2.AgentInfo(version="1.2.3", platform="linux/amd64")
    config = (await robot.Config(robot_pb2.ConfigRequest(id=cloud["id"], agent_info=info), metadata=metadata)).config
    assert config.cloud.fqdn.startswith("127.0.0.1:"), config
    assert config.cloud.signaling_insecure and config.cloud.signaling_address, config
    assert config.cloud.location_secrets and config.revision, config
    needs = await robot.NeedsRestart(robot_pb2.NeedsRestartRequest(id=cloud["id"]), metadata=metadata)
    print("restart", needs.must_restart, needs.restart_check_interval.seconds)
    channel.close()

asyncio.run(main())
"#;

#[test]
fn a_machine_server_of_the_python_stubs_comes_online() {
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package viam-sdk") else {
        return;
    };
    let env = TestEnv::new();
    let dir = env.root().join("cloud").display().to_string();
    env.viam(&["sandbox", "start", "--dir", &dir]).run().ok();
    let home = env.root().join("cloud/home");
    let viam = |words: &[&str]| env.viam(words).env("VIAM_HOME", &home).run();
    let config = viam(&["sandbox", "machine-config", "rover-2"]).ok();
    let played = viam(&["sandbox", "machine-config", "rover-1"]).code(1);
    let outcome = env.program(python).args(&["-c", MACHINE]).stdin(config.stdout.clone()).run();
    let logs = viam(&["machines", "part", "logs", "--part", "rover-2-main", "--keyword", "stubs"]);
    let words = ["machines", "part", "status", "--part", "rover-2-main", "--format", "json"];
    let status = viam(&words);
    viam(&["sandbox", "stop"]).ok();
    played.says("plays the machine");
    assert_eq!(outcome.ok().out(), "restart False 5\n");
    logs.ok().prints("said by the stubs");
    assert_eq!(status.ok().json()["online_state"], "online");
}
