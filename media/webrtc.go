package media

import "errors"

func newWebRTCHub(Config) (webrtcHub, error) {
	return nil, errors.New("media: WebRTC is not part of this build")
}
