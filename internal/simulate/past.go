// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// Source gives past actions, in any order. An action may come several times:
// what is missing in one is taken from the others, and of two that say the same
// the later one by Time counts, of the same time the one that comes later. An error is
// the last that a source gives.
type Source = iter.Seq2[Past, error]

// Past is what a source tells of a past action.
type Past struct {
	// UID of the action. Empty where this tells of no action; Skip then says why.
	UID        string
	Namespace  string
	Name       string
	Agent      string
	ActionType string
	Resource   string
	// Time is when Said was said.
	Time time.Time
	// Said is what policy said; without a Decision when this does not tell.
	Said Verdict
	// Skip says why this tells nothing that can be compared; else empty.
	Skip string

	byPeople bool                  // Said.Reason is that of people, not of policy
	record   json.RawMessage       // the audit.Request, where there is one
	action   *v1alpha1.AgentAction // otherwise the action, where there is one
}

// Verdict is what policy says about an action.
type Verdict struct {
	// Decision is Approved, Pending or Denied.
	Decision v1alpha1.Decision
	// Reason is one of the v1alpha1 reasons of decisions.
	Reason string
	// Message says the reason to people.
	Message string
	// Score of the risk; empty where nothing was scored.
	Score v1alpha1.Score
	// Rules that matched, as "NAMESPACE/NAME EFFECT MODE".
	Rules []string
	// DecidingRule as NAMESPACE/NAME; empty where no rule decided, or it is not known.
	DecidingRule string
	// Factors of the score, as "SOURCE NAME VALUE DELTA"; nil where they are not known.
	Factors []string
	// Workflows that people have to pass, as NAMESPACE/NAME, in this order.
	Workflows []string
	// ApprovalRevision is a digest over Workflows and what they ask for; empty
	// where nobody is asked, or it is not known.
	ApprovalRevision string
}

// asked is what a replay needs of an action beside policy.
type asked struct {
	request   *request.Request
	agent     *audit.Agent     // nil: not recorded
	namespace *audit.Namespace // nil: not recorded
}

// replayable says whether the past action tells what was asked.
func (p *Past) replayable() bool { return p.record != nil || p.action != nil }

// read decodes what was asked. It fails where that cannot be read, or is over a
// limit that is newer than the action.
func (p *Past) read() (*asked, error) {
	if p.record == nil {
		var requester v1alpha1.Requester
		if stamped := p.action.Spec.Requester; stamped != nil {
			requester = *stamped
		}
		return readAction(p.action, requester, &asked{})
	}
	var kept audit.Request
	if err := json.Unmarshal(p.record, &kept); err != nil {
		return nil, fmt.Errorf("field request of the record: %w", err)
	}
	who := v1alpha1.Requester{Username: kept.Requester.Username, UID: kept.Requester.UID, Groups: kept.Requester.Groups}
	action := kept.Action(p.Namespace, p.Name, p.UID, p.Agent)
	return readAction(action, who, &asked{agent: kept.Agent, namespace: kept.Namespace})
}

func readAction(action *v1alpha1.AgentAction, requester v1alpha1.Requester, into *asked) (*asked, error) {
	req, err := request.Read(action, requester, nil)
	if err != nil {
		return nil, err
	}
	req.Cancelled = false // policy is asked what it says, not the requester
	into.request = req
	return into, nil
}
