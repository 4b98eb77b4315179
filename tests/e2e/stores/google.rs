//! A stand-in for Google Cloud Storage: of its XML API what an export asks for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode};

/// The token that it takes.
pub(crate) const TOKEN: &str = "the-token-of-google";

/// The bucket that it has.
pub(crate) const BUCKET: &str = "bucket";

/// A running server; it ends with the test binary.
#[derive(Clone, Default)]
pub(crate) struct Google(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, Vec<u8>>,
    /// Objects in parts, by the number of the upload.
    uploads: BTreeMap<usize, BTreeMap<usize, Bytes>>,
    begun: usize,
    requests: usize,
    /// Each so-manieth request is turned away.
    busy: Option<usize>,
}

impl Google {
    /// Starts one; its address comes along.
    pub(crate) fn start() -> (Self, String) {
        let this = Self::default();
        let routes = axum::Router::new().fallback(answer).with_state(this.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("binds");
        listener.set_nonblocking(true).expect("set");
        let url = format!("http://{}", listener.local_addr().expect("address"));
        std::thread::spawn(move || {
            crate::export::runtime().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).expect("listens");
                axum::serve(listener, routes).await.expect("served");
            });
        });
        (this, url)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        self.kept().objects.clone()
    }

    /// Uploads that were begun and not ended.
    pub(crate) fn uploads(&self) -> usize {
        self.kept().uploads.len()
    }

    /// Turns each so-manieth request away from now on.
    pub(crate) fn be_busy(&self, every: usize) {
        self.kept().busy = Some(every);
    }
}

async fn answer(State(google): State<Google>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let path = decoded(parts.uri.path());
    let query = |name: &str| {
        let pairs = parts.uri.query().unwrap_or_default().split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, v)| v)
    };
    let number = |name: &str| query(name).and_then(|value| value.parse::<usize>().ok());
    let mut kept = google.kept();
    kept.requests += 1;
    if kept.busy.is_some_and(|every| kept.requests.is_multiple_of(every)) {
        return error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "Later, please.");
    }
    if header(&parts.headers, "authorization") != format!("Bearer {TOKEN}") {
        return error(StatusCode::UNAUTHORIZED, "AuthenticationRequired", "Who are you?");
    }
    let Some((BUCKET, object)) = path[1..].split_once('/') else {
        return error(StatusCode::NOT_FOUND, "NoSuchBucket", "The bucket does not exist.");
    };
    match (parts.method, number("uploadId")) {
        (Method::PUT, None) => {
            if header(&parts.headers, "x-goog-if-generation-match") == "0"
                && kept.objects.contains_key(object)
            {
                return error(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", "Taken.");
            }
            kept.objects.insert(object.to_owned(), body.to_vec());
            ok("")
        }
        (Method::PUT, Some(upload)) => match kept.uploads.get_mut(&upload) {
            Some(upload) => {
                upload.insert(number("partNumber").expect("a number"), body);
                ok("")
            }
            None => error(StatusCode::NOT_FOUND, "NoSuchUpload", "There is none."),
        },
        (Method::POST, None) => {
            kept.begun += 1;
            let begun = kept.begun;
            kept.uploads.insert(begun, BTreeMap::new());
            ok(format!("<Result><UploadId>{begun}</UploadId></Result>"))
        }
        (Method::POST, Some(upload)) => {
            let Some(upload) = kept.uploads.remove(&upload) else {
                return error(StatusCode::NOT_FOUND, "NoSuchUpload", "There is none.");
            };
            let numbers: Vec<usize> = upload.keys().copied().collect();
            assert_eq!(numbers, (1..=upload.len()).collect::<Vec<_>>(), "no part is missing");
            let small = upload.iter().rev().skip(1).any(|(_, part)| part.len() < 5 << 20);
            assert!(!small, "only the last part may be small");
            let whole = upload.into_values().flatten().collect();
            kept.objects.insert(object.to_owned(), whole);
            ok("<Result><ETag>\"1\"</ETag></Result>")
        }
        (Method::DELETE, Some(upload)) => {
            kept.uploads.remove(&upload);
            ok("")
        }
        (Method::DELETE, None) => match kept.objects.remove(object) {
            Some(_) => ok(""),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey", "There is none."),
        },
        (Method::GET | Method::HEAD, _) => match kept.objects.get(object) {
            Some(bytes) => ok(bytes.clone()),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey", "There is none."),
        },
        (other, _) => panic!("{other} is not asked for"),
    }
}

fn ok(body: impl Into<Vec<u8>>) -> Response<Body> {
    let answer = Response::builder()
        .header("etag", "\"1\"")
        .header("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")
        .header("x-goog-generation", "1");
    answer.body(Body::from(body.into())).expect("answer")
}

fn error(status: StatusCode, code: &str, words: &str) -> Response<Body> {
    let body = format!("<Error><Code>{code}</Code><Message>{words}</Message></Error>");
    Response::builder().status(status).body(Body::from(body)).expect("answer")
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte.expect("two digits")).to_digit(16);
        let value = if byte == b'%' {
            let (high, low) = (digit(rest.next()), digit(rest.next()));
            u8::try_from(high.expect("hex") * 16 + low.expect("hex")).expect("a byte")
        } else {
            byte
        };
        bytes.push(value);
    }
    String::from_utf8(bytes).expect("UTF-8")
}
