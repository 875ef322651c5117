// SPDX-License-Identifier: Apache-2.0

package approvals

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ow-kai/ascend-operator/internal/cli/session"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// tick is how often a live page is drawn again, for the time that is left.
const tick = time.Second

// live follows actions until ctx ends, or tell says that there is nothing more
// to see. Everything is called from one goroutine: tell for each change, and
// redraw after it and now and then.
func live(ctx context.Context, follower *session.Follower, tell func(session.Change) (done bool), redraw func()) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	changes, ended := make(chan session.Change), make(chan error, 1)
	go func() {
		ended <- follower.Run(ctx, func(change session.Change) {
			select {
			case changes <- change:
			case <-ctx.Done():
			}
		})
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case err := <-ended:
			return err
		case change := <-changes:
			if tell(change) {
				return nil
			}
			redraw()
		case <-ticker.C:
			redraw()
		}
	}
}

// interrupted says whether somebody has ended what would never end by itself,
// which is no failure.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// lostLine tells of a connection that is lost.
func lostLine(change session.Change) string {
	return fmt.Sprintf("connection lost (%s); trying again in %s", session.LossReason(change.Err), terminal.Span(change.Again))
}
