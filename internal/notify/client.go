// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"net/netip"

	"k8s.io/utils/clock"
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
	// from the object.
	ServiceIP func(ctx context.Context, namespace, name string) (netip.Addr, error)
}

// Sender posts events to receivers. It may be used by many goroutines at once.
type Sender struct {
	options SenderOptions
}

// NewSender returns a sender.
func NewSender(options SenderOptions) *Sender {
	return &Sender{options: options}
}

// Send renders and signs the event and posts it once. It takes 30 seconds at most.
func (s *Sender) Send(ctx context.Context, target Target, event Event) Result {
	return Result{Err: errors.New("not yet")}
}
