// SPDX-License-Identifier: Apache-2.0

package voucher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
	"github.com/ow-kai/ascend-operator/internal/seal"
)

// Sealed believes what admission has sealed, but for verdicts that were voided
// since, and nothing else. Without the webhooks, or past them, anybody may write
// anything into an action, but without a key nobody can seal it.
type Sealed struct {
	// Ring has the keys; nil while none is loaded, and then nothing is vouched for.
	Ring func() *seal.Ring
	// Reload brings the ring up to date, and is asked before a seal by an
	// unknown key is taken for forged. Nil: Ring always is up to date.
	Reload func() error
	// VoidBefore is the time before which no verdict counts, though it is sealed;
	// zero where all count. Nil: all do.
	VoidBefore func() time.Time
}

var _ Voucher = Sealed{}

// errNoKeys says that nothing can be vouched for yet.
var errNoKeys = errors.New("the keys that seals are checked with are not loaded; " +
	"see the operator's log and Secret ascend-seal-keys in ascend-system")

// Vouch checks the seals of the requester and of each approval. It fails while
// there is no ring, and when it cannot be made sure that a key that is not
// known does not exist.
func (s Sealed) Vouch(action *v1alpha1.AgentAction) (Vouched, error) {
	ring, err := s.ringFor(action)
	if err != nil {
		return Vouched{}, err
	}
	if why := unadmitted(ring, action); why != "" {
		return Vouched{Refusal: fmt.Sprintf("nobody knows who submitted this action: %s. Whoever wants it has to submit it again, "+
			"as a new action, through the API server with the operator's webhooks in place: kubectl create -f FILE; see docs/security.md", why)}, nil
	}
	vouched := Vouched{Requester: *action.Spec.Requester}
	since := s.voidBefore()
	for _, given := range action.Spec.Approvals {
		why := void(given, since)
		if err := ring.CheckVerdict(verdictOn(action, given)); err != nil {
			why = fmt.Sprintf("admission did not let it in as it stands: %s; the approver has to give it anew, by kubectl approve", err)
		}
		if why != "" {
			vouched.Forged = append(vouched.Forged, v1alpha1.UncountedApproval{Approver: given.Approver, Stage: given.Stage, Reason: why})
			continue
		}
		vouched.Approvals = append(vouched.Approvals, given)
	}
	return vouched, nil
}

func (s Sealed) voidBefore() time.Time {
	if s.VoidBefore == nil {
		return time.Time{}
	}
	return s.VoidBefore()
}

// void is why a sealed verdict does not count all the same, or "". While the API
// server did not ask admission, nobody held what was sealed to whom it was
// sealed for.
func void(given v1alpha1.Approval, since time.Time) string {
	if since.IsZero() || given.Time != nil && !given.Time.Time.Before(since) {
		return ""
	}
	return fmt.Sprintf("it was given before admission was enforced again at %s; give it anew: kubectl approve", since.UTC().Format(time.RFC3339))
}

// ringFor is the ring to judge an action with. Where the action names a key
// that the ring does not have, that is not for want of looking.
func (s Sealed) ringFor(action *v1alpha1.AgentAction) (*seal.Ring, error) {
	ring := s.Ring()
	if s.Reload != nil && (ring == nil || !knowsAll(ring, action)) {
		if err := s.Reload(); err != nil {
			return nil, fmt.Errorf("load the keys that seals are checked with: %w", err)
		}
		ring = s.Ring()
	}
	if ring == nil {
		return nil, errNoKeys
	}
	return ring, nil
}

func knowsAll(ring *seal.Ring, action *v1alpha1.AgentAction) bool {
	for id := range keysOf(action) {
		if !ring.Knows(id) {
			return false
		}
	}
	return true
}

// unadmitted is why nobody knows who submitted the action; empty when it is
// known.
func unadmitted(ring *seal.Ring, action *v1alpha1.AgentAction) string {
	requester := action.Spec.Requester
	if requester == nil {
		return "admission did not write spec.requester"
	}
	digest, err := request.Digest(&action.Spec)
	if err != nil {
		return err.Error()
	}
	err = ring.CheckSubmission(seal.Submission{
		Namespace: action.Namespace, Name: action.Name, Digest: digest, Requester: *requester,
	})
	if err != nil {
		return "admission did not write spec.requester as it stands: " + err.Error()
	}
	apart := action.CreationTimestamp.Sub(requester.AdmittedAt.Time).Abs()
	if apart > seal.AdmissionWindow {
		return fmt.Sprintf("spec.requester.admittedAt and metadata.creationTimestamp are %s apart, and may be %s at most: "+
			"it was taken from an earlier action of the same name, or the clocks of the nodes differ", apart.Round(time.Second), seal.AdmissionWindow)
	}
	return ""
}

// verdictOn is what the seal of an approval has to say.
func verdictOn(action *v1alpha1.AgentAction, given v1alpha1.Approval) seal.Verdict {
	return seal.Verdict{Namespace: action.Namespace, Name: action.Name, UID: string(action.UID), Approval: given}
}

// keysOf are the ids of the keys that the seals of an action name.
func keysOf(action *v1alpha1.AgentAction) map[string]bool {
	found := map[string]bool{}
	add := func(text string) {
		if id, ok := seal.KeyOf(text); ok {
			found[id] = true
		}
	}
	if action.Spec.Requester != nil {
		add(action.Spec.Requester.Seal)
	}
	for i := range action.Spec.Approvals {
		add(action.Spec.Approvals[i].Seal)
	}
	return found
}

// KeysInUse are the ids of the keys that undecided actions are sealed with, so
// that none of them is thrown away. The reader is a cache with CacheOptions.
func KeysInUse(ctx context.Context, reader client.Reader) (map[string]bool, error) {
	var actions v1alpha1.AgentActionList
	if err := reader.List(ctx, &actions, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("look for the keys in use: %w", err)
	}
	inUse := map[string]bool{}
	for i := range actions.Items {
		for id := range keysOf(&actions.Items[i]) {
			inUse[id] = true
		}
	}
	return inUse, nil
}
