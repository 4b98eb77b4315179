//! A machine on the local network: announced by mDNS, reached with an API key over TLS.

use std::io::{BufRead as _, BufReader};
use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use viam_test::TestEnv;

use crate::support::{Running, Watch, logged_in, organization_key};

/// A machine that nothing but mDNS knows the port of. It wants the token that it gave for the
/// key, and says what it was asked by whom.
const MACHINE: &str = r#"
import asyncio, socket, ssl, sys
from grpclib import GRPCError, Status
from grpclib.events import RecvRequest, listen
from viam.components.servo import Servo
from viam.gen.proto.rpc.v1 import auth_grpc, auth_pb2
from viam.rpc.server import Server
from zeroconf import ServiceInfo
from zeroconf.asyncio import AsyncZeroconf

class MyServo(Servo):
    async def move(self, angle, *, extra=None, timeout=None, **kwargs): pass
    async def get_position(self, *, extra=None, timeout=None, **kwargs): return 11
    async def stop(self, *, extra=None, timeout=None, **kwargs): pass
    async def is_moving(self): return False

class Auth(auth_grpc.AuthServiceBase):
    async def Authenticate(self, stream):
        request = await stream.recv_message()
        print("authenticate", request.entity, request.credentials.type, request.credentials.payload, flush=True)
        await stream.send_message(auth_pb2.AuthenticateResponse(access_token="lan-token"))

async def checked(event):
    if not event.method_name.endswith("/Authenticate"):
        if event.metadata.get("authorization") != "Bearer lan-token":
            raise GRPCError(Status.UNAUTHENTICATED, "who are you")

async def main(name, certificate, key):
    server = Server([MyServo("s")])._server
    server._mapping.update(Auth().__mapping__())
    listen(server, RecvRequest, checked)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    tls.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(sock=listener, ssl=tls)
    mdns = AsyncZeroconf(interfaces=["127.0.0.1"])
    instance = name.replace(".", "-") + "._rpc._tcp.local."
    await (await mdns.async_register_service(ServiceInfo(
        "_rpc._tcp.local.", instance, port=listener.getsockname()[1],
        addresses=[socket.inet_aton("127.0.0.1")], server="lan-machine.local.",
        properties={"grpc": ""})))
    print("ready", flush=True)
    await server.wait_closed()

asyncio.run(main(*sys.argv[1:]))
"#;

/// An authority, and a certificate of it for a name.
fn certify(folder: &Path, name: &str) {
    let authority_key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).expect("signed");
    let issuer = Issuer::new(params, authority_key);
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    let certificate = params.signed_by(&key, &issuer).expect("signed");
    std::fs::write(folder.join("authority.pem"), authority.pem()).expect("written");
    std::fs::write(folder.join("machine.pem"), certificate.pem()).expect("written");
    std::fs::write(folder.join("machine.key"), key.serialize_pem()).expect("written");
}

#[test]
fn a_machine_on_the_local_network_is_reached_with_a_key_and_with_nothing_else() {
    let Some(python) = viam_test::peer("VIAM_TEST_PYTHON", "the PyPI package viam-sdk") else {
        return;
    };
    let (env, sandbox) = logged_in("fleet");
    let words = ["machines", "part", "status", "--part", "rover-2-main", "--format", "json"];
    let part = env.viam(&words).run().ok().json();
    let fqdn = sandbox.server.fqdn(part["id"].as_str().expect("an id")).expect("a name");
    let folder = env.root().join("work");
    certify(&folder, &fqdn);
    let path = |name: &str| folder.join(name).display().to_string();
    let words = ["-c", MACHINE, &fqdn, &path("machine.pem"), &path("machine.key")];
    let mut machine = Running(env.program(python).args(&words).spawn());
    let _watch = Watch::on(&machine.0);
    let mut said = BufReader::new(machine.0.stdout.take().expect("stdout")).lines();
    assert_eq!(said.next().expect("a line").expect("text"), "ready");

    let (id, secret) = organization_key(&env, "Acme Robotics");
    let run = |env: &TestEnv, trusted: bool| {
        let words = ["machines", "part", "run", "--part", "rover-2-main", "-c", "s", "--method"];
        let command = env.viam(&[&words[..], &["GetPosition"]].concat());
        let authority = path("authority.pem");
        if trusted { command.env("SSL_CERT_FILE", authority).run() } else { command.run() }
    };
    // A user's token is nothing that the machine could check, so it is not even looked for.
    run(&env, true).code(1).says("is offline, last seen");
    let with_key = TestEnv::new();
    let words =
        ["--base-url", sandbox.url(), "login", "api-key", "--key-id", &id, "--key", &secret];
    with_key.viam(&words).run().ok();
    // Somebody else answers to the name.
    run(&with_key, false).code(1).says("is offline, last seen");
    let answer = run(&with_key, true).ok();
    assert_eq!(answer.json()["positionDeg"], 11, "{answer}");
    drop(machine);
    let said: Vec<String> = said.map_while(Result::ok).collect();
    assert_eq!(said, [format!("authenticate {id} api-key {secret}")]);
}
