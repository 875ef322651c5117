// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// said is what policySaid shall say of a decision and its reason.
type said struct {
	stands   v1alpha1.Decision
	reason   string
	asked    bool
	want     v1alpha1.Decision // empty: passed over
	byPeople bool
}

var allSaid = []said{
	{v1alpha1.DecisionApproved, v1alpha1.ReasonAutoApproved, false, v1alpha1.DecisionApproved, false},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonRuleAllowed, false, v1alpha1.DecisionApproved, false},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonApprovalGranted, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonEmergencyOverride, true, v1alpha1.DecisionPending, true},
	// Withdrawn by the kill switch.
	{v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended, false, v1alpha1.DecisionApproved, false},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonAgentSuspended, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonAgentRetired, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonAgentStateUnknown, false, v1alpha1.DecisionApproved, false},

	{v1alpha1.DecisionPending, v1alpha1.ReasonApprovalRequired, true, v1alpha1.DecisionPending, false},
	{v1alpha1.DecisionPending, v1alpha1.ReasonExceptionRequested, true, v1alpha1.DecisionPending, false},
	{v1alpha1.DecisionPending, v1alpha1.ReasonNoWorkflow, true, v1alpha1.DecisionPending, false},
	{v1alpha1.DecisionPending, v1alpha1.ReasonWorkflowNotFound, true, v1alpha1.DecisionPending, false},
	{v1alpha1.DecisionPending, v1alpha1.ReasonResourceUnknown, true, v1alpha1.DecisionPending, false},
	{v1alpha1.DecisionPending, v1alpha1.ReasonScoringFailed, true, v1alpha1.DecisionPending, false},
	{v1alpha1.DecisionPending, v1alpha1.ReasonRuleFailed, true, v1alpha1.DecisionPending, false},

	{v1alpha1.DecisionDenied, v1alpha1.ReasonApprovalDenied, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonApprovalTimeout, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionTimedOut, v1alpha1.ReasonApprovalTimeout, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, true, v1alpha1.DecisionPending, true},
	{v1alpha1.DecisionCancelled, v1alpha1.ReasonCancelledByRequester, false, "", false},

	{v1alpha1.DecisionDenied, v1alpha1.ReasonRuleDenied, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonRiskTooHigh, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonNotASubject, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentNotFound, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentSuspended, true, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentRetired, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonAgentStateUnknown, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonActionTypeNotAllowed, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonResourceNotAllowed, false, v1alpha1.DecisionDenied, false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonResourceBlocked, false, v1alpha1.DecisionDenied, false},

	{v1alpha1.DecisionNone, "", false, "", false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonNotAdmitted, false, "", false},
	{v1alpha1.DecisionDenied, v1alpha1.ReasonInvalidRequest, false, "", false},
	{v1alpha1.DecisionDenied, "SomethingNew", false, "", false},
	{v1alpha1.DecisionApproved, v1alpha1.ReasonRuleDenied, false, "", false}, // no operator writes that
	{"Maybe", v1alpha1.ReasonAutoApproved, false, "", false},
}

func TestWhatPolicySaid(t *testing.T) {
	t.Parallel()
	for _, test := range allSaid {
		got := policySaid(test.stands, test.reason, test.asked)
		if got.decision != test.want || got.byPeople != test.byPeople || (got.skip == "") != (test.want != "") {
			t.Errorf("%s %s, people asked: %v: got %+v, want %q", test.stands, test.reason, test.asked, got, test.want)
		}
	}
}

// A reason that is new in the API has to be thought about here, too.
func TestEveryReasonOfADecisionIsKnown(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "api", "v1alpha1", "reasons.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, test := range allSaid {
		known[test.reason] = true
	}
	checked := 0
	for _, declaration := range file.Decls {
		constants, isConstants := declaration.(*ast.GenDecl)
		if !isConstants || !strings.HasPrefix(constants.Doc.Text(), "Reasons of decisions") {
			continue
		}
		ast.Inspect(constants, func(n ast.Node) bool {
			if literal, isLiteral := n.(*ast.BasicLit); isLiteral {
				reason, err := strconv.Unquote(literal.Value)
				checked++
				if err != nil || !known[reason] {
					t.Errorf("reason %s is not in the table of this test", literal.Value)
				}
			}
			return true
		})
	}
	if checked < 20 {
		t.Errorf("only %d reasons were found", checked)
	}
}

// A record of an evaluation tells what policy says only where the action waits on.
func TestWhatAnEvaluationTells(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line  string
		tells bool
	}{
		"the first":         {`{"event":"action.evaluated","uid":"u","decision":"","reason":"","matchedRules":["a/b Deny Enforce"]}`, false},
		"before a decision": {`{"event":"action.evaluated","uid":"u","decision":"Pending","reason":""}`, false},
		"of what waits on":  {`{"event":"action.evaluated","uid":"u","decision":"Pending","reason":"ApprovalRequired","matchedRules":["a/b Deny Enforce"],"riskScore":"7.1"}`, true},
	} {
		past, tells := pastOf([]byte(c.line))
		if tells != c.tells || tells && (past.Said.Decision != "Pending" || past.Said.Score != "7.1" || len(past.Said.Rules) != 1 || past.Skip != "") {
			t.Errorf("%s: %v, %+v", name, tells, past)
		}
	}
}
