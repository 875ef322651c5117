// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Addresses are looked for below the range out of which Linux and macOS take the
// ports of outgoing connections, and of whoever listens on any: one found free
// there can be gone before a program listens on it, or starts again.
const (
	lowestPort  = 20000
	highestPort = 32000
)

// given are the addresses that this process has been given.
var given sync.Map

// FreeAddress returns a host:port of this machine's loopback interface on which
// nothing listens, for a program that is told where to listen; another one each time.
func FreeAddress(ctx context.Context, t TB) string {
	t.Helper()
	var config net.ListenConfig
	for range 200 {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(lowestPort+rand.IntN(highestPort-lowestPort)))
		if listener, err := config.Listen(ctx, "tcp4", address); err == nil {
			_ = listener.Close()
			if _, before := given.LoadOrStore(address, true); !before {
				return address
			}
		}
	}
	t.Fatalf("envtest: no free port on 127.0.0.1 between %d and %d after 200 tries", lowestPort, highestPort)
	return ""
}
