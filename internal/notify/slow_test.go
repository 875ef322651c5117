// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ow-kai/ascend-operator/internal/notify"
)

// A receiver has 30 seconds: one that answers after 29 is heard, one after 31
// is not, and neither is one that drips its answer. This test takes that long.
func TestSlowReceivers(t *testing.T) {
	t.Parallel()
	request := func(c net.Conn) { _, _ = http.ReadRequest(bufio.NewReader(c)) }
	drip := func(c net.Conn, text string) {
		for i := 0; ; i = (i + 1) % len(text) {
			if _, err := c.Write([]byte{text[i]}); err != nil {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	s := sender(t)
	var all sync.WaitGroup
	for name, receiver := range map[string]struct {
		url  string
		want string // of the error; empty for taken
		from time.Duration
	}{
		"29 s": {listen(t, func(c net.Conn) {
			request(c)
			time.Sleep(29 * time.Second)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}), "", 29 * time.Second},
		"31.5 s": {listen(t, func(c net.Conn) {
			request(c)
			time.Sleep(31500 * time.Millisecond)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		}), "did not answer within 30 s", 30 * time.Second},
		"headers that drip": {listen(t, func(c net.Conn) {
			request(c)
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n")
			drip(c, "X: canary\r\n")
		}), "did not answer within 30 s", 30 * time.Second},
		"a status line that drips": {listen(t, func(c net.Conn) { request(c); drip(c, "H") }), "did not answer within 30 s", 30 * time.Second},
		"silence":                  {listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "did not answer within 30 s", 30 * time.Second},
		"informational for ever": {listen(t, func(c net.Conn) {
			request(c)
			for _, err := fmt.Fprint(c, "HTTP/1.1 102 Processing\r\n\r\n"); err == nil; _, err = fmt.Fprint(c, "HTTP/1.1 102 Processing\r\n\r\n") {
				time.Sleep(time.Second)
			}
		}), "did not answer within 30 s", 30 * time.Second},
		"no handshake": {strings.Replace(listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "http:", "https:", 1),
			"could not be connected to within 10 s", 10 * time.Second},
	} {
		// Not t.Run: of parallel tests only as many run at once as there are processors.
		all.Go(func() {
			var result notify.Result
			var took time.Duration
			// A busy machine may need the second that is left of the 30: three tries.
			for tries := 0; tries == 0 || receiver.want == "" && result.Err != nil && tries < 3; tries++ {
				began := time.Now()
				result = s.Send(t.Context(), target(receiver.url), sample())
				took = time.Since(began)
			}
			if receiver.want == "" && (result.Err != nil || result.StatusCode != http.StatusOK) {
				t.Errorf("%s: %+v", name, result)
			} else if receiver.want != "" {
				failed(t, result, 0, receiver.want)
			}
			if took < receiver.from-100*time.Millisecond || took > receiver.from+notify.SendTimeout/2 { // the machine may be busy
				t.Errorf("%s: took %v, want %v", name, took, receiver.from)
			}
		})
	}
	all.Wait()
}
