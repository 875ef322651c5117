// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Wait waits for the final decision about an action, for as long as ctx allows;
// without a deadline, until the workflow's own time is over. However many wait,
// they share one watch.
//
// It fails with a *WaitTimeoutError when ctx's deadline comes first, which has
// the action as it was seen last; with ctx's error when that is cancelled; with
// a *NotFoundError where the action is not there, or not any more; and with what
// stays of the requests' errors, such as an *AuthenticationError. It outlives
// connections that are cut.
func (c *Client) Wait(ctx context.Context, id string) (*Result, error) {
	one := c.watcher.begin(id, true, "")
	defer c.watcher.end(one)
	action, err := c.await(ctx, one, isFinal)
	if err != nil {
		return nil, err
	}
	return resultOf(action, false), nil
}

func isFinal(action *v1alpha1.AgentAction) bool { return action.Status.Decision.IsFinal() }
