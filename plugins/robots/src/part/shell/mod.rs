//! `viam robots part shell` (behaviour.md §1.9, transport.md §6.2).

mod escape;
mod messages;
mod session;
mod terminal;

use viam_contract::{Context, Error, Kind, Result};
use viam_proto::common::v1::ResourceName;

use crate::machine::{self, WhichArgs};

#[derive(clap::Args, Debug, PartialEq)]
pub(crate) struct Args {
    #[command(flatten)]
    which: WhichArgs,
}

pub(crate) async fn run(cx: &Context, args: Args) -> Result<()> {
    // Scripts read this line of stdout.
    cx.output.info("Ensure machine part has a valid shell type service")?;
    cx.output.flush()?;
    let machine = machine::connect(cx, &args.which).await?;
    let done = match service(&machine.resources) {
        Ok(name) => session::run(cx, machine.wire.clone(), name).await,
        Err(error) => Err(error),
    };
    machine.close().await;
    done
}

/// The name of the first shell service of a machine (transport.md §6.1).
pub(super) fn service(resources: &[ResourceName]) -> Result<String> {
    let shell = resources.iter().find(|resource| {
        (&*resource.namespace, &*resource.r#type, &*resource.subtype) == ("rdk", "service", "shell")
    });
    shell.map(|shell| shell.name.clone()).ok_or_else(|| {
        Error::new(Kind::User, "shell service is not enabled on this machine part").hint_text(
            "add a service with the API rdk:service:shell to the configuration of the part",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_shell_service_is_taken() {
        let resource = |kind: &str, subtype: &str, name: &str| ResourceName {
            namespace: "rdk".to_owned(),
            r#type: kind.to_owned(),
            subtype: subtype.to_owned(),
            name: name.to_owned(),
        };
        let all = [
            resource("component", "shell", "no"),
            resource("service", "shell", "far:sh"),
            resource("service", "shell", "sh"),
        ];
        assert_eq!(service(&all).expect("there"), "far:sh");
        assert_eq!(service(&all[..1]).expect_err("none").kind(), Kind::User);
    }
}
