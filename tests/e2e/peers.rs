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
