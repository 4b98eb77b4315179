//! gRPC-web from a page of any origin: only gRPC paths, never the admin interface or the login.

use axum::body::Body;
use axum::response::IntoResponse as _;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

/// What a page may send (cloud-side facts §3.3).
const ALLOWED: &str = "authorization, content-type, x-grpc-web, x-user-agent, grpc-timeout, \
     connect-protocol-version, connect-timeout-ms, rpc-host, viam_client, key, key_id";

/// What a page may read.
const EXPOSED: &str = "grpc-status, grpc-message, grpc-status-details-bin, viam-smrn";

/// Whether a path can be that of a gRPC method: `/package.Service/Method`.
pub(crate) fn is_method(path: &str) -> bool {
    let mut parts = path.strip_prefix('/').unwrap_or_default().split('/');
    let service = parts.next().unwrap_or_default();
    let method = parts.next().unwrap_or_default();
    service.contains('.') && !method.is_empty() && parts.next().is_none()
}

/// The answer to a browser that asks before it sends.
pub(crate) fn preflight<B>(request: &Request<B>) -> Option<Response<Body>> {
    let asks = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        && is_method(request.uri().path());
    asks.then(|| {
        let mut response = StatusCode::NO_CONTENT.into_response();
        let headers = response.headers_mut();
        let put = [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
            (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED),
            (header::ACCESS_CONTROL_MAX_AGE, "600"),
        ];
        headers.extend(put.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response
    })
}

/// Lets the page of any origin read an answer.
pub(crate) fn allow(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_methods_are_methods() {
        assert!(is_method("/viam.app.v1.AppService/ListOrganizations"));
        for path in
            ["/sandbox/reset", "/device", "/.well-known/openid-configuration/x", "/a.b/", ""]
        {
            assert!(!is_method(path), "{path}");
        }
    }
}
