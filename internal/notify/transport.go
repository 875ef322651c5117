// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"container/list"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// maxTransports is how many subscriptions keep connections.
	maxTransports = 128
	// idleTimeout is how long a connection waits to be used again, and
	// maxIdle how many of one subscription do.
	idleTimeout = 30 * time.Second
	maxIdle     = 2
	// silence is how long a connection of HTTP/2 says nothing before it is asked
	// whether it still lives, and pingTimeout how long it has to say so. A try
	// whose time is over does not end such a connection: without asking, each try
	// after it would go the same dead way.
	silence     = 10 * time.Second
	pingTimeout = 10 * time.Second
)

// transports are the connections of subscriptions, those used last. No two
// share a connection: the guard allowed it to one of them alone, and trusted
// authorities are its own.
type transports struct {
	guard *guard

	mu     sync.Mutex
	byName map[types.NamespacedName]*list.Element // of *transport
	recent *list.List                             // used last in front
}

type transport struct {
	*http.Transport

	name        types.NamespacedName
	uid         string
	generation  int64
	authorities *x509.CertPool
}

func newTransports(guard *guard) *transports {
	return &transports{guard: guard, byName: map[types.NamespacedName]*list.Element{}, recent: list.New()}
}

// of is the transport of a target. Connections made for an earlier generation
// of it are not used again.
func (t *transports) of(target Target) *transport {
	name := types.NamespacedName{Namespace: target.Namespace, Name: target.Name}
	t.mu.Lock()
	defer t.mu.Unlock()
	if element, has := t.byName[name]; has {
		if found, is := element.Value.(*transport); is && found.serves(target) {
			t.recent.MoveToFront(element)
			return found
		}
		t.drop(element)
	}
	made := &transport{
		Transport: t.guard.transport(target), name: name, uid: target.UID, generation: target.Generation, authorities: target.Authorities,
	}
	t.byName[name] = t.recent.PushFront(made)
	if t.recent.Len() > maxTransports {
		t.drop(t.recent.Back())
	}
	return made
}

// drop forgets a transport; what is in flight on it ends by itself.
func (t *transports) drop(element *list.Element) {
	if old, is := t.recent.Remove(element).(*transport); is {
		delete(t.byName, old.name)
		old.CloseIdleConnections()
	}
}

func (t *transports) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.recent.Len() > 0 {
		t.drop(t.recent.Back())
	}
}

func (t *transport) serves(target Target) bool {
	same := t.authorities == target.Authorities ||
		(t.authorities != nil && target.Authorities != nil && t.authorities.Equal(target.Authorities))
	return same && t.uid == target.UID && t.generation == target.Generation
}

// transport dials by the guard. There is no proxy, not even that of the
// environment: a proxy resolves the name itself, and dials what the guard never sees.
func (g *guard) transport(target Target) *http.Transport {
	namespace := target.Namespace
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return g.dial(ctx, namespace, network, address)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: target.Authorities},
		TLSHandshakeTimeout:    connectTimeout,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: silence, PingTimeout: pingTimeout},
		DisableCompression:     true,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    maxIdle,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxAnswer,
	}
}
