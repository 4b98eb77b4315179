//! What each kind of key sees and changes, and what it does not.

use tonic::{Code, Status};
use viam_proto::app::v1::{
    CreateLocationRequest, DeleteRobotRequest, GetLocationRequest, GetOrganizationRequest,
    GetOrganizationsWithAccessToLocationRequest, GetRobotPartsRequest, GetRobotRequest,
    ListKeysRequest, ListLocationsRequest, ListOrganizationsRequest, ListRobotsRequest,
    NewRobotRequest, UpdateOrganizationRequest,
};

use crate::common::{App, SMALL, create_key, demo, start_world, user, with_key};

/// What a login sees: organizations, `organization/location`s with their counts, machines.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    organizations: Vec<String>,
    locations: Vec<String>,
    machines: Vec<String>,
}

async fn seen(app: &mut App) -> Seen {
    let mut seen = Seen::default();
    let organizations = app.list_organizations(ListOrganizationsRequest {}).await.expect("list");
    for org in organizations.into_inner().organizations {
        let request = ListLocationsRequest { organization_id: org.id.clone() };
        let locations = app.list_locations(request).await.expect("list").into_inner().locations;
        for location in locations {
            let count = location.robot_count;
            seen.locations.push(format!("{}/{} {count}", org.id, location.id));
            let request = ListRobotsRequest { location_id: location.id };
            let robots = app.list_robots(request).await.expect("list").into_inner().robots;
            assert_eq!(robots.len(), usize::try_from(count).expect("count"));
            seen.machines.extend(robots.into_iter().map(|robot| robot.id));
        }
        seen.organizations.push(org.id);
    }
    seen
}

fn expected(organizations: &[&str], locations: &[&str], machines: &[&str]) -> Seen {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Seen {
        organizations: owned(organizations),
        locations: owned(locations),
        machines: owned(machines),
    }
}

#[tokio::test]
async fn everyone_sees_what_they_are_allowed() {
    let running = start_world(SMALL);
    let mut demo = demo(&running);
    let all_of_one = expected(
        &["one"],
        &["one/hall 2", "one/annex 1", "one/bench 1"],
        &["m1", "m2", "m3", "m5"],
    );
    assert_eq!(seen(&mut demo).await, all_of_one);
    let mut ann = user(&running, "ann@example.com");
    assert_eq!(seen(&mut ann).await.organizations, ["one", "two"]);

    let table = [
        ("organization_owner", "one", all_of_one),
        (
            "location_owner",
            "hall",
            expected(&["one"], &["one/hall 2", "one/annex 1"], &["m1", "m2", "m3"]),
        ),
        ("location_operator", "annex", expected(&["one"], &["one/hall 0", "one/annex 1"], &["m3"])),
        ("robot_owner", "m2", expected(&["one"], &["one/hall 1"], &["m2"])),
        // A location of two organizations shows both of them.
        (
            "location_owner",
            "bench",
            expected(&["one", "two"], &["one/bench 1", "two/bench 1"], &["m5", "m5"]),
        ),
    ];
    for (role, id, wanted) in table {
        let owner = if id == "bench" { "one" } else { "" };
        let key = create_key(&mut demo, role, id, owner).await.expect(id);
        assert_eq!(seen(&mut with_key(&running, &key).await).await, wanted, "{role} {id}");
    }
}

#[tokio::test]
async fn what_is_out_of_scope_is_denied_and_what_is_missing_is_not_found() {
    let running = start_world(SMALL);
    let mut owner = demo(&running);
    let key = create_key(&mut owner, "robot_owner", "m2", "").await.expect("key");
    let mut app = with_key(&running, &key).await;

    let robot = |id: &str| GetRobotRequest { id: id.to_owned() };
    app.get_robot(robot("m2")).await.expect("its own");
    let code = |status: Status| status.code();
    let denied = Code::PermissionDenied;
    for other in ["m1", "m3", "m4", "m5"] {
        assert_eq!(code(app.get_robot(robot(other)).await.expect_err(other)), denied);
        let parts = GetRobotPartsRequest { robot_id: other.to_owned() };
        assert_eq!(code(app.get_robot_parts(parts).await.expect_err(other)), denied);
    }
    assert_eq!(code(app.get_robot(robot("nothing")).await.expect_err("missing")), Code::NotFound);
    assert_eq!(code(app.get_robot(robot("")).await.expect_err("empty")), Code::InvalidArgument);
    let location = |id: &str| GetLocationRequest { location_id: id.to_owned() };
    assert_eq!(code(app.get_location(location("annex")).await.expect_err("annex")), denied);
    let organization = |id: &str| GetOrganizationRequest { organization_id: id.to_owned() };
    assert_eq!(code(app.get_organization(organization("two")).await.expect_err("two")), denied);
    let machine = NewRobotRequest { name: "x".to_owned(), location: "hall".to_owned() };
    assert_eq!(code(app.new_robot(machine).await.expect_err("hall")), denied);
    let keys = ListKeysRequest { org_id: "one".to_owned() };
    assert_eq!(code(app.list_keys(keys).await.expect_err("keys")), denied);

    // What it sees of the way up are names, no secrets.
    let hall = app.get_location(location("hall")).await.expect("hall").into_inner();
    assert!(hall.location.expect("location").auth.is_none());
    let hall = owner.get_location(location("hall")).await.expect("hall").into_inner();
    assert!(!hall.location.expect("location").auth.expect("secrets").secrets.is_empty());

    app.delete_robot(DeleteRobotRequest { id: "m2".to_owned() }).await.expect("its own");
    assert_eq!(code(app.get_robot(robot("m2")).await.expect_err("gone")), Code::NotFound);
}

#[tokio::test]
async fn an_operator_looks_and_changes_nothing() {
    let running = start_world(SMALL);
    let mut owner = demo(&running);
    let key = create_key(&mut owner, "organization_operator", "one", "").await.expect("key");
    let mut app = with_key(&running, &key).await;
    let parts = GetRobotPartsRequest { robot_id: "m1".to_owned() };
    let parts = app.get_robot_parts(parts).await.expect("looking").into_inner().parts;
    assert!(parts[0].secret.is_empty() && parts[0].secrets.is_empty());

    let rename = UpdateOrganizationRequest {
        organization_id: "one".to_owned(),
        name: Some("Other".to_owned()),
        ..Default::default()
    };
    let location = CreateLocationRequest {
        organization_id: "one".to_owned(),
        name: "New".to_owned(),
        ..Default::default()
    };
    let machine = DeleteRobotRequest { id: "m1".to_owned() };
    let codes = [
        app.update_organization(rename).await.expect_err("rename").code(),
        app.create_location(location).await.expect_err("create").code(),
        app.delete_robot(machine).await.expect_err("delete").code(),
        create_key(&mut app, "robot_owner", "m1", "").await.expect_err("key").code(),
    ];
    assert_eq!(codes, [Code::PermissionDenied; 4]);
}

#[tokio::test]
async fn the_owners_of_a_shared_location_are_named_the_primary_one_first() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let request = GetOrganizationsWithAccessToLocationRequest { location_id: "bench".to_owned() };
    let answer = app.get_organizations_with_access_to_location(request).await.expect("owners");
    let names: Vec<_> =
        answer.into_inner().organization_identities.into_iter().map(|org| org.name).collect();
    assert_eq!(names, ["Two", "One"]);
}
