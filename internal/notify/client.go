// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"k8s.io/utils/clock"
)

const (
	// SendTimeout is how long one try may take, from the look-up of the name to
	// the receiver's answer.
	SendTimeout = 30 * time.Second
	// maxAnswer is how much of an answer's headers and of its body is read. The
	// body does not count, and is read so that the connection can serve again.
	maxAnswer = 64 << 10
	// drainTimeout is how long the body of an answer is waited for.
	drainTimeout = time.Second
)

// SenderOptions are what a Sender needs to know of its surroundings.
type SenderOptions struct {
	// Version of the operator, for the header User-Agent.
	Version string
	// Clock of the timestamps in signatures; nil is the machine's.
	Clock clock.PassiveClock
	// AllowedNetworks may be sent to although they are private or this machine:
	// the operator's flag --notification-allowed-networks.
	AllowedNetworks []netip.Prefix
	// APIServer gives the addresses of the API server, which nothing is ever
	// sent to; port 0 stands for each port. An error blocks the delivery.
	APIServer func(ctx context.Context) ([]netip.AddrPort, error)
	// ServiceIP gives the address of a Service, by the API; ClusterIP reads it
	// from the object. What its error says is shown in status.
	ServiceIP func(ctx context.Context, namespace, name string) (netip.Addr, error)
	// Resolver of all other names; nil is the machine's.
	Resolver *net.Resolver
}

// Sender posts events to receivers. It may be used by many goroutines at once.
type Sender struct {
	options    SenderOptions
	transports *transports
}

var _ Poster = (*Sender)(nil)

// NewSender returns a sender.
func NewSender(options SenderOptions) *Sender {
	s := &Sender{options: options}
	if s.options.Clock == nil {
		s.options.Clock = clock.RealClock{}
	}
	s.transports = newTransports(newGuard(&s.options))
	return s
}

// Send renders and signs the event and posts it once. It takes SendTimeout at
// most, and no redirect is followed.
func (s *Sender) Send(ctx context.Context, target Target, event Event) Result {
	if err := checkURL(target.URL, target.Namespace, s.options.AllowedNetworks); err != nil {
		return Result{Err: fmt.Errorf("the receiver's URL %w", err)}
	}
	body, contentType, err := Render(target.Format, event)
	if err != nil {
		return Result{Err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, SendTimeout, errTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(withDials(ctx), http.MethodPost, target.URL, bytes.NewReader(body))
	if err != nil {
		return Result{Err: errors.New("the receiver's URL cannot be used; name another")}
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("User-Agent", "ascend-operator/"+s.options.Version)
	if err := sign(request.Header, target, event, body, s.options.Clock.Now()); err != nil {
		return Result{Err: err}
	}
	// A receiver that closes a connection as it is used again is sent the same on
	// another, for it knows the same delivery by its id. Without a value it is
	// not sent.
	request.Header["Idempotency-Key"] = []string{}
	// RoundTrip, unlike http.Client, follows no redirect and keeps no cookies.
	response, err := s.transports.of(target).RoundTrip(request)
	if err != nil {
		return Result{Err: describe(ctx, err)}
	}
	defer response.Body.Close()
	var answer []byte
	if response.StatusCode != http.StatusSwitchingProtocols { // the body is the connection then, which heeds no context
		answer = drain(response.Body, cancel)
	}
	return judge(response, answer, s.options.Clock.Now())
}

// Close closes the connections that wait to be used again.
func (s *Sender) Close() { s.transports.close() }

// drain reads what there is of an answer's body, within limits.
func drain(body io.Reader, cancel context.CancelFunc) []byte {
	stop := time.AfterFunc(drainTimeout, cancel)
	defer stop.Stop()
	answer, _ := io.ReadAll(io.LimitReader(body, maxAnswer)) // the status code has said all
	return answer
}
