// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Outcome is how an approved action went.
type Outcome struct {
	// Result is v1alpha1.OutcomeSucceeded or v1alpha1.OutcomeFailed. Required.
	Result v1alpha1.OutcomeResult
	// Message for the record, up to 4,096 characters; what is longer is cut.
	Message string
	// StartedAt and CompletedAt are kept with microseconds; zero: left out.
	StartedAt, CompletedAt time.Time
}

// maxMessage is the bound of the schema, in characters.
const maxMessage = 4096

// contentMerge is a JSON merge patch. Source: RFC 7386.
const contentMerge = "application/merge-patch+json"

// ReportOutcome reports how an approved action went, once; Govern does it by
// itself. The same report again is no error; another one is a *ConflictError,
// and so is one about an action that was not approved. It fails with a
// *ValidationError, an *AuthorizationError for whoever is not the requester, and
// as every request does.
func (c *Client) ReportOutcome(ctx context.Context, id string, outcome Outcome) error {
	return c.reportOutcome(ctx, id, "", outcome)
}

// reportOutcome reports about the action with that uid; empty: whichever has the name.
func (c *Client) reportOutcome(ctx context.Context, id string, uid types.UID, outcome Outcome) error {
	if outcome.Result != v1alpha1.OutcomeSucceeded && outcome.Result != v1alpha1.OutcomeFailed {
		return invalidf("Outcome.Result", "", "%q is no result; it is %s or %s", outcome.Result, v1alpha1.OutcomeSucceeded, v1alpha1.OutcomeFailed)
	}
	told := &v1alpha1.Outcome{
		Result: outcome.Result, Message: cut(outcome.Message),
		StartedAt: moment(outcome.StartedAt), CompletedAt: moment(outcome.CompletedAt),
	}
	for try := 0; ; try++ {
		err := c.patch(ctx, id, uid, map[string]any{"outcome": told})
		if !isRefusal(err) {
			return err
		}
		// It may be there already, or be refused because something else is.
		now, _, lookErr := c.read(ctx, id)
		if lookErr != nil {
			return err
		}
		if settled, why := settledBy(now, uid, told); settled {
			return why
		}
		if _, moved := errors.AsType[*ConflictError](err); !moved || try >= c.options.MaxRetries {
			return err
		}
		if pause, _ := retry(&ServerError{Problem{Status: http.StatusServiceUnavailable}}, try, 0); !c.pause(ctx, pause) {
			return err
		}
	}
}

// isRefusal says whether the API server or the operator did not take a change,
// in contrast to not answering.
func isRefusal(err error) bool {
	_, forbidden := errors.AsType[*AuthorizationError](err)
	_, conflict := errors.AsType[*ConflictError](err)
	_, invalid := errors.AsType[*ValidationError](err)
	return forbidden || conflict || invalid
}

// settledBy says whether an action as it is leaves nothing to report, and what
// that means for the report: nil where it is there already.
func settledBy(now *v1alpha1.AgentAction, uid types.UID, told *v1alpha1.Outcome) (bool, error) {
	switch {
	case uid != "" && now.UID != uid:
		return true, gone(now.Name)
	case sameOutcome(now.Spec.Outcome, told):
		return true, nil
	case now.Spec.Outcome != nil:
		return true, decidedOtherwise(now, "an outcome was reported already: "+string(now.Spec.Outcome.Result))
	case now.Status.Decision != v1alpha1.DecisionApproved:
		return true, decidedOtherwise(now, "an outcome can be reported only of what was approved")
	default:
		return false, nil
	}
}

// patch changes the spec of an action.
func (c *Client) patch(ctx context.Context, id string, uid types.UID, spec map[string]any) error {
	change := map[string]any{"spec": spec}
	if uid != "" {
		change["metadata"] = map[string]any{"uid": uid} // another of its name is refused
	}
	body, err := json.Marshal(change)
	if err != nil {
		return invalidf("Outcome", "", "%v", err)
	}
	return c.do(ctx, &call{verb: "patch", resource: "agentactions", name: id, method: http.MethodPatch, path: c.actions(id), contentType: contentMerge, body: body})
}

// do is call where the answer says no more than that it is done.
func (c *Client) do(ctx context.Context, r *call) error {
	_, err := c.call(ctx, r, &metav1.PartialObjectMetadata{})
	return err
}

// decidedOtherwise is the error of a change that comes too late or too early.
func decidedOtherwise(now *v1alpha1.AgentAction, why string) error {
	result := resultOf(now, false)
	return &ConflictError{
		Problem:  Problem{Message: "action " + result.ID + ": " + why + "; " + result.standing(), Status: http.StatusConflict, Reason: result.Reason},
		Existing: result,
	}
}

func sameOutcome(a, b *v1alpha1.Outcome) bool { return a != nil && equality.Semantic.DeepEqual(a, b) }

// moment has the precision that the API keeps; nil for none.
func moment(t time.Time) *metav1.MicroTime {
	if t.IsZero() {
		return nil
	}
	micro := metav1.NewMicroTime(t.UTC().Truncate(time.Microsecond))
	return &micro
}

// cut shortens a message to what the API takes, and makes it text.
func cut(message string) string {
	message = strings.ToValidUTF8(message, "\uFFFD")
	if utf8.RuneCountInString(message) <= maxMessage {
		return message
	}
	return string([]rune(message)[:maxMessage-1]) + "…"
}

// Cancel withdraws an action that is not decided yet, and returns when the API
// server has taken that; the operator then makes it Cancelled. One that is
// withdrawn already is no error. It fails with a *ConflictError for one that is
// decided, an *AuthorizationError for whoever is not the requester, and as every
// request does.
func (c *Client) Cancel(ctx context.Context, id string) error {
	err := c.patch(ctx, id, "", map[string]any{"cancelled": true})
	if err == nil {
		return nil
	}
	now, _, lookErr := c.read(ctx, id)
	switch {
	case lookErr != nil:
		return err
	case now.Spec.Cancelled:
		return nil
	case now.Status.Decision.IsFinal():
		return decidedOtherwise(now, "it is decided, and can no longer be withdrawn")
	default:
		return err
	}
}
