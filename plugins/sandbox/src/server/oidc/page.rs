//! The page where the user approves a login. Plain HTML, nothing from elsewhere, no script.
//!
//! A decision is only ever a POST of this very page: a browser says where a form was posted from,
//! and a page of another origin is refused, as is an address that is not this machine's own name.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::{Html, IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use viam_client::BaseUrl;

use super::device::{self, Decision};
use super::{DEVICE_PAGE, unstored};
use crate::seed::DEMO_USER;
use crate::server::front::Address;
use crate::server::state::Shared;
use crate::store::DeviceState;

const STYLE: &str = "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;\
padding:0 1rem;color:#1b1b1b;background:#fff}code{font-size:1.5rem;letter-spacing:.1em}\
button,input{font:inherit;padding:.5rem 1.2rem;margin:.3rem .5rem .3rem 0}\
button.yes{background:#14532d;color:#fff;border:1px solid #14532d}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#181818}}";

#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    user_code: String,
}

#[derive(Deserialize)]
pub(super) struct Answered {
    #[serde(default)]
    user_code: String,
    #[serde(default)]
    decision: String,
}

/// Shows the code and asks.
pub(super) async fn ask(State(shared): State<Arc<Shared>>, Query(asked): Query<Asked>) -> Response {
    if asked.user_code.is_empty() {
        return page(StatusCode::OK, "Log in to the sandbox", &code_form());
    }
    let code = device::normal(&asked.user_code);
    if !device::is_pending(&shared, &code) {
        return unknown(&code);
    }
    let code = escape(&code);
    let body = format!(
        "<p>A program on this computer wants to use the sandbox as <b>{user}</b>. It shows this \
         code:</p><p><code>{code}</code></p><form method=\"post\" action=\"{DEVICE_PAGE}\">\
         <input type=\"hidden\" name=\"user_code\" value=\"{code}\">\
         <button class=\"yes\" name=\"decision\" value=\"approve\">Approve</button>\
         <button name=\"decision\" value=\"deny\">Deny</button></form>",
        user = escape(DEMO_USER),
    );
    page(StatusCode::OK, "Approve this login?", &body)
}

/// Takes the decision.
pub(super) async fn answer(
    State(shared): State<Arc<Shared>>,
    Extension(Address(address)): Extension<Address>,
    headers: HeaderMap,
    Form(answered): Form<Answered>,
) -> Response {
    if !is_own(&address, &headers) {
        let words = "<p>This form was not sent by the sandbox's own page.</p>";
        return page(StatusCode::FORBIDDEN, "Refused", words);
    }
    let approve = match answered.decision.as_str() {
        "approve" => true,
        "deny" => false,
        _ => {
            let words = "<p>The form says neither yes nor no.</p>";
            return page(StatusCode::BAD_REQUEST, "Not understood", words);
        }
    };
    let done = match device::decide(&shared, &answered.user_code, approve) {
        Ok(Decision::Unknown) => return unknown(&device::normal(&answered.user_code)),
        Ok(Decision::Taken) if approve => DeviceState::Approved,
        Ok(Decision::Taken) => DeviceState::Denied,
        Ok(Decision::Before(state)) => state,
        Err(error) => {
            let words = format!("<p>{}</p>", escape(&error.to_string()));
            return page(StatusCode::INTERNAL_SERVER_ERROR, "The sandbox failed", &words);
        }
    };
    if done == DeviceState::Approved {
        let user = escape(DEMO_USER);
        let words = format!("<p>You are logged in as <b>{user}</b>. You can close this page.</p>");
        page(StatusCode::OK, "Approved", &words)
    } else {
        page(StatusCode::OK, "Denied", "<p>The login was refused. You can close this page.</p>")
    }
}

/// Whether a form came from our own page, in a browser that says so, and to an address that no
/// foreign name server can have pointed here.
fn is_own(address: &str, headers: &HeaderMap) -> bool {
    if !BaseUrl::parse(address).is_ok_and(|url| url.is_loopback()) {
        return false;
    }
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let origin = text(header::ORIGIN.as_str()).is_none_or(|origin| origin == address);
    let site = text("sec-fetch-site").is_none_or(|site| ["same-origin", "none"].contains(&site));
    origin && site
}

fn unknown(code: &str) -> Response {
    let words = format!(
        "<p>No login waits for the code <code>{}</code>. It may have expired, or it was decided \
         on before.</p>{}",
        escape(code),
        code_form()
    );
    page(StatusCode::NOT_FOUND, "Unknown code", &words)
}

fn code_form() -> String {
    format!(
        "<form method=\"get\" action=\"{DEVICE_PAGE}\"><p><label>The code that the program shows: \
         <input name=\"user_code\" size=\"12\" autocomplete=\"off\" required></label>\
         <button>Next</button></p></form>"
    )
}

fn page(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>\n"
    );
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (status, unstored(), headers, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().expect("value"));
        }
        headers
    }

    #[test]
    fn a_form_of_another_origin_is_refused() {
        let own = "http://127.0.0.1:8080";
        assert!(is_own(own, &headers(&[("origin", own), ("sec-fetch-site", "same-origin")])));
        assert!(is_own(own, &headers(&[])));
        assert!(!is_own(own, &headers(&[("origin", "http://evil.example")])));
        assert!(!is_own(own, &headers(&[("origin", "null")])));
        assert!(!is_own(own, &headers(&[("origin", own), ("sec-fetch-site", "cross-site")])));
        let rebound = "http://evil.example:8080";
        assert!(!is_own(rebound, &headers(&[("origin", rebound)])));
    }

    #[test]
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escape("<a b=\"c\">&'"), "&lt;a b=&quot;c&quot;&gt;&amp;&#39;");
    }
}
