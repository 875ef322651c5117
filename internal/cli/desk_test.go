// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"strings"
	"testing"
	"time"
)

// build is a run of the program by a developer at that desk. What redraws a line
// is shown as what it is.
func (d desk) build(ctx context.Context, t *testing.T, w *workshop, argv ...string) result {
	t.Helper()
	r := d.run(ctx, t, w.dial(t), argv...)
	r.out = strings.ReplaceAll(r.out, "\r\x1b[K", "<erase>\n")
	return r
}

// contextThatEnds ends after a moment, as by Ctrl-C.
func contextThatEnds(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(time.Second, stop)
	return ctx, stop
}
