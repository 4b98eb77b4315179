//! The worlds that come with the program, as a client sees them.

use viam_proto::app::v1::{
    ListLocationsRequest, ListOrganizationsRequest, ListRobotsForOrgRequest, ListRobotsRequest,
};
use viam_sandbox::seed::Seed;
use viam_sandbox::server::Running;

use crate::common::{App, demo, start};

/// `organization/location: machines` in the order of the server, ids included.
async fn listed(running: &Running) -> Vec<String> {
    let mut app = demo(running);
    let mut lines = Vec::new();
    let organizations = app.list_organizations(ListOrganizationsRequest {}).await.expect("list");
    for org in organizations.into_inner().organizations {
        lines.push(format!("{} {} {}", org.id, org.name, org.public_namespace));
        let request = ListLocationsRequest { organization_id: org.id };
        let locations = app.list_locations(request).await.expect("list").into_inner().locations;
        for location in locations {
            let request = ListRobotsRequest { location_id: location.id.clone() };
            let robots = app.list_robots(request).await.expect("list").into_inner().robots;
            let robots: Vec<_> =
                robots.into_iter().map(|robot| format!("{} {}", robot.id, robot.name)).collect();
            lines.push(format!("{} {}: {}", location.id, location.name, robots.join(", ")));
        }
    }
    lines
}

#[tokio::test]
async fn the_fleet_is_the_same_every_time() {
    let (one, other) = (start(Seed::Fleet), start(Seed::Fleet));
    let lines = listed(&one).await;
    assert_eq!(lines, listed(&other).await);
    assert!(lines[0].ends_with(" Acme Robotics acme"), "{lines:?}");
    // The machine that is meant where nobody says another.
    let (_, machines) = lines[1].split_once(" Warehouse: ").expect("the first location");
    assert!(machines.split(',').next().expect("one").ends_with(" rover-1"), "{machines}");
    assert_eq!(lines.iter().filter(|line| line.contains("Shared Bench")).count(), 2);
}

async fn organization(app: &mut App) -> String {
    let answer = app.list_organizations(ListOrganizationsRequest {}).await.expect("list");
    answer.into_inner().organizations.remove(0).id
}

#[tokio::test]
async fn scale_has_as_many_machines_as_it_says() {
    let running = start(Seed::Scale(2000));
    let mut app = demo(&running);
    let org_id = organization(&mut app).await;
    let request = ListLocationsRequest { organization_id: org_id.clone() };
    let locations = app.list_locations(request).await.expect("list").into_inner().locations;
    assert_eq!(locations.len(), 200);
    assert!(locations.iter().all(|location| location.robot_count == 10));
    let request = ListRobotsForOrgRequest { org_id };
    let robots = app.list_robots_for_org(request).await.expect("list").into_inner().robots;
    assert_eq!(robots.len(), 2000);
}

#[tokio::test]
async fn the_empty_world_has_one_organization_and_nothing_in_it() {
    let running = start(Seed::Empty);
    let lines = listed(&running).await;
    assert!(lines.len() == 1 && lines[0].ends_with(" Empty "), "{lines:?}");
}

#[tokio::test]
async fn a_fault_of_a_world_leaves_the_old_one() {
    let running = start(Seed::Fleet);
    let before = listed(&running).await;
    let text = r#"{"organizations": [{"name": "A"}, {"name": "A"}]}"#;
    let world = viam_sandbox::seed::World::parse(text).expect("JSON");
    running.reset(Some(Seed::World(Box::new(world)))).expect_err("the same id twice");
    assert_eq!(listed(&running).await, before);
}
