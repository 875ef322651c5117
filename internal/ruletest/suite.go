// SPDX-License-Identifier: Apache-2.0

package ruletest

import (
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/manifest"
)

// Suite is one document of kind RuleTest, read and not yet run. It is never
// changed once read, and may be run as often as one likes.
type Suite struct {
	// Position of the document.
	manifest.Position
	// Name is metadata.name.
	Name string

	policy    []string // paths, relative to where the program runs
	ownPolicy bool     // the document has a policy, be it an empty one
	policyAt  manifest.Position
	beside    []string // paths of policy that is in effect, too, and not what is tested
	given     []spot
	defaults  defaults
	cases     []*testCase
}

// Cases is the number of cases.
func (s *Suite) Cases() int { return len(s.cases) }

// defaults are for cases that do not say it themselves.
type defaults struct {
	agent     text
	namespace string
	at        []time.Time
}

// text is a word of a test file, and where it stands.
type text struct {
	string
	at   manifest.Position
	path string
}

// wrong is a problem of the word.
func (t text) wrong(format string, args ...any) manifest.Problem {
	return problemAt(t.at, t.path, format, args...)
}

// testCase is one case as it is written.
type testCase struct {
	at        manifest.Position
	path      string
	name      string
	agent     text
	namespace string
	times     []time.Time
	anyTime   bool
	requester *v1alpha1.Requester
	action    spot // nothing where actionFile is given
	file      text // actionFile, relative to where the program runs
	want      expectation
}

// expectation is what has to come out. What is left out may be anything.
type expectation struct {
	at       manifest.Position
	said     bool // anything at all
	decision v1alpha1.Decision
	reason   string
	score    string
	level    v1alpha1.RiskLevel
	vector   string
	base     string
	message  string
	contains []string
	stages   *int
	stage    string

	rule      *name
	matched   []name
	not       []name
	nearly    []name
	workflows []name
	approvers []string
}

// name is what an expectation calls a rule or a workflow.
type name struct {
	text
	condition string // of a rule in nearly: the condition that is false; empty is any
	key       key    // once it has been resolved
}

// key is the namespace and name of a rule or a workflow.
type key struct{ namespace, name string }

func (k key) String() string { return k.namespace + "/" + k.name }

// wednesday is a day with people at work, and when actions are submitted whose
// case says nothing else.
var wednesday = time.Date(2026, time.March, 4, 10, 0, 0, 0, time.UTC)

// moments are the times at which a case has to hold.
func (s *Suite) moments(c *testCase) []time.Time {
	start := []time.Time{wednesday}
	if len(s.defaults.at) > 0 {
		start = s.defaults.at
	}
	switch {
	case c.anyTime:
		hours := make([]time.Time, 7*24)
		first := start[0].Truncate(time.Hour).Add(30 * time.Minute)
		for i := range hours {
			hours[i] = first.Add(time.Duration(i) * time.Hour)
		}
		return hours
	case len(c.times) > 0:
		return c.times
	default:
		return start
	}
}

// home is the namespace in which the action of a case is submitted.
func (s *Suite) home(c *testCase) string {
	switch {
	case c.namespace != "":
		return c.namespace
	case s.defaults.namespace != "":
		return s.defaults.namespace
	default:
		return defaultNamespace
	}
}

const defaultNamespace = "default"
