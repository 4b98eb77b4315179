//! The messages, clients and (feature `server`) server traits of Viam's gRPC API.
//!
//! The definitions in `defs/` are written for this project from the table `wire.tsv`, and
//! `cargo xtask codegen` turns them into the code in `src/gen/`. Nothing here opens a connection:
//! a client takes any [`tonic::client::GrpcService`].
//!
//! | feature | packages |
//! |---|---|
//! | `app` | `app::v1` (`AppService`, the cloud's `RobotService`), [`app::packages`], [`app::mltraining`], [`common`] |
//! | `auth` | `rpc::v1` |
//! | `build` | [`app::build`], [`app::packages`] |
//! | `data` | [`app::data`], [`app::dataset`], [`app::datasync`], [`app::datapipelines`] |
//! | `machine` | [`robot`] (`RobotService` as a machine serves it), [`service`], [`component`], [`opentelemetry`], and what their messages refer to |
//! | `signaling` | [`rpc::webrtc`], [`google`] |
//! | `server` | the `*_server` modules of the areas above |
//! | `descriptors` | `DESCRIPTORS` |
//!
//! Every method of a server trait has a body that answers `UNIMPLEMENTED`, so an implementation
//! writes only those it serves. Fields of type `bytes` are [`bytes::Bytes`].

/// The compiled definitions of all areas: an encoded `google.protobuf.FileDescriptorSet`, imports
/// included, without comments.
#[cfg(feature = "descriptors")]
pub const DESCRIPTORS: &[u8] = include_bytes!("gen/descriptors.bin");

/// One generated package as the module `$name`, behind its feature.
macro_rules! package {
    ($name:ident, $package:literal, $feature:literal) => {
        #[cfg(feature = $feature)]
        #[doc = concat!("The package `", $package, "`.")]
        #[allow(
            clippy::all,
            clippy::allow_attributes_without_reason,
            missing_docs,
            unused_qualifications,
            reason = "generated"
        )]
        pub mod $name {
            include!(concat!("gen/", $package, ".rs"));
        }
    };
}

// Generated code names the types of other packages by going up and down these modules, so their
// nesting is that of the packages. The public paths are the shorter ones at the end.

mod viam {
    /// Packages of the cloud app.
    pub mod app {
        package!(v1, "viam.app.v1", "app");

        /// Cloud builds of modules.
        pub mod build {
            package!(v1, "viam.app.build.v1", "build");
        }
        /// Captured data: queries, exports, tags, annotations.
        pub mod data {
            package!(v1, "viam.app.data.v1", "data");
        }
        /// Scheduled queries over captured data.
        pub mod datapipelines {
            package!(v1, "viam.app.datapipelines.v1", "data");
        }
        /// Data sets.
        pub mod dataset {
            package!(v1, "viam.app.dataset.v1", "data");
        }
        /// Upload of captured data.
        pub mod datasync {
            package!(v1, "viam.app.datasync.v1", "data");
        }
        /// Training jobs.
        pub mod mltraining {
            package!(v1, "viam.app.mltraining.v1", "app");
        }
        /// Versioned archives: modules, models, training scripts.
        pub mod packages {
            package!(v1, "viam.app.packages.v1", "packages");
        }
    }

    /// Messages that many packages share.
    pub mod common {
        package!(v1, "viam.common.v1", "common");
    }

    /// Components of a machine.
    pub mod component {
        /// Boards: pins, analogs, digital interrupts.
        pub mod board {
            package!(v1, "viam.component.board.v1", "machine");
        }
        /// Cameras.
        pub mod camera {
            package!(v1, "viam.component.camera.v1", "machine");
        }
        /// Components of no other kind.
        pub mod generic {
            package!(v1, "viam.component.generic.v1", "machine");
        }
        /// Motors.
        pub mod motor {
            package!(v1, "viam.component.motor.v1", "machine");
        }
        /// Movement sensors: position, velocity, orientation.
        pub mod movementsensor {
            package!(v1, "viam.component.movementsensor.v1", "machine");
        }
        /// Sensors.
        pub mod sensor {
            package!(v1, "viam.component.sensor.v1", "machine");
        }
        /// Servos.
        pub mod servo {
            package!(v1, "viam.component.servo.v1", "machine");
        }
    }

    /// The machine itself.
    pub mod robot {
        package!(v1, "viam.robot.v1", "machine");
    }

    /// Services of a machine.
    pub mod service {
        /// Services of no other kind.
        pub mod generic {
            package!(v1, "viam.service.generic.v1", "machine");
        }
        /// A terminal, and copies of files.
        pub mod shell {
            package!(v1, "viam.service.shell.v1", "machine");
        }
        /// Detections, classifications, point cloud objects.
        pub mod vision {
            package!(v1, "viam.service.vision.v1", "machine");
        }
    }
}

mod proto {
    /// The rules of the connection itself: who may call, and how WebRTC carries a call.
    pub mod rpc {
        package!(v1, "proto.rpc.v1", "auth");

        /// Calls over WebRTC data channels.
        pub mod webrtc {
            package!(v1, "proto.rpc.webrtc.v1", "signaling");
        }
    }
}

/// Packages of Google's that the API uses.
pub mod google {
    package!(rpc, "google.rpc", "status");
}

/// Traces as a machine reports them.
pub mod opentelemetry {
    /// The packages of the OpenTelemetry protocol.
    pub mod proto {
        /// Attributes.
        pub mod common {
            package!(v1, "opentelemetry.proto.common.v1", "machine");
        }
        /// What a trace is about.
        pub mod resource {
            package!(v1, "opentelemetry.proto.resource.v1", "machine");
        }
        /// Spans.
        pub mod trace {
            package!(v1, "opentelemetry.proto.trace.v1", "machine");
        }
    }
}

pub use proto::rpc;
pub use viam::{app, common, component, robot, service};
