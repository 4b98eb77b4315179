//! API keys: made, listed, renamed, copied; a location of several organizations.

use tonic::Code;
use viam_proto::app::v1::{
    CreateKeyFromExistingKeyAuthorizationsRequest, CreateKeyRequest, CreateKeyResponse,
    DeleteKeyRequest, DeleteRobotRequest, GetRobotApiKeysRequest, ListKeysRequest,
    RenameKeyRequest, RotateKeyRequest,
};

use crate::common::{SMALL, authorization, create_key, demo, start_world, user, with_key};

#[tokio::test]
async fn a_location_of_several_organizations_needs_one_of_them() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    for (role, id) in [("location_owner", "bench"), ("robot_owner", "m5")] {
        let status = create_key(&mut app, role, id, "").await.expect_err(id);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains("multiple orgs"), "{status}");
        let status = create_key(&mut app, role, id, "nobody").await.expect_err(id);
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(!status.message().contains("multiple orgs"), "{status}");
        create_key(&mut app, role, id, "two").await.expect("an owner");
    }
    // One that does not own the location is refused even where there is no choice.
    let status = create_key(&mut app, "location_owner", "hall", "two").await.expect_err("hall");
    assert_eq!(status.code(), Code::InvalidArgument);
    create_key(&mut app, "location_owner", "hall", "one").await.expect("the owner");
}

#[tokio::test]
async fn impossible_keys_are_refused() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let good = authorization("robot_owner", "m1", "");
    let table = [
        (Code::InvalidArgument, vec![]),
        (Code::NotFound, vec![authorization("robot_owner", "nothing", "")]),
        (Code::PermissionDenied, vec![authorization("robot_owner", "m4", "")]),
        (
            Code::PermissionDenied,
            vec![good.clone(), authorization("organization_owner", "two", "")],
        ),
        (Code::InvalidArgument, vec![authorization("robot_king", "m1", "")]),
        (Code::InvalidArgument, vec![authorization("planet_owner", "m1", "")]),
        (Code::InvalidArgument, vec![authorization("organization_owner", "one", "two")]),
    ];
    for (code, authorizations) in table {
        let request = CreateKeyRequest { authorizations, name: "x".to_owned() };
        let status = app.create_key(request.clone()).await.expect_err("impossible");
        assert_eq!(status.code(), code, "{request:?}: {status}");
    }
    let mut mixed = good.clone();
    mixed.authorization_id = "location_owner".to_owned();
    let mut permission = good;
    permission.authorization_type = "permission".to_owned();
    for authorization in [mixed, permission] {
        let request =
            CreateKeyRequest { authorizations: vec![authorization], name: "x".to_owned() };
        let status = app.create_key(request).await.expect_err("impossible");
        assert_eq!(status.code(), Code::InvalidArgument);
    }
}

#[tokio::test]
async fn keys_are_listed_renamed_and_copied() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let key = create_key(&mut app, "robot_owner", "m1", "").await.expect("key");
    let rename = RenameKeyRequest { id: key.id.clone(), name: "new name".to_owned() };
    assert_eq!(app.rename_key(rename).await.expect("renamed").into_inner().name, "new name");

    let copy = CreateKeyFromExistingKeyAuthorizationsRequest { id: key.id.clone() };
    let copy = app.create_key_from_existing_key_authorizations(copy).await.expect("copied");
    let copy = copy.into_inner();
    let copy = CreateKeyResponse { id: copy.id, key: copy.key };
    with_key(&running, &copy).await;

    let of_robot = GetRobotApiKeysRequest { robot_id: "m1".to_owned() };
    let of_robot = app.get_robot_api_keys(of_robot).await.expect("keys").into_inner().api_keys;
    let of_one = ListKeysRequest { org_id: "one".to_owned() };
    let of_one = app.list_keys(of_one).await.expect("keys").into_inner().api_keys;
    assert_eq!(of_robot, of_one);
    let names: Vec<_> = of_one
        .iter()
        .map(|one| {
            let key = one.api_key.as_ref().expect("key");
            (key.id.as_str(), key.name.as_str(), one.authorizations[0].authorization_id.as_str())
        })
        .collect();
    assert_eq!(
        names,
        [
            (key.id.as_str(), "new name", "robot_owner"),
            (copy.id.as_str(), "new name", "robot_owner")
        ]
    );
    let of_two = ListKeysRequest { org_id: "two".to_owned() };
    let status = app.list_keys(of_two).await.expect_err("not a member");
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn a_key_whose_rights_are_all_gone_is_only_its_own() {
    let running = start_world(SMALL);
    let mut app = demo(&running);
    let key = create_key(&mut app, "robot_owner", "m1", "").await.expect("key");
    let mut holder = with_key(&running, &key).await;
    let gone = DeleteRobotRequest { id: "m1".to_owned() };
    app.delete_robot(gone).await.expect("deleted");

    let id = key.id;
    let mut other = user(&running, "ann@example.com");
    let rotate = RotateKeyRequest { id: id.clone() };
    let rename = RenameKeyRequest { id: id.clone(), name: "mine".to_owned() };
    let copy = CreateKeyFromExistingKeyAuthorizationsRequest { id: id.clone() };
    let delete = DeleteKeyRequest { id };
    let codes = [
        other.rotate_key(rotate).await.expect_err("rotated").code(),
        other.rename_key(rename).await.expect_err("renamed").code(),
        other.create_key_from_existing_key_authorizations(copy).await.expect_err("copied").code(),
        other.delete_key(delete.clone()).await.expect_err("deleted").code(),
    ];
    assert_eq!(codes, [Code::PermissionDenied; 4]);
    holder.delete_key(delete).await.expect("its own");
}
