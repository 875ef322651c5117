// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
)

// Why a line is passed over.
const (
	skipTorn    = "line that is no audit record"
	skipUnnamed = "record without the uid of an action"
)

// FromFiles reads audit logs, JSON lines as the operator writes them, plain or
// compressed by gzip, one after the other, best oldest first; "-" is stdin. Lines
// that were torn, and records of events in which policy did not decide, are
// passed over and told of, but for those that every log is full of. It ends with an error for a file that cannot be read and
// for a line that is longer than any record.
func FromFiles(paths []string, stdin io.Reader) Source {
	return func(yield func(Past, error) bool) {
		for _, path := range paths {
			more, err := readFile(path, stdin, yield)
			if err != nil {
				yield(Past{}, err)
				return
			}
			if !more {
				return
			}
		}
	}
}

func readFile(path string, stdin io.Reader, yield func(Past, error) bool) (more bool, err error) {
	name, from := "standard input", stdin
	if path != "-" {
		file, err := os.Open(path) //nolint:gosec // the file that the user names
		if err != nil {
			return false, fmt.Errorf("read the audit log: %w", err)
		}
		defer file.Close()
		name, from = path, file
	}
	lines, err := newLines(name, from)
	if err != nil {
		return false, err
	}
	for {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if len(line) == 0 {
			continue
		}
		if past, tells := pastOf(line); tells && !yield(past, nil) {
			return false, nil
		}
	}
}

// record is what is needed of an audit.Record. Text is cut to what it may be
// where it is kept, see table.
type record struct {
	Time             time.Time
	Event            v1alpha1.EventType
	Kind             string
	Namespace        string
	Name             string
	UID              string
	Agent            string
	ActionType       string
	Resource         string
	Decision         v1alpha1.Decision
	Reason           string
	Message          string
	RiskScore        v1alpha1.Score
	MatchedRules     []string
	Workflows        []string
	ApprovalRevision string
	Request          json.RawMessage
}

// pastOf reads one line of an audit log; false where it tells nothing that anybody
// would miss. What it returns holds no part of the line.
func pastOf(line []byte) (past Past, tells bool) {
	var r record
	if err := json.Unmarshal(line, &r); err != nil || r.Event == "" {
		return Past{Skip: skipTorn}, true
	}
	switch {
	case slices.Contains(accompanying, r.Event), r.Event == audit.EventEvaluated && r.Reason == "":
		return Past{}, false
	case r.Kind != "" || !decides(r.Event):
		return Past{Skip: fmt.Sprintf("record of event %.64s, in which policy did not decide", r.Event)}, true
	case r.UID == "":
		return Past{Skip: skipUnnamed}, true
	}
	return pastOfDecision(&r), true
}

// accompanying are the events beside decisions: of what leads to one and what
// comes after, of policy, and of the trail itself.
var accompanying = []v1alpha1.EventType{
	v1alpha1.EventActionSubmitted, audit.EventApprovalRecorded, audit.EventOverridden, audit.EventCollected,
	audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyDeleted,
	audit.EventStarted, audit.EventCheckpoint, audit.EventStopped,
}

func pastOfDecision(r *record) Past {
	said := policySaid(r.Decision, r.Reason, len(r.Workflows) > 0)
	past := Past{
		UID: r.UID, Namespace: r.Namespace, Name: r.Name, Agent: r.Agent, ActionType: r.ActionType, Resource: r.Resource,
		Time: r.Time, Skip: said.skip, byPeople: said.byPeople,
	}
	if said.skip != "" {
		return past
	}
	if string(r.Request) != "null" {
		past.record = r.Request
	}
	past.Said = Verdict{
		Decision: said.decision, Reason: r.Reason, Message: r.Message, Score: r.RiskScore,
		Rules: r.MatchedRules, Workflows: r.Workflows, ApprovalRevision: r.ApprovalRevision,
	}
	return past
}

// decides says whether an event is a decision of the operator about an action, or
// that it waits as before, for another reason.
func decides(event v1alpha1.EventType) bool {
	return slices.Contains([]v1alpha1.EventType{
		v1alpha1.EventActionApproved, v1alpha1.EventActionPending, v1alpha1.EventActionDenied,
		v1alpha1.EventActionTimeout, v1alpha1.EventActionCancelled, v1alpha1.EventActionEscalated,
		audit.EventEvaluated,
	}, event)
}
