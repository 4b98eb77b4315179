//! `viam organizations list` (behaviour.md §1.1).

use serde::Serialize;
use viam_client::lookup;
use viam_contract::{Context, Format, Result, Target, text};

/// JSON result: one of these each, in the server's order.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    name: &'a str,
    public_namespace: Option<&'a str>,
}

pub(crate) async fn run(cx: &Context) -> Result<()> {
    let wire = cx.sessions.wire(&Target::App).await?;
    let organizations = lookup::organizations(&wire).await?;
    if cx.output.format == Format::Json {
        let all: Vec<Listed<'_>> = organizations
            .iter()
            .map(|org| Listed {
                id: &org.id,
                name: &org.name,
                public_namespace: (!org.public_namespace.is_empty())
                    .then_some(org.public_namespace.as_str()),
            })
            .collect();
        return cx.output.json(&all);
    }
    if organizations.is_empty() {
        return Ok(());
    }
    let who = cx.sessions.subject()?;
    cx.output.line(format!("Organizations for {}:", text::quoted(&who)))?;
    for org in &organizations {
        let (name, id) = (text::one_line(&org.name), text::one_line(&org.id));
        let mut line = format!("\t{name} (id: {id})");
        if !org.public_namespace.is_empty() {
            line.push_str(&format!(" (namespace: {})", text::one_line(&org.public_namespace)));
        }
        cx.output.line(line)?;
    }
    Ok(())
}
