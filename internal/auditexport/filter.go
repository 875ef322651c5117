// SPDX-License-Identifier: Apache-2.0

// Package auditexport chooses records of the audit trail and writes them for other
// systems: as the lines they are, as a table, and as OCSF events.
package auditexport

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/terminal"
)

// kindOfAction is the kind of records that name none.
const kindOfAction = "AgentAction"

// Filter chooses records. Of each field that has patterns, one has to match; a
// field without any lets everything through. Patterns are globs of match.Glob,
// so that case does not count. The zero Filter chooses every record.
type Filter struct {
	// Since is the first moment that counts, and Until the first one that no longer
	// does; zero for no bound.
	Since, Until time.Time
	// Events, such as action.* or policy.updated.
	Events []match.Glob
	// Agents by name.
	Agents []match.Glob
	// Actions by name, by NAMESPACE/NAME, or by uid. A pattern for actions chooses
	// objects of no other kind.
	Actions []match.Glob
	// Actors are the users of the records; the operator itself has the empty name.
	Actors []match.Glob
	// Namespaces of the objects.
	Namespaces []match.Glob
	// Kinds of the objects: AgentAction, SmartRule and so on.
	Kinds []match.Glob
	// Controls such as NIST-800-53:AC-6.
	Controls []match.Glob
	// Decisions as they are in the records.
	Decisions []v1alpha1.Decision
}

// Matches says whether the filter chooses the record.
func (f *Filter) Matches(r *audit.Record) bool {
	return f.InPeriod(r.Time) &&
		(len(f.Decisions) == 0 || slices.Contains(f.Decisions, r.Decision)) &&
		covers(f.Events, string(r.Event)) &&
		covers(f.Agents, r.Agent) &&
		covers(f.Actors, r.Actor) &&
		covers(f.Namespaces, r.Namespace) &&
		(len(f.Kinds) == 0 || covers(f.Kinds, kindOf(r))) &&
		f.ofAction(r) && f.ofControl(r)
}

// InPeriod says whether a moment is between Since and Until.
func (f *Filter) InPeriod(t time.Time) bool {
	return (f.Since.IsZero() || !t.Before(f.Since)) && (f.Until.IsZero() || t.Before(f.Until))
}

// IsAction says whether a record is about an action, and neither about another
// object nor about the trail itself.
func IsAction(r *audit.Record) bool {
	return r.Kind == "" && (r.Name != "" || r.UID != "")
}

func kindOf(r *audit.Record) string {
	if IsAction(r) {
		return kindOfAction
	}
	return r.Kind
}

func (f *Filter) ofAction(r *audit.Record) bool {
	if len(f.Actions) == 0 {
		return true
	}
	return IsAction(r) && (covers(f.Actions, r.Name) || covers(f.Actions, r.Namespace+"/"+r.Name) || r.UID != "" && covers(f.Actions, r.UID))
}

func (f *Filter) ofControl(r *audit.Record) bool {
	return len(f.Controls) == 0 || slices.ContainsFunc(r.Controls, func(control string) bool { return covers(f.Controls, control) })
}

func covers(patterns []match.Glob, name string) bool {
	if len(patterns) == 0 {
		return true
	}
	name = match.Fold(name)
	return slices.ContainsFunc(patterns, func(pattern match.Glob) bool { return pattern.Match(name) })
}

// Globs compiles patterns; of each, those between commas.
func Globs(patterns []string) []match.Glob {
	var globs []match.Glob
	for _, list := range patterns {
		for pattern := range strings.SplitSeq(list, ",") {
			globs = append(globs, match.NewGlob(pattern))
		}
	}
	return globs
}

// Decisions are those that can be filtered by.
var Decisions = []v1alpha1.Decision{
	v1alpha1.DecisionPending, v1alpha1.DecisionApproved, v1alpha1.DecisionDenied, v1alpha1.DecisionTimedOut, v1alpha1.DecisionCancelled,
}

// ParseDecisions reads decisions, in any case; of each text, those between commas.
func ParseDecisions(texts []string) ([]v1alpha1.Decision, error) {
	var found []v1alpha1.Decision
	for _, list := range texts {
		for word := range strings.SplitSeq(list, ",") {
			i := slices.IndexFunc(Decisions, func(d v1alpha1.Decision) bool { return strings.EqualFold(string(d), strings.TrimSpace(word)) })
			if i < 0 {
				return nil, fmt.Errorf("there is no decision %q; use Pending, Approved, Denied, TimedOut or Cancelled", terminal.Safe(word))
			}
			found = append(found, Decisions[i])
		}
	}
	return found, nil
}
