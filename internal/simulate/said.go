// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"fmt"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// Why an action is passed over.
const (
	skipUndecided   = "not decided yet"
	skipNotAdmitted = "NotAdmitted: nobody knows who asked, so policy was not"
	skipInvalid     = "InvalidRequest: what was asked could not be read, so policy was not asked"
	skipCancelled   = "cancelled before policy was asked"
)

// opinion is what policy said, as a status or a record tells it.
type opinion struct {
	decision v1alpha1.Decision // empty where policy said nothing
	byPeople bool              // the reason is that of people, and not of policy
	skip     string            // why policy said nothing
}

// policySaid tells what policy said from the decision that stands and its
// reason. asked says whether people were asked.
func policySaid(stands v1alpha1.Decision, reason string, asked bool) opinion {
	switch stands {
	case v1alpha1.DecisionNone:
		return opinion{skip: skipUndecided}
	case v1alpha1.DecisionPending:
		return opinion{decision: v1alpha1.DecisionPending} // whatever it is that wants people
	case v1alpha1.DecisionTimedOut:
		return byPeople
	case v1alpha1.DecisionCancelled:
		if asked {
			return byPeople
		}
		return opinion{skip: skipCancelled}
	case v1alpha1.DecisionApproved:
		return ofApproved(reason, asked)
	case v1alpha1.DecisionDenied:
		return ofDenied(reason)
	}
	return unknown(stands, reason)
}

// byPeople: policy said Pending, and people have spoken since.
var byPeople = opinion{decision: v1alpha1.DecisionPending, byPeople: true}

func ofApproved(reason string, asked bool) opinion {
	switch reason {
	case v1alpha1.ReasonAutoApproved, v1alpha1.ReasonRuleAllowed:
		return opinion{decision: v1alpha1.DecisionApproved}
	case v1alpha1.ReasonApprovalGranted, v1alpha1.ReasonEmergencyOverride:
		return byPeople
	case v1alpha1.ReasonAgentSuspended, v1alpha1.ReasonAgentRetired, v1alpha1.ReasonAgentStateUnknown:
		if asked { // withdrawn, and then it is as it was before that
			return byPeople
		}
		return opinion{decision: v1alpha1.DecisionApproved}
	}
	return unknown(v1alpha1.DecisionApproved, reason)
}

func ofDenied(reason string) opinion {
	switch reason {
	case v1alpha1.ReasonApprovalDenied, v1alpha1.ReasonApprovalTimeout:
		return byPeople
	case v1alpha1.ReasonNotAdmitted:
		return opinion{skip: skipNotAdmitted}
	case v1alpha1.ReasonInvalidRequest:
		return opinion{skip: skipInvalid}
	case v1alpha1.ReasonRuleDenied, v1alpha1.ReasonRiskTooHigh, v1alpha1.ReasonNotASubject,
		v1alpha1.ReasonAgentNotFound, v1alpha1.ReasonAgentSuspended, v1alpha1.ReasonAgentRetired, v1alpha1.ReasonAgentStateUnknown,
		v1alpha1.ReasonActionTypeNotAllowed, v1alpha1.ReasonResourceNotAllowed, v1alpha1.ReasonResourceBlocked:
		return opinion{decision: v1alpha1.DecisionDenied}
	}
	return unknown(v1alpha1.DecisionDenied, reason)
}

func unknown(stands v1alpha1.Decision, reason string) opinion {
	return opinion{skip: fmt.Sprintf("decision %.32s with reason %.128s, which this version does not know", stands, reason)}
}
