// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net"
	"net/http"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
)

const (
	// MaxConnections is how many TCP connections a client opens at most. By HTTP/2,
	// which API servers speak, more than one is opened only where many requests
	// come before the first connection is there.
	MaxConnections = 8
	// maxRequests bounds the requests that are on their way at once. By HTTP/1.1
	// each takes a connection, and one is left for the watch, so that none waits
	// for one while its time runs.
	maxRequests = MaxConnections - 1
	// dialTime is how long connecting may take, and how often it is looked
	// whether the other side is still there.
	dialTime = 30 * time.Second
)

// newTransport makes connections as the config says. client-go's own would share
// them with others in the process and open any number. The second result closes
// those that nobody uses: the wrappers that are put around hide how.
func newTransport(config *rest.Config) (http.RoundTripper, func(), error) {
	if config.Transport != nil {
		wrapped, err := rest.HTTPWrappersForConfig(config, config.Transport)
		return wrapped, func() {}, err // they are the caller's
	}
	secure, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, nil, err
	}
	transport := &http.Transport{
		Proxy:               config.Proxy,
		DialContext:         config.Dial,
		TLSClientConfig:     secure,
		TLSHandshakeTimeout: dialTime,
		MaxConnsPerHost:     MaxConnections,
		MaxIdleConnsPerHost: MaxConnections,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  config.DisableCompression,
	}
	if transport.DialContext == nil {
		transport.DialContext = (&net.Dialer{Timeout: dialTime, KeepAlive: dialTime}).DialContext
	}
	// HTTP/2 with pings, so that a connection that hangs is noticed; a Proxy from
	// the environment where the config has none.
	wrapped, err := rest.HTTPWrappersForConfig(config, utilnet.SetTransportDefaults(transport))
	return wrapped, transport.CloseIdleConnections, err
}
