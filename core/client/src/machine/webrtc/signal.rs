//! What signaling carries: descriptions and candidates (transport.md §5.4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use viam_proto::rpc::webrtc::v1::IceCandidate;
use webrtc::peer_connection::{RTCIceCandidateInit, RTCSessionDescription};

/// A description as signaling carries it: JSON in base64, with padding.
#[must_use]
pub fn encode_sdp(description: &RTCSessionDescription) -> String {
    // A description is a kind and a text, which always are JSON.
    STANDARD.encode(serde_json::to_vec(description).unwrap_or_default())
}

/// And back; `None` for what is none.
#[must_use]
pub fn decode_sdp(text: &str) -> Option<RTCSessionDescription> {
    serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()
}

/// A candidate as signaling carries it.
#[must_use]
pub fn to_candidate(candidate: RTCIceCandidateInit) -> IceCandidate {
    IceCandidate {
        candidate: candidate.candidate,
        sdp_mid: candidate.sdp_mid,
        sdpm_line_index: candidate.sdp_mline_index.map(u32::from),
        username_fragment: candidate.username_fragment,
    }
}

/// And back.
#[must_use]
pub fn from_candidate(candidate: IceCandidate) -> RTCIceCandidateInit {
    RTCIceCandidateInit {
        candidate: candidate.candidate,
        sdp_mid: candidate.sdp_mid,
        sdp_mline_index: candidate.sdpm_line_index.and_then(|index| u16::try_from(index).ok()),
        username_fragment: candidate.username_fragment,
        ..RTCIceCandidateInit::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_go_there_and_back() {
        let json = r#"{"type":"offer","sdp":"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"}"#;
        let offer = decode_sdp(&STANDARD.encode(json)).expect("an offer");
        assert_eq!(STANDARD.decode(encode_sdp(&offer)).expect("base64"), json.as_bytes());
        assert!(decode_sdp("%%").is_none() && decode_sdp("e30").is_none());
    }
}
