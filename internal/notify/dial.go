// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	corev1 "k8s.io/api/core/v1"
)

// ErrBlocked is why nothing was sent: it would have gone to where nothing may be sent to.
var ErrBlocked = errors.New("which nothing may be sent to")

// connectTimeout is how long one connection may take to come about, with all
// that has to be asked for it.
const connectTimeout = 10 * time.Second

// maxDials is how many connections one try may make. http.Transport makes another
// one, without end and without a pause, when a receiver says of each that it takes
// no request on it.
const maxDials = 8

// dialsKey is of a try's number of connections, in its context.
type dialsKey struct{}

// withDials is the context of a try.
func withDials(ctx context.Context) context.Context {
	return context.WithValue(ctx, dialsKey{}, new(atomic.Int32))
}

// guard decides about addresses as they are dialled. A name is resolved for
// the very connection that is made, so that it does not help to resolve it to
// something else later; each address it has is judged by itself.
type guard struct {
	options  *SenderOptions
	guardian *ssrf.Guardian
}

func newGuard(options *SenderOptions) *guard {
	return &guard{options: options, guardian: ssrf.New(ssrf.WithAnyPort())}
}

// dial connects to a receiver of a subscription in that namespace. It limits its
// time by itself: the context that http.Transport gives does not end with the try.
func (g *guard) dial(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	if dials, is := ctx.Value(dialsKey{}).(*atomic.Int32); is && dials.Add(1) > maxDials {
		return nil, &plainError{text: "the receiver takes no request on any connection; look into its log, and into that of what stands before it"}
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	forbidden, err := g.apiServer(ctx)
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &plainError{text: "the receiver's address has no port", err: err}
	}
	var service netip.Addr
	if labels := strings.Split(strings.ToLower(strings.TrimSuffix(host, ".")), "."); isOwnService(labels, namespace) {
		if service, err = g.service(ctx, namespace, labels[0]); err != nil {
			return nil, err
		}
		address = net.JoinHostPort(service.String(), port)
	}
	dialer := &net.Dialer{
		Resolver: g.options.Resolver,
		Control: func(network, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || (network != "tcp4" && network != "tcp6") {
				return blocked("something that is no address of TCP")
			}
			return g.check(to, service, forbidden)
		},
	}
	return dialer.DialContext(ctx, network, address)
}

func (g *guard) apiServer(ctx context.Context) ([]netip.AddrPort, error) {
	if g.options.APIServer == nil {
		return nil, nil
	}
	forbidden, err := g.options.APIServer(ctx)
	if err != nil {
		return nil, &plainError{text: "the addresses of the API server, which nothing may be sent to, are not known now", err: err}
	}
	return forbidden, nil
}

// service is the address of a Service of the subscription's own namespace, as
// the API server knows it: DNS may say what it likes.
func (g *guard) service(ctx context.Context, namespace, name string) (netip.Addr, error) {
	if g.options.ServiceIP == nil {
		return netip.Addr{}, &plainError{text: "this operator cannot look up Services; name the receiver by another https:// address"}
	}
	addr, err := g.options.ServiceIP(ctx, namespace, name)
	if err != nil {
		return netip.Addr{}, &plainError{text: fmt.Sprintf("Service %s of namespace %s: %v", name, namespace, err), err: err}
	}
	return addr, nil
}

// plainError says by its text all that may be shown of it.
type plainError struct {
	text string
	err  error // why; nil where the text is all there is
}

func (e *plainError) Error() string { return e.text }
func (e *plainError) Unwrap() error { return e.err }

// check refuses an address that nothing may be sent to. service is the one of
// the namespace's own Service; invalid where there is none.
func (g *guard) check(to netip.AddrPort, service netip.Addr, forbidden []netip.AddrPort) error {
	addr := to.Addr()
	meant := addr
	if embedded, is := embeddedIPv4(addr); is {
		meant = embedded
	}
	for _, api := range forbidden {
		if api.Addr().Unmap() == meant && (api.Port() == 0 || api.Port() == to.Port()) {
			return blocked("the API server")
		}
	}
	allowed := contains(g.options.AllowedNetworks, addr)
	if why := whyNotAddress(addr); why != "" && (!allowed || !addr.IsLoopback()) {
		return blocked(why)
	}
	if allowed || (service.IsValid() && addr == service) {
		return nil
	}
	if err := g.guardian.SafeAddrPort(to); err != nil {
		return blocked("an address of a private or special network, unless the operator's flag --notification-allowed-networks has it")
	}
	return nil
}

func blocked(what string) error {
	return fmt.Errorf("the receiver's name or address is that of %s, %w", what, ErrBlocked)
}

// ClusterIP is the address to reach a Service by. It refuses a Service that
// stands for another name (ExternalName) and one without an address of its own.
func ClusterIP(service *corev1.Service) (netip.Addr, error) {
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return netip.Addr{}, errors.New("it is of type ExternalName, which may stand for anything; name the receiver itself, by https://")
	}
	addr, err := netip.ParseAddr(service.Spec.ClusterIP)
	if err != nil {
		return netip.Addr{}, errors.New("it has no cluster IP, because it is headless or not yet set up; give it one: leave out spec.clusterIP")
	}
	return addr, nil
}
