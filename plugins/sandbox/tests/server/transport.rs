//! One port for everything: gRPC, gRPC-web, pages; cleartext and TLS; what is not served.

use std::sync::Arc;

use http::Request;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;
use viam_client::http_client::Answer;
use viam_proto::app::v1::{
    ListOrganizationsRequest, ListOrganizationsResponse, SearchOrganizationsRequest,
};
use viam_sandbox::seed::Seed;
use viam_sandbox::server::Running;

use crate::common::{demo, get, send, start};

const LIST: &str = "/viam.app.v1.AppService/ListOrganizations";

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn what_is_not_served_is_named() {
    let running = start(Seed::Fleet);
    let mut app = demo(&running);
    let status = app.search_organizations(SearchOrganizationsRequest::default()).await;
    let status = status.expect_err("not served");
    assert_eq!(status.code(), Code::Unimplemented);
    let method = "/viam.app.v1.AppService/SearchOrganizations";
    assert_eq!(status.message(), format!("the sandbox does not serve {method}"));
    for path in ["/no.such.Service/Method", "/viam.app.v1.AppService/NoSuchMethod", "/x"] {
        let answer = web(
            &running,
            path,
            Some(&running.login("demo@example.com").expect("login").access_token),
        )
        .await;
        assert_eq!(header(&answer, "grpc-status"), "12", "{path}");
        let message = header(&answer, "grpc-message").replace("%20", " ");
        assert_eq!(message, format!("the sandbox does not serve {path}"));
    }
}

/// A call without arguments over gRPC-web.
async fn web(running: &Running, path: &str, token: Option<&str>) -> Answer {
    let mut request = Request::post(format!("{}{path}", running.base_url()))
        .header("content-type", "application/grpc-web+proto")
        .header("x-grpc-web", "1")
        .header("origin", "http://page.example");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(running, request, "\0\0\0\0\0").await
}

#[tokio::test]
async fn grpc_web_from_a_page_of_any_origin() {
    let running = start(Seed::Fleet);
    let preflight = Request::options(format!("{}{LIST}", running.base_url()))
        .header("origin", "http://page.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,x-grpc-web");
    let answer = send(&running, preflight, "").await;
    assert_eq!(answer.status.as_u16(), 204);
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    for name in
        ["authorization", "content-type", "x-grpc-web", "x-user-agent", "rpc-host", "viam_client"]
    {
        assert!(header(&answer, "access-control-allow-headers").contains(name), "{name}");
    }
    let token = running.login("demo@example.com").expect("login").access_token;
    let answer = web(&running, LIST, Some(&token)).await;
    assert_eq!(header(&answer, "content-type"), "application/grpc-web+proto");
    assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    assert!(header(&answer, "access-control-expose-headers").contains("grpc-status"));
    let body = &answer.body[..];
    let length = usize::from(body[3]) << 8 | usize::from(body[4]);
    let message: ListOrganizationsResponse =
        prost::Message::decode(&body[5..5 + length]).expect("message");
    assert_eq!(message.organizations.len(), 3);
    let trailers = &body[5 + length..];
    assert_eq!(trailers[0], 0x80);
    assert!(String::from_utf8_lossy(trailers).contains("grpc-status:0"));
    // Nothing else can be read by a page of another origin.
    for path in ["/device", "/.well-known/openid-configuration"] {
        assert_eq!(header(&get(&running, path).await, "access-control-allow-origin"), "");
    }
}

/// Connects with TLS, trusting the sandbox's own certificate and nothing else.
async fn tls(
    running: &Running,
    name: &str,
    alpn: &[u8],
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let pem = running.certificate_pem().as_bytes();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.expect("PEM")).expect("a certificate");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    let stream = TcpStream::connect(("127.0.0.1", running.port())).await.expect("connected");
    let name = ServerName::try_from(name.to_owned()).expect("name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("handshake")
}

#[tokio::test]
async fn tls_on_the_same_port() {
    let running = start(Seed::Fleet);
    for name in ["localhost", "127.0.0.1", "::1"] {
        let mut stream = tls(&running, name, b"http/1.1").await;
        let request = format!(
            "GET /.well-known/openid-configuration HTTP/1.1\r\nhost: localhost:{}\r\n\
             connection: close\r\n\r\n",
            running.port()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        // The end without a TLS farewell is an end all the same.
        let _ = stream.read_to_string(&mut answer).await;
        let issuer = format!("\"issuer\":\"https://localhost:{}\"", running.port());
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(&issuer), "{answer}");
    }
    let stream = tls(&running, "localhost", b"h2").await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let io = hyper_util::rt::TokioIo::new(stream);
    let executor = hyper_util::rt::TokioExecutor::new();
    let (sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, tonic::body::Body>(executor, io)
            .await
            .expect("HTTP/2");
    tokio::spawn(connection);
    let token = running.login("demo@example.com").expect("login").access_token;
    let service = tower::service_fn(move |mut request: Request<tonic::body::Body>| {
        let bearer = format!("Bearer {token}").parse().expect("header");
        request.headers_mut().insert("authorization", bearer);
        let mut sender = sender.clone();
        async move { sender.send_request(request).await }
    });
    let origin = format!("https://localhost:{}", running.port()).parse().expect("address");
    let mut app =
        viam_proto::app::v1::app_service_client::AppServiceClient::with_origin(service, origin);
    let answer = app.list_organizations(ListOrganizationsRequest {}).await.expect("over TLS");
    assert_eq!(answer.into_inner().organizations.len(), 3);
}

#[tokio::test]
async fn garbage_is_nobodys_end() {
    let running = start(Seed::Fleet);
    for garbage in [&b"\x16\x03garbage"[..], b"\0\0\0", b"GET", b"\xff\xfe\r\n\r\n"] {
        let mut stream =
            TcpStream::connect(("127.0.0.1", running.port())).await.expect("connected");
        stream.write_all(garbage).await.expect("sent");
        drop(stream);
    }
    demo(&running).list_organizations(ListOrganizationsRequest {}).await.expect("still there");
}
