//! Organizations, locations, machines and parts: made, changed, removed.

use tonic::Code;
use viam_proto::app::v1 as pb;

use crate::common::{App, SMALL, demo, start_world, user};

async fn part_of(app: &mut App, robot: &str) -> pb::RobotPart {
    let request = pb::GetRobotPartsRequest { robot_id: robot.to_owned() };
    app.get_robot_parts(request).await.expect("parts").into_inner().parts.remove(0)
}

#[tokio::test]
async fn organizations() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let request = pb::CreateOrganizationRequest { name: "New".to_owned() };
    let new = app.create_organization(request).await.expect("created").into_inner();
    let new = new.organization.expect("organization");
    let available = |name: &str| pb::GetOrganizationNamespaceAvailabilityRequest {
        public_namespace: name.to_owned(),
        organization_id: new.id.clone(),
    };
    for (name, wanted) in [("ns-one", false), ("ns-new", true)] {
        let answer = app.get_organization_namespace_availability(available(name)).await;
        assert_eq!(answer.expect(name).into_inner().available, wanted);
    }
    let update = |namespace: &str| pb::UpdateOrganizationRequest {
        organization_id: new.id.clone(),
        name: Some("Newer".to_owned()),
        public_namespace: Some(namespace.to_owned()),
        ..Default::default()
    };
    for (namespace, code) in [
        ("ns-one", Code::AlreadyExists),
        ("Ns", Code::InvalidArgument),
        ("", Code::InvalidArgument),
    ] {
        let updated = app.update_organization(update(namespace)).await;
        if namespace.is_empty() {
            // The empty one is the one it has.
            assert_eq!(
                updated.expect("same").into_inner().organization.expect("org").name,
                "Newer"
            );
        } else {
            assert_eq!(updated.expect_err(namespace).code(), code);
        }
    }
    app.update_organization(update("ns-new")).await.expect("free");
    let status = app.update_organization(update("ns-newer")).await.expect_err("has one");
    assert_eq!(status.code(), Code::FailedPrecondition);

    let request = pb::ListOrganizationsByUserRequest { user_id: "nobody".to_owned() };
    let status = app.list_organizations_by_user(request).await.expect_err("nobody");
    assert_eq!(status.code(), Code::NotFound);
    let ann = running.login("ann@example.com").expect("ann").sub;
    let request = pb::ListOrganizationsByUserRequest { user_id: ann };
    let theirs = app.list_organizations_by_user(request).await.expect("ann's").into_inner().orgs;
    assert_eq!(theirs.iter().map(|org| org.org_id.as_str()).collect::<Vec<_>>(), ["one"]);

    let delete = |id: &str| pb::DeleteOrganizationRequest { organization_id: id.to_owned() };
    let status = app.delete_organization(delete("one")).await.expect_err("not empty");
    assert_eq!(status.code(), Code::FailedPrecondition);
    app.delete_organization(delete(&new.id)).await.expect("empty");
    let status = app.delete_organization(delete(&new.id)).await.expect_err("gone");
    assert_eq!(status.code(), Code::NotFound);
}

#[tokio::test]
async fn locations() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let create = |parent: Option<&str>| pb::CreateLocationRequest {
        organization_id: "one".to_owned(),
        name: "New".to_owned(),
        parent_location_id: parent.map(str::to_owned),
    };
    let new = app.create_location(create(Some("annex"))).await.expect("created").into_inner();
    let new = new.location.expect("location");
    assert_eq!(new.primary_org_identity.expect("primary").id, "one");
    let status = app.create_location(create(Some("field"))).await.expect_err("not theirs");
    assert_eq!(status.code(), Code::PermissionDenied);
    let update = |id: &str, parent: &str| pb::UpdateLocationRequest {
        location_id: id.to_owned(),
        parent_location_id: Some(parent.to_owned()),
        ..Default::default()
    };
    for (id, parent) in [("hall", &*new.id), ("hall", "hall")] {
        let status = app.update_location(update(id, parent)).await.expect_err("in itself");
        assert_eq!(status.code(), Code::InvalidArgument);
    }
    app.update_location(update(&new.id, "")).await.expect("moved out");

    let share = |org: &str| pb::ShareLocationRequest {
        location_id: "hall".to_owned(),
        organization_id: org.to_owned(),
    };
    app.share_location(share("two")).await.expect("shared");
    let again = app.share_location(share("two")).await.expect_err("twice");
    let nobody = app.share_location(share("nobody")).await.expect_err("nobody");
    assert_eq!((again.code(), nobody.code()), (Code::AlreadyExists, Code::NotFound));
    let unshare = |id: &str, org: &str| pb::UnshareLocationRequest {
        location_id: id.to_owned(),
        organization_id: org.to_owned(),
    };
    app.unshare_location(unshare("hall", "two")).await.expect("ended");
    let status = app.unshare_location(unshare("hall", "one")).await.expect_err("the primary one");
    assert_eq!(status.code(), Code::FailedPrecondition);
    // `one` owns the bench too, but not first: it may leave, and not throw the other out.
    let delete = |id: &str| pb::DeleteLocationRequest { location_id: id.to_owned() };
    let status = app.delete_location(delete("bench")).await.expect_err("not the primary one");
    assert_eq!(status.code(), Code::PermissionDenied);
    app.unshare_location(unshare("bench", "one")).await.expect("leaves");

    let status = app.delete_location(delete("hall")).await.expect_err("machines in it");
    assert_eq!(status.code(), Code::FailedPrecondition);
    app.delete_location(delete(&new.id)).await.expect("empty");
}

#[tokio::test]
async fn machines() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let create = |name: &str, location: &str| pb::NewRobotRequest {
        name: name.to_owned(),
        location: location.to_owned(),
    };
    let id = app.new_robot(create("new", "hall")).await.expect("created").into_inner().id;
    let part = part_of(&mut app, &id).await;
    assert!(part.main_part && part.name == "new-main" && !part.fqdn.is_empty(), "{part:?}");
    assert!(!part.secret.is_empty());
    for (name, location, code) in [
        ("new", "hall", Code::AlreadyExists),
        ("", "hall", Code::InvalidArgument),
        ("a\nb", "hall", Code::InvalidArgument),
        ("x", "nowhere", Code::NotFound),
        ("x", "field", Code::PermissionDenied),
    ] {
        let status = app.new_robot(create(name, location)).await.expect_err(name);
        assert_eq!(status.code(), code, "{name} {location}");
    }
    let update = pb::UpdateRobotRequest {
        id: id.clone(),
        name: "newer".to_owned(),
        location: "annex".to_owned(),
    };
    let robot = app.update_robot(update).await.expect("updated").into_inner().robot;
    let robot = robot.expect("robot");
    assert_eq!((robot.name.as_str(), robot.location.as_str()), ("newer", "annex"));

    let request = pb::ListRobotsForLocationsRequest {
        location_ids: vec!["annex".to_owned(), "hall".to_owned(), "annex".to_owned()],
    };
    let robots = app.list_robots_for_locations(request).await.expect("robots").into_inner().robots;
    let names: Vec<_> = robots.iter().map(|robot| robot.name.as_str()).collect();
    assert_eq!(names, ["m3", "newer", "m1", "m2"]);
    let request = pb::ListRobotsForOrgRequest { org_id: "one".to_owned() };
    let robots = app.list_robots_for_org(request).await.expect("robots").into_inner().robots;
    assert_eq!(robots.len(), 5);
    let request = pb::ListMachineSummariesRequest {
        organization_id: "one".to_owned(),
        limit: Some(3),
        ..Default::default()
    };
    let summaries = app.list_machine_summaries(request).await.expect("summaries").into_inner();
    let counts: Vec<_> = summaries
        .location_summaries
        .iter()
        .map(|location| (location.location_id.as_str(), location.machine_summaries.len()))
        .collect();
    assert_eq!(counts, [("hall", 2), ("annex", 1)]);
    app.delete_robot(pb::DeleteRobotRequest { id }).await.expect("deleted");
}

#[tokio::test]
async fn parts() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let create = |name: &str| pb::NewRobotPartRequest {
        robot_id: "m1".to_owned(),
        part_name: name.to_owned(),
    };
    let id = app.new_robot_part(create("arm")).await.expect("created").into_inner().part_id;
    let status = app.new_robot_part(create("arm")).await.expect_err("twice");
    assert_eq!(status.code(), Code::AlreadyExists);

    // The text of a configuration stays as it was given; a message becomes a text.
    let text = "{\"b\": 1, \"a\": [1.5, 2]}";
    let before = part_of(&mut app, "m1").await;
    let update = pb::UpdateRobotPartRequest {
        id: before.id.clone(),
        robot_config_json: Some(text.to_owned()),
        last_known_update: before.last_updated,
        ..Default::default()
    };
    app.update_robot_part(update.clone()).await.expect("updated");
    let after = part_of(&mut app, "m1").await;
    assert_eq!(after.robot_config_json.as_deref(), Some(text));
    assert_eq!(after.name, before.name);
    // It was changed since then.
    let status = app.update_robot_part(update).await.expect_err("lost update");
    assert_eq!(status.code(), Code::FailedPrecondition);
    let update = pb::UpdateRobotPartRequest {
        id: before.id.clone(),
        robot_config: after.robot_config,
        ..Default::default()
    };
    app.update_robot_part(update).await.expect("updated");
    let request = pb::GetRobotPartRequest { id: before.id.clone() };
    let answer = app.get_robot_part(request).await.expect("part").into_inner();
    assert_eq!(answer.config_json, "{\"a\":[1.5,2],\"b\":1}");
    for wrong in ["[]", "{", "1"] {
        let update = pb::UpdateRobotPartRequest {
            id: before.id.clone(),
            robot_config_json: Some(wrong.to_owned()),
            ..Default::default()
        };
        let status = app.update_robot_part(update).await.expect_err(wrong);
        assert_eq!(status.code(), Code::InvalidArgument);
    }

    let request = pb::GetRobotPartByNameAndLocationRequest {
        name: "arm".to_owned(),
        location_id: "hall".to_owned(),
    };
    let found = app.get_robot_part_by_name_and_location(request).await.expect("found");
    assert_eq!(found.into_inner().part.expect("part").id, id);
    let delete = |id: &str| pb::DeleteRobotPartRequest { part_id: id.to_owned() };
    let status = app.delete_robot_part(delete(&before.id)).await.expect_err("the main part");
    assert_eq!(status.code(), Code::FailedPrecondition);
    app.mark_part_as_main(pb::MarkPartAsMainRequest { part_id: id.clone() }).await.expect("main");
    assert_eq!(part_of(&mut app, "m1").await.id, id);
    app.delete_robot_part(delete(&before.id)).await.expect("no longer the main part");
    let mut ann = user(&running, "ann@example.com");
    assert_eq!(part_of(&mut ann, "m4").await.name, "m4-main");
}
