//! Boards: pins that keep what is written to them. Every pin that is named is there.

use std::collections::BTreeMap;
use std::sync::Arc;

use tonic::{Request, Response, Status};
use viam_client::wire::RECEIVE_LIMIT;
use viam_proto::common::v1::{DoCommandRequest, DoCommandResponse};
use viam_proto::component::board::v1 as pb;
use viam_proto::component::board::v1::board_service_server::{BoardService, BoardServiceServer};

use super::resources::Resources;

const API: &str = "rdk:component:board";

/// The frequency of a pin that was given none.
const USUAL_HZ: u64 = 1000;

/// The largest value of an analog pin, ten bits.
const ANALOG_TOP: u16 = 1023;

/// The voltage that the largest value stands for.
const ANALOG_VOLTS: f32 = 3.3;

/// What a board remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    pins: BTreeMap<String, Pin>,
    analogs: BTreeMap<String, i32>,
}

/// What a pin gives out.
#[derive(Debug, Default)]
struct Pin {
    /// The share of the time that it is high; 1 is high, 0 low.
    duty: f64,
    /// Zero when none was given.
    frequency_hz: u64,
}

pub(super) fn service(resources: Arc<Resources>) -> BoardServiceServer<Resources> {
    BoardServiceServer::from_arc(resources).max_decoding_message_size(RECEIVE_LIMIT)
}

#[tonic::async_trait]
impl BoardService for Resources {
    async fn set_gpio(
        &self,
        request: Request<pb::SetGpioRequest>,
    ) -> Result<Response<pb::SetGpioResponse>, Status> {
        let pb::SetGpioRequest { name, pin, high, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        let message = format!("set pin {pin} {}", if high { "high" } else { "low" });
        board.state().board.pins.entry(pin).or_default().duty = if high { 1.0 } else { 0.0 };
        self.say(&name, &message);
        Ok(Response::new(pb::SetGpioResponse {}))
    }

    async fn get_gpio(
        &self,
        request: Request<pb::GetGpioRequest>,
    ) -> Result<Response<pb::GetGpioResponse>, Status> {
        let pb::GetGpioRequest { name, pin, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        let high = board.state().board.pins.get(&pin).is_some_and(|pin| pin.duty > 0.0);
        Ok(Response::new(pb::GetGpioResponse { high }))
    }

    async fn pwm(
        &self,
        request: Request<pb::PwmRequest>,
    ) -> Result<Response<pb::PwmResponse>, Status> {
        let pb::PwmRequest { name, pin, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        let duty_cycle_pct = board.state().board.pins.get(&pin).map_or(0.0, |pin| pin.duty);
        Ok(Response::new(pb::PwmResponse { duty_cycle_pct }))
    }

    async fn set_pwm(
        &self,
        request: Request<pb::SetPwmRequest>,
    ) -> Result<Response<pb::SetPwmResponse>, Status> {
        let pb::SetPwmRequest { name, pin, duty_cycle_pct, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        if !(0.0..=1.0).contains(&duty_cycle_pct) {
            return Err(Status::invalid_argument(format!(
                "duty_cycle_pct must be from 0 to 1, not {duty_cycle_pct}"
            )));
        }
        let message = format!("set the duty cycle of pin {pin} to {duty_cycle_pct}");
        board.state().board.pins.entry(pin).or_default().duty = duty_cycle_pct;
        self.say(&name, &message);
        Ok(Response::new(pb::SetPwmResponse {}))
    }

    async fn pwm_frequency(
        &self,
        request: Request<pb::PwmFrequencyRequest>,
    ) -> Result<Response<pb::PwmFrequencyResponse>, Status> {
        let pb::PwmFrequencyRequest { name, pin, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        let given = board.state().board.pins.get(&pin).map_or(0, |pin| pin.frequency_hz);
        let frequency_hz = if given == 0 { USUAL_HZ } else { given };
        Ok(Response::new(pb::PwmFrequencyResponse { frequency_hz }))
    }

    async fn set_pwm_frequency(
        &self,
        request: Request<pb::SetPwmFrequencyRequest>,
    ) -> Result<Response<pb::SetPwmFrequencyResponse>, Status> {
        let pb::SetPwmFrequencyRequest { name, pin, frequency_hz, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        let message = format!("set the frequency of pin {pin} to {frequency_hz} hertz");
        board.state().board.pins.entry(pin).or_default().frequency_hz = frequency_hz;
        self.say(&name, &message);
        Ok(Response::new(pb::SetPwmFrequencyResponse {}))
    }

    async fn read_analog_reader(
        &self,
        request: Request<pb::ReadAnalogReaderRequest>,
    ) -> Result<Response<pb::ReadAnalogReaderResponse>, Status> {
        let request = request.into_inner();
        let board = self.find(API, &request.board_name)?;
        let written = board.state().board.analogs.get(&request.analog_reader_name).copied();
        // What nobody has written to wanders.
        let value = written.unwrap_or_else(|| {
            i32::try_from(board.tick().wrapping_mul(37) % u32::from(ANALOG_TOP)).unwrap_or_default()
        });
        Ok(Response::new(pb::ReadAnalogReaderResponse {
            value,
            min_range: 0.0,
            max_range: ANALOG_VOLTS,
            step_size: ANALOG_VOLTS / f32::from(ANALOG_TOP),
        }))
    }

    async fn write_analog(
        &self,
        request: Request<pb::WriteAnalogRequest>,
    ) -> Result<Response<pb::WriteAnalogResponse>, Status> {
        let pb::WriteAnalogRequest { name, pin, value, .. } = request.into_inner();
        let board = self.find(API, &name)?;
        let message = format!("wrote {value} to analog {pin}");
        board.state().board.analogs.insert(pin, value);
        self.say(&name, &message);
        Ok(Response::new(pb::WriteAnalogResponse {}))
    }

    async fn get_digital_interrupt_value(
        &self,
        request: Request<pb::GetDigitalInterruptValueRequest>,
    ) -> Result<Response<pb::GetDigitalInterruptValueResponse>, Status> {
        let board = self.find(API, &request.into_inner().board_name)?;
        // It counts, as an interrupt does that is triggered now and then.
        let value = i64::from(board.tick());
        Ok(Response::new(pb::GetDigitalInterruptValueResponse { value }))
    }

    async fn do_command(
        &self,
        request: Request<DoCommandRequest>,
    ) -> Result<Response<DoCommandResponse>, Status> {
        self.echo(API, request)
    }
}
